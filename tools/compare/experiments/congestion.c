/*
 * congestion: what does TCP do when the network is full, and what does UDP?
 *
 * First each congestion control that the kernel has, by name, on a link that
 * loses packets: the machine's default may be one that does not mind loss, and
 * would hide the lesson. Then the most common one on a narrow link, alone and
 * beside a flood of datagrams.
 */
#include "compare/lab/bad_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/tools/flow.h"
#include "compare/tools/stats.h"

#define LOSS     1 /* percent */
#define DELAY_MS 10
#define RATE     50 /* Mbit/s */
#define FOR_S    4
#define SHORT_S  2   /* without a link */
#define WARM_S   1   /* slow start does not count */
#define NARROW   20  /* Mbit/s, with the flood */
#define FLOOD    1.5 /* times the narrow link */
#define ALONE_S  2
#define BESIDE_S 3
#define DRAIN_MS 300
#define FACTOR   2 /* of Mathis' formula, either way */

static const char *const names[] = {"reno", "cubic", "bbr"};

#define NAMES (sizeof(names) / sizeof(*names))

enum { RENO, CUBIC, BBR };

struct congestion {
    struct bad_link link;
    double loss, delay_ms, rate, seconds;
    bool is_there[NAMES];
    struct flow flows[NAMES], narrow;
    double goodput[NAMES]; /* Mbit/s */
    double lost[NAMES];    /* the share of packets that was lost */
    bool has_flood;
    double alone, beside, flood;
};

static void congestion_set_link(struct lab *lab, struct congestion *congestion,
                                double loss_percent, double rate)
{
    const struct bad_link_plan plan = {
        .to_server = {.loss = loss_percent / 100,
                      .delay_ms = congestion->delay_ms,
                      .rate_mbit = rate},
        .to_client = {.delay_ms = congestion->delay_ms, .rate_mbit = rate},
    };

    if (congestion->link.wire)
        bad_link_impair(lab, &congestion->link, &plan);
}

/* ---- one after the other ---------------------------------------------- */

static double congestion_share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static void congestion_run_each(struct lab *lab, struct congestion *congestion)
{
    struct wire_counts before[2], after[2];

    congestion_set_link(lab, congestion, congestion->loss, congestion->rate);
    for (size_t i = 0; i < NAMES; i++) {
        struct flow *flow = &congestion->flows[i];

        if (!flow_start(lab, flow, congestion->link.server, names[i])) {
            result_note(
                lab, "The congestion control %s cannot be chosen here: %s.",
                names[i],
                errno == EPERM ? "net.ipv4.tcp_allowed_congestion_control does "
                                 "not name it"
                               : "this kernel does not have it");
            continue;
        }
        congestion->is_there[i] = true;
        lab_progress(lab, "%s", names[i]);
        bad_link_counts(lab, &congestion->link, before);
        flow_send(lab, flow, congestion->seconds, NULL);
        flow_stop(flow);
        bad_link_counts(lab, &congestion->link, after);
        congestion->lost[i] = congestion_share(
            after[WIRE_LEFT].lost - before[WIRE_LEFT].lost,
            after[WIRE_LEFT].packets - before[WIRE_LEFT].packets);
        congestion->goodput[i] =
            flow_goodput(flow, WARM_S, congestion->seconds + 1);
        lab_sleep_ms(DRAIN_MS + congestion->delay_ms);
    }
}

/* ---- beside a flood --------------------------------------------------- */

struct counting {
    struct lab *lab;
    struct congestion *congestion;
};

/* The flood and one TCP connection have the link to themselves; segments that
   TCP sends twice count with the flood, and are few. */
static double congestion_delivered_udp(void *arg)
{
    const struct counting *counting = arg;
    struct wire_counts counts[2];

    bad_link_counts(counting->lab, &counting->congestion->link, counts);
    return (double)counts[WIRE_LEFT].delivered_payload_bytes -
           (double)counting->congestion->narrow.acked;
}

static void congestion_run_flood(struct lab *lab, struct congestion *congestion)
{
    struct counting counting = {lab, congestion};
    const struct flow_flood flood = {
        .fd = lab_connect(lab, congestion->link.server, SIDE_UDP),
        .mbit_s = FLOOD * NARROW,
        .delivered = congestion_delivered_udp,
        .arg = &counting,
    };
    struct flow *flow = &congestion->narrow;
    size_t first;

    congestion_set_link(lab, congestion, 0, NARROW);
    if (!flow_start(lab, flow, congestion->link.server, names[CUBIC]))
        return;
    lab_progress(lab, "cubic alone");
    flow_send(lab, flow, ALONE_S, NULL);
    congestion->alone = flow_goodput(flow, ALONE_S / 2.0, ALONE_S + 1);
    lab_progress(lab, "cubic beside a flood");
    first = flow->count;
    flow_send(lab, flow, BESIDE_S, &flood);
    congestion->beside =
        flow_goodput(flow, ALONE_S + 1, ALONE_S + BESIDE_S + 1);
    for (size_t i = first; i < flow->count; i++)
        congestion->flood +=
            flow->samples[i].udp_mbit_s / (double)(flow->count - first);
    flow_stop(flow);
    congestion->has_flood = true;
}

