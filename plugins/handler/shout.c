/* shout: passes every message on in capitals. */
#include <ctype.h>
#include <playground/handler.h>

static enum pg_verdict shout_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    uint8_t *loud = pg_scratch(ctx, in.len);

    for (size_t i = 0; i < in.len; i++)
        loud[i] = (uint8_t)toupper(in.data[i]);
    pg_forward(ctx, pg_bytes(loud, in.len));
    return PG_STOP;
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "shout",
    .summary = "makes all letters capitals",
    .needs = PG_RECORDS,
    .recv = shout_recv,
};
