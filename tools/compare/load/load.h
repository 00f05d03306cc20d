/*
 * load - clients in a process of their own that say many messages to a server
 * and see when which of them arrives where.
 *
 * They are playground clients: the transport's own plugin, and the framing
 * layers of the server's config with their options, so that messages are cut
 * and put together as the server does it.
 *
 *   load.c         starts the process and gives it orders
 *   load_client.c  the process: connecting, orders
 *   load_probe.c   warms up, and finds out who hears what
 *   load_say.c     says messages by the clock
 *   load_chain.c   the ends of its chain, and what goes through
 *   match.c        which message has arrived
 *
 * It is an open loop: message n is due at n / rate whatever the server does,
 * and its latency counts from then. A server that stalls makes all that would
 * have been said meanwhile late, as it would be for people.
 */
#ifndef LOAD_H
#define LOAD_H

#include <netinet/in.h>

#include "compare/lab/lab.h"
#include "compare/load/match.h"
#include "config/config.h"

#define LOAD_CLIENTS_MOST    1000
#define LOAD_MESSAGES_MOST   1000000
#define LOAD_LATER_MOST_S    5    /* sending ends so long after its time */
#define LOAD_SETTLE_MS       1500 /* a TCP that has lost something may take it */
#define LOAD_DELIVERIES_MOST 2000000 /* that are noted one by one */

struct load_plan {
    const struct config *server; /* what is served: framing and limits */
    const char *transport;       /* "tcp" */
    struct sockaddr_in address;
    unsigned clients;
    struct messages *messages;
    double round_trip_ms; /* of the link */
};

/* The findings of probing. */
struct load_found {
    enum match_how how;
    bool is_answered, is_stream, hears_self, hears_others;
};

/* The traffic of the transport. */
struct load_traffic {
    uint64_t out_records, out_bytes; /* datagrams, or writes of a stream */
    uint64_t in_records, in_bytes;
    uint64_t segments_out, segments_in, retransmissions; /* TCP */
};

struct load_result {
    uint64_t sent, expected;
    uint64_t unsaid; /* messages for which there was no time */
    uint64_t delivered, duplicates, reordered;
    double behind_ms; /* how late the clients themselves were, at worst */
    struct load_traffic traffic;
};

struct load;

/* The config of a server that echoes, for a plan; fails the experiment where
   its plugins cannot be loaded. Stays for good. */
struct config *load_echo_config(struct lab *lab);

/* Starts the clients, connects, warms up and probes. */
struct load *load_start(struct lab *lab, const struct load_plan *plan);
struct load_found load_found(const struct load *load);

/* Orders `count` messages, at `rate` a second of all clients together. */
void load_begin(struct lab *lab, struct load *load, double rate, size_t count);
/* Readable when they have all been said and answered, or nobody answers any
   more. */
int load_fd(const struct load *load);
struct load_result load_end(struct lab *lab, struct load *load);
/* The deliveries of the last result: one for each message and receiver, in the
   order in which they came; at most LOAD_DELIVERIES_MOST. */
const struct delivery *load_deliveries(const struct load *load, size_t *count);

/* The clients leave. */
void load_stop(struct load *load);

#endif
