/*
 * raw: takes each read as a record, and shows what goes wrong.
 *
 * On a stream a read holds whatever has come by then: half a message, or
 * three. Handlers that need records can stand behind raw without a framing
 * layer; what they then see depends on timing, and that is the lesson. On
 * records nothing changes. Put lines or length here for a real protocol.
 */
#include <errno.h>

#include <playground/handler.h>

static enum pg_verdict raw_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    size_t most = pg_entry_frame_bytes(pg_entry(ctx));
    int error = 0;

    /* No message may be longer than that, so a longer read is several. */
    while (error == 0 && in.len > most) {
        struct pg_bytes record = pg_bytes(in.data, most);

        in = pg_bytes(in.data + most, in.len - most);
        pg_rest(ctx, in);
        error = pg_forward(ctx, record);
    }
    if (error == PG_FULL)
        return pg_keep(ctx, in);
    if (error == 0)
        pg_forward(ctx, in);
    return PG_STOP;
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "raw",
    .summary = "takes each read as a record, to see what goes wrong",
    .needs = PG_ANY,
    .makes = PG_RECORDS,
    .shows_cuts = true,
    .recv = raw_recv,
};
