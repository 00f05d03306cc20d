/* Runs what is due. */

#include "engine/due.h"

#include "chain/chain.h"
#include "chain/later.h"
#include "engine/letters.h"
#include "engine/life.h"
#include "engine/look.h"
#include "engine/peers.h"
#include "out/end.h"
#include "state/listener.h"

/* The deadline of a ctx may have moved since the item was added. */
static void due_ctx(struct pg_session *session, const struct timer_item *item)
{
    struct ctx_slot *slot = session_ctx(session, item->about);

    if (slot->armed_ms != item->due_ms)
        return;
    slot->armed_ms = 0;
    if (slot->deadline_ms == 0)
        return;
    if (slot->deadline_ms > core_now_ms()) {
        timer_set(session, item->about);
        return;
    }
    slot->deadline_ms = 0;
    session->timed--;
    chain_timer(session, item->about);
    session_check_done(session);
}

static void due_entry(struct pg_entry *entry, uint64_t due_ms)
{
    if (entry->armed_ms != due_ms)
        return;
    entry->armed_ms = 0;
    if (entry->tick_ms > core_now_ms())
        timer_set_entry(entry);
    else if (entry->tick_ms)
        chain_tick(entry);
}

static void due_session(const struct timer_item *item)
{
    struct pg_session *session = session_at(item->slot);

    if (session->number != item->number)
        return;
    if (item->about == TIMER_SESSION)
        session_timeout(session);
    else if (!(session->flags & (SESSION_CLOSING | SESSION_LEAVING)))
        due_ctx(session, item);
}

static void due_item(const struct timer_item *item)
{
    struct pg_listener *listener;

    switch (item->about) {
    case TIMER_LISTENER:
        peers_expire(core->config->listeners[item->slot]);
        break;
    case TIMER_ACCEPT:
        listener = core->config->listeners[item->slot];
        listener->run->is_paused = core->stop_by_ms != 0;
        listener_watch(listener);
        break;
    case TIMER_MAIL:
        letters_look_at(item->slot);
        break;
    case TIMER_ENTRY:
        due_entry(core->config->entries[item->slot], item->due_ms);
        break;
    case TIMER_LOOK:
        look_run();
        break;
    case TIMER_LATER:
        later_deliver(item->block);
        break;
    default:
        due_session(item);
    }
}

void due_run(void)
{
    struct pass pass = pass_begin();
    struct timer_item item;
    /* An item that is added meanwhile and due at once waits for the next turn.
     */
    size_t left = core->timers.count;

    core->timers.armed_ms = UINT64_MAX;
    session_resume_marked();
    for (; left > 0 && timer_take(&item); left--) {
        due_item(&item);
        if (left % BUDGET_LOOK == 0 && pass_is_over(&pass))
            return;
    }
}
