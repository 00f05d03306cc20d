/* Opens the entries of a session, and holds those back that are behind a
   handshake. */

#include "chain/callback.h"
#include "chain/chain.h"

#include "base/output.h"
#include "out/broadcast.h"
#include "plugin/plugin.h"
#include "state/blame.h"

static bool opening_may_hold(const struct pg_entry *entry)
{
    return entry->plugin && entry->plugin->may_hold;
}

static unsigned opening_count(const struct pg_session *session)
{
    return session_listener(session)->chain.count;
}

/* An open() has returned PG_STOP. Who has called pg_ready() in it holds nobody
   back. */
static void opening_stop(const struct pg_ctx *ctx)
{
    struct pg_session *session = ctx->session;

    if (!opening_may_hold(ctx->entry)) {
        if (blame_is_new(ctx->entry, BLAME_STOP))
            output_line(output_stderr(),
                        "%s: open() returns PG_STOP, but nothing in it calls "
                        "pg_ready(), so it is taken as PG_PASS; return PG_PASS",
                        ctx->entry->name);
    } else if (session->opened == ctx->place + 1 &&
               session->opened < opening_count(session) &&
               !session_is_closing(session)) {
        session->flags |= SESSION_HOLDING;
    }
}

static void opening_one(struct pg_session *session, unsigned place)
{
    struct pg_ctx ctx = callback_ctx(session, place);
    struct ctx_slot *slot = session_ctx(session, place);
    enum pg_verdict verdict;
    struct frame frame;

    session->opened = (uint16_t)(place + 1);
    slot->is_open = true;
    if (!ctx.entry->handler->open)
        return;
    slot->is_opening = true;
    frame = frame_enter(ctx.entry);
    verdict = ctx.entry->handler->open(&ctx);
    frame_restore(frame);
    slot->is_opening = false;
    if (verdict == PG_STOP)
        opening_stop(&ctx);
    else if (verdict != PG_PASS)
        callback_judge(&ctx, verdict);
}

void chain_open(struct pg_session *session)
{
    while (session->opened < opening_count(session) &&
           !(session->flags & SESSION_HOLDING) && !session_is_closing(session))
        opening_one(session, session->opened);
}

void chain_open_ahead(struct pg_session *session)
{
    const struct chain *chain = &session_listener(session)->chain;

    if (session->opened &&
        !opening_may_hold(chain->entries[session->opened - 1]))
        chain_open(session);
}

/* All that was told before is for those who were there. When the input has
   ended, those who are opened now are told in the next turn. */
void chain_ready(struct pg_session *session, unsigned place)
{
    if (session->opened != place + 1 ||
        session->opened == opening_count(session) ||
        session_is_closing(session))
        return;
    if (!(session->flags & SESSION_STRANGER)) /* who hears no broadcast */
        broadcast_deliver(session_listener(session));
    session->flags &= ~(uint32_t)SESSION_HOLDING;
    chain_open(session);
    if (!(session->flags & SESSION_ENDED))
        return;
    session->flags &= ~(uint32_t)SESSION_ENDED;
    mark_resuming(session); /* chain_resume() goes on */
}

/* Those who are opened meanwhile have never met a stranger. */
void chain_known(struct pg_session *session)
{
    unsigned count = session->opened;

    for (unsigned place = 0; place < count && !session_is_closing(session);
         place++) {
        struct pg_ctx ctx = callback_ctx(session, place);
        struct frame frame;

        if (!ctx.entry->handler->known)
            continue;
        frame = frame_enter(ctx.entry);
        ctx.entry->handler->known(&ctx);
        frame_restore(frame);
    }
}
