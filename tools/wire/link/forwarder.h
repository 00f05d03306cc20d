/*
 * forwarder - the process between the two ends: takes packets from each port,
 * sends them down their lane, and gives them to the other port when they
 * arrive.
 *
 * It answers each request on its control socket (SOCK_SEQPACKET) with one
 * reply, and ends when the other side of that closes.
 */
#ifndef FORWARDER_H
#define FORWARDER_H

#include <stdio.h>

#include "wire/link/port.h"
#include "wire/link/wire.h"

enum forwarder_ask { FORWARDER_COUNTS, FORWARDER_DROP, FORWARDER_IMPAIR };

struct forwarder_request {
    enum forwarder_ask ask;
    enum wire_side from;                     /* FORWARDER_DROP */
    unsigned nth;                            /* FORWARDER_DROP */
    struct wire_direction to_right, to_left; /* FORWARDER_IMPAIR */
};

struct forwarder_reply {
    bool is_done;
    struct wire_counts counts[2];
};

/* Runs until the control socket closes, then ends the process. Of the open
   files it keeps only stderr and those it is given. */
_Noreturn void forwarder_run(struct port ports[2],
                             const struct wire_options *options, FILE *capture,
                             int control);

#endif
