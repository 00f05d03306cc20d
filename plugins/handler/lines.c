/*
 * lines: one line is one message, on every transport.
 *
 * In: a stream is cut at "\n". A record is a line already; one line end at its
 * end is taken off, and a record that holds more of them is split, so that
 * nobody can slip a second line into one message. A "\r" before a line end
 * goes with it.
 *
 * Out: one message is one line, again on both. "\n" is put on (unless the
 * message ends with one); a "\n" inside becomes a space, so that a message
 * from a chain with another framing cannot be read as two.
 */
#include <errno.h>
#include <stdio.h>

#include <playground/handler.h>

struct lines_options {
    int64_t max_bytes;
    int hint_s;
};

enum lines_hint {
    HINT_UNUSED,  /* nothing has waited for a line end yet */
    HINT_WAITING, /* the timer runs */
    HINT_DONE,    /* said, or this peer knows line ends */
};

struct lines_state {
    uint32_t looked; /* bytes at the start of what is kept without "\n" */
    uint32_t hint;   /* enum lines_hint */
};

static const struct pg_option lines_options[] = {
    {"max_bytes", PG_INT, PG_FIELD(struct lines_options, max_bytes),
     .unit = "bytes", .initial = "65536", .min = 1, .max = 1 << 30,
     .help = "longest line; a longer one ends a stream session"},
    {"hint_s", PG_INT, PG_FIELD(struct lines_options, hint_s), .unit = "s",
     .initial = "3", .min = 0, .max = 3600,
     .help = "say once when bytes wait that long for a line end; 0: never"},
    {0},
};

/* `check` refuses a max_bytes over limits.frame_bytes; the default follows. */
static size_t lines_max_bytes(struct pg_ctx *ctx)
{
    const struct lines_options *options = pg_options(ctx);
    size_t most = pg_entry_frame_bytes(pg_entry(ctx));

    return (size_t)options->max_bytes < most ? (size_t)options->max_bytes
                                             : most;
}

static struct pg_bytes lines_without_cr(struct pg_bytes line)
{
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Takes the next line from `in`, which is known to have no "\n" in its first
   `looked` bytes. False when it has no line end. */
static bool lines_next_line(struct pg_bytes *in, size_t looked,
                            struct pg_bytes *line)
{
    const uint8_t *end = NULL;

    if (in->len > looked)
        end = memchr(in->data + looked, '\n', in->len - looked);
    if (end == NULL)
        return false;
    line->data = in->data;
    line->len = (size_t)(end - in->data);
    in->data += line->len + 1;
    in->len -= line->len + 1;
    *line = lines_without_cr(*line);
    return true;
}

/* Says "or more", so that the words are the same however the reads were cut. */
static enum pg_verdict lines_too_long(struct pg_ctx *ctx)
{
    size_t max = lines_max_bytes(ctx);
    char reason[96];

    snprintf(reason, sizeof(reason),
             "line of %zu bytes or more > max_bytes %zu", max + 1, max);
    return pg_close(ctx, reason);
}

static void lines_start_hint(struct pg_ctx *ctx)
{
    const struct lines_options *options = pg_options(ctx);
    struct lines_state *state = pg_state(ctx);

    if (state->hint != HINT_UNUSED || options->hint_s == 0)
        return;
    state->hint = HINT_WAITING;
    pg_timer(ctx, (uint32_t)options->hint_s * 1000);
}

static void lines_stop_hint(struct pg_ctx *ctx)
{
    struct lines_state *state = pg_state(ctx);

    if (state->hint == HINT_WAITING)
        pg_timer_stop(ctx);
    state->hint = HINT_DONE;
}

static enum pg_verdict lines_recv_stream(struct pg_ctx *ctx, struct pg_bytes in)
{
    struct lines_state *state = pg_state(ctx);
    size_t max = lines_max_bytes(ctx), looked = state->looked;
    struct pg_bytes line;
    int error = 0;

    while (error == 0 && lines_next_line(&in, looked, &line)) {
        looked = 0;
        lines_stop_hint(ctx);
        if (line.len > max)
            return lines_too_long(ctx);
        pg_rest(ctx, in);
        error = pg_forward(ctx, line);
    }
    if (error == -ECANCELED)
        return PG_STOP;
    state->looked = error == 0 ? (uint32_t)in.len : 0;
    if (error == 0 && lines_without_cr(in).len > max)
        return lines_too_long(ctx);
    if (error == 0 && in.len > 0)
        lines_start_hint(ctx);
    return pg_keep(ctx, in);
}

/* A record is all there; the rest of it comes again when it has to wait. */
static enum pg_verdict lines_recv_record(struct pg_ctx *ctx, struct pg_bytes in)
{
    size_t max = lines_max_bytes(ctx);
    struct pg_bytes line, rest = in;
    int error = 0;

    while (lines_next_line(&rest, 0, &line))
        if (line.len > max)
            return pg_drop(ctx, "line longer than max_bytes");
    if (lines_without_cr(rest).len > max)
        return pg_drop(ctx, "line longer than max_bytes");

    if (in.len == 0)
        return PG_PASS;
    while (error == 0 && lines_next_line(&in, 0, &line)) {
        pg_rest(ctx, in);
        error = pg_forward(ctx, line);
    }
    if (error == PG_FULL)
        return pg_keep(ctx, in);
    if (error == 0 && in.len > 0)
        pg_forward(ctx, lines_without_cr(in));
    return PG_STOP;
}

static enum pg_verdict lines_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    if (pg_input_kind(ctx) == PG_RECORDS)
        return lines_recv_record(ctx, in);
    return lines_recv_stream(ctx, in);
}

/* An unfinished last line is a line: the end of input ends it. */
static void lines_end(struct pg_ctx *ctx)
{
    struct pg_bytes line = pg_kept(ctx);

    lines_stop_hint(ctx);
    if (line.len > 0)
        pg_forward(ctx, lines_without_cr(line));
    pg_keep(ctx, pg_bytes(NULL, 0));
}

static void lines_timer(struct pg_ctx *ctx)
{
    const struct lines_options *options = pg_options(ctx);
    struct lines_state *state = pg_state(ctx);

    state->hint = HINT_DONE;
    pg_log(ctx,
           "%zu bytes have waited %d s for a line end (newline) and none has "
           "come; a client that sends none needs `raw` instead of `lines`",
           pg_kept(ctx).len, options->hint_s);
}

static enum pg_verdict lines_send(struct pg_ctx *ctx, struct pg_bytes out)
{
    uint8_t *line = pg_scratch(ctx, out.len + 1), *end;

    if (out.len > 0 && out.data[out.len - 1] == '\n')
        out.len--;
    if (out.len > 0)
        memcpy(line, out.data, out.len);
    for (end = line; (end = memchr(end, '\n', out.len - (end - line)));)
        *end = ' ';
    line[out.len] = '\n';
    pg_forward(ctx, pg_bytes(line, out.len + 1));
    return PG_STOP;
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "lines",
    .summary = "one line is one message",
    .needs = PG_ANY,
    .makes = PG_RECORDS,
    .send_is_shared = true,
    .options = lines_options,
    .options_size = sizeof(struct lines_options),
    .session_size = sizeof(struct lines_state),
    .recv = lines_recv,
    .send = lines_send,
    .end = lines_end,
    .timer = lines_timer,
};
