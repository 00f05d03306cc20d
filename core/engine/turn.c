/* The end of a turn. */

#include "engine/turn.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "engine/life.h"
#include "engine/mail.h"
#include "out/flush.h"
#include "state/canary.h"

#define SCRATCH_KEEP (1u << 20)

void turn_flush(void)
{
    if (core->dirty)
        flush_all();
}

static void turn_trim_scratch(void)
{
    madvise(core->scratch, core->scratch_peak, MADV_DONTNEED);
    core->scratch_peak = 0;
}

/* Others only read it, so it needs no bus lock. */
static void turn_count(_Atomic uint32_t *turns)
{
    atomic_store_explicit(turns,
                          atomic_load_explicit(turns, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

void turn_end(void)
{
    struct core *this = core;

    turn_count(this->turns);
    do {
        if (this->noted)
            canary_check_noted();
        if (this->closing)
            session_close_marked();
        if (this->dirty || this->gathered)
            flush_all();
    } while (this->noted || this->closing || this->dirty || this->gathered);
    if (this->has_starved && this->has_freed)
        mark_fed();
    if (this->scratch_peak > SCRATCH_KEEP)
        turn_trim_scratch();
    if (this->wake_mask)
        mail_wake();
    timer_arm();
}
