/* Broadcast over UDP by hand: who has sent something gets what others send.
       udp-broadcast         sendto for each receiver and datagram
       udp-broadcast mmsg    sendmmsg for all receivers of a datagram */
#include "common.h"

#include <sys/epoll.h>

#define MAX        20000
#define SLOT_BYTES 65536
#define BATCH      64

static uint8_t buffer[SLOT_BYTES];
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

static void send_many(int fd, size_t from, size_t len)
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
            send_many(fd, from, (size_t)got);
        else
            send_each(fd, from, (size_t)got);
        size = sizeof(peer);
    }
}

int main(int argc, char **argv)
{
    int fd = common_bind_udp();
    int epoll = must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    struct epoll_event event = {EPOLLIN, {0}};

    (void)argv;
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    for (;;)
        if (epoll_wait(epoll, &event, 1, -1) > 0)
            relay_all(fd, argc > 1);
}
