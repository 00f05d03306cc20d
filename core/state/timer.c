#include "state/timer.h"

#include <errno.h>

#include "chain/chain.h"
#include "engine/core.h"
#include "state/session.h"

static bool is_before(const struct timer_item *a, const struct timer_item *b)
{
    if (a->due_ms != b->due_ms)
        return a->due_ms < b->due_ms;
    return (int32_t)(a->order - b->order) < 0;
}

static void sift_up(struct timer_item *items, size_t at)
{
    struct timer_item item = items[at];

    for (; at > 0 && is_before(&item, &items[(at - 1) / 2]); at = (at - 1) / 2)
        items[at] = items[(at - 1) / 2];
    items[at] = item;
}

static void sift_down(struct timer_item *items, size_t count)
{
    struct timer_item item = items[0];
    size_t at = 0, child;

    while ((child = 2 * at + 1) < count) {
        if (child + 1 < count && is_before(&items[child + 1], &items[child]))
            child++;
        if (!is_before(&items[child], &item))
            break;
        items[at] = items[child];
        at = child;
    }
    items[at] = item;
}

static struct timer_item take_first(struct timers *timers)
{
    struct timer_item first = timers->items[0];

    timers->items[0] = timers->items[--timers->count];
    if (timers->count)
        sift_down(timers->items, timers->count);
    return first;
}

int timer_add(uint64_t due_ms, uint32_t slot, uint64_t number, uint16_t at,
              uint32_t block)
{
    struct timers *timers = &core->timers;

    if (timers->count == TIMERS_MOST)
        return -ENOMEM;
    timers->items[timers->count] = (struct timer_item){
        .due_ms = due_ms,
        .slot = slot,
        .number = number,
        .at = at,
        .block = block,
        .order = timers->next_order++,
    };
    sift_up(timers->items, timers->count++);
    return 0;
}

/* Unless there is an item that comes up before, which then asks again. */
static bool is_armed(uint64_t armed_ms, uint64_t due_ms)
{
    return armed_ms && armed_ms <= due_ms;
}

int timer_set(struct pg_session *session, unsigned at)
{
    struct ctx_slot *slot = session_ctx(session, at);

    if (is_armed(slot->armed_ms, slot->deadline_ms))
        return 0;
    slot->armed_ms = slot->deadline_ms;
    return timer_add(slot->deadline_ms, session->slot, session->number,
                     (uint16_t)at, 0);
}

int timer_set_entry(struct pg_entry *entry)
{
    if (is_armed(entry->armed_ms, entry->tick_ms))
        return 0;
    entry->armed_ms = entry->tick_ms;
    return timer_add(entry->tick_ms, entry->id, 0, TIMER_ENTRY, 0);
}

/* The deadline of a ctx may have moved since the item was added. */
static void run_ctx(struct pg_session *session, const struct timer_item *item)
{
    struct ctx_slot *slot = session_ctx(session, item->at);

    if (slot->armed_ms != item->due_ms)
        return;
    slot->armed_ms = 0;
    if (slot->deadline_ms == 0)
        return;
    if (slot->deadline_ms > core_now_ms()) {
        timer_set(session, item->at);
        return;
    }
    slot->deadline_ms = 0;
    session->timed--;
    chain_timer(session, item->at);
    session_check_done(session);
}

static void run_entry(struct pg_entry *entry, uint64_t due_ms)
{
    if (entry->armed_ms != due_ms)
        return;
    entry->armed_ms = 0;
    if (entry->tick_ms > core_now_ms())
        timer_set_entry(entry);
    else if (entry->tick_ms)
        chain_tick(entry);
}

static void run_session(const struct timer_item *item)
{
    struct pg_session *session = session_at(item->slot);

    if (session->number != item->number)
        return;
    if (item->at == TIMER_SESSION)
        session_timeout(session);
    else if (!(session->flags & (SESSION_CLOSING | SESSION_LEAVING)))
        run_ctx(session, item);
}

static void run_item(const struct timer_item *item)
{
    struct pg_listener *listener;

    switch (item->at) {
    case TIMER_LISTENER:
        session_expire(core->config->listeners[item->slot]);
        break;
    case TIMER_ACCEPT:
        listener = core->config->listeners[item->slot];
        listener->run->is_paused = core->stop_by_ms != 0;
        core_watch_listener(listener);
        break;
    case TIMER_ENTRY:
        run_entry(core->config->entries[item->slot], item->due_ms);
        break;
    case TIMER_LATER:
        chain_later(item->block);
        break;
    default:
        run_session(item);
    }
}

void timer_run(void)
{
    struct timers *timers = &core->timers;

    timers->armed_ms = 0;
    /* What is added meanwhile and due at once waits for the next turn. */
    for (size_t left = timers->count;
         left > 0 && timers->count && timers->items[0].due_ms <= core_now_ms();
         left--) {
        struct timer_item item = take_first(timers);

        run_item(&item);
    }
}

void timer_arm(void)
{
    struct timers *timers = &core->timers;
    uint64_t next = timers->count ? timers->items[0].due_ms : UINT64_MAX;

    if (next == timers->armed_ms)
        return;
    timers->armed_ms = next;
    core->io->arm(next);
}
