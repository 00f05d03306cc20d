/*
 * nagle: why do small messages sometimes take 40 ms?
 *
 * A request is written in two pieces. With Nagle's algorithm (RFC 896) the
 * second waits for the acknowledgement of the first, which the other side
 * delays, hoping to send it along with an answer (RFC 1122, 4.2.3.2); the
 * server cannot answer before it has the second piece.
 */
#include "compare/lab/lab.h"

#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define ROUNDS 40
#define FIRST  "a request in "
#define SECOND "two pieces\n"

struct way {
    const char *key, *measure;
    enum side side;
    bool is_nodelay;
    int pieces;
    double ms[ROUNDS], median;
};

/* Over UDP each piece is a message and has its own answer, a line. */
static void nagle_write_request(struct lab *lab, int fd, const struct way *way)
{
    if (way->pieces == 1) {
        lab_send(lab, fd, FIRST SECOND, strlen(FIRST SECOND));
        return;
    }
    lab_send(lab, fd, FIRST, strlen(FIRST));
    lab_send(lab, fd, SECOND, strlen(SECOND));
}

static void nagle_read_answer(struct lab *lab, int fd, const struct way *way)
{
    char answer[sizeof(FIRST SECOND) + 1];

    if (way->side == SIDE_UDP && way->pieces == 2) {
        lab_recv(lab, fd, answer, strlen(FIRST) + 1);
        lab_recv(lab, fd, answer, strlen(SECOND));
    } else {
        lab_recv(lab, fd, answer, strlen(FIRST SECOND));
    }
}

static void nagle_measure(struct lab *lab, struct server *server,
                          struct way *way)
{
    int fd = lab_connect(lab, server, way->side), on = 1;
    double sorted[ROUNDS];

    lab_progress(lab, "%s", way->measure);
    if (way->is_nodelay &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
        lab_fail_errno(lab, "TCP_NODELAY");
    for (int i = 0; i < ROUNDS; i++) {
        double begin = lab_now_ms();

        nagle_write_request(lab, fd, way);
        nagle_read_answer(lab, fd, way);
        way->ms[i] = lab_now_ms() - begin;
    }
    memcpy(sorted, way->ms, sizeof(sorted));
    way->median = lab_median(sorted, ROUNDS);
}

static void nagle_draw(struct lab *lab, const struct way *ways, size_t count)
{
    json_t *plot = result_plot(
        lab, PLOT_LINES, "Each request in two writes, one after the other",
        "With Nagle's algorithm most requests take about 40 ms; with "
        "TCP_NODELAY and over UDP a small part of one.",
        "request", "time until the answer (ms)");

    plot_log_y(plot);
    for (size_t i = 0; i < count; i++) {
        json_t *series;

        if (ways[i].pieces == 1)
            continue;
        series =
            plot_series(plot, ways[i].side == SIDE_TCP ? PLOT_TCP : PLOT_UDP,
                        ways[i].side == SIDE_UDP ? "UDP"
                        : ways[i].is_nodelay     ? "TCP, TCP_NODELAY"
                                                 : "TCP");
        for (int round = 0; round < ROUNDS; round++)
            plot_point(series, round + 1, ways[i].ms[round]);
    }
}

static void nagle_run(struct lab *lab)
{
    struct way ways[] = {
        {"nagle", "two write()s", SIDE_TCP, false, 2, {0}, 0},
        {"nodelay", "two write()s, TCP_NODELAY set", SIDE_TCP, true, 2, {0}, 0},
        {"one", "one write()", SIDE_TCP, false, 1, {0}, 0},
        {"udp", "two datagrams", SIDE_UDP, false, 2, {0}, 0},
    };
    enum { WAYS = sizeof(ways) / sizeof(*ways) };
    double slack_ms;
    struct server *server =
        lab_server(lab, json_pack("{s:[s,s], s:[s,s]}", "transports", "tcp",
                                  "udp", "handlers", "lines", "echo"));

    for (int i = 0; i < WAYS; i++)
        nagle_measure(lab, server, &ways[i]);

    result_did(lab,
               "The client sends a request of one line in two pieces and waits "
               "for the answer, %d times one after the other.",
               ROUNDS);
    for (int i = 0; i < WAYS; i++)
        result_row(lab, ways[i].key, ways[i].measure, "ms",
                   ways[i].side == SIDE_TCP ? value_number(ways[i].median)
                                            : value_none(),
                   ways[i].side == SIDE_UDP ? value_number(ways[i].median)
                                            : value_none());
    nagle_draw(lab, ways, WAYS);
    result_why(lab,
               "Nagle's algorithm holds a small segment back while an earlier "
               "one is not acknowledged; the receiver delays that "
               "acknowledgement, since an answer could carry it. Each waits "
               "for the other until a timer ends it. One write(), or "
               "TCP_NODELAY, avoids it; UDP never waits.");
    result_note(lab, "The times are medians. The first requests are quick: "
                     "Linux acknowledges at once while a connection is new.");
    /* Client and server together take less than a third of the wait. */
    slack_ms = ways[0].median / 3 / 2;
    result_check_timed(lab, "nagle_waits",
                       ways[0].median > 3 * ways[1].median &&
                           ways[0].median > 3 * ways[2].median,
                       "two small writes take several times as long as with "
                       "TCP_NODELAY, or as one write",
                       slack_ms);
    result_check_timed(lab, "udp_never_waits",
                       ways[0].median > 3 * ways[3].median,
                       "two datagrams do not wait for each other", slack_ms);
    result_answer(lab, ways[0].median > 3 * ways[1].median ? 1 : 0);
}

const struct experiment experiment_nagle = {
    .name = "nagle",
    .title = "Nagle and delayed ACK",
    .question = "Why do small messages sometimes take 40 ms?",
    .guess = {"A client writes its request in two pieces instead of one, over "
              "TCP with the usual settings, on one machine. How much longer "
              "does the answer take?",
              {"less than twice as long", "many times as long"}},
    .run = nagle_run,
};
