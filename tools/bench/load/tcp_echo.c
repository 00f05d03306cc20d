/*
 * Echo over TCP. Closed loop: `depth` messages are in flight on each
 * connection, and each that comes back sends the next. Open loop: messages
 * are sent at a rate whatever comes back, and latency counts from the moment
 * a message should have been sent, so that a stall shows in all it delays.
 */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define EVENTS     256
#define OPEN_DEPTH 8192u /* messages of an open loop that may be missing */

struct connection {
    int fd;
    unsigned slots;           /* of `stamps` */
    uint64_t phase;           /* where in the pattern it begins */
    uint64_t sent, got, owed; /* bytes */
    uint64_t issued, done;    /* messages */
    uint64_t *stamps;         /* when each in flight was (to be) sent */
};

static const struct options *options;
static struct connection *connections;
static uint8_t input[PATTERN_MORE];

static void push(struct connection *connection)
{
    while (connection->owed > 0) {
        size_t size =
            connection->owed < PATTERN_MORE ? connection->owed : PATTERN_MORE;
        ssize_t sent = send(connection->fd,
                            pattern_at(connection->phase + connection->sent),
                            size, MSG_NOSIGNAL);

        if (sent < 0 && errno == EAGAIN)
            return; /* the edge of EPOLLOUT comes back here */
        if (sent < 0)
            fail("send: %s", strerror(errno));
        connection->sent += (uint64_t)sent;
        connection->owed -= (uint64_t)sent;
    }
}

static void issue(struct connection *connection, uint64_t at)
{
    if (connection->issued - connection->done == connection->slots)
        fail("%u messages of one client are unanswered: the rate is more than "
             "the server can take",
             connection->slots);
    connection->stamps[connection->issued++ % connection->slots] = at;
    connection->owed += options->size;
}

static void take(struct connection *connection, size_t len, uint64_t now)
{
    if (connection->got + len > connection->sent)
        fail("more came back than was sent");
    if (memcmp(input, pattern_at(connection->phase + connection->got), len))
        fail("other bytes came back than were sent");
    connection->got += len;
    while ((connection->done + 1) * options->size <= connection->got) {
        run_count(
            now - connection->stamps[connection->done % connection->slots], 1);
        connection->done++;
        if (options->rate == 0 && run_may_send())
            issue(connection, now);
    }
}

static void pull(struct connection *connection)
{
    ssize_t got;

    do {
        got = recv(connection->fd, input, sizeof(input), 0);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0)
            fail("recv: %s", got ? strerror(errno) : "the server closed");
        take(connection, (size_t)got, now_ns());
    } while (got == (ssize_t)sizeof(input));
}

static void open_one(struct connection *connection, unsigned i, int epoll)
{
    struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLET,
                                {.ptr = connection}};

    connection->fd = load_connect(options, SOCK_STREAM);
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    connection->phase = (uint64_t)i * 7919; /* no two send the same */
    connection->slots = options->rate > 0 ? OPEN_DEPTH : options->depth;
    connection->stamps = calloc(connection->slots, sizeof(uint64_t));
    if (!connection->stamps ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event))
        fail("epoll_ctl: %s", strerror(errno));
}

/* Sends what is due by now; the moment the next one is. */
static void send_due(uint64_t now, uint64_t begin)
{
    static uint64_t count;
    double step = 1e9 / options->rate;
    uint64_t due;

    while ((due = begin + (uint64_t)((double)count * step)) <= now) {
        struct connection *next = &connections[count % options->connections];

        if (!run_may_send())
            return;
        count++;
        issue(next, due);
        push(next);
    }
}

static void send_first(void)
{
    for (unsigned i = 0; i < options->connections; i++) {
        for (unsigned j = 0; j < options->depth && run_may_send(); j++)
            issue(&connections[i], now_ns());
        push(&connections[i]);
    }
}

void tcp_echo(const struct options *the_options)
{
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    uint64_t begin, now;

    options = the_options;
    connections = calloc(options->connections, sizeof(*connections));
    if (!connections)
        fail("no memory");
    for (unsigned i = 0; i < options->connections; i++)
        open_one(&connections[i], i, epoll);
    run_start(options);
    begin = now_ns();
    if (options->rate == 0)
        send_first();
    while (run_goes_on(now = now_ns())) {
        int count;

        if (options->rate > 0)
            send_due(now, begin);
        count = epoll_wait(epoll, events, EVENTS, options->rate > 0 ? 0 : 100);
        for (int i = 0; i < count; i++) {
            pull(events[i].data.ptr);
            push(events[i].data.ptr);
        }
    }
}
