/* A handler's verdict, and the consequences. */

#include "chain/callback.h"

#include "base/output.h"
#include "out/end.h"
#include "state/counter.h"

static void callback_end(const struct pg_ctx *ctx, const char *text)
{
    if (ctx->session)
        session_end(ctx->session, PG_END_FIN, PG_WHY_HANDLER, text);
}

void callback_judge(const struct pg_ctx *ctx, enum pg_verdict verdict)
{
    if (verdict == PG_STOP || (verdict == PG_DROP && ctx->has_dropped))
        return;
    if (verdict == PG_DROP) {
        counter_add((uint16_t)ctx->entry->id, "dropped without a reason", 1);
    } else if (verdict == PG_CLOSE) { /* pg_close() has said it already, or */
        callback_end(ctx, "closed without a reason");
    } else {
        output_line(output_stderr(),
                    "%s: a callback returned %d, which is no verdict; return "
                    "PG_PASS, PG_STOP, pg_drop() or pg_close()",
                    ctx->entry->name, verdict);
        callback_end(ctx, "a handler returned no verdict");
    }
}
