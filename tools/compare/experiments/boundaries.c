/*
 * boundaries: does one send() arrive as one message?
 *
 * The server is stopped while the client writes, as one that is busy with
 * another client would be: only so is it certain that several messages wait.
 */
#include "compare/lab/lab.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGES  5
#define SIZE      5
#define LARGE     200000
#define MAX_READS 512

/* The bytes that each read of the server brought. */
struct reads {
    int count;
    json_int_t bytes[MAX_READS];
};

/* Follows the server's log until it has read so many bytes. */
static void boundaries_follow(struct lab *lab, struct server *server,
                              json_int_t bytes, struct reads *reads)
{
    json_int_t got = 0;

    reads->count = 0;
    while (got < bytes && reads->count < MAX_READS) {
        json_t *event = server_event(server, "recv", LAB_LIMIT_MS);

        if (!event)
            lab_fail(lab, "the server read only %lld of %lld bytes",
                     (long long)got, (long long)bytes);
        reads->bytes[reads->count] =
            json_integer_value(json_object_get(event, "bytes"));
        got += reads->bytes[reads->count++];
        json_decref(event);
    }
}

static void boundaries_send_small(struct lab *lab, struct server *server,
                                  int fd, struct reads *reads)
{
    server_pause(server);
    for (int i = 0; i < MESSAGES; i++) {
        char message[32];

        snprintf(message, sizeof(message), "msg %d", i + 1);
        lab_send(lab, fd, message, SIZE);
    }
    server_resume(server);
    boundaries_follow(lab, server, MESSAGES * SIZE, reads);
}

static json_t *boundaries_sizes(const struct reads *reads)
{
    json_t *list = json_array();

    for (int i = 0; i < reads->count; i++)
        json_array_append_new(list, value_count(reads->bytes[i]));
    return list;
}

static void boundaries_draw(struct lab *lab, const struct reads *tcp,
                            const struct reads *udp)
{
    json_t *plot = result_plot(
        lab, PLOT_BARS, "What each read of the server brought",
        "One tall bar for TCP, with all bytes; five equal bars for UDP.",
        "read", "bytes");
    json_t *series[] = {plot_series(plot, PLOT_TCP, "TCP"),
                        plot_series(plot, PLOT_UDP, "UDP")};

    for (int i = 0; i < MESSAGES; i++) {
        char label[16];

        snprintf(label, sizeof(label), "%d", i + 1);
        if (i < tcp->count)
            plot_bar(series[0], label, (double)tcp->bytes[i]);
        if (i < udp->count)
            plot_bar(series[1], label, (double)udp->bytes[i]);
    }
}

static bool boundaries_is_all(const struct reads *reads, json_int_t bytes)
{
    for (int i = 0; i < reads->count; i++)
        if (reads->bytes[i] != bytes)
            return false;
    return true;
}

static void boundaries_run(struct lab *lab)
{
    static char large[LARGE];
    struct server *server = lab_log_server(lab, NULL);
    int tcp = lab_connect(lab, server, SIDE_TCP);
    int udp = lab_connect(lab, server, SIDE_UDP);
    struct reads tcp_small, udp_small, tcp_large;
    ssize_t sent;

    result_did(lab,
               "The client calls send() %d times with %d bytes each, while the "
               "server is busy; then once with 200,000 bytes.",
               MESSAGES, SIZE);
    boundaries_send_small(lab, server, tcp, &tcp_small);
    boundaries_send_small(lab, server, udp, &udp_small);
    memset(large, 'x', sizeof(large));
    lab_send(lab, tcp, large, sizeof(large));
    boundaries_follow(lab, server, LARGE, &tcp_large);
    sent = send(udp, large, sizeof(large), 0);

    result_counts(lab, "sends", "send() calls with 5 bytes", "", MESSAGES,
                  MESSAGES);
    result_counts(lab, "reads", "the server reads so many times", "",
                  tcp_small.count, udp_small.count);
    result_row(lab, "sizes", "bytes in each read", "bytes",
               boundaries_sizes(&tcp_small), boundaries_sizes(&udp_small));
    result_row(lab, "large", "one send() of 200,000 bytes", "",
               value_text("%d reads", tcp_large.count),
               sent < 0 ? value_text("refused: %s", strerror(errno))
                        : value_text("%zd bytes sent", sent));
    boundaries_draw(lab, &tcp_small, &udp_small);
    result_why(lab,
               "TCP carries a stream of bytes and knows no messages; a UDP "
               "datagram is one indivisible record. Whoever needs messages on "
               "TCP adds a framing layer (lines, length).");
    result_check(lab, "tcp_merges", tcp_small.count < MESSAGES,
                 "several messages arrive in one TCP read");
    result_check(lab, "tcp_cuts", tcp_large.count > 1,
                 "one large TCP message arrives in several reads");
    result_check(lab, "udp_keeps",
                 udp_small.count == MESSAGES &&
                     boundaries_is_all(&udp_small, SIZE),
                 "each datagram arrives whole and alone");
    result_check(lab, "udp_never_cuts", sent < 0,
                 "a message too long for a datagram is refused, not cut");
    result_answer(lab, tcp_small.count == 1 && udp_small.count == MESSAGES ? 1
                       : tcp_small.count == MESSAGES                       ? 0
                                                                           : 2);
}

const struct experiment experiment_boundaries = {
    .name = "boundaries",
    .title = "Message boundaries",
    .question = "Does one send() arrive as one message?",
    .is_first = true,
    .guess = {"A client sends five messages of 5 bytes in a row to a server "
              "that is busy for a moment. How often does the server read?",
              {"five times over TCP and five times over UDP",
               "once over TCP, five times over UDP", "anything else"}},
    .run = boundaries_run,
};
