/*
 * port - where the forwarder takes packets from one end, and gives them to it:
 * a TUN device in that end's namespace, or the other half of its veth pair.
 */
#ifndef PORT_H
#define PORT_H

#include <linux/if_packet.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire/link/wire.h"

#define PORT_INTERFACE "wire0"

struct port {
    int fd; /* does not block */
    enum wire_kind kind;
    struct sockaddr_ll to; /* the end's interface, when it is a veth */
    /* /proc/.../net/dev of the end, and of where the other half is, or -1 */
    int end_figures, hub_figures;
    char hub_name[8];
    uint64_t missed; /* packets the socket had no room for */
};

#define PORT_CLOSED                                                            \
    {                                                                          \
        .fd = -1, .end_figures = -1, .hub_figures = -1                         \
    }

/* Makes the interface of that end in the current namespace. hub: a namespace
   for the other half of a veth pair. 0 or -errno; to be closed in
   either case. */
int port_open_tun(struct port *port);
int port_open_veth(struct port *port, enum wire_side side, unsigned mtu,
                   int hub);
void port_close(struct port *port);

/* The next packet. -EAGAIN: there is none. */
ssize_t port_read(struct port *port, uint8_t *packet, size_t size);
/* False: the end's kernel did not take it. */
bool port_write(struct port *port, const uint8_t *packet, size_t len);
/* Count the packets that were dropped on the way to the forwarder (from the
   end) and behind it (to the end), since the port was opened. */
uint64_t port_dropped_from(struct port *port);
uint64_t port_dropped_to(struct port *port);

#endif
