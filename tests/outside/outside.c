/* outside: a handler that knows of the project only what is installed. */
#include <playground/handler.h>

static enum pg_verdict outside_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    pg_send(ctx, pg_text("outside heard:"));
    pg_send(ctx, in);
    return PG_STOP;
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "outside",
    .summary = "answers from outside",
    .needs = PG_RECORDS,
    .recv = outside_recv,
};
