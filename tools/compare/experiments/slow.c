/*
 * slow: who pays for a reader that is too slow?
 *
 * A room of three: one talks, one listens, one never reads. The talker waits
 * until the listener has each line, so that time tells whether it had to wait
 * for the third. Both are TCP clients; the third is TCP or UDP.
 */
#include "compare/lab/lab.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/must.h"

#define LINES       2000
#define SIZE        1000  /* of a line */
#define QUEUE_BYTES 65536 /* what the server keeps for one member */
#define ROOM_BYTES  4096  /* receive buffer of the slow one */

/* The MSS is an Ethernet's: segments of 64 KiB, as on the loopback interface,
   would make the server's kernel keep megabytes for the slow one. */
#define MSS 1460

/* Lines of one member. */
struct member {
    int fd;
    size_t len;
    char data[64 * 1024], line[64 * 1024];
};

struct outcome {
    int heard;         /* lines that the listener got */
    int slow_heard;    /* lines that the slow one found when it read at last */
    int left_after;    /* lines sent before it was closed; 0: it stayed */
    char notice[200];  /* what the others were told */
    double median_ms;  /* from the talker to the listener */
    double memory_kib; /* more in the server at the end */
};

/* ---- members ---------------------------------------------------------- */

/* The next line; false when none comes. */
static bool slow_next_line(struct member *member, int limit_ms)
{
    char *end;

    while (!(end = memchr(member->data, '\n', member->len))) {
        ssize_t got;

        if (!lab_is_readable(member->fd, limit_ms))
            return false;
        got = recv(member->fd, member->data + member->len,
                   sizeof(member->data) - member->len, 0);
        if (got <= 0)
            return false;
        member->len += (size_t)got;
    }
    *end = '\0';
    strcpy(member->line, member->data);
    member->len -= (size_t)(end + 1 - member->data);
    memmove(member->data, end + 1, member->len);
    return true;
}

static void slow_await_line(struct lab *lab, struct member *member,
                            const char *part)
{
    do {
        if (!slow_next_line(member, LAB_LIMIT_MS))
            lab_fail(lab, "no line with \"%s\" came", part);
    } while (!strstr(member->line, part));
}

static struct member *slow_join(struct lab *lab, struct server *server,
                                enum side side, int room_bytes)
{
    struct member *member = must_calloc(1, sizeof(*member));
    struct sockaddr_in to = server_address(server, side);
    int mss = MSS;

    member->fd = lab_socket(lab, side);
    if (room_bytes && setsockopt(member->fd, SOL_SOCKET, SO_RCVBUF, &room_bytes,
                                 sizeof(room_bytes)))
        lab_fail_errno(lab, "SO_RCVBUF");
    if (room_bytes && side == SIDE_TCP &&
        setsockopt(member->fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss)))
        lab_fail_errno(lab, "TCP_MAXSEG");
    if (connect(member->fd, (struct sockaddr *)&to, sizeof(to)))
        lab_fail_errno(lab, "connect");
    if (side == SIDE_UDP) { /* heard from twice, it is believed */
        lab_send(lab, member->fd, "/who\n", 5);
        lab_send(lab, member->fd, "/who\n", 5);
    }
    slow_await_line(lab, member, "you are ");
    return member;
}

/* ---- the room --------------------------------------------------------- */

/* Proportional set size, see proc(5), smaps_rollup. */
static double slow_memory_kib(struct lab *lab, struct server *server)
{
    char *path = must_printf("/proc/%d/smaps_rollup", (int)server_pid(server));
    FILE *file = fopen(path, "re");
    char line[200];
    double kib = -1;

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "Pss: %lf", &kib) == 1)
            break;
    if (kib < 0)
        lab_fail(lab, "cannot read %s", path);
    fclose(file);
    free(path);
    return kib;
}

/* Says a line from the talker to the listener, who may hear of the slow one
   before. */
static void slow_say(struct lab *lab, struct member *talker,
                     struct member *listener, int number,
                     struct outcome *outcome)
{
    char line[SIZE + 1], part[32];

    memset(line, '.', sizeof(line));
    snprintf(line, sizeof(line), "line %d", number);
    line[strlen(line)] = ' ';
    line[SIZE - 1] = '\n';
    snprintf(part, sizeof(part), "line %d ", number);
    lab_send(lab, talker->fd, line, SIZE);
    while (slow_next_line(listener, LAB_LIMIT_MS)) {
        if (strstr(listener->line, part)) {
            outcome->heard++;
            return;
        }
        if (strstr(listener->line, " left")) {
            outcome->left_after = number;
            snprintf(outcome->notice, sizeof(outcome->notice), "%.150s",
                     listener->line);
        }
    }
    lab_fail(lab, "the listener did not hear line %d", number);
}

/* Counts the lines that the slow one finds when it reads at last. */
static void slow_read_late(struct member *slow, struct outcome *outcome)
{
    while (slow_next_line(slow, 200))
        outcome->slow_heard += strstr(slow->line, ": line ") != NULL;
}

