/* Walks bytes through the entries of a session: the heart of the program. */

#include "chain/chain.h"

#include <errno.h>
#include <limits.h>

#include "chain/callback.h"
#include "chain/keep.h"
#include "out/end.h"
#include "out/queue_push.h"
#include "out/queue_send.h"
#include "state/counter.h"

/* ---- inward ----------------------------------------------------------- */

/* The result of pg_forward(). -ECANCELED: the session is closing; PG_FULL: an
   entry ahead holds bytes or wants room, or its queue is full, even after
   sending what the socket takes; else 0. */
static int chain_forward_result(struct pg_session *session)
{
    if (session_is_closing(session))
        return -ECANCELED;
    if (session->flags & (SESSION_INPUT_HELD | SESSION_WANTS_ROOM))
        return PG_FULL;
    if (!session_is_pressed(session))
        return 0;
    queue_send_now(session);
    return session_is_pressed(session) ? PG_FULL : 0;
}

/* Drops the kept bytes of an entry that has run, unless they pass on: then they
   stay in their block until all have seen them, see `passed`. */
static void chain_after_recv(struct pg_session *session, unsigned place,
                             bool is_passed, uint64_t *passed)
{
    if (is_passed)
        *passed |= session->keeping & 1ull << place;
    else
        keep_drop(session, place);
}

static void chain_drop_passed(struct pg_session *session, uint64_t passed)
{
    for (unsigned place = 0; passed; place++, passed >>= 1)
        if (passed & 1)
            keep_drop(session, place);
}

/* The rest of a record is never joined with the next one: it comes first, and
   alone. Only a handler that has not heeded PG_FULL brings one so early, and
   that must not cost it a record. */
static bool chain_hurry(struct pg_session *session, unsigned place)
{
    bool was_hurried = core->is_hurried, must_take = core->must_take;

    session_ctx(session, place)->is_held = false;
    core->is_hurried = core->must_take = true;
    chain_recv(session, place, pg_bytes(NULL, 0));
    core->is_hurried = was_hurried;
    core->must_take = must_take;
    return !session_is_closing(session);
}

/* An entry has kept bytes: they come with the new ones behind them. False: they
   are too much, or the session ends for another reason. Apart from
   chain_recv(), which then has fewer registers to save. */
__attribute__((noinline)) static bool
chain_join_kept(struct pg_session *session, unsigned place, struct pg_bytes *in)
{
    struct ctx_slot *slot = session_ctx(session, place);
    const char *why;

    if (slot->is_held &&
        session_listener(session)->chain.kinds[place] == PG_RECORDS)
        return chain_hurry(session, place);
    if (slot->kept)
        slot->is_held = false;
    why = keep_join(session, place, in);
    if (why)
        session_end(session, PG_END_FIN, PG_WHY_LIMIT, why);
    return !why;
}

/* Is the walk to go on? Not from an entry that has called pg_end() meanwhile,
   nor from one before it. */
__attribute__((noinline)) static bool
chain_may_go_on(const struct pg_session *session, const struct pg_ctx *ctx,
                unsigned place)
{
    return !session_is_closing(session) &&
           !(ctx->entry && chain_is_cut_off(session, place - 1));
}

/* Bytes have come behind the last entry that is open. False: there are others,
   and they are held back. */
__attribute__((noinline)) static bool
chain_pass_last(struct pg_session *session, const struct pg_ctx *ctx,
                unsigned place, struct pg_bytes in)
{
    const struct chain *chain = &session_listener(session)->chain;

    if (place == chain->count) {
        counter_add(counter_of_listener(session->listener), "unanswered", 1);
        return true;
    }
    if (!chain_may_go_on(session, ctx, place))
        return true;
    if (session->opened == place)
        chain_open_ahead(session);
    if (session->opened > place) {
        chain_recv(session, place, in);
        return true;
    }
    if (place)
        counter_add((uint16_t)chain->entries[place - 1]->id,
                    "dropped: not ready yet", 1);
    return false;
}

/* Runs the recv() of each entry from `place` on. One ctx serves all and the
   frame is saved once outside the loop, because this runs for every message.
 */
int chain_recv(struct pg_session *session, unsigned place, struct pg_bytes in)
{
    struct pg_listener *listener = session_listener(session);
    struct pg_entry **entries = listener->chain.entries;
    struct pg_ctx ctx = {
        .session = session, .listener = listener, .direction = CHAIN_IN};
    struct core *this = core;
    struct frame frame = frame_save();
    uint64_t passed = 0; /* a chain has at most CONFIG_CHAIN_MAX entries */
    unsigned count = session->opened;
    enum pg_verdict verdict = PG_PASS;

    for (; place < count; place++) {
        struct pg_entry *entry = entries[place];

        if (session->flags &
                (SESSION_CLOSING | SESSION_LEAVING | SESSION_CUT_OFF) &&
            !chain_may_go_on(session, &ctx, place))
            break;
        if (!entry->handler->recv)
            continue;
        if (session->keeping && !chain_join_kept(session, place, &in))
            break;
        ctx.entry = entry;
        ctx.place = place;
        ctx.in_len = in.len;
        ctx.has_kept = ctx.must_wait = false;
        ctx.must_resend = ctx.was_refused = false;
        this->arena.header->running = entry->running;
        verdict = entry->handler->recv(&ctx, in);
        if (session->keeping && !ctx.has_kept)
            chain_after_recv(session, place, verdict == PG_PASS, &passed);
        if (verdict != PG_PASS)
            break;
    }
    frame_restore(frame);
    if (verdict != PG_PASS && verdict != PG_STOP)
        callback_judge(&ctx, verdict);
    if (place == count && !chain_pass_last(session, &ctx, place, in) &&
        !ctx.entry)
        return -ECANCELED;
    if (passed)
        chain_drop_passed(session, passed);
    return chain_forward_result(session);
}

