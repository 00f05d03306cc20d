/* ping: answers "ping" with "pong"; everything else passes by. */
#include <playground/handler.h>

static enum pg_verdict ping_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    if (!pg_equals(in, "ping"))
        return PG_PASS;
    pg_send(ctx, pg_text("pong"));
    return PG_STOP;
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "ping",
    .summary = "answers ping with pong",
    .needs = PG_RECORDS,
    .recv = ping_recv,
};
