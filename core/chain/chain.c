#include "chain/chain.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/output.h"
#include "chain/keep.h"
#include "chain/later.h"
#include "memory/heap.h"
#include "out/broadcast.h"
#include "out/queue.h"
#include "state/counter.h"
#include "workers/commons.h"

/* ---- one callback ----------------------------------------------------- */

/* What is undone when a callback returns. */
struct frame {
    size_t scratch;
    uint32_t running;
};

static struct frame chain_enter(const struct pg_entry *entry)
{
    struct frame frame = {core->scratch_used, core->arena.header->running};

    core->arena.header->running = entry->mark;
    return frame;
}

static void chain_leave(struct frame frame)
{
    core->scratch_used = frame.scratch;
    core->arena.header->running = frame.running;
}

static struct pg_ctx chain_ctx_in(struct pg_session *session, unsigned at)
{
    struct pg_listener *listener = session_listener(session);

    return (struct pg_ctx){
        .session = session,
        .listener = listener,
        .entry = listener->chain.entries[at],
        .at = at,
        .direction = CHAIN_IN,
    };
}

void chain_with(struct pg_session *session, unsigned at,
                void (*fn)(struct pg_ctx *ctx, void *arg), void *arg)
{
    struct pg_ctx ctx = chain_ctx_in(session, at);
    struct frame frame = chain_enter(ctx.entry);

    fn(&ctx, arg);
    chain_leave(frame);
}

/* Nothing more is delivered to it. */
static bool chain_is_closing(const struct pg_session *session)
{
    return session->flags & (SESSION_CLOSING | SESSION_LEAVING);
}

/* PG_PASS and PG_STOP need nothing more. The others come with a reason;
   without one, or with something else, the handler has a mistake. */
static void chain_judge(const struct pg_ctx *ctx, enum pg_verdict verdict)
{
    struct pg_session *session = ctx->session;

    if (verdict == PG_STOP || (verdict == PG_DROP && ctx->has_dropped))
        return;
    if (verdict == PG_DROP) {
        counter_add((uint16_t)ctx->entry->id, "dropped without a reason", 1);
    } else if (verdict == PG_CLOSE) {
        if (session) /* unless pg_close() has done it */
            session_end(session, PG_END_FIN, PG_WHY_HANDLER,
                        "closed without a reason");
    } else {
        output_line(output_stderr(),
                    "%s: a callback returned %d, which is no verdict; return "
                    "PG_PASS, PG_STOP, pg_drop() or pg_close()",
                    ctx->entry->name, verdict);
        if (session)
            session_end(session, PG_END_FIN, PG_WHY_HANDLER,
                        "a handler returned no verdict");
    }
}

/* ---- inward ----------------------------------------------------------- */

/* How the session stands after something was handed on. */
static int chain_standing(struct pg_session *session)
{
    if (chain_is_closing(session))
        return -ECANCELED;
    if (!session_is_pressed(session))
        return 0;
    queue_flush_session(session);
    return session_is_pressed(session) ? -EAGAIN : 0;
}

/* What becomes of the kept bytes of an entry that has run. What passes on
   stays in its block until all have seen it: `passed`. */
static void chain_after_recv(struct pg_session *session, unsigned at,
                             bool is_passed, uint64_t *passed)
{
    if (is_passed)
        *passed |= session->keeping & 1ull << at;
    else
        keep_drop(session, at);
}

static void chain_drop_passed(struct pg_session *session, uint64_t passed)
{
    for (unsigned at = 0; passed; at++, passed >>= 1)
        if (passed & 1)
            keep_drop(session, at);
}

/* The hot path: one ctx serves all entries, and chain_enter() and chain_leave()
   are taken apart around the loop. */
int chain_recv(struct pg_session *session, unsigned at, struct pg_bytes in)
{
    struct pg_listener *listener = session_listener(session);
    struct pg_entry **entries = listener->chain.entries;
    struct pg_ctx ctx = {
        .session = session, .listener = listener, .direction = CHAIN_IN};
    struct core *this = core;
    struct frame frame = {this->scratch_used, this->arena.header->running};
    uint64_t passed = 0; /* a chain has at most CONFIG_CHAIN_MAX entries */
    unsigned count = listener->chain.count;
    enum pg_verdict verdict = PG_PASS;

    for (; at < count && !chain_is_closing(session); at++) {
        struct pg_entry *entry = entries[at];

        if (!entry->handler->recv)
            continue;
        if (session->keeping && !keep_join(session, at, &in))
            break;
        ctx.entry = entry;
        ctx.at = at;
        ctx.has_kept = ctx.must_wait = false;
        this->arena.header->running = entry->mark;
        verdict = entry->handler->recv(&ctx, in);
        if (session->keeping && !ctx.has_kept)
            chain_after_recv(session, at, verdict == PG_PASS, &passed);
        if (verdict != PG_PASS)
            break;
    }
    chain_leave(frame);
    if (verdict != PG_PASS && verdict != PG_STOP)
        chain_judge(&ctx, verdict);
    if (at == count)
        counter_add((uint16_t)(COUNTER_LISTENER | session->listener),
                    "unanswered", 1);
    if (passed)
        chain_drop_passed(session, passed);
    return chain_standing(session);
}

