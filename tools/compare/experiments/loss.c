/*
 * loss: what becomes of messages when the link loses packets?
 *
 * Packets are lost on the way to the server, by a draw that the seed repeats;
 * the way back is clean, so that what does not come back did not get there.
 */
#include "compare/lab/bad_link.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "compare/tools/stats.h"
#include "compare/tools/tcp_figures.h"
#include "compare/tools/train.h"

#define MESSAGES  10000
#define RATES     3
#define WINDOW    32
#define SETTLE_MS 300
#define SLACK_MS  ((double)SETTLE_MS / BAD_LINK_HOPS)

/* At one loss rate. */
struct at_rate {
    double percent;
    struct train tcp, udp;
    unsigned sent_again;
    uint64_t udp_dropped, tcp_dropped; /* by the link */
    uint64_t overrun;                  /* by this machine */
};

struct loss {
    struct bad_link link;
    size_t messages;
    struct at_rate rates[RATES];
    unsigned count;
};

static void loss_choose_rates(struct lab *lab, struct loss *loss)
{
    static const double usual[RATES] = {0, 1, 5};

    loss->count = lab_is_given(lab, SETTING(SETTING_LOSS)) ? 1 : RATES;
    for (unsigned i = 0; i < loss->count; i++)
        loss->rates[i].percent =
            loss->count == 1 ? lab_setting(lab, SETTING_LOSS, 0) : usual[i];
}

static void loss_set_rate(struct lab *lab, struct loss *loss, double percent)
{
    const struct bad_link_plan plan = {.to_server.loss = percent / 100};

    if (loss->link.wire)
        bad_link_impair(lab, &loss->link, &plan);
}

static struct train loss_send_all(struct lab *lab, struct loss *loss, int fd,
                                  enum side side, uint64_t *dropped,
                                  uint64_t *overrun)
{
    const struct train_plan plan = {
        .count = loss->messages, .window = WINDOW, .settle_ms = SETTLE_MS};
    struct wire_counts before[2], after[2];
    struct train train;

    bad_link_counts(lab, &loss->link, before);
    train = train_run(lab, fd, side, &plan);
    bad_link_counts(lab, &loss->link, after);
    *dropped = after[WIRE_LEFT].lost - before[WIRE_LEFT].lost;
    *overrun += after[WIRE_LEFT].overrun - before[WIRE_LEFT].overrun +
                after[WIRE_RIGHT].overrun - before[WIRE_RIGHT].overrun;
    return train;
}

/* All of UDP first: it sends one packet a message and draws the same numbers
   each time, while TCP sends as many as the moment takes. */
static void loss_run_udp(struct lab *lab, struct loss *loss)
{
    int fd = bad_link_connect(lab, &loss->link, SIDE_UDP);

    for (unsigned i = 0; i < loss->count; i++) {
        struct at_rate *at = &loss->rates[i];

        lab_progress(lab, "%g %% over UDP", at->percent);
        loss_set_rate(lab, loss, at->percent);
        at->udp = loss_send_all(lab, loss, fd, SIDE_UDP, &at->udp_dropped,
                                &at->overrun);
    }
}

static void loss_run_tcp(struct lab *lab, struct loss *loss)
{
    struct tcp_figures before = {0}, after = {0};
    uint64_t overrun = 0;
    int fd;

    loss_set_rate(lab, loss, 0);
    fd = bad_link_connect(lab, &loss->link, SIDE_TCP);
    for (unsigned i = 0; i < loss->count; i++) {
        struct at_rate *at = &loss->rates[i];

        lab_progress(lab, "%g %% over TCP", at->percent);
        loss_set_rate(lab, loss, at->percent);
        tcp_figures_get(fd, &before);
        at->tcp =
            loss_send_all(lab, loss, fd, SIDE_TCP, &at->tcp_dropped, &overrun);
        tcp_figures_get(fd, &after);
        at->sent_again = after.retransmissions - before.retransmissions;
    }
}

/* ---- the result ------------------------------------------------------- */

static void loss_add_row(struct lab *lab, const char *key, const char *measure,
                         double percent, json_t *tcp, json_t *udp)
{
    char whole_key[64], whole_measure[96];

    snprintf(whole_key, sizeof(whole_key), "%s_%g", key, percent);
    snprintf(whole_measure, sizeof(whole_measure), "%g %% loss: %s", percent,
             measure);
    result_row(lab, whole_key, whole_measure, "", tcp, udp);
}

static void loss_show_rate(struct lab *lab, const struct loss *loss,
                           const struct at_rate *at)
{
    double expected = stats_expected(loss->messages, at->percent / 100);
    double sigma = stats_three_sigma(loss->messages, at->percent / 100);

    loss_add_row(lab, "lost", "messages lost", at->percent,
                 value_count(at->tcp.lost), value_count(at->udp.lost));
    loss_add_row(lab, "sent_again", "segments sent again", at->percent,
                 loss->link.wire ? value_count(at->sent_again) : value_none(),
                 value_none());
    if (at->percent > 0) {
        loss_add_row(lab, "expected", "a fair draw loses", at->percent,
                     value_count(0),
                     value_text("%.0f to %.0f", ceil(expected - sigma),
                                floor(expected + sigma)));
        loss_add_row(lab, "first_lost", "the first lost ones", at->percent,
                     value_none(), train_first_lost(&at->udp));
        loss_add_row(lab, "which", "fingerprint of all lost ones", at->percent,
                     value_none(),
                     value_text("%08x", train_fingerprint(&at->udp)));
    }
}

