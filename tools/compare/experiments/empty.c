/* empty: can a message have no bytes? */
#include "compare/lab/lab.h"

#include <string.h>
#include <sys/socket.h>

/* Sends nothing, then "x", and counts what the server heard before the x. */
static int empty_count_empty(struct lab *lab, struct server *server, int fd)
{
    int count = 0;

    if (send(fd, "", 0, 0) != 0)
        lab_fail_errno(lab, "send of 0 bytes");
    lab_send(lab, fd, "x", 1);
    for (;;) {
        json_t *event = server_event(server, "recv", LAB_LIMIT_MS);
        json_int_t bytes = json_integer_value(json_object_get(event, "bytes"));

        if (!event)
            lab_fail(lab, "the server did not hear the x");
        json_decref(event);
        if (bytes > 0)
            return count;
        count++;
    }
}

/* How many empty messages come back before the x. */
static int empty_count_zeros(struct lab *lab, int fd)
{
    char byte[1];
    ssize_t got;
    int count = 0;

    while ((got = recv(fd, byte, sizeof(byte), 0)) == 0)
        count++;
    if (got < 0)
        lab_fail_errno(lab, "recv");
    return count;
}

/* Returns what recv() does once the server has closed. */
static ssize_t empty_read_end(struct lab *lab, int fd)
{
    char byte[1];
    ssize_t got;

    if (shutdown(fd, SHUT_WR))
        lab_fail_errno(lab, "shutdown");
    got = recv(fd, byte, sizeof(byte), 0);
    if (got < 0)
        lab_fail_errno(lab, "recv at the end");
    return got;
}

/* Whether the server still answers. */
static bool empty_is_alive(struct lab *lab, int fd)
{
    char byte[1] = "";

    lab_send(lab, fd, "y", 1);
    return recv(fd, byte, sizeof(byte), 0) == 1 && *byte == 'y';
}

static void empty_run(struct lab *lab)
{
    struct server *server = lab_log_server(lab, "echo");
    int tcp = lab_connect(lab, server, SIDE_TCP);
    int udp = lab_connect(lab, server, SIDE_UDP);
    int tcp_heard = empty_count_empty(lab, server, tcp);
    int udp_heard = empty_count_empty(lab, server, udp);
    int tcp_zeros = empty_count_zeros(lab, tcp),
        udp_zeros = empty_count_zeros(lab, udp);
    bool udp_lives = empty_is_alive(lab, udp);
    ssize_t tcp_end = empty_read_end(lab, tcp);

    result_did(lab, "The client calls send() with 0 bytes, then with one. The "
                    "server echoes what it hears. Then the TCP client ends its "
                    "side, and the server answers by closing.");
    result_counts(lab, "sent", "empty messages sent", "", 1, 1);
    result_counts(lab, "heard", "empty messages the server hears", "",
                  tcp_heard, udp_heard);
    result_counts(lab, "zeros", "empty answers: recv() returns 0", "",
                  tcp_zeros, udp_zeros);
    result_row(lab, "meaning", "so recv() returning 0 means", "",
               value_text(tcp_end == 0 ? "the end: the peer has closed"
                                       : "nothing in particular"),
               value_text(udp_zeros > 0 && udp_lives
                              ? "an empty datagram; more may follow"
                              : "nothing in particular"));
    result_why(lab,
               "Nothing added to a stream leaves the stream as it was, so TCP "
               "is free to use 0 for the end. A datagram is a header and as "
               "much data as one likes, none included. A UDP server that ends "
               "when recv() returns 0 can be stopped by anybody.");
    result_check(lab, "tcp_sends_nothing", tcp_heard == 0 && tcp_zeros == 0,
                 "an empty send() over TCP sends nothing");
    result_check(lab, "udp_delivers_empty", udp_heard == 1 && udp_zeros == 1,
                 "an empty datagram arrives, and its echo too");
    result_check(lab, "tcp_zero_is_end", tcp_end == 0,
                 "over TCP recv() returns 0 at the end");
    result_check(lab, "udp_zero_is_no_end", udp_lives,
                 "over UDP more may follow after recv() returned 0");
    result_answer(lab, udp_heard == 1 && tcp_heard == 0   ? 1
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
