/*
 * fanout: what does one message to many receivers cost?
 *
 * Over TCP and UDP the playground's chat sends it to each; a multicast
 * datagram is sent once, and the kernel (or, in a network, the switches) make
 * the copies.
 */
#include "compare/experiments/fanout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"

void fanout_line(char line[FANOUT_SIZE], int number)
{
    memset(line, '.', FANOUT_SIZE);
    snprintf(line, FANOUT_SIZE, "message %d", number);
    line[strlen(line)] = ' ';
    line[FANOUT_SIZE - 1] = '\n';
}

/* ---- through the server ----------------------------------------------- */

/* Processor time of a process so far, in nanoseconds. */
static double fanout_cpu_ns(struct lab *lab, pid_t pid)
{
    struct timespec now;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &now))
        lab_fail(lab, "the server's processor time cannot be read");
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* A UDP client says so twice when it joins: a peer that was heard from once
   gets no more than it sent three times over. These lines go to all the others,
   so the first message of the sender marks where to begin. */
static void fanout_join(struct lab *lab, struct server *server, enum side side,
                        struct audience *audience)
{
    for (int i = 0; i < audience->count; i++) {
        json_t *event;

        audience->fds[i] = lab_connect(lab, server, side);
        for (int twice = 0; side == SIDE_UDP && twice < 2; twice++)
            lab_send(lab, audience->fds[i], "\n", 1);
        event = server_event(server, "open", LAB_LIMIT_MS);
        if (!event)
            lab_fail(lab, "receiver %d did not come in", i + 1);
        json_decref(event);
    }
}

/* Reads up to the first message: over UDP what the others said to come in is
   before it, which over TCP nobody has to. */
static void fanout_skip_to(struct lab *lab, int fd, const char *line)
{
    char room[FANOUT_SIZE];
    ssize_t got;

    do {
        got = recv(fd, room, sizeof(room), 0);
        if (got < 0)
            lab_fail_errno(lab, "the first message");
    } while (got != FANOUT_SIZE || memcmp(room, line, FANOUT_SIZE) != 0);
}

/* Sends message after message, the next when all have it, so that no buffer
   overflows. */
static void fanout_relay(struct lab *lab, int sender,
                         const struct audience *audience, double *ms,
                         int messages, struct outcome *outcome)
{
    for (int number = 1; number <= messages; number++) {
        char line[FANOUT_SIZE], got[FANOUT_SIZE];
        double begin = lab_now_ms();

        fanout_line(line, number);
        lab_send(lab, sender, line, FANOUT_SIZE);
        outcome->sends++;
        for (int i = 0; i < audience->count; i++) {
            lab_recv(lab, audience->fds[i], got, FANOUT_SIZE);
            outcome->received += !memcmp(line, got, FANOUT_SIZE);
        }
        ms[number - 1] = lab_now_ms() - begin;
    }
}

static struct outcome fanout_through_server(struct lab *lab, enum side side,
                                            struct audience *audience,
                                            int messages)
{
    struct server *server = lab_server(
        lab, json_pack("{s:[s], s:[{s:s,s:s}, s, {s:s,s:b}]}", "transports",
                       side == SIDE_TCP ? "tcp" : "udp", "handlers", "plugin",
                       "log", "format", "json", "lines", "plugin",
                       "chat-broadcast", "names", 0));
    double *ms = must_calloc((size_t)messages, sizeof(*ms)), begin_ns;
    struct outcome outcome = {0};
    int sender = lab_connect(lab, server, side);
    char line[FANOUT_SIZE];

    fanout_join(lab, server, side, audience);
    fanout_line(line, 0);
    lab_send(lab, sender, line, FANOUT_SIZE);
    for (int i = 0; i < audience->count; i++)
        fanout_skip_to(lab, audience->fds[i], line);
    begin_ns = fanout_cpu_ns(lab, server_pid(server));
    fanout_relay(lab, sender, audience, ms, messages, &outcome);
    outcome.cpu_us =
        (fanout_cpu_ns(lab, server_pid(server)) - begin_ns) / 1e3 / messages;
    outcome.median_ms = lab_median(ms, (size_t)messages);
    for (int i = 0; i < audience->count; i++)
        close(audience->fds[i]);
    free(ms);
    return outcome;
}

/* ---- all of it -------------------------------------------------------- */

static json_t *fanout_copies(const struct outcome *outcome)
{
    return value_count(outcome->received / outcome->sends);
}

