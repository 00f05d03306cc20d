/* Tells the entries of a session that it opens, that its input ends, that a
   timer comes up, that it closes. */

#include "chain/chain.h"

#include <errno.h>

#include "chain/callback.h"
#include "chain/keep.h"
#include "out/end.h"
#include "state/counter.h"
#include "workers/commons.h"

void chain_with(struct pg_session *session, unsigned place,
                void (*fn)(struct pg_ctx *ctx, void *arg), void *arg)
{
    struct pg_ctx ctx = callback_ctx(session, place);
    struct frame frame = frame_enter(ctx.entry);

    fn(&ctx, arg);
    frame_restore(frame);
}

/* False: it holds bytes that come again first, by end() if that kept them. */
static bool chain_events_end_one(struct pg_session *session, unsigned place)
{
    struct pg_ctx ctx = callback_ctx(session, place);
    struct ctx_slot *slot = session_ctx(session, place);
    struct frame frame;

    if (slot->is_held)
        return false;
    ctx.callback = CHAIN_END;
    frame = frame_enter(ctx.entry);
    if (ctx.entry->handler->end)
        ctx.entry->handler->end(&ctx);
    frame_restore(frame);
    slot->is_ending = slot->is_held;
    if (slot->is_held || slot->deadline_ms || session->pauses)
        return !slot->is_held;
    if (keep_get(session, place).len)
        counter_add((uint16_t)ctx.entry->id, "dropped: unfinished message", 1);
    keep_drop(session, place);
    return true;
}

/* Input from before its end is still on its way, delayed or held, or an entry
   has more to say first, because the way ahead is full or paused. */
static bool chain_events_end_waits(struct pg_session *session)
{
    if (session->pauses)
        session->flags |= SESSION_INPUT_HELD; /* chain_resume() goes on */
    return session->flags & (SESSION_INPUT_HELD | SESSION_WANTS_ROOM) ||
           (session->ended && session_ctx(session, session->ended - 1u)->late);
}

/* Entries that are held back are not told. */
static void chain_events_tell_end(struct pg_session *session)
{
    while (session->ended < session->opened && !session_is_closing(session)) {
        if (chain_events_end_waits(session))
            return;
        session->ended++; /* first: after a crash in it, it is not told again */
        if (!chain_events_end_one(session, session->ended - 1u)) {
            session->ended--;
            return;
        }
    }
}

void chain_end(struct pg_session *session)
{
    chain_events_tell_end(session);
    if (session->ended == session->opened &&
        !(session->flags & SESSION_CLOSING))
        session->flags |= SESSION_ENDED;
    session_check_done(session);
}

/* Whether all are told and all is done is looked at in the next turn, because
   the entry may still send. */
void chain_cut_off(struct pg_session *session, unsigned place, bool is_now)
{
    if (session_is_closing(session) || session->flags & SESSION_EOF)
        return;
    chain_open_ahead(session);
    session->flags |= SESSION_EOF | SESSION_CUT_OFF;
    session->ended = session->cut = (uint8_t)(place + 1);
    if (is_now)
        chain_events_tell_end(session);
    mark_resuming(session); /* chain_resume() goes on */
    session_watch(session);
}

void chain_timer(struct pg_session *session, unsigned place)
{
    struct pg_ctx ctx = callback_ctx(session, place);
    struct frame frame;

    if (!ctx.entry->handler->timer)
        return;
    frame = frame_enter(ctx.entry);
    ctx.entry->handler->timer(&ctx);
    frame_restore(frame);
}

void chain_tick(struct pg_entry *entry)
{
    struct frame frame;

    entry->tick_ms = 0;
    if (!entry->handler->tick)
        return;
    frame = frame_enter(entry);
    entry->handler->tick(entry);
    frame_restore(frame);
}

static void chain_events_close_one(struct pg_session *session, unsigned place,
                                   struct pg_reason reason)
{
    struct pg_ctx ctx = callback_ctx(session, place);
    struct ctx_slot *slot = session_ctx(session, place);
    struct frame frame = frame_enter(ctx.entry);

    if (ctx.entry->handler->close)
        ctx.entry->handler->close(&ctx, reason);
    frame_restore(frame);
    if (slot->kept_len || slot->is_held)
        counter_add((uint16_t)ctx.entry->id, "dropped: unfinished message", 1);
    slot->is_open = false;
    if (slot->deadline_ms) {
        slot->deadline_ms = 0;
        session->timed--;
    }
    if (slot->claim)
        claim_release(core->commons, slot->claim - 1, session->number);
    slot->claim = 0;
}

void chain_close(struct pg_session *session, struct pg_reason reason)
{
    unsigned count = session_listener(session)->chain.count;

    for (unsigned place = 0; place < count; place++)
        if (session_ctx(session, place)->is_open)
            chain_events_close_one(session, place, reason);
    chain_leave_groups(session);
}

