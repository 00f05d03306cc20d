/*
 * headofline: what do the messages behind a lost one have to do with it?
 *
 * Head-of-line blocking: exactly one packet with data is lost. All messages
 * but that one reach the server's kernel in time; over TCP it keeps those
 * behind the gap until the gap is filled.
 */
#include "compare/lab/bad_link.h"

#include <stdlib.h>

#include "compare/tools/stats.h"
#include "compare/tools/train.h"

#define MESSAGES     100
#define DELAY_MS     50
#define LOST         30   /* the number of the message that is lost */
#define PER_TRIP     10   /* messages in a round trip */
#define LOSS_INSTEAD 0.03 /* where no single packet can be picked */

struct headofline {
    struct bad_link link;
    double round_trip_ms;
    struct train trains[2]; /* by enum side */
};

static void headofline_send_train(struct lab *lab,
                                  struct headofline *headofline, enum side side,
                                  size_t count)
{
    const struct train_plan plan = {
        .count = count,
        .interval_ms = headofline->round_trip_ms / PER_TRIP,
        .settle_ms = 3 * headofline->round_trip_ms,
    };
    int fd = bad_link_connect(lab, &headofline->link, side);

    lab_progress(lab, "%s", side == SIDE_TCP ? "TCP" : "UDP");
    if (headofline->link.wire)
        bad_link_drop(lab, &headofline->link, LOST + 1);
    headofline->trains[side] = train_run(lab, fd, side, &plan);
}

/* ---- the result ------------------------------------------------------- */

static size_t headofline_late(const struct headofline *headofline,
                              const struct train *train)
{
    size_t count = 0;

    for (size_t i = 0; i < train->count; i++)
        count += train->latency_ms[i] >= 1.5 * headofline->round_trip_ms;
    return count;
}

static double headofline_latency(const struct train *train, double percent)
{
    size_t count;
    double *values = train_latencies(train, &count);
    double value = stats_percentile(values, count, percent);

    free(values);
    return value;
}

/* Median latency of those right behind the lost one that came: a stall of the
   machine is not taken for a wait. */
static double headofline_latency_behind(const struct train *train, size_t lost)
{
    double values[PER_TRIP];
    size_t count = 0;

    for (size_t i = lost + 1; i <= lost + PER_TRIP && i < train->count; i++)
        if (train->copies[i] > 0)
            values[count++] = train->latency_ms[i];
    stats_sort(values, count);
    return stats_percentile(values, count, 50);
}

static json_t *headofline_of_message(const struct train *train, size_t number)
{
    return train->copies[number] ? value_number(train->latency_ms[number])
                                 : value_text("never came");
}

static void headofline_show(struct lab *lab,
                            const struct headofline *headofline)
{
    const struct train *tcp = &headofline->trains[SIDE_TCP];
    const struct train *udp = &headofline->trains[SIDE_UDP];

    train_show_lost(lab, headofline->trains);
    result_counts(lab, "late", "late by half a round trip or more", "",
                  headofline_late(headofline, tcp),
                  headofline_late(headofline, udp));
    result_numbers(lab, "median_ms", "latency, half of them at most", "ms",
                   headofline_latency(tcp, 50), headofline_latency(udp, 50));
    result_numbers(lab, "max_ms", "latency, the longest", "ms",
                   headofline_latency(tcp, 100), headofline_latency(udp, 100));
    if (!headofline->link.wire)
        return;
    result_row(lab, "lost_ms", "the message that was lost at first", "ms",
               headofline_of_message(tcp, LOST),
               headofline_of_message(udp, LOST));
    result_row(lab, "next_ms", "the one right behind it", "ms",
               headofline_of_message(tcp, LOST + 1),
               headofline_of_message(udp, LOST + 1));
}

static void headofline_draw(struct lab *lab,
                            const struct headofline *headofline)
{
    json_t *plot = result_plot(
        lab, PLOT_POINTS, "When each message came back",
        "UDP is a flat row with one gap. TCP has a saw tooth where the packet "
        "was lost: the lost message and all behind it come late, together.",
        "message", "latency (ms)");

    train_draw(&headofline->trains[SIDE_TCP],
               plot_series(plot, PLOT_TCP, "TCP"));
    train_draw(&headofline->trains[SIDE_UDP],
               plot_series(plot, PLOT_UDP, "UDP"));
    if (headofline->link.wire)
        plot_mark(plot, LOST, "lost");
}

