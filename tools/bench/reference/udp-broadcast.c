/* Broadcast over UDP by hand: who has sent something gets what others send.
       udp-broadcast         sendto for each receiver and datagram
       udp-broadcast mmsg    sendmmsg for all receivers of a datagram
       udp-broadcast segment all that recvmmsg brings goes to each receiver as
                             one packet, UDP_SEGMENT: the least it can cost */
#include "common.h"

#include <sys/epoll.h>

#define MAX        20000
#define SLOT_BYTES 65536
#define BATCH      64

static uint8_t buffer[SLOT_BYTES], slots[BATCH][SLOT_BYTES];
static struct sockaddr_in peers[MAX];
static size_t count;

static bool is_same(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
    return a->sin_port == b->sin_port &&
           a->sin_addr.s_addr == b->sin_addr.s_addr;
}

/* Looked for among the few by going through them; the load's sender is the
   last one, hence backwards. */
static size_t find(const struct sockaddr_in *peer)
{
    for (size_t i = count; i-- > 0;)
        if (is_same(&peers[i], peer))
            return i;
    if (count == MAX)
        return MAX;
    peers[count] = *peer;
    return count++;
}

static void send_each(int fd, size_t from, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (i != from)
            sendto(fd, buffer, len, 0, (struct sockaddr *)&peers[i],
                   sizeof(peers[i]));
}

/* With a control message, each gets as many datagrams as its size says. */
static void send_many(int fd, size_t from, size_t len, void *control,
                      size_t control_len)
{
    struct mmsghdr batch[BATCH];
    struct iovec part = {buffer, len};
    unsigned filled = 0;

    for (size_t i = 0; i < count; i++) {
        if (i != from)
            batch[filled++].msg_hdr = (struct msghdr){
                .msg_name = &peers[i],
                .msg_namelen = sizeof(peers[i]),
                .msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = control_len,
            };
        if (filled == BATCH || (i + 1 == count && filled > 0)) {
            sendmmsg(fd, batch, filled, 0);
            filled = 0;
        }
    }
}

static void relay_all(int fd, bool is_many)
{
    struct sockaddr_in peer;
    socklen_t size = sizeof(peer);
    ssize_t got;

    while ((got = recvfrom(fd, buffer, sizeof(buffer), 0,
                           (struct sockaddr *)&peer, &size)) >= 0) {
        size_t from = find(&peer);

        if (is_many)
            send_many(fd, from, (size_t)got, NULL, 0);
        else
            send_each(fd, from, (size_t)got);
        size = sizeof(peer);
    }
}

/* ---- segments --------------------------------------------------------- */

/* `bytes` in the buffer are datagrams of this size, the last may be shorter. */
static void send_segments(int fd, size_t from, size_t size, size_t bytes)
{
    union {
        size_t align;
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
    } room;
    struct msghdr header = {.msg_control = &room,
                            .msg_controllen = sizeof(room)};
    struct cmsghdr *control = CMSG_FIRSTHDR(&header);
    uint16_t value = (uint16_t)size;

    control->cmsg_level = IPPROTO_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(value));
    memcpy(CMSG_DATA(control), &value, sizeof(value));
    if (bytes > size)
        send_many(fd, from, bytes, &room, sizeof(room));
    else
        send_many(fd, from, bytes, NULL, 0);
}

/* From slot `first` on, what is from one peer and of one size. Returns the slot
   behind. */
static int relay_run(int fd, const struct mmsghdr *in,
                     const struct sockaddr_in *from, int first, int count)
{
    size_t size = in[first].msg_len, bytes = 0;
    int i = first;

    for (;
         i < count && in[i].msg_len == size && is_same(&from[i], &from[first]);
         i++) {
        memcpy(buffer + bytes, slots[i], size);
        bytes += size;
    }
    send_segments(fd, find(&from[first]), size, bytes);
    return i;
}

static void relay_segments(int fd)
{
    static struct mmsghdr in[BATCH];
    static struct iovec parts[BATCH];
    static struct sockaddr_in from[BATCH];
    int count;

    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){slots[i], SLOT_BYTES / BATCH};
        in[i].msg_hdr = (struct msghdr){
            .msg_name = &from[i],
            .msg_namelen = sizeof(from[i]),
            .msg_iov = &parts[i],
            .msg_iovlen = 1,
        };
    }
    while ((count = recvmmsg(fd, in, BATCH, 0, NULL)) > 0)
        for (int i = 0; i < count;)
            i = relay_run(fd, in, from, i, count);
}

int main(int argc, char **argv)
{
    bool is_segment = argc > 1 && !strcmp(argv[1], "segment");
    int fd = common_bind_udp();
    int epoll = must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    struct epoll_event event = {EPOLLIN, {0}};

    must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    for (;;)
        if (epoll_wait(epoll, &event, 1, -1) > 0 && is_segment)
            relay_segments(fd);
        else
            relay_all(fd, argc > 1);
}