/* ---- outward ---------------------------------------------------------- */

static int chain_walk_out(struct pg_session *session,
                          struct pg_listener *listener,
                          const struct audience *group, unsigned place,
                          struct pg_bytes out);

/* Layers whose output is not the same for all run once a receiver. */
static int chain_each_receiver(struct pg_listener *listener, unsigned place,
                               struct pg_bytes out,
                               const struct audience *group)
{
    struct receivers receivers = broadcast_receivers(group);

    for (size_t i = 0; i < receivers.count; i++) {
        struct pg_session *session = session_at(receivers.slots[i]);

        if (broadcast_reaches(session, listener, group))
            chain_walk_out(session, listener, group, place, out);
    }
    broadcast_forget(receivers);
    return 0;
}

static int chain_push_own(struct pg_session *session,
                          const struct audience *group, struct pg_bytes out)
{
    return group ? queue_push_slow(session, out, group->slow)
                 : queue_push(session, out);
}

/* Apart from chain_push(), which then needs no stack frame for the rare case.
 */
__attribute__((noinline)) static int
chain_push_behind(struct pg_session *session, const struct audience *group,
                  struct pg_bytes out)
{
    broadcast_before(session);
    return chain_push_own(session, group, out);
}

static int chain_push(struct pg_session *session, struct pg_listener *listener,
                      const struct audience *group, struct pg_bytes out)
{
    if (!session)
        return broadcast_push(listener, out, group);
    if (core->gathered)
        return chain_push_behind(session, group, out);
    return chain_push_own(session, group, out);
}

/* The place of the next lower send(), or UINT_MAX. */
static inline unsigned chain_next_sender(const struct pg_listener *listener,
                                         unsigned place)
{
    while (place-- > 0)
        if (listener->chain.entries[place]->handler->send)
            break;
    return place;
}

/* What becomes of a message that a layer did not pass on: it was handed on in
   pieces, or is on its way. */
static int chain_dealt_with(const struct pg_ctx *ctx, enum pg_verdict verdict)
{
    const struct pg_session *session = ctx->session;

    callback_judge(ctx, verdict);
    if (ctx->result == 0 && session && session->flags & SESSION_LATE_OUT_FULL &&
        session_is_connection(session))
        return PG_FULL;
    return ctx->result;
}

/* Runs the send() of each entry from `place`, which has one, down to the first.
   As in chain_recv(), one ctx serves all and the frame is saved once outside
   the loop, because this runs for every message. */
static int chain_walk_senders(struct pg_session *session,
                              struct pg_listener *listener,
                              const struct audience *group, unsigned place,
                              struct pg_bytes out)
{
    struct pg_ctx ctx = {.session = session,
                         .listener = listener,
                         .group = group,
                         .direction = CHAIN_OUT};
    struct core *this = core;
    struct frame frame = frame_save();
    enum pg_verdict verdict = PG_PASS;
    bool is_shared = true, must_take = this->must_take;
    int result;

    for (; place != UINT_MAX; place = chain_next_sender(listener, place)) {
        struct pg_entry *entry = listener->chain.entries[place];

        if (group && !session && !entry->handler->send_is_shared) {
            is_shared = false;
            break;
        }
        ctx.entry = entry;
        ctx.place = place;
        this->arena.header->running = entry->running;
        verdict = entry->handler->send(&ctx, out);
        if (verdict != PG_PASS)
            break;
        this->must_take |= ctx.has_sent;
    }
    frame_restore(frame);
    if (!is_shared)
        result = chain_each_receiver(listener, place + 1, out, group);
    else if (verdict == PG_PASS)
        result = chain_push(session, listener, group, out);
    else
        result = chain_dealt_with(&ctx, verdict);
    this->must_take = must_take;
    return result;
}

static int chain_walk_out(struct pg_session *session,
                          struct pg_listener *listener,
                          const struct audience *group, unsigned place,
                          struct pg_bytes out)
{
    place = chain_next_sender(listener, place);
    if (place == UINT_MAX)
        return chain_push(session, listener, group, out);
    return chain_walk_senders(session, listener, group, place, out);
}

int chain_send(struct pg_session *session, unsigned place, struct pg_bytes out,
               const struct audience *group)
{
    if (session->flags & SESSION_CLOSING)
        return -ECANCELED;
    return chain_walk_out(session, session_listener(session), group, place,
                          out);
}

int chain_send_one(struct pg_session *session, unsigned place,
                   struct pg_bytes out)
{
    struct pg_listener *listener = session_listener(session);
    int result = chain_send(session, place, out, NULL);

    if (result == -EDQUOT)
        callback_unverified(listener->chain.entries[place], listener);
    return result == PG_FULL ? 0 : result;
}

int chain_send_group(struct pg_listener *listener, unsigned place,
                     struct pg_bytes out, const struct audience *group)
{
    return chain_walk_out(NULL, listener, group, place, out);
}
