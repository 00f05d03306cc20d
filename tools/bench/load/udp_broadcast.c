/* One sender, many subscribers over UDP; each line is a datagram. */
#include "broadcast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define EVENTS     256
#define BATCH      64
#define SLOT_BYTES 2048
#define LOST_NS    250000000u
#define JOIN       "join\n"
#define BEGIN      "begin\n"

struct subscriber {
    int fd;
    uint64_t lines; /* came or were lost */
    bool has_begun;
};

static const struct options *options;
static struct frames lines;
static struct subscriber *subscribers;
static int publisher;
static char input[BATCH][SLOT_BYTES];
static unsigned begun;
static uint64_t heard;

/* ---- a subscriber ----------------------------------------------------- */

static void take(struct subscriber *subscriber, const char *data, size_t len,
                 uint64_t now)
{
    uint64_t line;
    char number[9] = "";

    if (len == strlen(JOIN) && !memcmp(data, JOIN, len))
        return;
    if (len == strlen(BEGIN) && !memcmp(data, BEGIN, len)) {
        begun += !subscriber->has_begun;
        subscriber->has_begun = true;
        return;
    }
    if (len != lines.len)
        fail("a datagram of %zu bytes came, not %zu", len, lines.len);
    memcpy(number, data, 8);
    line = strtoul(number, NULL, 16);
    if (line >= LINES || memcmp(data, lines.bytes + line * lines.len, len))
        fail("other bytes came than were sent");
    line = subscriber->lines + (line - subscriber->lines) % LINES;
    if (line >= progress_sent())
        return; /* it had been counted as lost */
    if (line > subscriber->lines)
        progress_skip(subscriber->lines, line);
    progress_take(line, line + 1, now);
    subscriber->lines = line + 1;
}

static void pull(struct subscriber *subscriber)
{
    struct mmsghdr messages[BATCH] = {0};
    struct iovec parts[BATCH];
    int count;

    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){input[i], SLOT_BYTES};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    count = recvmmsg(subscriber->fd, messages, BATCH, MSG_DONTWAIT, NULL);
    if (count < 0 && errno != EAGAIN)
        fail("recvmmsg: %s", strerror(errno));
    if (count > 0)
        heard = now_ns();
    for (int i = 0; i < count; i++)
        take(subscriber, input[i], messages[i].msg_len, heard);
}

static void give_up_late(uint64_t now)
{
    uint64_t sent = progress_sent();

    if (now - heard < LOST_NS)
        return;
    heard = now;
    for (unsigned i = 0; i < options->connections; i++) {
        if (subscribers[i].lines < sent)
            progress_skip(subscribers[i].lines, sent);
        subscribers[i].lines = sent;
    }
}

/* ---- coming in -------------------------------------------------------- */

static void say(int fd, const char *text)
{
    if (send(fd, text, strlen(text), 0) < 0)
        fail("send: %s", strerror(errno));
}

static void wait_some(int epoll, int ms)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll, events, EVENTS, ms);

    for (int i = 0; i < count; i++)
        pull(events[i].data.ptr);
}

/* Everybody says "join" twice, since a server may hold back what it sends to
   those it has heard from but once. The first "begin" comes behind them. */
static void come_in(int epoll)
{
    struct epoll_event event = {EPOLLIN, {.ptr = NULL}};
    uint64_t limit;

    for (unsigned i = 0; i < options->connections; i++) {
        subscribers[i].fd = load_connect(options, SOCK_DGRAM);
        event.data.ptr = &subscribers[i];
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, subscribers[i].fd, &event))
            fail("epoll_ctl: %s", strerror(errno));
        say(subscribers[i].fd, JOIN);
        say(subscribers[i].fd, JOIN);
        wait_some(epoll, 0);
    }
    publisher = load_connect(options, SOCK_DGRAM);
    say(publisher, BEGIN);
    limit = now_ns() + 3000000000u;
    while (begun < options->connections) {
        wait_some(epoll, 10);
        if (now_ns() > limit)
            fail("only %u of %u subscribers hear the sender", begun,
                 options->connections);
    }
}

/* ---- the sender ------------------------------------------------------- */

static void push(void)
{
    struct mmsghdr messages[LINES] = {0};
    struct iovec parts[LINES];
    uint64_t first = progress_sent();
    unsigned count;

    while ((count = progress_send(now_ns())) > 0) {
        for (unsigned i = 0; i < count; i++) {
            parts[i] = (struct iovec){
                lines.bytes + (first + i) % LINES * lines.len, lines.len};
            messages[i].msg_hdr.msg_iov = &parts[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
        if (sendmmsg(publisher, messages, count, 0) != (int)count)
            fail("sendmmsg: %s", strerror(errno));
        first += count;
    }
}

void udp_broadcast(const struct options *the_options)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    options = the_options;
    lines = frames_create(framing_find("lines")->publish, options->size);
    if (lines.len > SLOT_BYTES)
        fail("UDP lines of %d bytes at most", SLOT_BYTES);
    progress_init(options->connections, options->depth);
    subscribers = calloc(options->connections, sizeof(*subscribers));
    if (!subscribers)
        fail("no memory");
    come_in(epoll);
    run_start(options);
    heard = now_ns();
    push();
    while (run_goes_on(now_ns())) {
        wait_some(epoll, 50);
        give_up_late(now_ns());
        push();
    }
}
