/* empty: can a message have no bytes? */
#include "compare/lab/lab.h"

#include <string.h>
#include <sys/socket.h>

#define LIMIT_MS 5000

/* Sends nothing, then "x", and counts what the server heard before the x. */
static int empty_count_empty(struct run *run, struct server *server, int fd)
{
    int count = 0;

    if (send(fd, "", 0, 0) != 0)
        run_fail_errno(run, "send of 0 bytes");
    run_send(run, fd, "x", 1);
    for (;;) {
        json_t *event = server_event(server, "recv", LIMIT_MS);
        json_int_t bytes = json_integer_value(json_object_get(event, "bytes"));

        if (!event)
            run_fail(run, "the server did not hear the x");
        json_decref(event);
        if (bytes > 0)
            return count;
        count++;
    }
}

/* How many empty messages come back before the x. */
static int empty_count_zeros(struct run *run, int fd)
{
    char byte[1];
    ssize_t got;
    int count = 0;

    while ((got = recv(fd, byte, sizeof(byte), 0)) == 0)
        count++;
    if (got < 0)
        run_fail_errno(run, "recv");
    return count;
}

/* What recv() returns once the server has closed. */
static ssize_t empty_read_end(struct run *run, int fd)
{
    char byte[1];
    ssize_t got;

    if (shutdown(fd, SHUT_WR))
        run_fail_errno(run, "shutdown");
    got = recv(fd, byte, sizeof(byte), 0);
    if (got < 0)
        run_fail_errno(run, "recv at the end");
    return got;
}

/* Whether the server still answers. */
static bool empty_is_alive(struct run *run, int fd)
{
    char byte[1] = "";

    run_send(run, fd, "y", 1);
    return recv(fd, byte, sizeof(byte), 0) == 1 && *byte == 'y';
}

static void empty_run(struct run *run)
{
    struct server *server = run_log_server(run, "echo");
    int tcp = run_connect(run, server, SIDE_TCP);
    int udp = run_connect(run, server, SIDE_UDP);
    int tcp_heard = empty_count_empty(run, server, tcp);
    int udp_heard = empty_count_empty(run, server, udp);
    int tcp_zeros = empty_count_zeros(run, tcp),
        udp_zeros = empty_count_zeros(run, udp);
    bool udp_lives = empty_is_alive(run, udp);
    ssize_t tcp_end = empty_read_end(run, tcp);

    result_did(run, "The client calls send() with 0 bytes, then with one. The "
                    "server echoes what it hears. Then the TCP client ends its "
                    "side, and the server answers by closing.");
    result_row(run, "sent", "empty messages sent", "", value_count(1),
               value_count(1));
    result_row(run, "heard", "empty messages the server hears", "",
               value_count(tcp_heard), value_count(udp_heard));
    result_row(run, "zeros", "empty answers: recv() returns 0", "",
               value_count(tcp_zeros), value_count(udp_zeros));
    result_row(run, "meaning", "so recv() returning 0 means", "",
               value_text(tcp_end == 0 ? "the end: the peer has closed"
                                       : "nothing in particular"),
               value_text(udp_zeros > 0 && udp_lives
                              ? "an empty datagram; more may follow"
                              : "nothing in particular"));
    result_why(run,
               "Nothing added to a stream leaves the stream as it was, so TCP "
               "is free to use 0 for the end. A datagram is a header and as "
               "much data as one likes, none included. A UDP server that ends "
               "when recv() returns 0 can be stopped by anybody.");
    result_check(run, "tcp_sends_nothing", tcp_heard == 0 && tcp_zeros == 0,
                 "an empty send() over TCP sends nothing");
    result_check(run, "udp_delivers_empty", udp_heard == 1 && udp_zeros == 1,
                 "an empty datagram arrives, and its echo too");
    result_check(run, "tcp_zero_is_end", tcp_end == 0,
                 "over TCP recv() returns 0 at the end");
    result_check(run, "udp_zero_is_no_end", udp_lives,
                 "over UDP more may follow after recv() returned 0");
    result_answer(run, udp_heard == 1 && tcp_heard == 0   ? 1
                       : udp_heard == 0 && tcp_heard == 0 ? 0
                                                          : 2);
}

const struct experiment experiment_empty = {
    .name = "empty",
    .title = "The empty message",
    .question = "Can a message have no bytes?",
    .guess = {"A client calls send() with 0 bytes. What does the server "
              "notice?",
              {"nothing, over TCP or UDP",
               "over UDP a message of 0 bytes, over "
               "TCP nothing",
               "over both a message of 0 bytes"}},
    .run = empty_run,
};
