/*
 * vanish: who notices that the other side has gone, and when?
 *
 * The link is cut: no goodbye, no error, nothing comes any more, as when a
 * cable is pulled or a laptop's lid closed.
 */
#include "compare/lab/bad_link.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define WATCH_S         6
#define KEEPALIVE_S     1
#define KEEPALIVE_COUNT 2
#define USER_TIMEOUT_MS 1500
#define IDLE_S          2
#define SPEAK_MS        500 /* the UDP client, on and on */
#define LOOK_MS         50
#define SLACK_MS        200 /* keep-alive ends 3 s before we do */

/* The clients, one a line of the result. */
enum who { IDLE, KEEPALIVE, SENDING, USER_TIMEOUT, UDP, CLIENTS };

static const struct {
    const char *key, *measure;
} clients[CLIENTS] = {
    [IDLE] = {"idle", "client, says nothing"},
    [KEEPALIVE] = {"keepalive", "client, says nothing, keep-alive of 3 s"},
    [SENDING] = {"sending", "client, was just sending"},
    [USER_TIMEOUT] = {"user_timeout",
                      "client, was just sending, time-out of 1.5 s"},
    [UDP] = {"client_udp", "client, goes on sending"},
};

struct vanish {
    struct bad_link link;
    int fds[CLIENTS];
    double noticed_s[CLIENTS]; /* after the cut; NaN: not while we watched */
    int errors[CLIENTS];
    double server_tcp_s, server_udp_s;
    double cut_ms;
};

/* ---- before the cut --------------------------------------------------- */

static void vanish_set(struct lab *lab, int fd, int level, int name, int value)
{
    if (setsockopt(fd, level, name, &value, sizeof(value)))
        lab_fail_errno(lab, "setsockopt");
}

/* The first probe after so many seconds of silence, the next after the same
   again; noticed when that many have gone unanswered. */