/* ---- the result ------------------------------------------------------- */

/* With the loss and the round-trip time that it really had. */
static double congestion_mathis(const struct congestion *congestion)
{
    const struct flow *flow = &congestion->flows[CUBIC];

    return stats_mathis(flow->mss, flow_rtt_ms(flow, WARM_S) / 1e3,
                        congestion->lost[CUBIC]) /
           1e6;
}

/* The formula speaks of losses alone, so the link must not be the limit. */
static bool congestion_has_mathis(const struct congestion *congestion)
{
    return congestion->link.wire && congestion->is_there[CUBIC] &&
           congestion->lost[CUBIC] > 0 &&
           congestion_mathis(congestion) < congestion->rate / FACTOR;
}

static void congestion_show(struct lab *lab,
                            const struct congestion *congestion)
{
    char key[32], measure[64];

    for (size_t i = 0; i < NAMES; i++) {
        if (!congestion->is_there[i])
            continue;
        snprintf(key, sizeof(key), "%s_mbit_s", names[i]);
        snprintf(measure, sizeof(measure), "goodput with %s", names[i]);
        result_row(lab, key, measure, "Mbit/s",
                   value_number(congestion->goodput[i]), value_none());
    }
    if (congestion_has_mathis(congestion))
        result_row(lab, "mathis_mbit_s", "what Mathis' formula says", "Mbit/s",
                   value_number(congestion_mathis(congestion)), value_none());
    if (!congestion->has_flood)
        return;
    result_row(lab, "alone_mbit_s", "cubic alone on a link of 20 Mbit/s",
               "Mbit/s", value_number(congestion->alone), value_none());
    result_numbers(lab, "beside_mbit_s", "beside a flood of 30 Mbit/s",
                   "Mbit/s", congestion->beside, congestion->flood);
}

static json_t *congestion_series_of(json_t *plot, size_t which)
{
    return plot_series(plot, which == BBR ? PLOT_OTHER : PLOT_TCP,
                       names[which]);
}

static void congestion_draw_windows(struct lab *lab,
                                    const struct congestion *congestion)
{
    json_t *plot = result_plot(
        lab, PLOT_LINES, "Congestion window",
        "Saw teeth: at each loss reno and cubic make the window smaller. bbr "
        "keeps a larger one.",
        "time (s)", "segments under way");

    plot_log_y(plot);
    for (size_t i = 0; i < NAMES; i++) {
        const struct flow *flow = &congestion->flows[i];
        json_t *series;

        if (!congestion->is_there[i])
            continue;
        series = congestion_series_of(plot, i);
        for (size_t j = 0; j < flow->count; j++)
            plot_point(series, flow->samples[j].s, flow->samples[j].window);
    }
}

static void congestion_draw_goodput(struct lab *lab,
                                    const struct congestion *congestion)
{
    json_t *plot = result_plot(
        lab, PLOT_LINES, "Goodput",
        "bbr fills the link. reno and cubic stay far below it, because they "
        "take each loss for a full network.",
        "time (s)", "Mbit/s");

    for (size_t i = 0; i < NAMES; i++) {
        const struct flow *flow = &congestion->flows[i];
        json_t *series;

        if (!congestion->is_there[i])
            continue;
        series = congestion_series_of(plot, i);
        for (size_t j = 0; j < flow->count; j++)
            plot_point(series, flow->samples[j].s, flow->samples[j].mbit_s);
    }
}

static void congestion_draw_flood(struct lab *lab,
                                  const struct congestion *congestion)
{
    const struct flow *flow = &congestion->narrow;
    json_t *plot = result_plot(
        lab, PLOT_LINES, "TCP beside a flood of datagrams",
        "TCP has the link to itself until the flood begins; then it gives way "
        "and is left with next to nothing.",
        "time (s)", "Mbit/s delivered");
    json_t *tcp = plot_series(plot, PLOT_TCP, "TCP (cubic)");
    json_t *udp = plot_series(plot, PLOT_UDP, "UDP");

    plot_mark(plot, ALONE_S, "the flood begins");
    for (size_t i = 0; i < flow->count; i++) {
        plot_point(tcp, flow->samples[i].s, flow->samples[i].mbit_s);
        plot_point(udp, flow->samples[i].s, flow->samples[i].udp_mbit_s);
    }
}

/* The speed of TCP follows the round-trip time: by half of that the figures
   are off by a third. */
