/*
 * backpressure: what happens to a sender that is faster than its receiver?
 *
 * The server is stopped while the client sends, as one that has no time to
 * read would be; then it goes on, and its log says what it got.
 */
#include "compare/lab/lab.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define SIZE           1000  /* of a message */
#define DATAGRAMS      2000  /* as many are sent over UDP */
#define RECEIVE_BUFFER 65536 /* of the server's UDP socket */
#define MARK_MS        20

struct outcome {
    long long sent, received; /* messages of SIZE bytes */
    int error;                /* what send() said last; 0: fine */
};

static struct server *backpressure_start(struct lab *lab)
{
    return lab_server(
        lab, json_pack("{s:[s,{s:s,s:i}], s:[{s:s,s:s}]}", "transports", "tcp",
                       "plugin", "udp", "receive_buffer_bytes", RECEIVE_BUFFER,
                       "handlers", "plugin", "log", "format", "json"));
}

/* Sends without ever waiting, until the kernel says no or `limit` messages
   are gone. Counts bytes, since TCP may take a part of a message. */
static void backpressure_send_many(int fd, long long limit,
                                   struct outcome *outcome)
{
    char message[SIZE];
    long long bytes = 0;
    ssize_t sent = 0;

    memset(message, 'm', sizeof(message));
    while (bytes < limit * SIZE && sent >= 0) {
        sent = send(fd, message, sizeof(message), MSG_DONTWAIT);
        if (sent > 0)
            bytes += sent;
    }
    outcome->error = sent < 0 ? errno : 0;
    outcome->sent = bytes / SIZE;
}

/* Bytes of the next read of the server; 0 when none comes in time. */
static json_int_t backpressure_next_read(struct server *server, int limit_ms)
{
    json_t *event = server_event(server, "recv", limit_ms);
    json_int_t bytes = json_integer_value(json_object_get(event, "bytes"));

    json_decref(event);
    return bytes;
}

static void backpressure_measure_tcp(struct lab *lab, struct server *server,
                                     struct outcome *outcome)
{
    int fd = lab_connect(lab, server, SIDE_TCP);
    json_int_t bytes = 0, more;

    server_pause(server);
    backpressure_send_many(fd, 1000000, outcome);
    server_resume(server);
    if (shutdown(fd, SHUT_WR))
        lab_fail_errno(lab, "shutdown");
    while (bytes < outcome->sent * SIZE &&
           (more = backpressure_next_read(server, LAB_LIMIT_MS)) > 0)
        bytes += more;
    outcome->received = bytes / SIZE;
}

/* The end of the datagrams is a short one, sent again until it is heard: it
   may be lost as the others are. */
static void backpressure_measure_udp(struct lab *lab, struct server *server,
                                     struct outcome *outcome)
{
    int fd = lab_connect(lab, server, SIDE_UDP);
    double limit = lab_now_ms() + LAB_LIMIT_MS;
    json_int_t bytes = 0;

    server_pause(server);
    backpressure_send_many(fd, DATAGRAMS, outcome);
    server_resume(server);
    while (bytes != 1 && lab_now_ms() < limit) {
        lab_send(lab, fd, "x", 1);
        while ((bytes = backpressure_next_read(server, MARK_MS)) > 1)
            outcome->received++;
    }
    if (bytes != 1)
        lab_fail(lab, "the server heard nothing after the flood");
}

static json_t *backpressure_said(int error)
{
    if (error == EAGAIN)
        return value_text("no: wait (EAGAIN)");
    return error ? value_text("%s", strerror(error)) : value_text("still yes");
}

static void backpressure_draw(struct lab *lab, const struct outcome *tcp,
                              const struct outcome *udp)
{
    json_t *plot = result_plot(
        lab, PLOT_BARS, "What was sent while nobody read, and what arrived",
        "Over TCP all that was sent arrived; over UDP a small part of it.", "",
        "messages of 1,000 bytes");
    json_t *series[] = {plot_series(plot, PLOT_TCP, "TCP"),
                        plot_series(plot, PLOT_UDP, "UDP")};
    const struct outcome *outcomes[] = {tcp, udp};

    for (int i = 0; i < 2; i++) {
        plot_bar(series[i], "send() said yes", (double)outcomes[i]->sent);
        plot_bar(series[i], "the server got", (double)outcomes[i]->received);
    }
}

static void backpressure_run(struct lab *lab)
{
    struct server *server = backpressure_start(lab);
    struct outcome tcp = {0}, udp = {0};

    backpressure_measure_tcp(lab, server, &tcp);
    backpressure_measure_udp(lab, server, &udp);

    result_did(
        lab, "The server stops reading for a while. The client sends messages "
             "of 1,000 bytes without waiting: over TCP until send() says no, "
             "over UDP 2,000 of them. Then the server goes on.");
    result_counts(lab, "sent", "messages to which send() said yes", "",
                  tcp.sent, udp.sent);
    result_row(lab, "says", "then send() says", "",
               backpressure_said(tcp.error), backpressure_said(udp.error));
    result_counts(lab, "received", "messages the server got", "", tcp.received,
                  udp.received);
    result_counts(lab, "lost", "lost", "", tcp.sent - tcp.received,
                  udp.sent - udp.received);
    backpressure_draw(lab, &tcp, &udp);
    result_why(lab,
               "TCP's receiver tells how much room it has left (the window); "
               "when that and the sender's own buffer are full, send() waits "
               "or says EAGAIN. UDP has no way back: what finds the "
               "receiver's buffer full is thrown away, and nobody is told.");
    result_note(lab, "The server's UDP buffer was set to 64 KiB "
                     "(receive_buffer_bytes), so that it fills within 2,000 "
                     "datagrams; its default is 4 MiB.");
    result_check(lab, "tcp_stops_the_sender",
                 tcp.error == EAGAIN && tcp.sent > 0,
                 "TCP makes a sender wait that is too fast");
    result_check(lab, "tcp_loses_nothing", tcp.received == tcp.sent,
                 "all that send() took over TCP arrives");
    result_check(lab, "udp_never_stops",
                 udp.error == 0 && udp.sent == DATAGRAMS,
                 "send() over UDP says yes to every datagram");
    result_check(lab, "udp_loses", udp.received > 0 && udp.received < udp.sent,
                 "what overflows the receiver's buffer is lost in silence");
    result_answer(lab, udp.received < udp.sent && udp.error == 0 ? 1
                       : udp.error == EAGAIN                     ? 0
                                                                 : 2);
}

const struct experiment experiment_backpressure = {
    .name = "backpressure",
    .title = "Back-pressure and overflow",
    .question = "What happens to a sender that is faster than its receiver?",
    .is_first = true,
    .guess = {"The receiver does not read. What becomes of 2,000 datagrams "
              "sent to it?",
              {"send() says after a while that there is no more room",
               "send() says yes to all, and most are lost",
               "send() says yes to all, and all arrive in the end"}},
    .run = backpressure_run,
};
