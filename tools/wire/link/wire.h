/*
 * wire - an impaired link between two network namespaces, without root and
 * without netem: loss hits real TCP segments and real datagrams.
 *
 *     left end, 10.77.0.1                            right end, 10.77.0.2
 *     fd77::1, the client's                          fd77::2, the server's
 *       a kernel's own TCP/IP                          a kernel's own TCP/IP
 *       TUN or veth "wire0"                            TUN or veth "wire0"
 *             |              forwarder process               |
 *             +-- to_right: rate, queue, loss, delay, ... -->+
 *             +<-- to_left: the same, its own random numbers-+
 *
 * The process that calls wire_create() must have one thread. It is moved into
 * namespaces of its own for good, and from then on stands at the left end: a
 * plain socket() is a socket there. Who wants to stay at home forks first.
 * The functions of one wire are called by that process alone. When it dies,
 * however it dies, the forwarder and the spawned commands die with it.
 *
 * A seed repeats: whether a packet is lost is a function of seed, direction
 * and the packet's number in that direction, and the kernel's own chatter
 * (link-local IPv6, IGMP) is neither numbered nor carried.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum wire_side {
    WIRE_LEFT, /* the client's end */
    WIRE_RIGHT /* the server's end */
};

/* Packets that are to be overtaken are held back so long, if not said. */
#define WIRE_REORDER_MS 20

/* The impairments of packets that go one way; all zero: none. */
struct wire_direction {
    double loss;       /* 0..1: lost */
    double reorder;    /* 0..1: held back, so that others overtake them */
    double duplicate;  /* 0..1: arrives twice */
    double reorder_ms; /* for how long; 0: WIRE_REORDER_MS */
    double delay_ms;
    double jitter_ms;   /* delay +- this, evenly; never reorders */
    double rate_mbit;   /* of IP packets, headers included; 0: no limit */
    size_t queue_bytes; /* before the rate limit; 0: what takes 100 ms */
};

enum wire_kind {
    WIRE_ANY, /* TUN, or veth where TUN may not be opened */
    WIRE_TUN,
    WIRE_VETH
};

struct wire_options {
    struct wire_direction to_right, to_left;
    unsigned mtu; /* 68..65535; 0: 1500. Below 1280 there is no IPv6 */
    uint64_t seed;
    const char *pcap; /* a file to write all that is sent into it; or NULL */
    enum wire_kind kind;
};

/* Counts of all that went one way. packets + duplicated = delivered + lost +
   queue_dropped
   + overrun + what is still under way. */
struct wire_counts {
    uint64_t packets, bytes; /* sent into the link, headers included */
    uint64_t payload_packets, payload_bytes; /* thereof with TCP or UDP data */
    uint64_t lost;          /* by `loss` and wire_drop_next() */
    uint64_t queue_dropped; /* found the queue full */
    uint64_t duplicated;
    uint64_t reordered; /* delivered behind one that was sent after them */
    uint64_t delivered, delivered_bytes, delivered_payload_bytes;
    uint64_t overrun;  /* came faster than this machine can forward */
    uint64_t first_ns; /* CLOCK_MONOTONIC: the first packet was sent ... */
    uint64_t last_ns;  /* ... and the last one arrived, so far */
    uint64_t late_ns, late_max_ns; /* sum, worst: delivered after their time */
};

static inline uint64_t wire_under_way(const struct wire_counts *counts)
{
    return counts->packets + counts->duplicated - counts->delivered -
           counts->lost - counts->queue_dropped - counts->overrun;
}

struct wire;

/* NULL after writing into `error` what is missing (a right, a setting) and,
   after a semicolon, what to do. */
struct wire *wire_create(const struct wire_options *options, char *error,
                         size_t size);
/* Ends the forwarder and closes the ends. Accepts NULL. Spawned commands are
   not waited for. */
void wire_destroy(struct wire *wire);

/* A socket that lives at that end, close-on-exec; or -errno. */
int wire_socket(struct wire *wire, enum wire_side side, int domain, int type,
                int protocol);

/* Starts a command at that end, found in PATH, a child of the caller. fds are
   its stdin, stdout and stderr, -1: the caller's; NULL: all three. One at the
   right end leads a process group, so that Ctrl-C goes to the left. It finds
   its addresses in WIRE_SELF, WIRE_PEER and, with IPv6, WIRE_SELF6 and
   WIRE_PEER6, and "left" or "right" in WIRE_SIDE. Its pid, or -errno, that
   of exec included. */
pid_t wire_spawn(struct wire *wire, enum wire_side side, char *const argv[],
                 const int fds[3]);

/* Whether a TCP socket listens or a UDP socket is bound at that end. */
bool wire_is_listening(struct wire *wire, enum wire_side side);

/* "10.77.0.1", "fd77::1", ...; domain is AF_INET or AF_INET6. */
const char *wire_address(enum wire_side side, int domain);
bool wire_has_ipv6(const struct wire *wire);

/* "tun" or "veth". */
const char *wire_kind(const struct wire *wire);

/* Loses the nth (1: the next) packet with payload that is sent from that end
   after this call; a TCP segment with data or a UDP datagram, each
   retransmission anew. May be called several times. False: more than
   WIRE_DROPS wait. */
bool wire_drop_next(struct wire *wire, enum wire_side from, unsigned nth);
#define WIRE_DROPS 256

/* Other impairments from now on, e.g. loss 1 to cut the link. What is under
   way arrives as it would have. False: the forwarder is gone, as below. */
bool wire_impair(struct wire *wire, const struct wire_direction *to_right,
                 const struct wire_direction *to_left);

/* Counts each direction, by the side that sent: counts[WIRE_LEFT] is what went
   to the right. False: the forwarder is gone, and they are zero. */
bool wire_counts(struct wire *wire, struct wire_counts counts[2]);

/* Tries, in a child, what wire_create() needs. When it is not possible, why[]
   says what is missing and what to do; else the kind, "tun" or "veth". */
bool wire_is_possible(char *why, size_t size);

#endif