static double congestion_slack_ms(const struct congestion *congestion)
{
    return congestion->delay_ms > 0 ? congestion->delay_ms / 2 : 1;
}

static void congestion_check(struct lab *lab,
                             const struct congestion *congestion)
{
    const double *goodput = congestion->goodput;

    result_check(lab, "tcp_chosen",
                 congestion->is_there[RENO] || congestion->is_there[CUBIC],
                 "a congestion control can be chosen by name");
    if (congestion_has_mathis(congestion))
        result_check_timed(
            lab, "tcp_mathis",
            stats_within_factor(goodput[CUBIC], congestion_mathis(congestion),
                                FACTOR),
            "cubic reaches what Mathis' formula says, within a factor "
            "of 2",
            congestion_slack_ms(congestion));
    if (congestion_has_mathis(congestion) && congestion->is_there[BBR])
        result_check_timed(lab, "tcp_bbr_ignores_loss",
                           goodput[BBR] > 2 * goodput[CUBIC],
                           "bbr is not slowed down by loss as cubic is",
                           congestion_slack_ms(congestion));
    if (!congestion->has_flood)
        return;
    result_check_timed(lab, "tcp_gives_way",
                       congestion->beside < congestion->alone / 2,
                       "TCP gives way to a flood of datagrams",
                       congestion_slack_ms(congestion));
    result_check_timed(lab, "udp_takes_all",
                       congestion->flood > congestion->beside,
                       "UDP takes the larger part of the link",
                       congestion_slack_ms(congestion));
}

static void congestion_describe(struct lab *lab,
                                const struct congestion *congestion)
{
    result_did(lab,
               "A client sends as much as it may over TCP for %g s with each "
               "congestion control%s.",
               congestion->seconds,
               congestion->link.wire ? "" : ", on loopback");
    if (congestion->link.wire)
        result_did(lab,
                   "The link loses %g %% of the packets, takes %g ms each way "
                   "and carries %g Mbit/s. Then cubic sends on a link of %d "
                   "Mbit/s without loss, alone for %d s and for %d s beside "
                   "datagrams of %g Mbit/s.",
                   congestion->loss, congestion->delay_ms, congestion->rate,
                   NARROW, ALONE_S, BESIDE_S, FLOOD * NARROW);
    result_why(lab,
               "TCP takes a loss as the sign of a full network and sends less, "
               "so that all connections get their share; UDP has no such "
               "brake, and whoever does not brake gets the road.");
}

static void congestion_draw(struct lab *lab,
                            const struct congestion *congestion)
{
    congestion_draw_goodput(lab, congestion);
    congestion_draw_windows(lab, congestion);
    if (congestion->has_flood)
        congestion_draw_flood(lab, congestion);
}

static int congestion_answer(const struct congestion *congestion)
{
    if (congestion->beside < congestion->alone / 4)
        return 2;
    return congestion->beside < congestion->alone * 0.8 ? 1 : 0;
}

static void congestion_run(struct lab *lab)
{
    bool has_link = !bad_link_hindrance();
    struct congestion congestion = {
        .seconds = lab_setting(lab, SETTING_FOR, has_link ? FOR_S : SHORT_S)};
    const struct bad_link_plan none = {.to_server.loss = 0};

    if (congestion.seconds <= WARM_S)
        lab_fail(lab, "--for %g is too short: the first second is slow start",
                 congestion.seconds);
    congestion.link = bad_link_start(
        lab, &none, json_pack("{s:[s,s]}", "transports", "tcp", "udp"));
    if (has_link) {
        congestion.loss = lab_setting(lab, SETTING_LOSS, LOSS);
        congestion.delay_ms = lab_setting(lab, SETTING_DELAY, DELAY_MS);
        congestion.rate = lab_setting(lab, SETTING_RATE, RATE);
    }
    congestion_describe(lab, &congestion);
    congestion_run_each(lab, &congestion);
    if (has_link)
        congestion_run_flood(lab, &congestion);
    congestion_show(lab, &congestion);
    congestion_draw(lab, &congestion);
    congestion_check(lab, &congestion);
    if (congestion.has_flood)
        result_answer(lab, congestion_answer(&congestion));
}

const struct experiment experiment_congestion = {
    .name = "congestion",
    .title = "Congestion control",
    .question = "What does TCP do when the network is full, and what UDP?",
    .need = NEED_LINK,
    .settings = SETTING(SETTING_LOSS) | SETTING(SETTING_DELAY) |
                SETTING(SETTING_RATE) | SETTING(SETTING_FOR),
    .limit_s = 240,
    .guess = {"A TCP connection has a link of 20 Mbit/s to itself. Then a "
              "sender of datagrams joins, with 30 Mbit/s. What is left to "
              "TCP?",
              {"nearly all of it: it was there first",
               "about its fair share, a half or a third",
               "less than a quarter of what it had"}},
    .run = congestion_run,
};
