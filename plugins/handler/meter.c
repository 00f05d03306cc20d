/*
 * meter: numbers what goes out, and judges the numbers of what comes in.
 *
 *     #17 @123456789 hello      number, time in microseconds, the message
 *
 * Two meters face each other, one in the server's chain and one in the
 * client's (`playground client --framing meter`); before a server that sends
 * everything back, one alone measures the round trip. The number is text, so a
 * client of your own may write `#1 hello`. What has none passes unjudged.
 *
 * The words are those of RFC 4737: a record is in order when its number is the
 * next or beyond, else reordered. A missing number is only lost when it does
 * not come at all (counting it at once is how iperf3 calls reordered records
 * lost, see its issue 1142). A reordered one that comes more than late_ms after
 * the one that overtook it is late; one that has come before is a duplicate.
 */
#include <inttypes.h>
#include <stdio.h>

#include <playground/handler.h>

#define WINDOW       1024 /* numbers that are remembered */
#define HEADER_BYTES 48
#define REPORT_BYTES 320

enum verdict { IN_ORDER, REORDERED, LATE, LOST, DUPLICATED, OLD, NO_NUMBER };

static const char *const verdict_names[] = {
    "in order",        "reordered",       "late", "lost", "duplicated",
    "too old to tell", "without a number"};

struct meter_options {
    int late_ms;
};

struct meter_state {
    uint64_t sent;        /* the last number that went out */
    uint64_t first, next; /* numbers expected; next 0: none has come yet */
    uint64_t counts[OLD]; /* by enum verdict; the others are the entry's */
    uint64_t timed;       /* records with a time */
    int64_t delay_us;     /* of the last one */
    int64_t least_us, most_us;
    double sum_us, jitter_us;
    uint32_t missing_ms[WINDOW]; /* by number: since when; 0: it has come */
};

static const struct pg_option meter_options[] = {
    {"late_ms", PG_INT, PG_FIELD(struct meter_options, late_ms), .unit = "ms",
     .initial = "100", .min = 1, .max = 3600000,
     .help = "what comes so long after its successors is late, not reordered"},
    {0},
};

static void meter_tally(struct pg_ctx *ctx, enum verdict verdict, uint64_t many)
{
    struct meter_state *state = pg_state(ctx);

    if (verdict < OLD)
        state->counts[verdict] += many;
    if (many)
        pg_count_many(ctx, verdict_names[verdict], many);
}

/* ---- the header ------------------------------------------------------- */

/* Takes "#17 " or "@17 " off the front; the space may be missing at the end. */
static bool meter_take_number(struct pg_bytes *in, uint8_t mark,
                              uint64_t *number)
{
    size_t at = 1;

    *number = 0;
    if (in->len < 2 || in->data[0] != mark)
        return false;
    for (; at < in->len && at < 19; at++) {
        if (in->data[at] < '0' || in->data[at] > '9')
            break;
        *number = 10 * *number + (in->data[at] - '0');
    }
    if (*number == 0 || (at < in->len && in->data[at] != ' '))
        return false;
    at += at < in->len;
    *in = pg_bytes(in->data + at, in->len - at);
    return true;
}

/* ---- judging ---------------------------------------------------------- */

/* A time that is never 0. */
static uint32_t meter_now_ms(void)
{
    uint32_t now = (uint32_t)pg_now();

    return now ? now : 1;
}

/* The next number or one beyond: those between are missing from now on, and
   what is missing for WINDOW numbers is lost. */
static void meter_advance(struct pg_ctx *ctx, uint64_t number)
{
    struct meter_state *state = pg_state(ctx);
    uint64_t from = state->next;

    if (number - from >= WINDOW) {
        meter_tally(ctx, LOST, number - from - WINDOW + 1);
        from = number - WINDOW + 1;
    }
    for (; from <= number; from++) {
        uint32_t *missing = &state->missing_ms[from % WINDOW];

        meter_tally(ctx, LOST, *missing != 0);
        *missing = from < number ? meter_now_ms() : 0;
    }
    state->next = number + 1;
    meter_tally(ctx, IN_ORDER, 1);
}

/* A number from before: missing up to now, or here for the second time. */
static void meter_look_back(struct pg_ctx *ctx, uint64_t number)
{
    const struct meter_options *options = pg_options(ctx);
    struct meter_state *state = pg_state(ctx);
    uint32_t *missing = &state->missing_ms[number % WINDOW];

    if (number < state->first || state->next - number > WINDOW) {
        meter_tally(ctx, OLD, 1);
        return;
    }
    if (*missing == 0)
        meter_tally(ctx, DUPLICATED, 1);
    else if (meter_now_ms() - *missing > (uint32_t)options->late_ms)
        meter_tally(ctx, LATE, 1);
    else
        meter_tally(ctx, REORDERED, 1);
    *missing = 0;
}

