/*
 * impairment - what becomes of each packet that goes one way: a pure function
 * of the options, the seed, the packet's number and size, and the clock that
 * the caller reads.
 *
 * The link itself is that of plugins/common/link.h. A packet link has more
 * beyond it: a queue that has a default, and packets that are lost by name.
 */
#ifndef IMPAIRMENT_H
#define IMPAIRMENT_H

#include "common/link.h"

#include "wire/link/wire.h"

struct impairment {
    struct link_terms terms;
    struct link_way way;
    uint64_t payload;           /* counts packets with payload */
    uint64_t drops[WIRE_DROPS]; /* by their number among those with payload */
    unsigned drop_count;
};

void impairment_init(struct impairment *impairment,
                     const struct wire_direction *how, uint64_t seed,
                     enum wire_side from);

/* Other terms from now on; what is under way keeps its time. */
void impairment_change(struct impairment *impairment,
                       const struct wire_direction *how);

/* The next packet, of `bytes`, enters at now_ns. */
struct link_fate impairment_decide(struct impairment *impairment, size_t bytes,
                                   bool has_payload, uint64_t now_ns);

/* Loses the nth packet with payload from now on. False: too many wait. */
bool impairment_drop(struct impairment *impairment, unsigned nth);

#endif