static void loss_draw(struct lab *lab, const struct loss *loss)
{
    json_t *plot = result_plot(
        lab, PLOT_BARS, "Messages lost, and segments sent again",
        "For each loss rate: UDP loses about that share; TCP loses none, and "
        "sends segments again instead.",
        "packets that the link loses", "messages or segments");
    json_t *tcp = plot_series(plot, PLOT_TCP, "TCP lost");
    json_t *udp = plot_series(plot, PLOT_UDP, "UDP lost");
    json_t *again = loss->link.wire
                        ? plot_series(plot, PLOT_OTHER, "TCP sent again")
                        : NULL;

    for (unsigned i = 0; i < loss->count; i++) {
        const struct at_rate *at = &loss->rates[i];
        char label[32];

        snprintf(label, sizeof(label), "%g %%", at->percent);
        plot_bar(tcp, label, (double)at->tcp.lost);
        plot_bar(udp, label, (double)at->udp.lost);
        if (again)
            plot_bar(again, label, at->sent_again);
    }
}

/* A TCP that lost only bare acknowledgements has nothing to send again; of
   more than a few lost packets some carried data. */
#define DATA_AMONG 20

static void loss_check(struct lab *lab, const struct loss *loss)
{
    bool is_fair = true, is_exact = true, is_complete = true, repeats = true;

    for (unsigned i = 0; i < loss->count; i++) {
        const struct at_rate *at = &loss->rates[i];

        is_fair &=
            stats_is_fair(at->udp.lost, loss->messages, at->percent / 100);
        is_exact &= at->udp.lost == at->udp_dropped + at->overrun;
        is_complete &= at->tcp.lost == 0 && at->tcp.duplicates == 0;
        repeats &= at->tcp_dropped < DATA_AMONG || at->sent_again > 0;
        if (at->overrun > 0)
            result_note(lab,
                        "%llu packets came faster than this machine could "
                        "forward them; they are lost too.",
                        (unsigned long long)at->overrun);
    }
    result_check_timed(lab, "udp_fair", is_fair,
                       "UDP loses what the link loses, within three standard "
                       "deviations",
                       SLACK_MS);
    result_check(lab, "tcp_complete", is_complete,
                 "TCP loses nothing and delivers nothing twice");
    if (!loss->link.wire)
        return;
    result_check_timed(lab, "udp_exact", is_exact,
                       "the datagrams that are missing are those that the link "
                       "dropped",
                       SLACK_MS);
    result_check(lab, "tcp_sends_again", repeats,
                 "TCP sends lost segments again");
}

static void loss_run(struct lab *lab)
{
    struct loss loss = {
        .messages = (size_t)lab_setting(lab, SETTING_MESSAGES, MESSAGES)};
    struct bad_link_plan plan = {.to_server.loss = 0};

    loss_choose_rates(lab, &loss);
    plan.to_server.loss = loss.rates[loss.count - 1].percent / 100;
    loss.link = bad_link_start(lab, &plan, bad_link_echo());
    if (!loss.link.wire) { /* it has one rate, that of `impair` */
        loss.rates[0] = loss.rates[loss.count - 1];
        loss.count = 1;
    }
    result_did(lab,
               "A client sends %zu numbered messages of %d bytes to a server "
               "that sends them back; on the way to the server %s are lost.",
               loss.messages, TRAIN_BYTES,
               loss.link.wire ? "packets" : "datagrams");
    loss_run_udp(lab, &loss);
    loss_run_tcp(lab, &loss);
    for (unsigned i = 0; i < loss.count; i++)
        loss_show_rate(lab, &loss, &loss.rates[i]);
    loss_draw(lab, &loss);
    result_why(lab,
               "A lost datagram is lost for ever, and nobody is told; TCP "
               "numbers its bytes, and sends again what is not acknowledged.");
    loss_check(lab, &loss);
    if (loss.link.wire)
        result_answer(lab, loss.rates[loss.count - 1].tcp.lost == 0 ? 1 : 2);
}

const struct experiment experiment_loss = {
    .name = "loss",
    .title = "Loss",
    .question = "What becomes of messages when the link loses packets?",
    .is_first = true,
    .need = NEED_LINK,
    .settings = SETTING(SETTING_LOSS) | SETTING(SETTING_MESSAGES),
    .limit_s = 120,
    .guess = {"The link loses 5 % of all packets, and a client sends 10,000 "
              "messages. How many arrive?",
              {"about 9,500 over TCP and over UDP",
               "all over TCP, about 9,500 over UDP", "anything else"}},
    .run = loss_run,
};