static void meter_judge(struct pg_ctx *ctx, uint64_t number)
{
    struct meter_state *state = pg_state(ctx);

    if (state->next == 0) /* a peer may have begun long before us */
        state->first = state->next = number > WINDOW ? number : 1;
    if (number >= state->next)
        meter_advance(ctx, number);
    else
        meter_look_back(ctx, number);
}

/* Jitter as in RFC 3550, section 6.4.1. On two machines the clocks differ, and
   only the differences between delays mean something. */
static void meter_time_it(struct meter_state *state, uint64_t time_us)
{
    int64_t delay_us = (int64_t)(pg_now_ns() / 1000) - (int64_t)time_us;
    double change_us = (double)(delay_us - state->delay_us);

    if (state->timed++ == 0) {
        state->least_us = state->most_us = delay_us;
        change_us = 0;
    }
    if (delay_us < state->least_us)
        state->least_us = delay_us;
    if (delay_us > state->most_us)
        state->most_us = delay_us;
    if (change_us < 0)
        change_us = -change_us;
    state->jitter_us += (change_us - state->jitter_us) / 16;
    state->sum_us += (double)delay_us;
    state->delay_us = delay_us;
}

/* ---- telling ---------------------------------------------------------- */

static uint64_t meter_count_missing(const struct meter_state *state)
{
    uint64_t count = 0;

    for (size_t i = 0; i < WINDOW; i++)
        count += state->missing_ms[i] != 0;
    return count;
}

static void meter_report(const struct meter_state *state,
                         char text[REPORT_BYTES])
{
    const uint64_t *counts = state->counts;
    uint64_t came = counts[IN_ORDER] + counts[REORDERED] + counts[LATE];
    uint64_t lost = counts[LOST] + meter_count_missing(state);
    int len = snprintf(text, REPORT_BYTES,
                       "%" PRIu64 " of %" PRIu64 " came, %" PRIu64 " lost, "
                       "%" PRIu64 " reordered, %" PRIu64 " late, %" PRIu64
                       " duplicated",
                       came, came + lost, lost, counts[REORDERED], counts[LATE],
                       counts[DUPLICATED]);

    if (state->timed)
        snprintf(text + len, REPORT_BYTES - (size_t)len,
                 "; delay %.3f to %.3f ms, mean %.3f, jitter %.3f",
                 (double)state->least_us / 1000, (double)state->most_us / 1000,
                 state->sum_us / (double)state->timed / 1000,
                 state->jitter_us / 1000);
}

static enum pg_verdict meter_answer(struct pg_ctx *ctx)
{
    char text[REPORT_BYTES];

    meter_report(pg_state(ctx), text);
    pg_send(ctx, pg_text(text));
    return PG_STOP;
}

/* ---- events ----------------------------------------------------------- */

static enum pg_verdict meter_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    uint64_t number, time_us;

    if (!meter_take_number(&in, '#', &number)) {
        meter_tally(ctx, NO_NUMBER, 1);
    } else {
        meter_judge(ctx, number);
        if (meter_take_number(&in, '@', &time_us))
            meter_time_it(pg_state(ctx), time_us);
    }
    if (pg_equals(in, "meter?"))
        return meter_answer(ctx);
    pg_forward(ctx, in);
    return PG_STOP;
}

/* A message takes a number only when it can be sent. */
static enum pg_verdict meter_send(struct pg_ctx *ctx, struct pg_bytes out)
{
    struct meter_state *state = pg_state(ctx);
    uint8_t *stamped = pg_scratch(ctx, HEADER_BYTES + out.len);
    int len =
        snprintf((char *)stamped, HEADER_BYTES, "#%" PRIu64 " @%" PRIu64 " ",
                 state->sent + 1, pg_now_ns() / 1000);

    if (out.len)
        memcpy(stamped + len, out.data, out.len);
    if (pg_forward(ctx, pg_bytes(stamped, (size_t)len + out.len)) >= 0)
        state->sent++;
    return PG_STOP;
}

static void meter_close(struct pg_ctx *ctx, struct pg_reason reason)
{
    struct meter_state *state = pg_state(ctx);
    char text[REPORT_BYTES];

    (void)reason;
    if (state->next == 0)
        return;
    meter_report(state, text);
    meter_tally(ctx, LOST, meter_count_missing(state));
    pg_log(ctx, "%s", text);
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "meter",
    .summary = "numbers messages, tells lost, late, reordered, duplicated",
    .needs = PG_RECORDS,
    .options = meter_options,
    .options_size = sizeof(struct meter_options),
    .session_size = sizeof(struct meter_state),
    .recv = meter_recv,
    .send = meter_send,
    .close = meter_close,
};
