/* The one core of this process, and its time. */

#include "state/state.h"

struct core *core;

uint64_t core_ask_time(void)
{
    core->now_ms = core->io->now_ns() / 1000000;
    return core->now_ms;
}
