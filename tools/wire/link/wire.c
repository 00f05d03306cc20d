/* The making of a wire and its end, and requests to its forwarder. */
#include "wire/link/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/remedy.h"
#include "wire/link/forwarder.h"
#include "wire/link/interface.h"
#include "wire/link/namespaces.h"
#include "wire/link/pcap.h"
#include "wire/link/wire_parts.h"

#define MTU_DEFAULT 1500
#define MTU_IPV6    1280 /* the least that IPv6 runs on */
#define IPV4_BITS   24
#define IPV6_BITS   64

/* All that wire_create() has opened so far. */
struct construction {
    struct wire *wire;
    const struct wire_options *options;
    struct port ports[2];
    int hub; /* where the other halves of the veths are, or -1 */
    FILE *capture;
    char *error;
    size_t size;
};

const char *wire_address(enum wire_side side, int domain)
{
    if (domain == AF_INET6)
        return side == WIRE_LEFT ? "fd77::1" : "fd77::2";
    return side == WIRE_LEFT ? "10.77.0.1" : "10.77.0.2";
}

const char *wire_kind(const struct wire *wire)
{
    return wire->kind == WIRE_TUN ? "tun" : "veth";
}

bool wire_has_ipv6(const struct wire *wire)
{
    return wire->has_ipv6;
}

/* ---- the ends --------------------------------------------------------- */

static bool wire_fail(struct construction *making, const char *what, int error)
{
    char advice[REMEDY_BYTES];

    namespaces_remedy(-error, "try again, and if it stays so, as root", advice,
                      sizeof(advice));
    snprintf(making->error, making->size, "%s: %s; %s", what, strerror(-error),
             advice);
    return false;
}

static unsigned wire_mtu_of(const struct wire_options *options)
{
    return options->mtu ? options->mtu : MTU_DEFAULT;
}

/* Opens a TUN device, or a veth pair where TUN may not be opened. */
static int wire_open_port(struct construction *making, enum wire_side side)
{
    struct port *port = &making->ports[side];
    enum wire_kind *kind = &making->wire->kind;
    int error = 0;

    if (*kind != WIRE_VETH) {
        error = port_open_tun(port);
        if (error == 0)
            *kind = WIRE_TUN;
        if (*kind == WIRE_TUN)
            return error;
        port_close(port);
        *kind = WIRE_VETH;
    }
    return port_open_veth(port, side, wire_mtu_of(making->options),
                          making->hub);
}

/* IPv6 may be off on this machine, and is where the MTU is small. */
static bool wire_add_ipv6(enum wire_side side, unsigned mtu)
{
    return mtu >= MTU_IPV6 &&
           interface_add_ipv6(PORT_INTERFACE, wire_address(side, AF_INET6),
                              IPV6_BITS) == 0;
}

static int wire_set_up_interfaces(struct construction *making,
                                  enum wire_side side)
{
    const unsigned mtu = wire_mtu_of(making->options);
    int error = interface_add_flags("lo", IFF_UP);

    if (error == 0)
        error = interface_set_mtu(PORT_INTERFACE, mtu);
    if (error == 0)
        error = interface_add_flags(PORT_INTERFACE, IFF_UP);
    if (error == 0)
        error = interface_add_ipv4(PORT_INTERFACE, wire_address(side, AF_INET),
                                   IPV4_BITS);
    if (error == 0)
        error = interface_add_multicast(PORT_INTERFACE);
    making->wire->has_ipv6 = error == 0 && wire_add_ipv6(side, mtu);
    return error;
}

#define VETH "take a veth pair"

static const struct remedy wire_tun_remedies[] = {
    {EACCES, NULL, VETH ", or let an administrator `chmod 666 /dev/net/tun`",
     NULL},
    {EPERM, NULL, VETH ", or a container that may use the device", NULL},
    {ENOENT, NULL, VETH ", or let an administrator `modprobe tun`", NULL},
    {ENODEV, NULL, VETH ", or let an administrator `modprobe tun`", NULL},
    {0},
};

static void wire_no_tun(struct construction *making, int error_number)
{
    struct remedy_case met = {.error = error_number};
    const struct remedy *found = remedy_find(wire_tun_remedies, &met);
    char advice[REMEDY_BYTES] = VETH;

    if (found)
        remedy_fill(found, &met, advice, sizeof(advice));
    snprintf(making->error, making->size, "no TUN device: /dev/net/tun: %s; %s",
             strerror(error_number), advice);
}

static bool wire_no_device(struct construction *making, int error_number)
{
    if (making->wire->kind == WIRE_TUN)
        wire_no_tun(making, error_number);
    else
        namespaces_explain(NAMESPACES_DEVICE, error_number, "/proc/sys",
                           making->error, making->size);
    return false;
}