void chain_resume(struct pg_session *session)
{
    unsigned at = session_listener(session)->chain.count;

    session->flags &= ~(uint32_t)SESSION_INPUT_HELD;
    while (at-- > 0) {
        struct ctx_slot *slot = session_ctx(session, at);

        if (!slot->is_held)
            continue;
        if (session_is_pressed(session)) {
            session->flags |= SESSION_INPUT_HELD;
            return;
        }
        slot->is_held = false;
        if (chain_recv(session, at, pg_bytes(NULL, 0)) == -ECANCELED)
            return;
    }
    session_check_done(session);
}

/* ---- outward ---------------------------------------------------------- */

static int chain_walk_out(struct pg_session *session,
                          struct pg_listener *listener,
                          const struct chain_group *group, unsigned at,
                          struct pg_bytes out);

/* Layers whose output is not the same for all run once a receiver. */
static int chain_each_receiver(struct pg_listener *listener, unsigned at,
                               struct pg_bytes out,
                               const struct chain_group *group)
{
    for (uint32_t i = 0; i < core->live_count; i++) {
        struct pg_session *session = session_at(core->live[i]);

        if (broadcast_reaches(session, listener, group->except))
            chain_walk_out(session, listener, group, at, out);
    }
    return 0;
}

static int chain_push(struct pg_session *session, struct pg_listener *listener,
                      const struct chain_group *group, struct pg_bytes out)
{
    if (session && group)
        return queue_push_slow(session, out, group->slow);
    return session ? queue_push(session, out)
                   : broadcast_push(listener, out, group->except, group->slow);
}

/* The place of the next lower send(), or UINT_MAX. */
static inline unsigned chain_next_sender(const struct pg_listener *listener,
                                         unsigned at)
{
    while (at-- > 0)
        if (listener->chain.entries[at]->handler->send)
            break;
    return at;
}

/* The hot path outward, likewise. `at` is a place with a send(). */
static int chain_walk_senders(struct pg_session *session,
                              struct pg_listener *listener,
                              const struct chain_group *group, unsigned at,
                              struct pg_bytes out)
{
    struct pg_ctx ctx = {.session = session,
                         .listener = listener,
                         .group = group,
                         .direction = CHAIN_OUT};
    struct core *this = core;
    struct frame frame = {this->scratch_used, this->arena.header->running};
    enum pg_verdict verdict = PG_PASS;
    bool is_shared = true;

    for (; at != UINT_MAX; at = chain_next_sender(listener, at)) {
        struct pg_entry *entry = listener->chain.entries[at];

        if (group && !session && !entry->handler->send_is_shared) {
            is_shared = false;
            break;
        }
        ctx.entry = entry;
        ctx.at = at;
        this->arena.header->running = entry->mark;
        verdict = entry->handler->send(&ctx, out);
        if (verdict != PG_PASS)
            break;
    }
    chain_leave(frame);
    if (!is_shared)
        return chain_each_receiver(listener, at + 1, out, group);
    if (verdict == PG_PASS)
        return chain_push(session, listener, group, out);
    chain_judge(&ctx, verdict);
    return ctx.result;
}

static int chain_walk_out(struct pg_session *session,
                          struct pg_listener *listener,
                          const struct chain_group *group, unsigned at,
                          struct pg_bytes out)
{
    at = chain_next_sender(listener, at);
    if (at == UINT_MAX)
        return chain_push(session, listener, group, out);
    return chain_walk_senders(session, listener, group, at, out);
}

int chain_send(struct pg_session *session, unsigned at, struct pg_bytes out,
               const struct chain_group *group)
{
    if (session->flags & SESSION_CLOSING)
        return -ECANCELED;
    return chain_walk_out(session, session_listener(session), group, at, out);
}