static struct outcome slow_measure(struct lab *lab, enum side side,
                                   const char *policy)
{
    struct server *server = lab_server(
        lab, json_pack("{s:[s,s], s:{s:i,s:i}, s:[s, {s:s,s:s}]}", "transports",
                       "tcp", "udp", "limits", "session_queue_bytes",
                       QUEUE_BYTES, "frame_bytes", QUEUE_BYTES / 4, "handlers",
                       "lines", "plugin", "chat-broadcast", "slow", policy));
    struct member *talker = slow_join(lab, server, SIDE_TCP, 0);
    struct member *listener = slow_join(lab, server, SIDE_TCP, 0);
    struct member *slow = slow_join(lab, server, side, ROOM_BYTES);
    double *ms = must_calloc(LINES, sizeof(*ms)), before;
    struct outcome outcome = {0};

    lab_progress(lab, "%s, slow: %s", side == SIDE_TCP ? "TCP" : "UDP", policy);
    slow_await_line(lab, listener, "joined");
    before = slow_memory_kib(lab, server);
    for (int i = 0; i < LINES; i++) {
        double begin = lab_now_ms();

        slow_say(lab, talker, listener, i + 1, &outcome);
        ms[i] = lab_now_ms() - begin;
    }
    outcome.memory_kib = slow_memory_kib(lab, server) - before;
    outcome.median_ms = lab_median(ms, LINES);
    slow_read_late(slow, &outcome);
    free(ms);
    return outcome;
}

/* ---- all of it -------------------------------------------------------- */

static json_t *slow_fate(const struct outcome *outcome)
{
    return outcome->left_after
               ? value_text("closed after %d lines", outcome->left_after)
               : value_text("stays, %d lines are missing",
                            outcome->heard - outcome->slow_heard);
}

static void slow_draw(struct lab *lab, const struct outcome *closed,
                      const struct outcome *dropped, const struct outcome *udp)
{
    json_t *plot = result_plot(
        lab, PLOT_BARS, "Lines that reached the slow reader",
        "Of 2,000 lines a small part reaches a slow reader, over TCP with "
        "either policy and over UDP; the listener gets all.",
        "", "lines");
    json_t *series = plot_series(plot, PLOT_TCP, "TCP");

    plot_bar(series, "listener", closed->heard);
    plot_bar(series, "slow: close", closed->slow_heard);
    plot_bar(series, "slow: drop", dropped->slow_heard);
    series = plot_series(plot, PLOT_UDP, "UDP");
    plot_bar(series, "UDP member", udp->slow_heard);
}

/* Pages that the system took back meanwhile may be more than what came. */
static json_t *slow_growth(double kib)
{
    return kib > 0 ? value_number(kib) : value_text("none");
}

static void slow_add_rows(struct lab *lab, const struct outcome *closed,
                          const struct outcome *dropped,
                          const struct outcome *udp)
{
    result_counts(lab, "listener", "lines the listener got", "", closed->heard,
                  udp->heard);
    result_row(lab, "close", "policy close: the slow one", "",
               slow_fate(closed), slow_fate(udp));
    result_words(lab, "notice", "and the others are told", closed->notice,
                 *udp->notice ? udp->notice : "nothing");
    result_row(lab, "drop", "policy drop: the slow one", "", slow_fate(dropped),
               value_none());
    result_row(lab, "slow", "lines it found when it read at last", "",
               value_text("%d (close), %d (drop)", closed->slow_heard,
                          dropped->slow_heard),
               value_count(udp->slow_heard));
    result_numbers(lab, "median", "a line takes to the listener, median", "ms",
                   closed->median_ms, udp->median_ms);
    result_row(lab, "memory", "more memory in the server (policy drop)", "KiB",
               slow_growth(dropped->memory_kib), slow_growth(udp->memory_kib));
}

static void slow_run(struct lab *lab)
{
    struct outcome closed = slow_measure(lab, SIDE_TCP, "close");
    struct outcome dropped = slow_measure(lab, SIDE_TCP, "drop");
    struct outcome udp = slow_measure(lab, SIDE_UDP, "close");

    result_did(lab, "2,000 lines of 1,000 bytes in a chat of three, one of "
                    "whom never reads. The server keeps at most 64 KiB for "
                    "each (session_queue_bytes); its policy says what then.");
    slow_add_rows(lab, &closed, &dropped, &udp);
    slow_draw(lab, &closed, &dropped, &udp);
    result_why(lab,
               "Over TCP what a reader does not fetch stays with the sender, "
               "so a server must decide: wait, drop or close; waiting would "
               "stop the whole room. Over UDP the receiver's own buffer "
               "overflows, and the server never knows.");
    result_check(lab, "nobody_else_misses_anything",
                 closed.heard == LINES && dropped.heard == LINES &&
                     udp.heard == LINES,
                 "whatever the slow one does, the listener gets every line");
    result_check(lab, "tcp_close_ends_the_slow",
                 closed.left_after > 0 && *closed.notice,
                 "policy close ends the slow member, and says so");
    result_check(lab, "tcp_drop_keeps_the_slow",
                 dropped.left_after == 0 && dropped.slow_heard > 0 &&
                     dropped.slow_heard < LINES,
                 "policy drop keeps it, and lines are missing");
    result_check(lab, "udp_server_never_knows",
                 udp.left_after == 0 && udp.slow_heard < LINES,
                 "over UDP lines are missing and nobody is told");
    result_answer(lab, closed.heard == LINES && closed.left_after ? 1 : 0);
}

const struct experiment experiment_slow = {
    .name = "slow",
    .title = "The slow consumer",
    .question = "Who pays for a reader that is too slow?",
    .limit_s = 120,
    .guess = {"One member of a TCP chat stops reading. What happens to the "
              "others?",
              {"they wait until it reads again",
               "nothing: the server closes it, or leaves lines out for it",
               "they are disconnected too"}},
    .run = slow_run,
};
