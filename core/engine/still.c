/* Looks at the turns of another worker. */

#include "engine/still.h"

#include "workers/commons.h"

static uint32_t still_turns_of(unsigned worker)
{
    return atomic_load_explicit(commons_turns(core->commons, worker),
                                memory_order_relaxed);
}

void still_begin(struct still *still, unsigned worker)
{
    still->turns = still_turns_of(worker);
    still->since_ms = core_now_ms();
}

bool still_is(struct still *still, unsigned worker)
{
    if (still_turns_of(worker) != still->turns)
        still_begin(still, worker);
    return core_now_ms() - still->since_ms >= STILL_MS;
}