static void headofline_check(struct lab *lab,
                             const struct headofline *headofline)
{
    const struct train *tcp = &headofline->trains[SIDE_TCP];
    const struct train *udp = &headofline->trains[SIDE_UDP];
    double two_trips = 2 * headofline->round_trip_ms;
    double slack_ms = headofline->round_trip_ms / BAD_LINK_HOPS;

    result_check(lab, "tcp_complete", tcp->lost == 0, "TCP loses none");
    if (!headofline->link.wire) {
        result_check_timed(
            lab, "udp_independent", headofline_latency(udp, 50) < two_trips,
            "over UDP no message waits for a lost one", slack_ms);
        return;
    }
    result_check_timed(lab, "udp_independent",
                       headofline_latency_behind(udp, LOST) < two_trips,
                       "over UDP those behind the lost one do not wait for it",
                       slack_ms);
    result_check_timed(
        lab, "udp_loses_one", udp->lost == 1 && !udp->copies[LOST],
        "UDP loses the message in the lost packet, and no other", slack_ms);
    result_check_timed(
        lab, "tcp_next_waits", tcp->latency_ms[LOST + 1] >= two_trips,
        "over TCP the message behind the lost one comes at least a "
        "round trip late",
        slack_ms);
    result_check_timed(lab, "tcp_blocks", headofline_late(headofline, tcp) > 2,
                       "over TCP several messages wait", slack_ms);
}

static void headofline_describe(struct lab *lab,
                                const struct headofline *headofline,
                                size_t count)
{
    result_did(lab,
               "A client sends %zu messages, one every %g ms, to a server "
               "that sends them back.",
               count, headofline->round_trip_ms / PER_TRIP);
    if (headofline->link.wire)
        result_did(lab,
                   "The server is %g ms away. Of each transport one packet is "
                   "lost: that with message %d.",
                   headofline->round_trip_ms / 2, LOST);
    else
        result_did(lab, "Of the datagrams %g %% are lost.", 100 * LOSS_INSTEAD);
    result_why(lab,
               "TCP promises order, so what is behind a gap must wait until "
               "the lost segment has come again; datagrams have nothing to do "
               "with each other.");
}

static int headofline_answer(const struct headofline *headofline)
{
    if (headofline_late(headofline, &headofline->trains[SIDE_TCP]) <= 1)
        return 0;
    return headofline_latency_behind(&headofline->trains[SIDE_UDP], LOST) <
                   1.5 * headofline->round_trip_ms
               ? 1
               : 2;
}

static void headofline_run(struct lab *lab)
{
    double delay_ms = lab_setting(lab, SETTING_DELAY, DELAY_MS);
    size_t count = (size_t)lab_setting(lab, SETTING_MESSAGES, MESSAGES);
    struct bad_link_plan plan = {.to_server.delay_ms = delay_ms,
                                 .to_client.delay_ms = delay_ms};
    struct headofline headofline = {.round_trip_ms = 2 * delay_ms};

    if (delay_ms < 1 || count < 2 * LOST)
        lab_fail(lab,
                 "a wait shows only with a delay of 1 ms and %d messages at "
                 "the least; give larger ones",
                 2 * LOST);
    if (bad_link_hindrance()) /* TCP could not be delayed likewise */
        plan = (struct bad_link_plan){.to_server.loss = LOSS_INSTEAD};
    headofline.link = bad_link_start(lab, &plan, bad_link_echo());
    headofline_describe(lab, &headofline, count);
    headofline_send_train(lab, &headofline, SIDE_TCP, count);
    headofline_send_train(lab, &headofline, SIDE_UDP, count);
    headofline_show(lab, &headofline);
    headofline_draw(lab, &headofline);
    headofline_check(lab, &headofline);
    if (headofline.link.wire)
        result_answer(lab, headofline_answer(&headofline));
}

const struct experiment experiment_headofline = {
    .name = "headofline",
    .title = "Head-of-line blocking",
    .question = "What do the messages behind a lost one have to do with it?",
    .is_first = true,
    .need = NEED_LINK,
    .settings = SETTING(SETTING_DELAY) | SETTING(SETTING_MESSAGES),
    .limit_s = 90,
    .guess = {"A hundred messages, one every 10 ms; the packet with message "
              "30 is lost. Which messages come late?",
              {"only message 30, over TCP",
               "over TCP 30 and several behind it, over UDP none",
               "over both 30 and several behind it"}},
    .run = headofline_run,
};
