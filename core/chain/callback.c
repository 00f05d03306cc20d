/* A handler's verdict, and the consequences. */

#include "chain/callback.h"

#include <inttypes.h>

#include "base/output.h"
#include "out/end.h"
#include "state/blame.h"
#include "state/counter.h"
#include "state/mark.h"

static void callback_end(const struct pg_ctx *ctx, const char *text)
{
    if (ctx->session)
        session_end(ctx->session, PG_END_FIN, PG_WHY_HANDLER, text);
}

static void callback_say_no_reason(const struct pg_ctx *ctx, enum blame mistake,
                                   const char *verdict, const char *function)
{
    if (blame_is_new(ctx->entry, mistake))
        output_line(output_stderr(),
                    "%s: a callback returned %s without a reason; write "
                    "`return %s(ctx, \"REASON\")`",
                    ctx->entry->name, verdict, function);
}

static void callback_drop(const struct pg_ctx *ctx)
{
    callback_say_no_reason(ctx, BLAME_DROP, "PG_DROP", "pg_drop");
    counter_add((uint16_t)ctx->entry->id, "dropped without a reason", 1);
}

/* A session that ends already ends for the reason it has. */
static void callback_close(const struct pg_ctx *ctx)
{
    if (!ctx->session || session_is_closing(ctx->session))
        return;
    callback_say_no_reason(ctx, BLAME_CLOSE, "PG_CLOSE", "pg_close");
    callback_end(ctx, "closed without a reason");
}

static void callback_no_verdict(const struct pg_ctx *ctx,
                                enum pg_verdict verdict)
{
    if (blame_is_new(ctx->entry, BLAME_VERDICT))
        output_line(output_stderr(),
                    "%s: a callback returned %d, which is no verdict; return "
                    "PG_PASS, PG_STOP, pg_drop() or pg_close()",
                    ctx->entry->name, verdict);
    callback_end(ctx, "a handler returned no verdict");
}

void callback_unverified(struct pg_entry *entry,
                         const struct pg_listener *listener)
{
    if (blame_is_new(entry, BLAME_UNVERIFIED))
        output_line(
            output_stderr(),
            "%s: what it sends to %s peers heard from once is dropped beyond "
            "%" PRIu64
            " times the bytes they sent, headers included, because their "
            "address may be forged; send it after their second message, or set "
            "\"unverified_ratio\" (0: no limit)",
            entry->name, listener->name, listener->run->unverified_ratio);
}

void callback_judge(const struct pg_ctx *ctx, enum pg_verdict verdict)
{
    if (verdict == PG_STOP || (verdict == PG_DROP && ctx->has_dropped))
        return;
    if (verdict == PG_DROP)
        callback_drop(ctx);
    else if (verdict == PG_CLOSE)
        callback_close(ctx);
    else
        callback_no_verdict(ctx, verdict);
}
