/*
 * impairment - what becomes of each packet that goes one way: a pure function
 * of the options, the seed, the packet's number and size, and the clock that
 * the caller reads.
 *
 *     queue (tail drop) -> rate -> loss -> delay, jitter, reorder, duplicate
 */
#ifndef IMPAIRMENT_H
#define IMPAIRMENT_H

#include "wire/link/wire.h"

struct impairment {
    struct wire_direction how;
    uint64_t stream;   /* of random numbers: from the seed and the side */
    uint64_t number;   /* of the packet, from 0 */
    uint64_t payload;  /* how many had payload */
    uint64_t free_ns;  /* when the last bit of what is queued has left */
    uint64_t order_ns; /* nothing arrives before what was sent before it */
    uint64_t drops[WIRE_DROPS]; /* by their number among those with payload */
    unsigned drop_count;
};

enum impairment_fate {
    IMPAIRMENT_ARRIVES,
    IMPAIRMENT_LOST,
    IMPAIRMENT_QUEUE_FULL
};

struct impairment_verdict {
    enum impairment_fate fate;
    uint64_t arrival_ns;
    bool is_overtaken, is_duplicated;
};

void impairment_init(struct impairment *impairment,
                     const struct wire_direction *how, uint64_t seed,
                     enum wire_side from);

/* The next packet, of `bytes`, enters at now_ns. */
struct impairment_verdict impairment_decide(struct impairment *impairment,
                                            size_t bytes, bool has_payload,
                                            uint64_t now_ns);

/* Loses the nth packet with payload from now on. False: too many wait. */
bool impairment_drop(struct impairment *impairment, unsigned nth);

#endif