int chain_send_group(struct pg_listener *listener, unsigned at,
                     struct pg_bytes out, const struct chain_group *group)
{
    return chain_walk_out(NULL, listener, group, at, out);
}

void chain_broadcast(struct pg_entry *entry, struct pg_bytes bytes,
                     uint64_t except, enum pg_slow slow)
{
    struct chain_group group = {except, slow};

    for (unsigned i = 0; i < core->config->listener_count; i++) {
        struct pg_listener *listener = core->config->listeners[i];
        int at = listener->run->position[entry->id];

        if (at >= 0 && listener->run->count)
            chain_send_group(listener, (unsigned)at, bytes, &group);
    }
}

/* ---- the other events ------------------------------------------------- */

void chain_open(struct pg_session *session)
{
    const struct chain *chain = &session_listener(session)->chain;

    for (unsigned at = 0; at < chain->count && !chain_is_closing(session);
         at++) {
        struct pg_ctx ctx = chain_ctx_in(session, at);
        enum pg_verdict verdict;
        struct frame frame;

        session_ctx(session, at)->is_open = true;
        if (!ctx.entry->handler->open)
            continue;
        frame = chain_enter(ctx.entry);
        verdict = ctx.entry->handler->open(&ctx);
        chain_leave(frame);
        if (verdict != PG_PASS)
            chain_judge(&ctx, verdict);
    }
}

static void chain_end_one(struct pg_session *session, unsigned at)
{
    struct pg_ctx ctx = chain_ctx_in(session, at);
    struct frame frame = chain_enter(ctx.entry);

    if (ctx.entry->handler->end)
        ctx.entry->handler->end(&ctx);
    chain_leave(frame);
    if (session_ctx(session, at)->is_held ||
        session_ctx(session, at)->deadline_ms)
        return;
    if (keep_get(session, at).len)
        counter_add((uint16_t)ctx.entry->id, "dropped: unfinished message", 1);
    keep_drop(session, at);
}

void chain_end(struct pg_session *session)
{
    unsigned count = session_listener(session)->chain.count;

    while (session->ended < count && !chain_is_closing(session)) {
        if (session->ended && session_ctx(session, session->ended - 1u)->late)
            return;
        chain_end_one(session, session->ended++);
    }
}

void chain_timer(struct pg_session *session, unsigned at)
{
    struct pg_ctx ctx = chain_ctx_in(session, at);
    struct frame frame;

    if (!ctx.entry->handler->timer)
        return;
    frame = chain_enter(ctx.entry);
    ctx.entry->handler->timer(&ctx);
    chain_leave(frame);
}

void chain_tick(struct pg_entry *entry)
{
    struct frame frame;

    entry->tick_ms = 0;
    if (!entry->handler->tick)
        return;
    frame = chain_enter(entry);
    entry->handler->tick(entry);
    chain_leave(frame);
}

static void chain_close_one(struct pg_session *session, unsigned at,
                            struct pg_reason reason)
{
    struct pg_ctx ctx = chain_ctx_in(session, at);
    struct ctx_slot *slot = session_ctx(session, at);
    struct frame frame = chain_enter(ctx.entry);

    if (ctx.entry->handler->close)
        ctx.entry->handler->close(&ctx, reason);
    chain_leave(frame);
    if (slot->kept_len)
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

    for (unsigned at = 0; at < count; at++)
        if (session_ctx(session, at)->is_open)
            chain_close_one(session, at, reason);
}

void chain_forget(struct pg_session *session)
{
    for (unsigned at = 0; at < session_listener(session)->chain.count; at++)
        keep_drop(session, at);
}

/* ---- later ------------------------------------------------------------ */

static void chain_later_run(struct pg_session *session,
                            const struct later *later)
{
    struct pg_bytes bytes = later_bytes(later);
    bool is_outward = later->direction == CHAIN_OUT;

    if (is_outward && !(session->flags & SESSION_CLOSING))
        chain_send(session, later->at, bytes, NULL);
    else if (!is_outward && !chain_is_closing(session))
        chain_recv(session, later->at + 1u, bytes);
    else
        counter_add(later->entry, "dropped: session over before its delay", 1);
    session_later_ends(session, later->at, is_outward, later->len);
}

void chain_later(uint32_t block)
{
    const struct later *later = later_at(block);
    struct pg_session *session = session_at(later->slot);

    if (session->number == later->number)
        chain_later_run(session, later);
    else
        counter_add(later->entry, "dropped: session over before its delay", 1);
    later_free(block);
}
