/*
 * latency: how long do answers take as the load grows?
 *
 * An open loop: messages leave by the clock, whether earlier ones have been
 * answered or not, and a latency counts from when its message was due. A
 * client that waits for each answer would slow down with the server and hide
 * what happens here.
 */
#include "compare/lab/bad_link.h"

#include <stdlib.h>

#include "compare/load/load.h"
#include "compare/tools/stats.h"

#define RATE       2 /* Mbit/s of the link */
#define DELAY_MS   5
#define STEP_S     1
#define CLIENTS    4
#define STEPS_MOST 8
#define SLACK_MS   10 /* a queue of the machine looks like one of the link */

/* Messages a second. The link of 2 Mbit/s carries some 2,700 datagrams of 64
   bytes with their headers; loopback is limited by the machine alone. */
static const double link_loads[] = {250, 500, 1000, 2000, 3000, 4500};
static const double loopback_loads[] = {1000, 4000, 16000, 64000, 160000};

struct step {
    double load, p50_ms, p99_ms, lost_percent;
    bool is_answered;
};

struct latency {
    struct bad_link link;
    struct config *config;
    const double *loads;
    size_t count;
    struct step steps[2][STEPS_MOST]; /* by enum side */
};

static struct step latency_measure(struct lab *lab, struct load *load,
                                   double rate, double seconds)
{
    struct step step = {.load = rate};
    struct load_result result;
    const struct delivery *deliveries;
    double *values;
    size_t count;

    load_begin(lab, load, rate, (size_t)(rate * seconds));
    result = load_end(lab, load);
    deliveries = load_deliveries(load, &count);
    values = calloc(count + 1, sizeof(*values));
    if (!values)
        lab_fail_errno(lab, "memory");
    for (size_t i = 0; i < count; i++)
        values[i] = deliveries[i].latency_ms;
    stats_sort(values, count);
    step.is_answered = count > 0;
    step.p50_ms = stats_percentile(values, count, 50);
    step.p99_ms = stats_percentile(values, count, 99);
    step.lost_percent = 100 * (double)(result.expected - result.delivered) /
                        (double)result.expected;
    free(values);
    return step;
}

static void latency_run_side(struct lab *lab, struct latency *latency,
                             enum side side, double delay_ms, double seconds)
{
    struct messages messages = {.count = 0};
    const struct load_plan plan = {
        .server = latency->config,
        .transport = side == SIDE_TCP ? "tcp" : "udp",
        .address = server_address(latency->link.server, side),
        .clients = CLIENTS,
        .messages = &messages,
        .round_trip_ms = 2 * delay_ms,
    };
    struct load *load = load_start(lab, &plan);

    if (!load_found(load).is_answered)
        lab_fail(lab, "the echo server does not answer over %s",
                 plan.transport);
    for (size_t i = 0; i < latency->count; i++) {
        lab_progress(lab, "%s, %g messages a second", plan.transport,
                     latency->loads[i]);
        latency->steps[side][i] =
            latency_measure(lab, load, latency->loads[i], seconds);
    }
    load_stop(load);
}

/* ---- the result ------------------------------------------------------- */

static void latency_add_row(struct lab *lab, const char *key,
                            const char *measure, const char *unit,
                            const struct step *step, json_t *tcp, json_t *udp)
{
    char whole_key[64], whole_measure[96];

    snprintf(whole_key, sizeof(whole_key), "%s_%.0f", key, step->load);
    snprintf(whole_measure, sizeof(whole_measure), "%.0f messages/s: %s",
             step->load, measure);
    result_row(lab, whole_key, whole_measure, unit, tcp, udp);
}

static void latency_show(struct lab *lab, const struct latency *latency)
{
    for (size_t i = 0; i < latency->count; i++) {
        const struct step *tcp = &latency->steps[SIDE_TCP][i];
        const struct step *udp = &latency->steps[SIDE_UDP][i];

        latency_add_row(lab, "p50_ms", "p50", "ms", tcp,
                        value_number(tcp->p50_ms), value_number(udp->p50_ms));
        latency_add_row(lab, "p99_ms", "p99", "ms", tcp,
                        value_number(tcp->p99_ms), value_number(udp->p99_ms));
        latency_add_row(lab, "lost", "lost", "%", tcp,
                        value_number(tcp->lost_percent),
                        value_number(udp->lost_percent));
    }
}

static void latency_draw_side(json_t *plot, enum plot_of of, const char *name,
                              const struct latency *latency, enum side side,
                              bool is_p99)
{
    json_t *series = plot_series(plot, of, name);

    for (size_t i = 0; i < latency->count; i++) {
        const struct step *step = &latency->steps[side][i];

        if (step->is_answered)
            plot_point(series, step->load,
                       is_p99 ? step->p99_ms : step->p50_ms);
    }
}

