/* A binary heap of deadlines. */

#include "state/timer.h"

#include <errno.h>

#include "state/slot.h"

static bool timer_is_before(const struct timer_item *a,
                            const struct timer_item *b)
{
    if (a->due_ms != b->due_ms)
        return a->due_ms < b->due_ms;
    return (int32_t)(a->order - b->order) < 0;
}

static void timer_sift_up(struct timer_item *items, size_t index)
{
    struct timer_item item = items[index];

    while (index > 0 && timer_is_before(&item, &items[(index - 1) / 2])) {
        items[index] = items[(index - 1) / 2];
        index = (index - 1) / 2;
    }
    items[index] = item;
}

static void timer_sift_down(struct timer_item *items, size_t count)
{
    struct timer_item item = items[0];
    size_t index = 0, child;

    while ((child = 2 * index + 1) < count) {
        if (child + 1 < count &&
            timer_is_before(&items[child + 1], &items[child]))
            child++;
        if (!timer_is_before(&items[child], &item))
            break;
        items[index] = items[child];
        index = child;
    }
    items[index] = item;
}

int timer_add(uint64_t due_ms, uint32_t slot, uint64_t number, uint16_t about,
              uint32_t block)
{
    struct timers *timers = &core->timers;

    if (timers->count == TIMERS_MOST)
        return -ENOMEM;
    timers->items[timers->count] = (struct timer_item){
        .due_ms = due_ms,
        .slot = slot,
        .number = number,
        .about = about,
        .block = block,
        .order = timers->next_order++,
    };
    timer_sift_up(timers->items, timers->count++);
    return 0;
}

/* Unless there is an item that comes up before, which then asks again. */
static bool timer_is_armed(uint64_t armed_ms, uint64_t due_ms)
{
    return armed_ms && armed_ms <= due_ms;
}

int timer_set(struct pg_session *session, unsigned place)
{
    struct ctx_slot *slot = session_ctx(session, place);

    if (timer_is_armed(slot->armed_ms, slot->deadline_ms))
        return 0;
    slot->armed_ms = slot->deadline_ms;
    return timer_add(slot->deadline_ms, session->slot, session->number,
                     (uint16_t)place, 0);
}

int timer_set_entry(struct pg_entry *entry)
{
    if (timer_is_armed(entry->armed_ms, entry->tick_ms))
        return 0;
    entry->armed_ms = entry->tick_ms;
    return timer_add(entry->tick_ms, entry->id, 0, TIMER_ENTRY, 0);
}

bool timer_take(struct timer_item *item)
{
    struct timers *timers = &core->timers;

    if (!timers->count || timers->items[0].due_ms > core_now_ms())
        return false;
    *item = timers->items[0];
    timers->items[0] = timers->items[--timers->count];
    if (timers->count)
        timer_sift_down(timers->items, timers->count);
    return true;
}

void timer_arm(void)
{
    struct timers *timers = &core->timers;
    uint64_t next = timers->count ? timers->items[0].due_ms : UINT64_MAX;

    if (core->resuming)
        next = CORE_AT_ONCE;
    if (next == timers->armed_ms)
        return;
    timers->armed_ms = next;
    core->io->arm(next);
}
