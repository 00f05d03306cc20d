/*
 * scratch - memory of a stack, for pg_scratch() and for the core's own needs.
 * Whoever takes some sets core->scratch_used back to what it was.
 */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stdlib.h>

#include "state/state.h"

/* Bytes that are left of it. */
static inline size_t scratch_most(void)
{
    return CORE_SCRATCH_BYTES - (core->scratch_used + 15) / 16 * 16;
}

/* Never NULL: what no memory could hold ends the process. */
static inline uint8_t *scratch_take(size_t len)
{
    size_t offset = (core->scratch_used + 15) / 16 * 16;

    if (len > CORE_SCRATCH_BYTES - offset)
        abort(); /* the plugin's name is known */
    core->scratch_used = offset + len;
    if (core->scratch_used > core->scratch_peak)
        core->scratch_peak = core->scratch_used;
    return core->scratch + offset;
}

#endif
