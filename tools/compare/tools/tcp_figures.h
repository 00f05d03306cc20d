/*
 * tcp_figures - what the kernel knows about a TCP connection: TCP_INFO, see
 * tcp(7). In a file of its own, because <linux/tcp.h>, which has all of it,
 * and <netinet/tcp.h> do not go together.
 */
#ifndef TCP_FIGURES_H
#define TCP_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_figures {
    uint64_t segments_out, segments_in; /* handshake and bare ACKs too */
    uint64_t bytes_acked;
    uint32_t retransmissions; /* segments sent again */
    uint32_t window;          /* congestion window, in segments */
    uint32_t mss;
    double rtt_ms;
};

/* False: this socket is no TCP socket, or the kernel is older than 4.6. */
bool tcp_figures_get(int fd, struct tcp_figures *figures);

/* The congestion control of this name, "cubic"; false: the kernel has none of
   that name, or does not let us have it. */
bool tcp_set_congestion(int fd, const char *name);

#endif
