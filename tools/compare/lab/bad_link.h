/*
 * bad_link - the echo server of an experiment at the other end of an impaired
 * link, and what the experiments do there.
 *
 * Where the system allows no link, the server stands on loopback: datagrams
 * suffer in the handler `impair` instead, and TCP, whose segments nothing here
 * can lose, goes unimpaired. bad_link_start() says so in the result.
 */
#ifndef BAD_LINK_H
#define BAD_LINK_H

#include "compare/lab/lab.h"
#include "wire/link/wire.h"

/* A message and its answer pass so many who may come late: the client, the
   forwarder, the server, the forwarder again. */
#define BAD_LINK_HOPS 4

struct bad_link {
    struct wire *wire; /* NULL: the fall-back */
    struct server *server;
};

/* The impairment towards the server and back, which may differ. */
struct bad_link_plan {
    struct wire_direction to_server, to_client;
};

/* Why this system allows no link, fit for a sentence; NULL: it does. To find
   out takes a link, made once in each process. */
const char *bad_link_hindrance(void);
/* A link alone; this process stands at its left end from now on. */
struct wire *bad_link_wire(struct lab *lab, const struct wire_options *options);

/* A server of this config (stolen; it has a tcp and a udp transport), and the
   link to it. */
struct bad_link bad_link_start(struct lab *lab,
                               const struct bad_link_plan *plan,
                               json_t *config);
/* {"transports": ["tcp", "udp"], "handlers": ["echo"]} */
json_t *bad_link_echo(void);

/* A socket connected to the server; a TCP one sends small messages at once
   (TCP_NODELAY), as the server does. */
int bad_link_connect(struct lab *lab, const struct bad_link *link,
                     enum side side);

/* From now on; the fall-back cannot change, and must not be asked to. */
void bad_link_impair(struct lab *lab, struct bad_link *link,
                     const struct bad_link_plan *plan);
/* Counts of the packets that have gone over it: counts[WIRE_LEFT] is towards
   the server. All zero in the fall-back. */
void bad_link_counts(struct lab *lab, struct bad_link *link,
                     struct wire_counts counts[2]);
/* Loses the nth packet with payload towards the server. */
void bad_link_drop(struct lab *lab, struct bad_link *link, unsigned nth);

#endif
