/*
 * abort: does it matter how a client leaves?
 *
 * It has just sent more than fits into the buffers on the way, to a server
 * that is stopped: so a part is still to be sent when the client leaves.
 */
#include "compare/lab/lab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SILENCE_MS 300

enum way { WAY_CLOSE, WAY_ABORT };

struct leaving {
    long long sent, arrived; /* bytes */
    char *reason;            /* as the server has it; NULL: not noticed */
    char why[16];
};

static long long abort_fill(int fd)
{
    static char data[10000];
    long long bytes = 0;
    ssize_t sent;

    memset(data, 'x', sizeof(data));
    while ((sent = send(fd, data, sizeof(data), MSG_DONTWAIT)) > 0)
        bytes += sent;
    return bytes;
}

/* close() without the usual goodbye: RST at once, see socket(7). */
static void abort_leave(struct lab *lab, int fd, enum way way)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    if (way == WAY_ABORT &&
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)))
        lab_fail_errno(lab, "SO_LINGER");
    close(fd);
}

/* Reads the log up to the "close" of this session. */
static void abort_follow(struct server *server, int limit_ms,
                         struct leaving *leaving)
{
    json_t *event;
    const char *name;

    while ((event = server_event(server, NULL, limit_ms))) {
        name = json_string_value(json_object_get(event, "event"));
        leaving->arrived += json_integer_value(json_object_get(event, "bytes"));
        if (!strcmp(name, "close")) {
            leaving->reason =
                strdup(json_string_value(json_object_get(event, "reason")));
            snprintf(leaving->why, sizeof(leaving->why), "%s",
                     json_string_value(json_object_get(event, "why")));
            json_decref(event);
            return;
        }
        json_decref(event);
    }
}

static struct leaving abort_measure_tcp(struct lab *lab, struct server *server,
                                        enum way way)
{
    struct leaving leaving = {0};
    int fd = lab_connect(lab, server, SIDE_TCP);

    server_pause(server);
    leaving.sent = abort_fill(fd);
    abort_leave(lab, fd, way);
    server_resume(server);
    abort_follow(server, LAB_LIMIT_MS, &leaving);
    if (!leaving.reason)
        lab_fail(lab, "the server did not notice that the client left");
    return leaving;
}

/* A datagram is on its way as soon as send() returns. */
static struct leaving abort_measure_udp(struct lab *lab, struct server *server,
                                        enum way way)
{
    struct leaving leaving = {.sent = 1000};
    int fd = lab_connect(lab, server, SIDE_UDP);
    char message[1000] = "";

    lab_send(lab, fd, message, sizeof(message));
    abort_leave(lab, fd, way);
    abort_follow(server, SILENCE_MS, &leaving);
    return leaving;
}

static json_t *abort_noticed(const struct leaving *leaving)
{
    return leaving->reason ? value_text("%s", leaving->reason)
                           : value_text("nothing");
}

static void abort_add_rows(struct lab *lab, const struct leaving tcp[2],
                           const struct leaving udp[2])
{
    static const char *const ways[] = {"close()", "abort"};
    static const char *const keys[] = {"close", "abort"};

    for (int i = 0; i < 2; i++) {
        char key[32], measure[80];

        snprintf(key, sizeof(key), "%s_noticed", keys[i]);
        snprintf(measure, sizeof(measure), "%s: the server notices", ways[i]);
        result_row(lab, key, measure, "", abort_noticed(&tcp[i]),
                   abort_noticed(&udp[i]));
        snprintf(key, sizeof(key), "%s_sent", keys[i]);
        snprintf(measure, sizeof(measure), "%s: sent before", ways[i]);
        result_counts(lab, key, measure, "bytes", tcp[i].sent, udp[i].sent);
        snprintf(key, sizeof(key), "%s_arrived", keys[i]);
        snprintf(measure, sizeof(measure), "%s: thereof arrived", ways[i]);
        result_counts(lab, key, measure, "bytes", tcp[i].arrived,
                      udp[i].arrived);
    }
}

static void abort_run(struct lab *lab)
{
    struct server *server = lab_log_server(lab, NULL);
    struct leaving tcp[2], udp[2];

    for (int i = 0; i < 2; i++) {
        tcp[i] = abort_measure_tcp(lab, server, (enum way)i);
        udp[i] = abort_measure_udp(lab, server, (enum way)i);
    }

    result_did(lab, "The client sends all that send() takes while the server "
                    "is busy, and leaves: by close(), or by an abort (close() "
                    "with SO_LINGER set to 0). Over UDP it sends 1,000 bytes.");
    abort_add_rows(lab, tcp, udp);
    result_why(lab,
               "close() over TCP is a goodbye: what was sent before still "
               "arrives, then FIN. An abort sends RST and throws away what "
               "was not sent yet; the other side gets an error instead of an "
               "end. UDP has neither: a client that left looks like one that "
               "is silent.");
    result_note(lab, "Noticing nothing means: nothing within 300 ms. A UDP "
                     "server takes a client for gone that was silent for "
                     "long (idle_s, 300 s).");
    result_check(lab, "tcp_close_delivers",
                 tcp[WAY_CLOSE].arrived == tcp[WAY_CLOSE].sent &&
                     !strcmp(tcp[WAY_CLOSE].why, "eof"),
                 "after close() all arrives, and then the end");
    result_check(lab, "tcp_abort_is_an_error",
                 !strcmp(tcp[WAY_ABORT].why, "reset"),
                 "an abort is an error at the other side: reset");
    result_check(lab, "tcp_abort_loses",
                 tcp[WAY_ABORT].arrived < tcp[WAY_ABORT].sent,
                 "an abort throws away what was on its way");
    result_check(lab, "udp_tells_nobody",
                 !udp[WAY_CLOSE].reason && !udp[WAY_ABORT].reason,
                 "over UDP nobody notices, however the client left");
    result_answer(lab, tcp[WAY_ABORT].arrived < tcp[WAY_ABORT].sent ? 1 : 0);
}

const struct experiment experiment_abort = {
    .name = "abort",
    .title = "Abort against close",
    .question = "Does it matter how a client leaves?",
    .guess = {"A TCP client has sent much and aborts the connection (RST). "
              "What does the server get?",
              {"all that was sent, then an error",
               "an error, and not all that was sent",
               "all that was sent, then the end"}},
    .run = abort_run,
};