static void chain_events_bye_one(struct pg_session *session, unsigned place)
{
    struct pg_ctx ctx = callback_ctx(session, place);
    struct frame frame = frame_enter(ctx.entry);

    ctx.callback = CHAIN_BYE;
    ctx.in_len = (size_t)core->config->limits.frame_bytes;
    core->must_take = true; /* last words go beyond a session's share */
    ctx.entry->handler->bye(&ctx);
    core->must_take = false;
    frame_restore(frame);
}

/* Meanwhile the session is one that leaves: nothing comes in, but what is sent
   goes out. What is delayed is waited for, but not by one whose place is
   another's. */
void chain_bye(struct pg_session *session)
{
    unsigned place = session->opened;

    session->flags &= ~(uint32_t)SESSION_CLOSING;
    session->flags |= SESSION_LEAVING | SESSION_SAID_BYE;
    while (place-- > 0 && !(session->flags & SESSION_ABORT))
        if (session_ctx(session, place)->is_open &&
            session_listener(session)->chain.entries[place]->handler->bye)
            chain_events_bye_one(session, place);
    if (session->late_out &&
        (session->flags & (SESSION_ABORT | SESSION_COUNTED)) == SESSION_COUNTED)
        return;
    session->flags &= ~(uint32_t)SESSION_LEAVING;
    session->flags |= SESSION_CLOSING;
}

void chain_forget(struct pg_session *session)
{
    for (unsigned place = 0; place < session_listener(session)->chain.count;
         place++)
        keep_drop(session, place);
    chain_leave_groups(session); /* the process may have died in close() */
}

static bool chain_events_must_wait(const struct pg_session *session)
{
    return session->pauses || session->flags & SESSION_STARVED ||
           session_is_pressed(session) || budget_is_spent(&session->budget);
}

static void chain_events_room(struct pg_session *session, unsigned place)
{
    struct pg_ctx ctx = callback_ctx(session, place);
    struct frame frame = frame_enter(ctx.entry);

    session_ctx(session, place)->wants_room = false;
    ctx.entry->handler->room(&ctx);
    frame_restore(frame);
}

/* Bytes that end() has held come again by end(), when all ahead is done; those
   from before pg_end() nobody is to have any more. */
static void chain_events_again(struct pg_session *session, unsigned place)
{
    struct ctx_slot *slot = session_ctx(session, place);

    slot->is_held = false;
    if (!slot->is_ending && !chain_is_cut_off(session, place))
        chain_recv(session, place, pg_bytes(NULL, 0));
    slot->is_ending = false;
}

/* What an entry has to say comes before it is given more. */
static void chain_events_resume_one(struct pg_session *session, unsigned place)
{
    const struct ctx_slot *slot = session_ctx(session, place);

    if (slot->wants_room)
        chain_events_room(session, place);
    else
        chain_events_again(session, place);
}

/* The last entry that waits for room, or holds bytes. -1: none does. */
static int chain_events_last_waiting(const struct pg_session *session)
{
    int place = session_listener(session)->chain.count;

    while (place-- > 0) {
        const struct ctx_slot *slot = session_ctx(session, (unsigned)place);

        if (slot->wants_room || slot->is_held)
            break;
    }
    return place;
}

/* While an entry runs, the marks are those of the entries ahead of it. */
static void chain_events_clear_marks(struct pg_session *session)
{
    session->flags &= ~(uint32_t)(SESSION_INPUT_HELD | SESSION_WANTS_ROOM);
}

static void chain_events_set_marks(struct pg_session *session)
{
    unsigned count = session_listener(session)->chain.count;

    for (unsigned place = 0; place < count; place++) {
        const struct ctx_slot *slot = session_ctx(session, place);

        if (slot->is_held)
            session->flags |= SESSION_INPUT_HELD;
        if (slot->wants_room)
            session->flags |= SESSION_WANTS_ROOM;
    }
}

/* The last entry's first, so that nothing is overtaken. False: the rest has to
   wait again, or the session is over. */
static bool chain_events_resume_waiting(struct pg_session *session)
{
    int place;

    chain_events_clear_marks(session);
    while ((place = chain_events_last_waiting(session)) >= 0) {
        if (!chain_events_must_wait(session))
            chain_events_resume_one(session, (unsigned)place);
        else
            session->flags |= SESSION_WANTS_ROOM;
        if (session_is_closing(session))
            return false;
        if (session->flags & (SESSION_INPUT_HELD | SESSION_WANTS_ROOM))
            break;
    }
    chain_events_clear_marks(session);
    chain_events_set_marks(session);
    return !(session->flags & (SESSION_INPUT_HELD | SESSION_WANTS_ROOM));
}

void chain_resume(struct pg_session *session)
{
    if (!chain_events_resume_waiting(session)) {
        session_may_resume(session);
        return;
    }
    if (session->flags & SESSION_EOF && !(session->flags & SESSION_ENDED))
        chain_end(session);
    session_check_done(session);
}
