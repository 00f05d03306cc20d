/* Messages said by the clock. */

#include "compare/load/load_parts.h"

#include <errno.h>
#include <sys/timerfd.h>

#define WINDOW_MS 2000 /* messages older than that are not looked for */
#define BATCH     32   /* sent in a turn; then it is the receivers' */

/* ---- sending ---------------------------------------------------------- */

struct sending {
    struct pg_bytes bytes;
    int error;
};

static void load_say_send_with(struct pg_ctx *ctx, void *arg)
{
    struct sending *sending = arg;

    sending->error = pg_send(ctx, sending->bytes);
}

void load_say(double due_ms)
{
    struct match *match = &load_us.match;
    unsigned client = (unsigned)(match->sent % load_us.plan->clients);
    struct sending sending = {
        messages_get(load_us.plan->messages, match->plan.first + match->sent),
        0};

    load_us.sent_ms = load_now_ms();
    load_us.delivered_before = match->delivered;
    match_sent(match, due_ms);
    worker_with_ctx(load_us.top, load_us.clients[client].session,
                    load_say_send_with, &sending);
    if (sending.error == -EMSGSIZE)
        load_fail("a message of %zu bytes is too long for %s",
                  sending.bytes.len, load_us.plan->transport);
    else if (sending.error < 0)
        load_fail("a client cannot send: %s", strerror(-sending.error));
}

void load_match(size_t count, const struct load_found *found)
{
    const struct match_plan plan = {
        .messages = load_us.plan->messages,
        .how = found->how,
        .is_stream = load_us.shared->found.is_stream,
        .hears_self = found->hears_self,
        .hears_others = found->hears_others,
        .clients = load_us.plan->clients,
        .count = count,
        .first = load_us.next,
        .window_ms = WINDOW_MS + 4 * load_us.plan->round_trip_ms,
        .most = LOAD_DELIVERIES_MOST,
    };

    match_finish(&load_us.match);
    match_init(&load_us.match, &plan, load_us.shared->deliveries);
    load_us.next += count;
}

bool load_is_quiet(double ms, double most_ms)
{
    double last =
        load_us.heard_ms > load_us.sent_ms ? load_us.heard_ms : load_us.sent_ms;
    double round_trips = 2 * load_us.plan->round_trip_ms;

    return load_now_ms() - last > ms + round_trips ||
           load_now_ms() - load_us.sent_ms > most_ms + round_trips;
}

/* ---- by the clock ----------------------------------------------------- */

static double load_say_due_ms(size_t number)
{
    return load_us.begin_ms + 1e3 * (double)number / load_us.order.rate;
}

void load_wake_at(double ms)
{
    struct itimerspec at = {0};

    at.it_value.tv_sec = (time_t)(ms / 1e3);
    at.it_value.tv_nsec = (long)((ms - 1e3 * (double)at.it_value.tv_sec) * 1e6);
    if (timerfd_settime(load_us.clock_fd, TFD_TIMER_ABSTIME, &at, NULL))
        load_fail("timerfd_settime: %s", strerror(errno));
}

/* A message waits for the one before where answers do not tell whose they
   are. */
static bool load_say_must_wait(void)
{
    const struct match *match = &load_us.match;

    return match->plan.how == MATCH_TURN && match->sent > 0 &&
           match->delivered - load_us.delivered_before < match_fan(match) &&
           load_now_ms() - load_us.sent_ms <
               LOAD_SETTLE_MS + 2 * load_us.plan->round_trip_ms;
}

/* Where each message waits for the one before, it may take for ever. */
static bool load_say_has_had_its_time(void)
{
    return load_now_ms() >
           load_say_due_ms(load_us.match.plan.count) + 1e3 * LOAD_LATER_MOST_S;
}

void load_pace(void)
{
    struct match *match = &load_us.match;
    bool is_turn = match->plan.how == MATCH_TURN;

    if (load_say_has_had_its_time()) {
        load_us.phase = LOAD_SETTLING;
        return;
    }
    for (int i = 0; i < BATCH && match->sent < match->plan.count; i++) {
        double due = load_say_due_ms(match->sent), now = load_now_ms();

        if (due > now)
            break;
        if (load_say_must_wait())
            return; /* an answer, or a tick, goes on */
        if (!is_turn && now - due > load_us.behind_ms)
            load_us.behind_ms = now - due;
        load_say(is_turn ? now : due);
    }
    if (match->sent < match->plan.count)
        load_wake_at(load_say_due_ms(match->sent));
    else
        load_us.phase = LOAD_SETTLING;
}
