/*
 * Echo over UDP: each datagram begins with its number and its client's. What
 * has not come back after a while is counted as lost and sent anew.
 */
#include "load.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define EVENTS      256
#define BATCH       64 /* datagrams a call */
#define HEAD_BYTES  8
#define INPUT_BYTES 65536
#define LOST_NS     250000000u

struct slot {
    uint32_t number;
    bool is_out;
    uint64_t at;
};

struct client {
    int fd;
    uint32_t id, issued, out;
    uint64_t heard; /* when something last came */
    struct slot *slots;
};

static const struct options *options;
static struct client *clients;
static uint8_t output[BATCH][INPUT_BYTES], input[BATCH][INPUT_BYTES];

/* ---- sending ---------------------------------------------------------- */

static void fill(const struct client *client, uint8_t *at, uint32_t number)
{
    memcpy(at, &number, 4);
    memcpy(at + 4, &client->id, 4);
    if (options->size > HEAD_BYTES)
        memcpy(at + HEAD_BYTES, pattern_at(number * 31u + client->id),
               options->size - HEAD_BYTES);
}

static void send_many(const struct client *client, unsigned count)
{
    struct mmsghdr messages[BATCH] = {0};
    struct iovec parts[BATCH];
    int sent;

    for (unsigned i = 0; i < count; i++) {
        parts[i] = (struct iovec){output[0] + (size_t)i * options->size,
                                  options->size};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    sent = sendmmsg(client->fd, messages, count, 0);
    if (sent != (int)count)
        fail("sendmmsg: %d of %u: %s", sent, count, strerror(errno));
}

/* All in one call and, on the loopback interface, in one packet. */
static void send_segmented(const struct client *client, unsigned count)
{
    union {
        size_t align;
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
    } control = {0};
    struct iovec part = {output[0], (size_t)count * options->size};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    uint16_t size = (uint16_t)options->size;

    head->cmsg_level = IPPROTO_UDP;
    head->cmsg_type = UDP_SEGMENT;
    head->cmsg_len = CMSG_LEN(sizeof(size));
    memcpy(CMSG_DATA(head), &size, sizeof(size));
    if (sendmsg(client->fd, &message, 0) < 0)
        fail("sendmsg with UDP_SEGMENT: %s", strerror(errno));
}

static void refill(struct client *client, uint64_t now)
{
    unsigned count = 0;

    while (client->out < options->depth && run_may_send()) {
        struct slot *slot = &client->slots[client->issued % options->depth];

        *slot = (struct slot){client->issued, true, now};
        fill(client, output[0] + (size_t)count++ * options->size,
             client->issued++);
        client->out++;
    }
    if (count > 1 && options->is_segmented)
        send_segmented(client, count);
    else if (count > 0)
        send_many(client, count);
}

/* ---- receiving -------------------------------------------------------- */

static void take(struct client *client, const uint8_t *data, size_t len,
                 uint64_t now)
{
    uint8_t expected[INPUT_BYTES];
    struct slot *slot;
    uint32_t number;

    if (len != options->size)
        fail("a datagram of %zu bytes came back, not %u", len, options->size);
    memcpy(&number, data, 4);
    fill(client, expected, number);
    if (memcmp(expected, data, len))
        fail("other bytes came back than were sent");
    slot = &client->slots[number % options->depth];
    if (slot->number != number || !slot->is_out)
        return; /* it had been counted as lost */
    slot->is_out = false;
    client->out--;
    run_count(now - slot->at, 1);
}

/* The datagrams that UDP_GRO has put into one buffer. */
static void take_run(struct client *client, struct msghdr *header, size_t len,
                     uint64_t now)
{
    const struct cmsghdr *control = CMSG_FIRSTHDR(header);
    const uint8_t *data = header->msg_iov->iov_base;
    size_t step = len;
    int segment;

    if (control && control->cmsg_type == UDP_GRO) {
        memcpy(&segment, CMSG_DATA(control), sizeof(segment));
        step = (size_t)segment;
    }
    for (size_t at = 0; at < len; at += step)
        take(client, data + at, len - at < step ? len - at : step, now);
}

static void pull(struct client *client)
{
    union {
        size_t align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } controls[BATCH];
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    uint64_t now;
    int count;

    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){input[i], INPUT_BYTES};
        messages[i].msg_hdr = (struct msghdr){
            .msg_iov = &parts[i],
            .msg_iovlen = 1,
            .msg_control = options->is_segmented ? &controls[i] : NULL,
            .msg_controllen = options->is_segmented ? sizeof(controls[i]) : 0,
        };
    }
    count = recvmmsg(client->fd, messages, BATCH, MSG_DONTWAIT, NULL);
    if (count < 0 && errno != EAGAIN)
        fail("recvmmsg: %s", strerror(errno));
    client->heard = now = now_ns();
    for (int i = 0; i < count; i++)
        take_run(client, &messages[i].msg_hdr, messages[i].msg_len, now);
    refill(client, now);
}

static void give_up_late(struct client *client, uint64_t now)
{
    if (client->out == 0 || now - client->heard < LOST_NS)
        return;
    run_lost(client->out);
    client->out = 0;
    for (unsigned i = 0; i < options->depth; i++)
        client->slots[i].is_out = false;
    client->heard = now;
    refill(client, now);
}

/* ---- all of it -------------------------------------------------------- */

static void open_one(struct client *client, unsigned i, int epoll)
{
    struct epoll_event event = {EPOLLIN, {.ptr = client}};
    int on = 1;

    client->id = i;
    client->fd = load_connect(options, SOCK_DGRAM);
    client->slots = calloc(options->depth, sizeof(*client->slots));
    if (options->is_segmented &&
        setsockopt(client->fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)))
        fail("UDP_GRO: %s", strerror(errno));
    if (!client->slots || epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event))
        fail("epoll_ctl: %s", strerror(errno));
}

void udp_echo(const struct options *the_options)
{
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    uint64_t looked;

    options = the_options;
    if (options->size < HEAD_BYTES || options->depth > BATCH ||
        (size_t)options->size * options->depth > 65507)
        fail("UDP takes 8 bytes or more, %d in flight at most, and at most "
             "65507 bytes of a client",
             BATCH);
    clients = calloc(options->connections, sizeof(*clients));
    if (!clients)
        fail("no memory");
    for (unsigned i = 0; i < options->connections; i++)
        open_one(&clients[i], i, epoll);
    run_start(options);
    looked = now_ns();
    for (unsigned i = 0; i < options->connections; i++) {
        clients[i].heard = looked;
        refill(&clients[i], looked);
    }
    while (run_goes_on(now_ns())) {
        int count = epoll_wait(epoll, events, EVENTS, 50);
        uint64_t now;

        for (int i = 0; i < count; i++)
            pull(events[i].data.ptr);
        now = now_ns();
        if (now - looked < LOST_NS / 5)
            continue;
        looked = now;
        for (unsigned i = 0; i < options->connections; i++)
            give_up_late(&clients[i], now);
    }
}
