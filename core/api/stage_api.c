/* The functions of playground/handler.h about a session's beginning and its
   end. */

#include "chain/chain.h"

void pg_ready(struct pg_ctx *ctx)
{
    if (ctx->session)
        chain_ready(ctx->session, ctx->place);
}

/* From send() the entries behind may be running: they are told when they have
   returned. */
void pg_end(struct pg_ctx *ctx)
{
    if (ctx->session)
        chain_cut_off(ctx->session, ctx->place, ctx->direction == CHAIN_IN);
}

bool pg_is_client(const struct pg_ctx *ctx)
{
    return ctx->listener->is_to_connect;
}