static void fanout_add_rows(struct lab *lab, const struct outcome *tcp,
                            const struct outcome *udp)
{
    result_counts(lab, "sends", "send() calls of the sender", "", tcp->sends,
                  udp->sends);
    result_row(lab, "copies", "the server passes each on, times", "",
               fanout_copies(tcp), fanout_copies(udp));
    result_counts(lab, "received", "messages that arrived, of all", "",
                  tcp->received, udp->received);
    result_numbers(lab, "cpu", "processor time of the server for one message",
                   "\u00b5s", tcp->cpu_us, udp->cpu_us);
    result_numbers(lab, "last", "until the last one has it, median", "ms",
                   tcp->median_ms, udp->median_ms);
}

static void fanout_add_multicast_rows(struct lab *lab,
                                      const struct outcome *group)
{
    result_row(lab, "group_sends", "multicast: send() calls of the sender", "",
               value_none(), value_count(group->sends));
    result_row(lab, "group_received", "multicast: messages that arrived", "",
               value_none(), value_count(group->received));
    result_row(lab, "group_cpu",
               "multicast: processor time of the sender for one message",
               "\u00b5s", value_none(), value_number(group->cpu_us));
}

static void fanout_draw(struct lab *lab, const struct outcome *tcp,
                        const struct outcome *udp, const struct outcome *group)
{
    json_t *plot = result_plot(
        lab, PLOT_BARS, "Processor time for one message to all",
        "The server's time over TCP and over UDP, and the sender's with "
        "multicast.",
        "", "time of who makes the copies (\u00b5s)");
    json_t *series = plot_series(plot, PLOT_TCP, "TCP");

    plot_bar(series, "one send() for each receiver", tcp->cpu_us);
    series = plot_series(plot, PLOT_UDP, "UDP");
    plot_bar(series, "one send() for each receiver", udp->cpu_us);
    if (group)
        plot_bar(series, "one send() to a group", group->cpu_us);
}

static void fanout_run(struct lab *lab)
{
    int clients = (int)lab_setting(lab, SETTING_CLIENTS, 50);
    int messages = (int)lab_setting(lab, SETTING_MESSAGES, 100);
    struct audience audience = {
        .fds = must_calloc((size_t)clients, sizeof(int)), .count = clients};
    long long all = (long long)clients * messages;
    struct outcome tcp, udp, group;
    bool has_group;

    lab_progress(lab, "TCP");
    tcp = fanout_through_server(lab, SIDE_TCP, &audience, messages);
    lab_progress(lab, "UDP");
    udp = fanout_through_server(lab, SIDE_UDP, &audience, messages);
    lab_progress(lab, "multicast");
    has_group = multicast_measure(lab, &audience, messages, &group);

    result_did(lab,
               "%d message%s of %d bytes go%s to %d receiver%s: through "
               "chat-broadcast over TCP and over UDP, and without a server to "
               "a multicast group on the loopback interface.",
               messages, messages == 1 ? "" : "s", FANOUT_SIZE,
               messages == 1 ? "es" : "", clients, clients == 1 ? "" : "s");
    fanout_add_rows(lab, &tcp, &udp);
    if (has_group)
        fanout_add_multicast_rows(lab, &group);
    fanout_draw(lab, &tcp, &udp, has_group ? &group : NULL);
    result_why(lab,
               "A TCP connection has two ends, so a message to many is sent "
               "to each. A datagram may go to a group: one send(), and the "
               "copies are made where the ways part. Nobody acknowledges "
               "them, which is why TCP cannot do it.");
    result_check(lab, "unicast_reaches_all",
                 tcp.received == all && udp.received == all,
                 "each message reaches each receiver, once for each");
    if (has_group) {
        result_check(lab, "multicast_reaches_all", group.received == all,
                     "a multicast message reaches the whole group");
        result_check(lab, "multicast_sends_once", group.sends == messages,
                     "with one send() for all of it");
    }
    result_answer(lab, !has_group || group.received == all ? 1 : 0);
}

const struct experiment experiment_fanout = {
    .name = "fanout",
    .title = "Fan-out, and multicast",
    .question = "What does one message to many receivers cost?",
    .need = NEED_MULTICAST,
    .settings = SETTING(SETTING_CLIENTS) | SETTING(SETTING_MESSAGES),
    .guess = {"50 programs are to get the same message. Who can do it with one "
              "send(), and no server?",
              {"nobody: each gets its own copy, so there are 50 calls",
               "UDP, with a multicast group", "TCP and UDP alike"}},
    .run = fanout_run,
};
