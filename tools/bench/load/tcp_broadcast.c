/* One sender, many subscribers over TCP. A line counts once for each. */
#include "broadcast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS     256
#define PING       "PING\r\n"
#define PING_BYTES 6u

struct subscriber {
    int fd;
    uint64_t got;   /* bytes of messages */
    size_t carried; /* the beginning of a PING */
    char carry[PING_BYTES];
};

static const struct options *options;
static const struct framing *framing;
static struct frames publish, deliver;
static int publisher;
static char input[PING_BYTES + INPUT_BYTES];

/* ---- coming in -------------------------------------------------------- */

static void hello(int fd, const struct text *said, const struct text *wanted)
{
    char answer[65536];
    size_t len = 0;
    ssize_t got;

    if (said->len && send(fd, said->data, said->len, 0) != (ssize_t)said->len)
        fail("hello: %s", strerror(errno));
    while (wanted->len &&
           (len < wanted->len || memcmp(answer + len - wanted->len,
                                        wanted->data, wanted->len) != 0)) {
        got = recv(fd, answer + len, sizeof(answer) - len, 0);
        if (got <= 0)
            fail("the server did not greet as %s does", framing->name);
        len += (size_t)got;
    }
}

/* The sender comes last: a server takes connections in their order, so all
   subscribers are there when it reads the first line. */
static void come_in(int epoll)
{
    struct subscriber *subscribers =
        calloc(options->connections, sizeof(*subscribers));
    struct epoll_event event = {EPOLLIN, {.ptr = NULL}};

    for (unsigned i = 0; subscribers && i < options->connections; i++) {
        subscribers[i].fd = load_connect(options, SOCK_STREAM);
        hello(subscribers[i].fd, &framing->subscriber, &framing->subscribed);
        event.data.ptr = &subscribers[i];
        epoll_ctl(epoll, EPOLL_CTL_ADD, subscribers[i].fd, &event);
    }
    publisher = load_connect(options, SOCK_STREAM);
    hello(publisher, &framing->publisher, &framing->published);
    event.data.ptr = NULL;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, publisher, &event))
        fail("epoll_ctl: %s", strerror(errno));
}

/* ---- a subscriber ----------------------------------------------------- */

static void answer_ping(int fd)
{
    if (send(fd, "PONG\r\n", 6, MSG_NOSIGNAL) != 6)
        fail("PONG: %s", strerror(errno));
}

/* Where the next PING, or the beginning of one, stands in what is no pure
   sequence of messages. */
static size_t find_ping(const struct subscriber *subscriber, const char *data,
                        size_t len)
{
    size_t at = (deliver.len - subscriber->got % deliver.len) % deliver.len;

    for (; at < len; at += deliver.len)
        if (!memcmp(data + at, PING,
                    len - at < PING_BYTES ? len - at : PING_BYTES))
            return at;
    return len;
}

static void take_messages(struct subscriber *subscriber, const char *data,
                          size_t len, uint64_t now)
{
    uint64_t from = subscriber->got / deliver.len;

    if (memcmp(deliver.bytes + subscriber->got % (LINES * deliver.len), data,
               len))
        fail("other bytes came than were sent");
    subscriber->got += len;
    progress_take(from, subscriber->got / deliver.len, now);
}

static void take_with_pings(struct subscriber *subscriber, const char *data,
                            size_t len, uint64_t now)
{
    size_t at = find_ping(subscriber, data, len);

    take_messages(subscriber, data, at, now);
    if (at == len)
        return;
    if (len - at < PING_BYTES) {
        subscriber->carried = len - at;
        memcpy(subscriber->carry, data + at, len - at);
        return;
    }
    answer_ping(subscriber->fd);
    take_with_pings(subscriber, data + at + PING_BYTES, len - at - PING_BYTES,
                    now);
}

static void pull(struct subscriber *subscriber)
{
    char *data = input + PING_BYTES;
    ssize_t got = recv(subscriber->fd, data, INPUT_BYTES, MSG_DONTWAIT);
    uint64_t now = now_ns();

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        fail("recv: %s", got ? strerror(errno) : "the server closed");
    if (!framing->has_pings) {
        take_messages(subscriber, data, (size_t)got, now);
        return;
    }
    data -= subscriber->carried;
    memcpy(data, subscriber->carry, subscriber->carried);
    got += (ssize_t)subscriber->carried;
    subscriber->carried = 0;
    take_with_pings(subscriber, data, (size_t)got, now);
}

/* ---- the sender ------------------------------------------------------- */

/* What a broker says to the sender, e.g. to how many it has gone. */
static void pull_publisher(void)
{
    ssize_t got = recv(publisher, input, sizeof(input), MSG_DONTWAIT);

    if (got == 0)
        fail("the server closed the sender's connection");
    if (got > 0 && framing->has_pings &&
        memmem(input, (size_t)got, PING, PING_BYTES))
        answer_ping(publisher);
    else if (got > 0 && !framing->subscribed.len)
        fail("the sender got bytes back");
}

static void push(void)
{
    uint64_t first = progress_sent();
    unsigned count;

    while ((count = progress_send(now_ns())) > 0) {
        size_t len = count * publish.len;
        const char *data = publish.bytes + first % LINES * publish.len;

        if (send(publisher, data, len, MSG_NOSIGNAL) != (ssize_t)len)
            fail("send: %s", strerror(errno));
        first += count;
    }
}

void tcp_broadcast(const struct options *the_options)
{
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    options = the_options;
    framing = framing_find(options->framing);
    publish = frames_create(framing->publish, options->size);
    deliver = frames_create(framing->deliver, options->size);
    progress_init(options->connections, options->depth);
    come_in(epoll);
    run_start(options);
    push();
    while (run_goes_on(now_ns())) {
        int count = epoll_wait(epoll, events, EVENTS, 100);

        for (int i = 0; i < count; i++)
            if (events[i].data.ptr)
                pull(events[i].data.ptr);
            else
                pull_publisher();
        push();
    }
}
