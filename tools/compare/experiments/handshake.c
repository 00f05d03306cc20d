/*
 * handshake: what does the first answer cost?
 *
 * TCP shakes hands before the first byte may be sent, and says goodbye; UDP
 * does neither. Packets are counted on the link.
 */
#include "compare/lab/bad_link.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "compare/tools/tcp_figures.h"

#define DELAY_MS 50
#define TRIES    3  /* the fastest counts: the machine may have stalled */
#define QUIET_MS 60 /* no packet for so long: that was the last */

static const char question[] = "hello";

struct cost {
    double answer_ms; /* from the first call to the answer */
    uint64_t answer_packets, all_packets, all_bytes; /* both ways */
};

static struct wire_counts handshake_total(struct lab *lab,
                                          struct bad_link *link)
{
    struct wire_counts counts[2];

    bad_link_counts(lab, link, counts);
    counts[0].packets += counts[1].packets;
    counts[0].bytes += counts[1].bytes;
    return counts[0];
}

/* Until nothing has gone over the link for a while. */
static struct wire_counts
handshake_settle(struct lab *lab, struct bad_link *link, double delay_ms)
{
    struct wire_counts before, now = handshake_total(lab, link);

    do {
        before = now;
        lab_sleep_ms(QUIET_MS + 2 * delay_ms);
        now = handshake_total(lab, link);
    } while (now.packets != before.packets);
    return now;
}

static void handshake_await_answer(struct lab *lab, int fd)
{
    char answer[sizeof(question)];
    size_t got = 0;

    while (got < strlen(question)) {
        ssize_t now = recv(fd, answer + got, sizeof(answer) - got, 0);

        if (now < 0 && errno == EINTR)
            continue;
        if (now <= 0)
            lab_fail(lab, "no answer came");
        got += (size_t)now;
    }
}

/* On loopback TCP's own count must do; the last ACK is not in it. */
static void handshake_count_without_link(int fd, enum side side,
                                         struct cost *cost)
{
    struct tcp_figures figures;

    cost->answer_packets = 2;
    if (side == SIDE_TCP && tcp_figures_get(fd, &figures))
        cost->answer_packets = figures.segments_out + figures.segments_in;
}

static struct cost handshake_ask(struct lab *lab, struct bad_link *link,
                                 enum side side, double delay_ms)
{
    struct cost cost = {0};
    struct wire_counts before = handshake_settle(lab, link, delay_ms), after;
    double begin = lab_now_ms();
    int fd = bad_link_connect(lab, link, side);

    lab_send(lab, fd, question, strlen(question));
    handshake_await_answer(lab, fd);
    cost.answer_ms = lab_now_ms() - begin;
    cost.answer_packets = handshake_total(lab, link).packets - before.packets;
    if (!link->wire)
        handshake_count_without_link(fd, side, &cost);
    close(fd);
    after = handshake_settle(lab, link, delay_ms);
    cost.all_packets = after.packets - before.packets;
    cost.all_bytes = after.bytes - before.bytes;
    return cost;
}

static struct cost handshake_ask_best(struct lab *lab, struct bad_link *link,
                                      enum side side, double delay_ms)
{
    struct cost best = handshake_ask(lab, link, side, delay_ms);

    for (int i = 1; i < TRIES; i++) {
        struct cost cost = handshake_ask(lab, link, side, delay_ms);

        if (cost.answer_ms < best.answer_ms)
            best = cost;
    }
    return best;
}

/* ---- the result ------------------------------------------------------- */

static void handshake_show(struct lab *lab, const struct bad_link *link,
                           const struct cost *tcp, const struct cost *udp,
                           double round_trip_ms)
{
    result_numbers(lab, "answer_ms", "time to the first answer", "ms",
                   tcp->answer_ms, udp->answer_ms);
    result_counts(lab, "answer_packets", "packets until then, both ways", "",
                  tcp->answer_packets, udp->answer_packets);
    if (!link->wire)
        return;
    result_numbers(lab, "round_trips", "that is in round trips", "",
                   tcp->answer_ms / round_trip_ms,
                   udp->answer_ms / round_trip_ms);
    result_counts(lab, "all_packets", "packets with the goodbye", "",
                  tcp->all_packets, udp->all_packets);
    result_counts(lab, "all_bytes", "bytes of all of them", "bytes",
                  tcp->all_bytes, udp->all_bytes);
}