static void latency_draw(struct lab *lab, const struct latency *latency)
{
    json_t *plot = result_plot(
        lab, PLOT_LINES, "Latency under growing load",
        "Flat while there is room; then a wall. Over TCP messages wait longer "
        "and longer, over UDP those that find no room are lost.",
        "messages a second", "latency (ms)");

    plot_log_x(plot);
    plot_log_y(plot);
    latency_draw_side(plot, PLOT_TCP, "TCP, p50", latency, SIDE_TCP, false);
    latency_draw_side(plot, PLOT_TCP, "TCP, p99", latency, SIDE_TCP, true);
    latency_draw_side(plot, PLOT_UDP, "UDP, p50", latency, SIDE_UDP, false);
    latency_draw_side(plot, PLOT_UDP, "UDP, p99", latency, SIDE_UDP, true);
    plot = result_plot(lab, PLOT_LINES, "Messages lost",
                       "None over TCP; over UDP as many as the link cannot "
                       "carry.",
                       "messages a second", "lost (%)");
    plot_log_x(plot);
    for (int side = SIDE_TCP; side <= SIDE_UDP; side++) {
        json_t *series =
            plot_series(plot, side == SIDE_TCP ? PLOT_TCP : PLOT_UDP,
                        side == SIDE_TCP ? "TCP" : "UDP");

        for (size_t i = 0; i < latency->count; i++)
            plot_point(series, latency->loads[i],
                       latency->steps[side][i].lost_percent);
    }
}

static void latency_check(struct lab *lab, const struct latency *latency)
{
    const struct step *tcp = latency->steps[SIDE_TCP];
    const struct step *udp = latency->steps[SIDE_UDP];
    size_t last = latency->count - 1;
    bool is_complete = true;

    for (size_t i = 0; i < latency->count; i++)
        is_complete &= tcp[i].lost_percent <= 0;
    result_check(lab, "tcp_complete", is_complete,
                 "TCP loses nothing at any load");
    if (!latency->link.wire)
        return; /* a fast machine carries all of it */
    result_check_timed(
        lab, "tcp_waits", tcp[last].p99_ms > 2 * tcp[0].p50_ms,
        "over TCP messages wait when the load is more than the link "
        "carries",
        SLACK_MS);
    result_check_timed(lab, "udp_complete_at_first", udp[0].lost_percent <= 0,
                       "UDP loses nothing while the link has room", SLACK_MS);
    result_check_timed(lab, "udp_loses", udp[last].lost_percent > 10,
                       "UDP loses what the link cannot carry", SLACK_MS);
}

static void latency_run(struct lab *lab)
{
    bool has_link = !bad_link_hindrance();
    double delay_ms = has_link ? lab_setting(lab, SETTING_DELAY, DELAY_MS) : 0;
    double rate = has_link ? lab_setting(lab, SETTING_RATE, RATE) : 0;
    double seconds = lab_setting(lab, SETTING_FOR, STEP_S);
    const struct bad_link_plan plan = {
        .to_server = {.delay_ms = delay_ms, .rate_mbit = rate},
        .to_client = {.delay_ms = delay_ms, .rate_mbit = rate},
    };
    struct latency latency = {
        .config = load_echo_config(lab),
        .link = bad_link_start(lab, &plan, bad_link_echo()),
        .loads = has_link ? link_loads : loopback_loads,
        .count = has_link ? sizeof(link_loads) / sizeof(*link_loads)
                          : sizeof(loopback_loads) / sizeof(*loopback_loads),
    };

    result_did(lab,
               "Clients say messages of %d bytes to a server that sends them "
               "back, by the clock, more and more of them%s. Each latency "
               "counts from when its message was due.",
               MESSAGES_DEFAULT_BYTES, has_link ? "; the link is slow" : "");
    latency_run_side(lab, &latency, SIDE_TCP, delay_ms, seconds);
    latency_run_side(lab, &latency, SIDE_UDP, delay_ms, seconds);
    latency_show(lab, &latency);
    latency_draw(lab, &latency);
    result_why(lab,
               "As long as there is room, the load makes no difference; beyond "
               "that a queue grows: TCP makes the sender wait, UDP's queue "
               "overflows.");
    latency_check(lab, &latency);
    if (has_link)
        result_answer(
            lab, latency.steps[SIDE_UDP][latency.count - 1].lost_percent > 10
                     ? 1
                     : 2);
}

const struct experiment experiment_latency = {
    .name = "latency",
    .title = "Latency under growing load",
    .question = "How long do answers take as the load grows?",
    .settings =
        SETTING(SETTING_DELAY) | SETTING(SETTING_RATE) | SETTING(SETTING_FOR),
    .need = NEED_LINK,
    .limit_s = 300,
    .guess = {"The load grows beyond what the link carries. What happens to "
              "the messages?",
              {"over both they come later and later",
               "over TCP they come later and later, over UDP some never come",
               "over both some never come"}},
    .run = latency_run,
};
