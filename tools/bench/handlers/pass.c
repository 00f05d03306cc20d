/* pass: hands everything on, in both directions; what an entry costs. */
#include <playground/handler.h>

static enum pg_verdict pass_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    (void)ctx, (void)in;
    return PG_PASS;
}

static enum pg_verdict pass_send(struct pg_ctx *ctx, struct pg_bytes out)
{
    (void)ctx, (void)out;
    return PG_PASS;
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "pass",
    .summary = "hands everything on",
    .needs = PG_ANY,
    .send_is_shared = true,
    .recv = pass_recv,
    .send = pass_send,
};