static void handshake_draw(struct lab *lab, const struct bad_link *link,
                           const struct cost *tcp, const struct cost *udp)
{
    json_t *plot = result_plot(
        lab, PLOT_BARS, "Packets for one question and its answer",
        "TCP needs several times as many packets as UDP, which needs two.", "",
        "packets, both ways");
    json_t *series = plot_series(plot, PLOT_TCP, "TCP");

    plot_bar(series, "to the answer", (double)tcp->answer_packets);
    if (link->wire)
        plot_bar(series, "in all", (double)tcp->all_packets);
    series = plot_series(plot, PLOT_UDP, "UDP");
    plot_bar(series, "to the answer", (double)udp->answer_packets);
    if (link->wire)
        plot_bar(series, "in all", (double)udp->all_packets);
}

static void handshake_check(struct lab *lab, const struct bad_link *link,
                            const struct cost *tcp, const struct cost *udp,
                            double round_trip_ms)
{
    /* UDP looks like TCP when the hops are a round trip late together. */
    double slack_ms = round_trip_ms / BAD_LINK_HOPS;

    result_check_timed(lab, "udp_two_packets", udp->answer_packets == 2,
                       "UDP needs one packet for the question and one for the "
                       "answer",
                       slack_ms);
    result_check(lab, "tcp_more_packets", tcp->answer_packets >= 5,
                 "TCP needs at least three packets more: the handshake");
    if (!link->wire)
        return;
    result_check_timed(
        lab, "tcp_two_round_trips", tcp->answer_ms >= 2 * round_trip_ms,
        "over TCP the first answer takes two round trips", slack_ms);
    result_check_timed(lab, "udp_one_round_trip",
                       udp->answer_ms >= round_trip_ms &&
                           udp->answer_ms < tcp->answer_ms,
                       "over UDP it takes one", slack_ms);
    result_check(lab, "tcp_goodbye", tcp->all_packets > tcp->answer_packets,
                 "TCP says goodbye, which costs packets too");
    result_check_timed(lab, "udp_no_goodbye", udp->all_packets == 2,
                       "UDP has no goodbye", slack_ms);
}

static void handshake_run(struct lab *lab)
{
    double delay_ms =
        !bad_link_hindrance() ? lab_setting(lab, SETTING_DELAY, DELAY_MS) : 0;
    const struct bad_link_plan plan = {.to_server.delay_ms = delay_ms,
                                       .to_client.delay_ms = delay_ms};
    struct bad_link link = bad_link_start(lab, &plan, bad_link_echo());
    struct cost tcp, udp;
    double trips;

    result_did(lab,
               "A client asks a server one question of %zu bytes, gets the "
               "answer, and leaves; the fastest of %d tries counts.",
               strlen(question), TRIES);
    if (link.wire)
        result_did(lab, "The server is %g ms away.", delay_ms);
    tcp = handshake_ask_best(lab, &link, SIDE_TCP, delay_ms);
    udp = handshake_ask_best(lab, &link, SIDE_UDP, delay_ms);
    handshake_show(lab, &link, &tcp, &udp, 2 * delay_ms);
    handshake_draw(lab, &link, &tcp, &udp);
    result_why(lab,
               "TCP has to agree on sequence numbers before it carries data, "
               "which takes a round trip, and ends the connection in both "
               "directions; UDP sends at once and remembers nothing.");
    handshake_check(lab, &link, &tcp, &udp, 2 * delay_ms);
    trips = tcp.answer_ms / (2 * delay_ms);
    if (link.wire && delay_ms >= 1)
        result_answer(lab, trips < 1.5 ? 0 : trips < 2.5 ? 1 : 2);
}

const struct experiment experiment_handshake = {
    .name = "handshake",
    .title = "The cost of the first answer",
    .question = "How long does a client wait for its first answer?",
    .is_first = true,
    .need = NEED_LINK,
    .settings = SETTING(SETTING_DELAY),
    .limit_s = 120,
    .guess = {"A client connects, asks, and waits for the answer. How many "
              "round trips does that take over TCP? (Over UDP it is one.)",
              {"one", "two", "three or more"}},
    .run = handshake_run,
};
