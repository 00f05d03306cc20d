/*
 * halfclose: can one side say that it has no more to say, and still listen?
 *
 * The server is stopped while the client sends its last words and ends its
 * side, so that the answer comes after that for certain.
 */
#include "compare/lab/lab.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define SILENCE_MS 300
#define WORDS      "last words"

struct ending {
    bool is_answered; /* after shutdown() */
    int again;        /* errno of a send() after it */
    bool is_noticed;  /* the server heard of it */
    const char *last; /* how the client knows the answer was the last */
};

/* Says in words what recv() does once the answer has been read. */
static const char *halfclose_read_end(int fd, int limit_ms)
{
    char byte[1];
    ssize_t got;

    if (!lab_is_readable(fd, limit_ms))
        return "not at all: silence";
    got = recv(fd, byte, sizeof(byte), MSG_DONTWAIT);
    return got == 0 ? "recv() returns 0" : got < 0 ? strerror(errno) : "data";
}

static void halfclose_measure(struct lab *lab, struct server *server,
                              enum side side, struct ending *ending)
{
    int fd = lab_connect(lab, server, side);
    int limit_ms = side == SIDE_TCP ? LAB_LIMIT_MS : SILENCE_MS;
    char answer[sizeof(WORDS)] = "";
    json_t *event;

    server_pause(server);
    lab_send(lab, fd, WORDS, strlen(WORDS));
    if (shutdown(fd, SHUT_WR))
        lab_fail_errno(lab, "shutdown");
    ending->again = send(fd, "x", 1, MSG_NOSIGNAL) < 0 ? errno : 0;
    server_resume(server);
    lab_recv(lab, fd, answer, strlen(WORDS));
    ending->is_answered = !strcmp(answer, WORDS);
    ending->last = halfclose_read_end(fd, limit_ms);
    event = server_event(server, "close", limit_ms);
    ending->is_noticed = event != NULL;
    json_decref(event);
}

static void halfclose_run(struct lab *lab)
{
    struct server *server = lab_log_server(lab, "echo");
    struct ending tcp = {0}, udp = {0};

    halfclose_measure(lab, server, SIDE_TCP, &tcp);
    halfclose_measure(lab, server, SIDE_UDP, &udp);

    result_did(lab, "The client sends its last words and calls shutdown(fd, "
                    "SHUT_WR) before the server, which echoes, has read them.");
    result_bools(lab, "answered", "the answer still arrives", tcp.is_answered,
                 udp.is_answered);
    result_words(lab, "again", "another send() says",
                 tcp.again ? strerror(tcp.again) : "fine",
                 udp.again ? strerror(udp.again) : "fine");
    result_bools(lab, "noticed", "the server notices the end", tcp.is_noticed,
                 udp.is_noticed);
    result_words(lab, "last", "the client knows the answer was the last by",
                 tcp.last, udp.last);
    result_why(lab,
               "Each direction of a TCP connection ends by itself: FIN says "
               "\"no more from me\" and the answers still come. UDP has no "
               "connection that could end: shutdown() changes the own socket "
               "alone and sends nothing.");
    result_note(lab, "Noticing nothing means: nothing within 300 ms.");
    result_check(lab, "tcp_answers_after_fin", tcp.is_answered,
                 "the answer comes after the client's FIN");
    result_check(lab, "tcp_tells_the_end",
                 tcp.is_noticed && !strcmp(tcp.last, "recv() returns 0"),
                 "both sides of a TCP connection learn of its end");
    result_check(lab, "udp_tells_nobody", !udp.is_noticed && udp.last[0] == 'n',
                 "no datagram tells that there are no more");
    result_answer(lab, udp.is_noticed ? 0 : 1);
}

const struct experiment experiment_halfclose = {
    .name = "halfclose",
    .title = "Half-close",
    .question = "Can one side say \"no more from me\", and still listen?",
    .guess = {"A UDP client calls shutdown(fd, SHUT_WR). How does the server "
              "notice?",
              {"its recv() returns 0", "it does not"}},
    .run = halfclose_run,
};
