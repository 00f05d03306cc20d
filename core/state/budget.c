/* Counts what a session does in a turn. */

#include "state/budget.h"

#include <stdatomic.h>

#include "state/state.h"

static uint32_t budget_turn(void)
{
    return atomic_load_explicit(core->turns, memory_order_relaxed);
}

/* Spends all of it when its time is over. */
static void budget_look(struct budget *budget)
{
    uint32_t now_us = (uint32_t)(core->io->now_ns() / 1000);

    if (budget->spent == BUDGET_LOOK)
        budget->began_us = now_us;
    else if (now_us - budget->began_us > BUDGET_US &&
             budget->spent < core->turn_records)
        budget->spent = core->turn_records;
}

void budget_take(struct budget *budget)
{
    uint32_t turn = budget_turn();

    if (budget->turn != turn)
        *budget = (struct budget){.turn = turn};
    if (++budget->spent % BUDGET_LOOK == 0)
        budget_look(budget);
}

struct pass pass_begin(void)
{
    return (struct pass){core->io->now_ns() + PASS_US * 1000u};
}

bool pass_is_over(const struct pass *pass)
{
    return core->io->now_ns() > pass->until_ns;
}

bool budget_is_spent(const struct budget *budget)
{
    return budget->turn == budget_turn() && budget->spent >= core->turn_records;
}
