/* burn: echoes, and burns CPU time for each message: work to share between
   workers. A message has as many bytes as the option says, wherever a read
   cut the stream. */
#include <playground/handler.h>

#include <time.h>

struct burn_options {
    int us, message_bytes;
};

struct burn_state {
    uint64_t bytes; /* of a message that is not whole yet */
};

static uint64_t burn_cpu_ns(void)
{
    struct timespec at;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static enum pg_verdict burn_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    const struct burn_options *options = pg_options(ctx);
    struct burn_state *state = pg_state(ctx);
    uint64_t bytes = state->bytes + in.len;
    uint64_t messages = bytes / (uint64_t)options->message_bytes;
    uint64_t end = burn_cpu_ns() + messages * (uint64_t)options->us * 1000;

    state->bytes = bytes % (uint64_t)options->message_bytes;
    while (burn_cpu_ns() < end)
        ;
    pg_send(ctx, in);
    return PG_STOP;
}

static const struct pg_option burn_options[] = {
    {"us", PG_INT, PG_FIELD(struct burn_options, us), .unit = "us",
     .initial = "20", .min = 0, .max = 1000000, .help = "CPU time a message"},
    {"message_bytes", PG_INT, PG_FIELD(struct burn_options, message_bytes),
     .unit = "bytes", .initial = "64", .min = 1, .max = 65536,
     .help = "the size of a message"},
    {0},
};

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "burn",
    .summary = "echoes, with work for each message",
    .needs = PG_ANY,
    .options = burn_options,
    .options_size = sizeof(struct burn_options),
    .session_size = sizeof(struct burn_state),
    .recv = burn_recv,
};
