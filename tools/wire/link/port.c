/* A port of the forwarder, over TUN or over a veth pair. */
#include "wire/link/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/link/interface.h"
#include "wire/link/namespaces.h"
#include "wire/link/veth.h"

#define TUN_QUEUE     10000     /* packets */
#define SOCKET_BUFFER (8 << 20) /* with room for the kernel's own needs */

static int port_open_figures(void)
{
    return open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
}

void port_close(struct port *port)
{
    int *fds[] = {&port->fd, &port->end_figures, &port->hub_figures};

    for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}

int port_open_tun(struct port *port)
{
    struct ifreq request = {.ifr_name = PORT_INTERFACE,
                            .ifr_flags = IFF_TUN | IFF_NO_PI};

    port->kind = WIRE_TUN;
    port->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (port->fd < 0)
        return -errno;
    if (ioctl(port->fd, TUNSETIFF, &request) < 0)
        return -errno;
    port->end_figures = port_open_figures();
    return interface_set_queue(PORT_INTERFACE, TUN_QUEUE);
}

/* ---- veth ------------------------------------------------------------- */

/* A socket at the interface of the hub. The kernel there does not touch what
   comes: it is addressed to no one it knows. What is sent bypasses the hub's
   queue, which would drop everything until the kernel has noticed, up to a
   second later, that the pair is connected. */
static int port_open_hub(struct port *port, enum wire_side side, unsigned mtu)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(ETH_P_ALL)};
    int yes = 1, size = SOCKET_BUFFER, error;
    uint8_t unused[6];

    snprintf(port->hub_name, sizeof(port->hub_name), "%s",
             side == WIRE_LEFT ? "left" : "right");
    error = interface_identity(port->hub_name, &address.sll_ifindex, unused);
    if (error == 0)
        error = interface_set_mtu(port->hub_name, mtu);
    if (error)
        return error;
    port->to.sll_ifindex = address.sll_ifindex;
    port->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (port->fd < 0 ||
        setsockopt(port->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes,
                   sizeof(yes)) < 0 ||
        setsockopt(port->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes,
                   sizeof(yes)) < 0 ||
        bind(port->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    /* A bigger buffer is good, and as much as one may have will do. */
    if (setsockopt(port->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) <
        0)
        setsockopt(port->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    port->hub_figures = port_open_figures();
    return interface_add_flags(port->hub_name, IFF_UP | IFF_NOARP);
}

/* NOARP: no one to ask for addresses at this end, nor to be asked. */
static int port_set_up_end(struct port *port)
{
    int unused, error = interface_no_offload(PORT_INTERFACE);

    if (error == 0)
        error = interface_add_flags(PORT_INTERFACE, IFF_NOARP);
    port->to = (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_halen = 6};
    if (error == 0)
        error = interface_identity(PORT_INTERFACE, &unused, port->to.sll_addr);
    port->end_figures = port_open_figures();
    return error;
}

int port_open_veth(struct port *port, enum wire_side side, unsigned mtu,
                   int hub)
{
    const char *peer = side == WIRE_LEFT ? "left" : "right";
    int end = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), error;

    port->kind = WIRE_VETH;
    if (end < 0)
        return -errno;
    error = veth_create(PORT_INTERFACE, peer, hub);
    if (error == 0)
        error = port_set_up_end(port);
    if (error == 0)
        error = namespaces_switch(hub);
    if (error == 0) {
        error = port_open_hub(port, side, mtu);
        if (error == 0)
            error = namespaces_switch(end);
    }
    close(end);
    return error;
}

/* ---- packets ---------------------------------------------------------- */

ssize_t port_read(struct port *port, uint8_t *packet, size_t size)
{
    ssize_t got = read(port->fd, packet, size);

    return got < 0 ? -errno : got;
}

bool port_write(struct port *port, const uint8_t *packet, size_t len)
{
    if (port->kind == WIRE_TUN)
        return write(port->fd, packet, len) == (ssize_t)len;
    port->to.sll_protocol = htons(packet[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
    return sendto(port->fd, packet, len, 0, (struct sockaddr *)&port->to,
                  sizeof(port->to)) == (ssize_t)len;
}

/* ---- what was too much ------------------------------------------------ */

/* "dropped" among what an interface has sent, see proc(5): the twelfth figure
   of its line. */
static uint64_t port_dropped_by(int figures, const char *name)
{
    char text[4096], label[16], *at;
    ssize_t got = pread(figures, text, sizeof(text) - 1, 0);
    uint64_t value = 0;

    if (got <= 0)
        return 0;
    text[got] = 0;
    snprintf(label, sizeof(label), "%s:", name);
    at = strstr(text, label);
    if (!at)
        return 0;
    at += strlen(label);
    for (int i = 0; i < 12; i++)
        value = strtoull(at, &at, 10);
    return value;
}

uint64_t port_dropped_from(struct port *port)
{
    struct tpacket_stats figures;
    socklen_t size = sizeof(figures);

    /* The socket's counter starts anew when it is read. */
    if (port->kind == WIRE_VETH &&
        getsockopt(port->fd, SOL_PACKET, PACKET_STATISTICS, &figures, &size) ==
            0)
        port->missed += figures.tp_drops;
    return port->missed + port_dropped_by(port->end_figures, PORT_INTERFACE);
}

uint64_t port_dropped_to(struct port *port)
{
    return port->kind == WIRE_VETH
               ? port_dropped_by(port->hub_figures, port->hub_name)
               : 0;
}
