/* truncation: what becomes of a message that is longer than the room for it? */
#include "compare/lab/lab.h"

#include <string.h>
#include <sys/socket.h>

#define SIZE 100
#define ROOM 10

/* The client's first two reads of ROOM bytes. */
struct reads {
    size_t got[2];
    char start[2]; /* the first byte of each */
    bool is_flagged;
};

/* Sends a message of a's and one of b's to the echo; then reads twice, too
   little. */
static void truncation_measure(struct lab *lab, int fd, struct reads *reads)
{
    char message[SIZE];

    for (char letter = 'a'; letter <= 'b'; letter++) {
        memset(message, letter, sizeof(message));
        lab_send(lab, fd, message, sizeof(message));
    }
    for (int i = 0; i < 2; i++) {
        char room[ROOM];
        struct iovec part = {room, sizeof(room)};
        struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
        ssize_t got = recvmsg(fd, &header, 0);

        if (got <= 0)
            lab_fail_errno(lab, "recvmsg");
        reads->got[i] = (size_t)got;
        reads->start[i] = room[0];
        reads->is_flagged |= (header.msg_flags & MSG_TRUNC) != 0;
    }
}

/* How much of the first message can still be read: what comes before the b's.
   Only TCP has any; there the echo's bytes are waited for. */
static size_t truncation_count_rest(struct lab *lab, int fd,
                                    const struct reads *reads)
{
    char rest[2 * SIZE];
    size_t left = 2 * SIZE - reads->got[0] - reads->got[1], count = 0;

    if (reads->start[1] == 'b')
        return 0;
    lab_recv(lab, fd, rest, left);
    while (count < left && rest[count] == 'a')
        count++;
    return count + reads->got[1];
}

static json_t *truncation_second_read(const struct reads *reads)
{
    return value_text("the %s message's bytes",
                      reads->start[1] == 'a' ? "first" : "second");
}

static void truncation_run(struct lab *lab)
{
    struct server *server = lab_log_server(lab, "echo");
    int tcp = lab_connect(lab, server, SIDE_TCP);
    int udp = lab_connect(lab, server, SIDE_UDP);
    struct reads tcp_reads = {0}, udp_reads = {0};
    size_t tcp_rest, udp_rest;

    result_did(lab,
               "The server echoes a message of %d bytes, then another. The "
               "client has room for %d bytes: recv(fd, room, %d, 0).",
               SIZE, ROOM, ROOM);
    truncation_measure(lab, tcp, &tcp_reads);
    truncation_measure(lab, udp, &udp_reads);
    tcp_rest = truncation_count_rest(lab, tcp, &tcp_reads);
    udp_rest = truncation_count_rest(lab, udp, &udp_reads);

    result_counts(lab, "first", "the first recv() brings", "bytes",
                  tcp_reads.got[0], udp_reads.got[0]);
    result_row(lab, "second", "the second recv() brings", "",
               truncation_second_read(&tcp_reads),
               truncation_second_read(&udp_reads));
    result_counts(lab, "rest", "of the first message, later reads bring",
                  "bytes", tcp_rest, udp_rest);
    result_counts(lab, "lost", "lost", "bytes",
                  (SIZE - tcp_reads.got[0] - tcp_rest),
                  (SIZE - udp_reads.got[0] - udp_rest));
    result_bools(lab, "flag", "recvmsg() sets MSG_TRUNC", tcp_reads.is_flagged,
                 udp_reads.is_flagged);
    result_why(lab,
               "A stream waits until somebody reads it. A datagram is "
               "delivered once and whole: what does not fit into the buffer "
               "is thrown away, and only those who look at MSG_TRUNC hear of "
               "it.");
    result_check(lab, "tcp_keeps_the_rest", tcp_reads.got[0] + tcp_rest == SIZE,
                 "TCP delivers every byte, in as many reads as it takes");
    result_check(lab, "udp_loses_the_rest",
                 udp_reads.got[0] == ROOM && udp_reads.start[1] == 'b',
                 "what does not fit of a datagram is gone");
    result_check(lab, "udp_says_so",
                 udp_reads.is_flagged && !tcp_reads.is_flagged,
                 "MSG_TRUNC is set for the datagram and not for the stream");
    result_answer(lab, udp_reads.start[1] == 'b' ? 2 : udp_rest > 0 ? 0 : 1);
}

const struct experiment experiment_truncation = {
    .name = "truncation",
    .title = "Truncation",
    .question = "What becomes of a message that is longer than the buffer?",
    .guess = {"A datagram of 100 bytes has come, and you call recv() with room "
              "for 10. What does the next recv() bring?",
              {"the next 10 bytes of the datagram",
               "an error, because the datagram was too long",
               "the next datagram: the other 90 bytes are gone"}},
    .run = truncation_run,
};
