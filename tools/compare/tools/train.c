/* Numbered messages to an echo, one after the other. */

#include "compare/tools/train.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/hash.h"
#include "base/must.h"
#include "compare/tools/stats.h"

#define FIRST_LOST 8

/* While it goes on. */
struct going {
    struct lab *lab;
    int fd;
    enum side side;
    const struct train_plan *plan;
    struct train *train;
    double begin_ms, heard_ms;
    double *due_ms;
    size_t sent, newest; /* newest: number + 1 of the highest that came */
    size_t came;         /* different ones */
    uint8_t out[TRAIN_BYTES], in[1 << 16];
    size_t out_left, in_len;
};

/* ---- arriving --------------------------------------------------------- */

static void train_arrived(struct going *going, const uint8_t *message)
{
    struct train *train = going->train;
    uint64_t number;

    memcpy(&number, message, sizeof(number));
    if (number >= going->sent)
        lab_fail(going->lab, "what came back is not what was sent");
    going->heard_ms = lab_now_ms();
    if (train->copies[number]++ > 0) {
        train->duplicates++;
        return;
    }
    going->came++;
    train->latency_ms[number] = going->heard_ms - going->due_ms[number];
    if (number + 1 < going->newest)
        train->overtaken++;
    else
        going->newest = number + 1;
}

/* False when nothing more is there. */
static bool train_receive(struct going *going)
{
    ssize_t got = recv(going->fd, going->in + going->in_len,
                       sizeof(going->in) - going->in_len, 0);
    size_t at = 0;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got < 0)
        lab_fail_errno(going->lab, "receive");
    if (got == 0 && going->side == SIDE_TCP)
        lab_fail(going->lab, "the server closed the connection");
    going->in_len += (size_t)got;
    for (; at + TRAIN_BYTES <= going->in_len; at += TRAIN_BYTES)
        train_arrived(going, going->in + at);
    going->in_len -= at;
    memmove(going->in, going->in + at, going->in_len);
    return true;
}

/* ---- leaving ---------------------------------------------------------- */

/* False when the socket takes no more just now. Messages that leave by the
   clock each have a packet of their own (MSG_EOR), also when they had to wait:
   so the nth packet is the nth message. */
static bool train_push(struct going *going)
{
    int flags = MSG_NOSIGNAL | (going->plan->interval_ms > 0 ? MSG_EOR : 0);
    ssize_t sent;

    if (going->out_left == 0)
        return true;
    sent = send(going->fd, going->out + sizeof(going->out) - going->out_left,
                going->out_left, flags);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        lab_fail_errno(going->lab, "send");
    if (sent > 0)
        going->out_left -= (size_t)sent;
    return going->out_left == 0;
}

static double train_due(const struct going *going, double now)
{
    const struct train_plan *plan = going->plan;

    if (plan->interval_ms > 0)
        return going->begin_ms + plan->interval_ms * (double)going->sent;
    return going->sent < going->newest + plan->window ? now : HUGE_VAL;
}

/* Sends what is due. */
static void train_depart(struct going *going)
{
    while (train_push(going) && going->sent < going->plan->count) {
        double now = lab_now_ms(), at = train_due(going, now);
        uint64_t number = going->sent;

        if (at > now)
            return;
        lab_note_late(going->lab, now - at);
        memcpy(going->out, &number, sizeof(number));
        going->out_left = sizeof(going->out);
        going->due_ms[going->sent++] = at;
    }
}

/* All of a window may be lost: then the next one goes all the same. */
static void train_unblock(struct going *going)
{
    if (going->plan->interval_ms > 0 || going->side == SIDE_TCP ||
        going->sent == going->plan->count ||
        lab_now_ms() - going->heard_ms < going->plan->settle_ms)
        return;
    going->newest = going->sent;
    going->heard_ms = lab_now_ms();
}

static bool train_is_over(const struct going *going)
{
    if (going->sent < going->plan->count || going->out_left > 0)
        return false;
    return going->came == going->sent ||
           (going->side == SIDE_UDP &&
            lab_now_ms() - going->heard_ms > going->plan->settle_ms);
}

static void train_await_next(struct going *going)
{
    struct pollfd fd = {.fd = going->fd, .events = POLLIN};
    double now = lab_now_ms(), until = now + 20;
    struct timespec left;

    if (going->out_left > 0)
        fd.events |= POLLOUT;
    else if (going->sent < going->plan->count && train_due(going, now) < until)
        until = train_due(going, now);
    left.tv_sec = 0;
    left.tv_nsec = until > now ? (long)((until - now) * 1e6) : 0;
    ppoll(&fd, 1, &left, NULL);
}

/* ---- the whole -------------------------------------------------------- */

static void train_start(struct going *going, struct train *train, size_t count)
{
    int flags = fcntl(going->fd, F_GETFL);

    if (flags < 0 || fcntl(going->fd, F_SETFL, flags | O_NONBLOCK))
        lab_fail_errno(going->lab, "fcntl");
    *train = (struct train){
        .count = count,
        .latency_ms = must_calloc(count, sizeof(double)),
        .copies = must_calloc(count, sizeof(unsigned)),
    };
    for (size_t i = 0; i < count; i++)
        train->latency_ms[i] = -1;
    going->due_ms = must_calloc(count, sizeof(double));
    going->begin_ms = going->heard_ms = lab_now_ms();
    memset(going->out, 'x', sizeof(going->out));
}

struct train train_run(struct lab *lab, int fd, enum side side,
                       const struct train_plan *plan)
{
    struct train train;
    struct going *going = must_calloc(1, sizeof(*going));

    *going = (struct going){
        .lab = lab, .fd = fd, .side = side, .plan = plan, .train = &train};
    train_start(going, &train, plan->count);
    while (!train_is_over(going)) {
        train_depart(going);
        train_await_next(going);
        while (train_receive(going))
            ;
        train_unblock(going);
    }
    train.lost = plan->count - going->came;
    free(going->due_ms);
    free(going);
    return train;
}

void train_finish(struct train *train)
{
    free(train->latency_ms);
    free(train->copies);
    *train = (struct train){0};
}

/* ---- what came of it -------------------------------------------------- */

double *train_latencies(const struct train *train, size_t *count)
{
    double *values = must_calloc(train->count, sizeof(*values));

    *count = 0;
    for (size_t i = 0; i < train->count; i++)
        if (train->copies[i] > 0)
            values[(*count)++] = train->latency_ms[i];
    stats_sort(values, *count);
    return values;
}

/* FNV-1a of the numbers. */
unsigned train_fingerprint(const struct train *train)
{
    uint32_t hash = HASH_START;

    for (uint32_t i = 0; i < train->count; i++)
        for (unsigned shift = 0; train->copies[i] == 0 && shift < 32;
             shift += 8)
            hash = hash_byte(hash, (uint8_t)(i >> shift));
    return hash;
}

json_t *train_first_lost(const struct train *train)
{
    json_t *list = json_array();

    for (size_t i = 0; i < train->count && json_array_size(list) < FIRST_LOST;
         i++)
        if (train->copies[i] == 0)
            json_array_append_new(list, value_count(i));
    return list;
}

void train_show_lost(struct lab *lab, const struct train trains[2])
{
    result_counts(lab, "lost", "messages lost", "", trains[SIDE_TCP].lost,
                  trains[SIDE_UDP].lost);
}

void train_draw(const struct train *train, json_t *series)
{
    for (size_t i = 0; i < train->count; i++)
        if (train->copies[i] > 0)
            plot_point(series, (double)i, train->latency_ms[i]);
}
