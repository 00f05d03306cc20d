/* TCP_INFO of a connection. */

#include "compare/tools/tcp_figures.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

bool tcp_figures_get(int fd, struct tcp_figures *figures)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ||
        len < offsetof(struct tcp_info, tcpi_notsent_bytes))
        return false;
    *figures = (struct tcp_figures){
        .segments_out = info.tcpi_segs_out,
        .segments_in = info.tcpi_segs_in,
        .bytes_acked = info.tcpi_bytes_acked,
        .retransmissions = info.tcpi_total_retrans,
        .window = info.tcpi_snd_cwnd,
        .mss = info.tcpi_snd_mss,
        .rtt_ms = info.tcpi_rtt / 1e3,
    };
    return true;
}

bool tcp_set_congestion(int fd, const char *name)
{
    return !setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name,
                       (socklen_t)strlen(name));
}