static void vanish_keep_alive(struct lab *lab, int fd)
{
    vanish_set(lab, fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    vanish_set(lab, fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S);
    vanish_set(lab, fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_S);
    vanish_set(lab, fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
}

/* Says something and hears it back, so that the server knows it. */
static void vanish_greet(struct lab *lab, int fd)
{
    char answer[16];

    lab_send(lab, fd, "hello", 5);
    if (recv(fd, answer, sizeof(answer), 0) <= 0)
        lab_fail_errno(lab, "the echo of a greeting");
    if (fcntl(fd, F_SETFL, O_NONBLOCK))
        lab_fail_errno(lab, "fcntl");
}

static void vanish_connect_all(struct lab *lab, struct vanish *vanish)
{
    for (int who = 0; who < CLIENTS; who++) {
        vanish->fds[who] = lab_connect(lab, vanish->link.server,
                                       who == UDP ? SIDE_UDP : SIDE_TCP);
        vanish->noticed_s[who] = NAN;
    }
    vanish_keep_alive(lab, vanish->fds[KEEPALIVE]);
    vanish_set(lab, vanish->fds[USER_TIMEOUT], IPPROTO_TCP, TCP_USER_TIMEOUT,
               USER_TIMEOUT_MS);
    for (int who = 0; who < CLIENTS; who++)
        vanish_greet(lab, vanish->fds[who]);
}

static void vanish_cut(struct lab *lab, struct vanish *vanish)
{
    const struct bad_link_plan all = {.to_server.loss = 1, .to_client.loss = 1};

    bad_link_impair(lab, &vanish->link, &all);
    vanish->cut_ms = lab_now_ms();
    lab_send(lab, vanish->fds[SENDING], "anybody there?", 14);
    lab_send(lab, vanish->fds[USER_TIMEOUT], "anybody there?", 14);
}

/* ---- after the cut ---------------------------------------------------- */

static double vanish_since_cut_s(const struct vanish *vanish)
{
    return (lab_now_ms() - vanish->cut_ms) / 1e3;
}

static void vanish_look(struct vanish *vanish, int who, short events)
{
    socklen_t len = sizeof(vanish->errors[who]);

    if (!(events & (POLLERR | POLLHUP)) || !isnan(vanish->noticed_s[who]))
        return;
    vanish->noticed_s[who] = vanish_since_cut_s(vanish);
    getsockopt(vanish->fds[who], SOL_SOCKET, SO_ERROR, &vanish->errors[who],
               &len);
}

/* Notes the sessions that have ended since, by the server's log. */
static void vanish_look_at_log(struct vanish *vanish)
{
    json_t *event;

    while ((event = server_event(vanish->link.server, "close", 0))) {
        const char *peer = json_string_value(json_object_get(event, "peer"));
        double *noticed = peer && !strncmp(peer, "udp", 3)
                              ? &vanish->server_udp_s
                              : &vanish->server_tcp_s;

        if (isnan(*noticed))
            *noticed = vanish_since_cut_s(vanish);
        json_decref(event);
    }
}

/* Without a link to cut, the client falls silent instead. */
static void vanish_speak(struct lab *lab, const struct vanish *vanish)
{
    if (vanish->link.wire &&
        send(vanish->fds[UDP], "hello", 5, MSG_NOSIGNAL) < 0)
        lab_fail_errno(lab, "send a datagram");
}

static void vanish_watch(struct lab *lab, struct vanish *vanish)
{
    double speak_ms = lab_now_ms();

    while (vanish_since_cut_s(vanish) < WATCH_S) {
        struct pollfd fds[CLIENTS];

        for (int who = 0; who < CLIENTS; who++)
            fds[who] = (struct pollfd){
                .fd = isnan(vanish->noticed_s[who]) ? vanish->fds[who] : -1};
        if (poll(fds, CLIENTS, LOOK_MS) < 0 && errno != EINTR)
            lab_fail_errno(lab, "poll");
        for (int who = 0; who < CLIENTS; who++)
            vanish_look(vanish, who, fds[who].revents);
        vanish_look_at_log(vanish);
        if (lab_now_ms() > speak_ms) {
            vanish_speak(lab, vanish);
            speak_ms += SPEAK_MS;
        }
    }
}

/* ---- the result ------------------------------------------------------- */

static json_t *vanish_when(double noticed_s)
{
    return isnan(noticed_s) ? value_text("not within %d s", WATCH_S)
                            : value_number(noticed_s);
}

static void vanish_show(struct lab *lab, const struct vanish *vanish)
{
    for (int who = 0; vanish->link.wire && who < CLIENTS; who++) {
        json_t *noticed = vanish_when(vanish->noticed_s[who]);

        result_row(lab, clients[who].key, clients[who].measure, "s",
                   who == UDP ? value_none() : noticed,
                   who == UDP ? noticed : value_none());
    }
    result_row(
        lab, "server", "server, its options keepalive_s 1 and idle_s 2", "s",
        vanish->link.wire ? vanish_when(vanish->server_tcp_s) : value_none(),
        vanish_when(vanish->server_udp_s));
}

static void vanish_add_bar(json_t *series, const char *label, double noticed_s)
{
    plot_bar(series, label, isnan(noticed_s) ? WATCH_S : noticed_s);
}

static void vanish_draw(struct lab *lab, const struct vanish *vanish)
{
    json_t *plot = result_plot(
        lab, PLOT_BARS, "When it is noticed that the link is cut",
        "The highest bars, 6 seconds, are those who did not notice at all: "
        "clients without options. With options TCP notices after the times "
        "that were set, and a UDP server after its idle time.",
        "", "time after the cut (s); 6: not noticed");
    json_t *tcp = plot_series(plot, PLOT_TCP, "TCP");
    json_t *udp = plot_series(plot, PLOT_UDP, "UDP");

    vanish_add_bar(tcp, "silent", vanish->noticed_s[IDLE]);
    vanish_add_bar(tcp, "keep-alive", vanish->noticed_s[KEEPALIVE]);
    vanish_add_bar(tcp, "sending", vanish->noticed_s[SENDING]);
    vanish_add_bar(udp, "sending", vanish->noticed_s[UDP]);
    vanish_add_bar(tcp, "time-out", vanish->noticed_s[USER_TIMEOUT]);
    if (vanish->link.wire)
        vanish_add_bar(tcp, "server", vanish->server_tcp_s);
    vanish_add_bar(udp, "server", vanish->server_udp_s);
}

static void vanish_check_clients(struct lab *lab, const struct vanish *vanish)
{
    const double *noticed = vanish->noticed_s;

    result_check(lab, "tcp_idle_blind", isnan(noticed[IDLE]),
                 "a silent TCP connection does not notice");
    result_check_timed(lab, "tcp_keepalive",
                       noticed[KEEPALIVE] >= KEEPALIVE_COUNT,
                       "with keep-alive it does, after the probes have gone "
                       "unanswered",
                       SLACK_MS);
    result_check(lab, "tcp_sends_on", isnan(noticed[SENDING]),
                 "TCP goes on sending unacknowledged data for a long time");
    result_check_timed(
        lab, "tcp_user_timeout", noticed[USER_TIMEOUT] >= USER_TIMEOUT_MS / 1e3,
        "TCP_USER_TIMEOUT ends that, not before its time", SLACK_MS);
    result_check(lab, "udp_blind", isnan(noticed[UDP]),
                 "a UDP sender never notices");
}

static void vanish_check(struct lab *lab, const struct vanish *vanish)
{
    if (vanish->link.wire)
        vanish_check_clients(lab, vanish);
    if (vanish->link.wire)
        result_check_timed(lab, "server_tcp", !isnan(vanish->server_tcp_s),
                           "the server notices by keep-alive", SLACK_MS);
    /* Idle time counts from the last message, which came before the cut. */
    result_check_timed(
        lab, "server_udp", !isnan(vanish->server_udp_s),
        "the server takes a silent UDP peer for gone after idle_s", SLACK_MS);
}

static json_t *vanish_server_config(void)
{
    return json_pack("{s:[{s:s, s:i}, {s:s, s:i}], s:[{s:s, s:s}, s]}",
                     "transports", "plugin", "tcp", "keepalive_s", KEEPALIVE_S,
                     "plugin", "udp", "idle_s", IDLE_S, "handlers", "plugin",
                     "log", "format", "json", "echo");
}

static void vanish_run(struct lab *lab)
{
    const struct bad_link_plan none = {.to_server.loss = 0};
    struct vanish vanish = {
        .link = bad_link_start(lab, &none, vanish_server_config()),
        .server_tcp_s = NAN,
        .server_udp_s = NAN};

    vanish_connect_all(lab, &vanish);
    lab_progress(lab, "watching for %d s", WATCH_S);
    if (vanish.link.wire)
        vanish_cut(lab, &vanish);
    else
        vanish.cut_ms = lab_now_ms();
    result_did(lab, "%s",
               vanish.link.wire
                   ? "Five clients talk to a server; then the link is cut in "
                     "both directions, and everybody is watched for 6 s."
                   : "A UDP client talks to a server, then falls silent.");
    vanish_watch(lab, &vanish);
    vanish_show(lab, &vanish);
    if (vanish.link.wire)
        vanish_draw(lab, &vanish);
    result_why(lab,
               "Silence looks the same whether the other side has nothing to "
               "say or is gone, so somebody has to ask: TCP by keep-alive or "
               "by data that must be acknowledged, a UDP server by a time of "
               "its own.");
    vanish_check(lab, &vanish);
    if (vanish.link.wire)
        result_answer(lab, isnan(vanish.noticed_s[IDLE]) ? 2 : 1);
}

const struct experiment experiment_vanish = {
    .name = "vanish",
    .title = "A peer that vanishes",
    .question = "Who notices that the other side has gone, and when?",
    .need = NEED_LINK,
    .limit_s = 120,
    .guess = {"A TCP connection is silent, and somebody pulls the cable. When "
              "does the client notice, if no option was set?",
              {"at once", "within a few seconds",
               "not at all while it is silent"}},
    .run = vanish_run,
};
