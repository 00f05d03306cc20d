/*
 * virtual - the outside of a core without descriptors, on a clock that jumps
 * from one event to the next: for a simulation, and for the test harness.
 *
 * It does what a worker does with libuv: it calls session_readable() and
 * session_writable() of sessions that are ready for what they are watched for,
 * and due_run() when its time has come.
 */
#ifndef VIRTUAL_H
#define VIRTUAL_H

#include "state/state.h"

/* When the clock starts: 0 would stand for "no time" here and there. */
#define VIRTUAL_START_NS 1000000000ull
/* What a clock on the wall shows then: 2000-01-01T00:00:00Z. */
#define VIRTUAL_WALL_MS 946684800000ull

extern const struct core_io virtual_io;

/* Before core_create() with virtual_io. -ENOMEM or 0. */
int virtual_start(const struct config *config);
/* After core_destroy(). */
void virtual_finish(void);

/* turn_end(), then whatever is ready, until nothing moves any more. */
void virtual_turn(void);

/* When the core's next timer is due; UINT64_MAX: never. */
uint64_t virtual_next_ns(void);
/* Time passes until then; what is due happens in its order. */
void virtual_advance(uint64_t until_ns);

#endif
