/*
 * echo: sends everything back to whom it came from.
 *
 * It needs no boundaries, so it works on a bare stream and on records alike.
 * A peer that sends without reading fills its own queue; the core then stops
 * reading from that peer, and from nobody else. While others fill what is there
 * for all, its bytes wait where they are.
 */
#include <playground/handler.h>

static enum pg_verdict echo_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    if (pg_send(ctx, in) == -ENOBUFS)
        return pg_keep(ctx, in);
    return PG_STOP;
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "echo",
    .summary = "sends everything back",
    .needs = PG_ANY,
    .recv = echo_recv,
};
