/*
 * still - whether another worker stands still.
 *
 * One that is stopped, or hangs in a handler, ends no turn. One that is only
 * idle ends none either; so the question is for those who wait for something
 * that any turn would bring.
 */
#ifndef STILL_H
#define STILL_H

#include "state/state.h"

#define STILL_MS 250 /* so long without a turn: nobody waits any longer */

struct still {
    uint32_t turns;
    uint64_t since_ms;
};

/* Begins to watch a worker. */
void still_begin(struct still *still, unsigned worker);
/* True when it has ended no turn for STILL_MS, since still_begin() at the
   most. */
bool still_is(struct still *still, unsigned worker);

#endif