static bool wire_add_end(struct construction *making, enum wire_side side)
{
    int *space = &making->wire->namespaces[side], error;

    *space = namespaces_add();
    if (*space < 0) {
        namespaces_explain(NAMESPACES_NETWORK, -*space, "/proc/sys",
                           making->error, making->size);
        return false;
    }
    error = wire_open_port(making, side);
    if (error)
        return wire_no_device(making, -error);
    error = wire_set_up_interfaces(making, side);
    return error == 0 || wire_fail(making, "setting up " PORT_INTERFACE, error);
}

/* The new namespace that we are in is the hub, where nothing else is. */
static bool wire_add_ends(struct construction *making)
{
    int error;

    if (!namespaces_enter(making->error, making->size))
        return false;
    making->hub = namespaces_current();
    if (making->hub < 0)
        return wire_fail(making, "/proc/thread-self/ns/net", making->hub);
    if (!wire_add_end(making, WIRE_LEFT) || !wire_add_end(making, WIRE_RIGHT))
        return false;
    error = namespaces_switch(making->wire->namespaces[WIRE_LEFT]);
    return error == 0 || wire_fail(making, "going to the left end", error);
}

/* ---- the forwarder ---------------------------------------------------- */

static bool wire_start_forwarder(struct construction *making)
{
    struct wire *wire = making->wire;
    int control[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0)
        return wire_fail(making, "socketpair", -errno);
    wire->forwarder = fork();
    if (wire->forwarder == 0) {
        close(control[0]);
        forwarder_run(making->ports, making->options, making->capture,
                      control[1]);
    }
    close(control[1]);
    wire->control = control[0];
    return wire->forwarder > 0 || wire_fail(making, "fork", -errno);
}

static bool wire_open_capture(struct construction *making)
{
    const char *path = making->options->pcap;
    char text[REMEDY_BYTES];

    if (!path)
        return true;
    making->capture = pcap_create(path);
    if (making->capture)
        return true;
    snprintf(making->error, making->size, "%s: %s", path,
             remedy_file(REMEDY_WRITE, path, errno,
                         "name a file that can be written", text,
                         sizeof(text)));
    return false;
}

/* Closes all that only the forwarder needs from now on. */
static void wire_let_go(struct construction *making)
{
    if (making->capture)
        fclose(making->capture);
    if (making->hub >= 0)
        close(making->hub);
    port_close(&making->ports[WIRE_LEFT]);
    port_close(&making->ports[WIRE_RIGHT]);
}

struct wire *wire_create(const struct wire_options *options, char *error,
                         size_t size)
{
    struct wire *wire = malloc(sizeof(*wire));
    struct construction making = {
        .wire = wire,
        .options = options,
        .ports = {PORT_CLOSED, PORT_CLOSED},
        .hub = -1,
        .error = error,
        .size = size,
    };
    bool is_made;

    if (!wire) {
        snprintf(error, size, "out of memory; end other programs");
        return NULL;
    }
    *wire = (struct wire){
        .namespaces = {-1, -1}, .control = -1, .kind = options->kind};
    is_made = wire_open_capture(&making) && wire_add_ends(&making) &&
              wire_start_forwarder(&making);
    wire_let_go(&making);
    if (is_made)
        return wire;
    wire_destroy(wire);
    return NULL;
}

void wire_destroy(struct wire *wire)
{
    if (!wire)
        return;
    if (wire->control >= 0)
        close(wire->control);
    if (wire->forwarder > 0)
        waitpid(wire->forwarder, NULL, 0);
    for (int side = WIRE_LEFT; side <= WIRE_RIGHT; side++)
        if (wire->namespaces[side] >= 0)
            close(wire->namespaces[side]);
    free(wire);
}

/* ---- requests --------------------------------------------------------- */

static bool wire_ask(struct wire *wire, const struct forwarder_request *request,
                     struct forwarder_reply *reply)
{
    ssize_t got = -1;

    if (send(wire->control, request, sizeof(*request), MSG_NOSIGNAL) > 0)
        do
            got = recv(wire->control, reply, sizeof(*reply), 0);
        while (got < 0 && errno == EINTR);
    if (got == sizeof(*reply))
        return reply->is_done;
    *reply = (struct forwarder_reply){0};
    return false;
}

bool wire_drop_next(struct wire *wire, enum wire_side from, unsigned nth)
{
    struct forwarder_request request = {
        .ask = FORWARDER_DROP, .from = from, .nth = nth};
    struct forwarder_reply reply;

    return wire_ask(wire, &request, &reply);
}

bool wire_impair(struct wire *wire, const struct wire_direction *to_right,
                 const struct wire_direction *to_left)
{
    struct forwarder_request request = {
        .ask = FORWARDER_IMPAIR, .to_right = *to_right, .to_left = *to_left};
    struct forwarder_reply reply;

    return wire_ask(wire, &request, &reply);
}

bool wire_counts(struct wire *wire, struct wire_counts counts[2])
{
    struct forwarder_request request = {.ask = FORWARDER_COUNTS};
    struct forwarder_reply reply;
    bool is_done = wire_ask(wire, &request, &reply);

    memcpy(counts, reply.counts, sizeof(reply.counts));
    return is_done;
}
