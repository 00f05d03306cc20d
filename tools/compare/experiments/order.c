/*
 * order: what arrives when the link reorders and repeats packets?
 */
#include "compare/lab/bad_link.h"

#include <stdio.h>
#include <stdlib.h>

#include "compare/tools/train.h"

#define MESSAGES  2000
#define REORDER   5 /* percent */
#define DUPLICATE 2
#define DELAY_MS  2
#define WINDOW    32
#define SETTLE_MS 300
#define SLACK_MS  ((double)SETTLE_MS / BAD_LINK_HOPS)

struct order {
    struct bad_link link;
    struct train trains[2];     /* by enum side */
    struct wire_counts done[2]; /* by enum side: what the link did */
};

static void order_send_train(struct lab *lab, struct order *order,
                             enum side side, size_t count)
{
    const struct train_plan plan = {
        .count = count, .window = WINDOW, .settle_ms = SETTLE_MS};
    int fd = bad_link_connect(lab, &order->link, side);
    struct wire_counts before[2], after[2];

    lab_progress(lab, "%s", side == SIDE_TCP ? "TCP" : "UDP");
    bad_link_counts(lab, &order->link, before);
    order->trains[side] = train_run(lab, fd, side, &plan);
    bad_link_counts(lab, &order->link, after);
    order->done[side].reordered =
        after[WIRE_LEFT].reordered - before[WIRE_LEFT].reordered;
    order->done[side].duplicated =
        after[WIRE_LEFT].duplicated - before[WIRE_LEFT].duplicated;
}

static json_t *order_by_link(const struct order *order, uint64_t count)
{
    return order->link.wire ? value_count(count) : value_none();
}

static void order_show(struct lab *lab, const struct order *order)
{
    const struct train *tcp = &order->trains[SIDE_TCP];
    const struct train *udp = &order->trains[SIDE_UDP];

    result_row(lab, "link_reordered", "packets that came behind a later one",
               "", order_by_link(order, order->done[SIDE_TCP].reordered),
               order_by_link(order, order->done[SIDE_UDP].reordered));
    result_counts(lab, "overtaken", "messages that came behind a later one", "",
                  tcp->overtaken, udp->overtaken);
    result_row(lab, "link_duplicated", "packets that the link repeated", "",
               order_by_link(order, order->done[SIDE_TCP].duplicated),
               order_by_link(order, order->done[SIDE_UDP].duplicated));
    result_counts(lab, "duplicates", "messages that came twice", "",
                  tcp->duplicates, udp->duplicates);
    train_show_lost(lab, order->trains);
}

static void order_draw(struct lab *lab, const struct order *order)
{
    static const char *const names[] = {"TCP", "UDP"};
    static const enum plot_of of[] = {PLOT_TCP, PLOT_UDP};
    json_t *plot = result_plot(
        lab, PLOT_BARS, "What the applications see",
        "Only UDP has bars: messages out of order, and messages that came "
        "twice. TCP has none of either.",
        "", "messages");

    for (int side = SIDE_TCP; side <= SIDE_UDP; side++) {
        json_t *series = plot_series(plot, of[side], names[side]);

        plot_bar(series, "out of order", (double)order->trains[side].overtaken);
        plot_bar(series, "twice", (double)order->trains[side].duplicates);
    }
}

static void order_check(struct lab *lab, const struct order *order,
                        double reorder, double duplicate)
{
    const struct train *tcp = &order->trains[SIDE_TCP];
    const struct train *udp = &order->trains[SIDE_UDP];

    result_check(lab, "tcp_in_order",
                 tcp->overtaken == 0 && tcp->duplicates == 0 && tcp->lost == 0,
                 "TCP delivers each byte once and in order");
    if (reorder > 0)
        result_check_timed(lab, "udp_overtakes", udp->overtaken > 0,
                           "datagrams come in the order in which the network "
                           "delivers them",
                           SLACK_MS);
    if (duplicate > 0)
        result_check_timed(
            lab, "udp_twice",
            order->link.wire
                ? udp->duplicates == order->done[SIDE_UDP].duplicated
                : udp->duplicates > 0,
            "a datagram that the network repeats comes twice", SLACK_MS);
}

static void order_run(struct lab *lab)
{
    double reorder = lab_setting(lab, SETTING_REORDER, REORDER);
    double duplicate = lab_setting(lab, SETTING_DUPLICATE, DUPLICATE);
    double delay_ms = lab_setting(lab, SETTING_DELAY, DELAY_MS);
    size_t count = (size_t)lab_setting(lab, SETTING_MESSAGES, MESSAGES);
    const struct bad_link_plan plan = {
        .to_server = {.reorder = reorder / 100,
                      .duplicate = duplicate / 100,
                      .delay_ms = delay_ms},
        .to_client = {.delay_ms = delay_ms},
    };
    struct order order = {.link = bad_link_start(lab, &plan, bad_link_echo())};

    result_did(lab,
               "A client sends %zu numbered messages to a server that sends "
               "them back. On the way there %g %% of the %s are held back for "
               "%d ms, so that others overtake them, and %g %% arrive twice.",
               count, reorder, order.link.wire ? "packets" : "datagrams",
               WIRE_REORDER_MS, duplicate);
    order_send_train(lab, &order, SIDE_UDP, count);
    order_send_train(lab, &order, SIDE_TCP, count);
    order_show(lab, &order);
    order_draw(lab, &order);
    result_why(lab,
               "TCP numbers each byte: the receiver puts them in order and "
               "throws away what it has already; UDP has no numbers, so "
               "whoever needs order must number the messages.");
    order_check(lab, &order, reorder, duplicate);
    if (order.link.wire)
        result_answer(lab, order.trains[SIDE_TCP].overtaken > 0   ? 2
                           : order.trains[SIDE_UDP].overtaken > 0 ? 1
                                                                  : 0);
}

const struct experiment experiment_order = {
    .name = "order",
    .title = "Reordering and duplicates",
    .question = "What arrives when the network reorders and repeats packets?",
    .need = NEED_LINK,
    .settings = SETTING(SETTING_REORDER) | SETTING(SETTING_DUPLICATE) |
                SETTING(SETTING_DELAY) | SETTING(SETTING_MESSAGES),
    .limit_s = 60,
    .guess = {"A network lets one packet in twenty be overtaken. Where do "
              "messages come out of order?",
              {"nowhere", "over UDP alone", "over both"}},
    .run = order_run,
};
