/* UDP echo by hand. The yardstick is
       udp-echo            recvfrom and sendto for each datagram
   and beside it stand
       udp-echo mmsg       recvmmsg and sendmmsg, 64 a call
       udp-echo segment    and UDP_GRO; neighbours from one peer go back as one
                           packet, UDP_SEGMENT */
#include "common.h"

#include <sys/epoll.h>

#define BATCH      64
#define SLOT_BYTES 65536
#define SEGMENTS   64
#define MAX_BYTES  65507

struct message {
    struct mmsghdr header;
    struct iovec parts[SEGMENTS];
    struct sockaddr_in peer;
    union {
        size_t align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
};

static uint8_t buffers[BATCH][SLOT_BYTES];
static struct message in[BATCH], out[BATCH];
static struct mmsghdr batch[BATCH];

static void echo_singly(int fd)
{
    struct sockaddr_in peer;
    socklen_t len = sizeof(peer);
    ssize_t got;

    while ((got = recvfrom(fd, buffers[0], SLOT_BYTES, 0,
                           (struct sockaddr *)&peer, &len)) >= 0) {
        sendto(fd, buffers[0], (size_t)got, 0, (struct sockaddr *)&peer, len);
        len = sizeof(peer);
    }
}

static int receive(int fd, bool has_control)
{
    int count;

    for (int i = 0; i < BATCH; i++) {
        in[i].parts[0] = (struct iovec){buffers[i], SLOT_BYTES};
        batch[i].msg_hdr = (struct msghdr){
            .msg_name = &in[i].peer,
            .msg_namelen = sizeof(in[i].peer),
            .msg_iov = in[i].parts,
            .msg_iovlen = 1,
            .msg_control = has_control ? &in[i].control : NULL,
            .msg_controllen = has_control ? sizeof(in[i].control) : 0,
        };
    }
    count = recvmmsg(fd, batch, BATCH, 0, NULL);
    for (int i = 0; i < count; i++)
        in[i].header = batch[i];
    return count;
}

static void echo_many(int fd)
{
    int count;

    while ((count = receive(fd, false)) > 0) {
        for (int i = 0; i < count; i++)
            in[i].parts[0].iov_len = batch[i].msg_len;
        sendmmsg(fd, batch, (unsigned)count, 0);
    }
}

/* ---- segments --------------------------------------------------------- */

/* The size of the datagrams that lie in one buffer. */
static size_t segment_of(struct message *message)
{
    const struct cmsghdr *control = CMSG_FIRSTHDR(&message->header.msg_hdr);
    int size = (int)message->header.msg_len;

    if (control && control->cmsg_type == UDP_GRO)
        memcpy(&size, CMSG_DATA(control), sizeof(size));
    return (size_t)size;
}

static void start_answer(struct message *answer, const struct sockaddr_in *peer)
{
    answer->peer = *peer;
    answer->header.msg_hdr = (struct msghdr){
        .msg_name = &answer->peer,
        .msg_namelen = sizeof(answer->peer),
        .msg_iov = answer->parts,
    };
}

static void set_segment(struct message *answer, size_t size)
{
    struct msghdr *header = &answer->header.msg_hdr;
    uint16_t value = (uint16_t)size;
    struct cmsghdr *control;

    header->msg_control = &answer->control;
    header->msg_controllen = CMSG_SPACE(sizeof(value));
    control = CMSG_FIRSTHDR(header);
    control->cmsg_level = IPPROTO_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(value));
    memcpy(CMSG_DATA(control), &value, sizeof(value));
}

/* The answer being made: whose, of what size, how much is in it. */
struct making {
    unsigned answers;
    size_t size, bytes, segments;
    bool is_ended; /* a shorter datagram ends a run of segments */
};

static bool fits(const struct making *making, const struct message *message,
                 size_t segment)
{
    size_t len = message->header.msg_len;

    return making->answers > 0 && !making->is_ended &&
           segment == making->size && making->bytes + len <= MAX_BYTES &&
           making->segments + (len + segment - 1) / segment <= SEGMENTS &&
           !memcmp(&message->peer, &out[making->answers - 1].peer,
                   sizeof(message->peer));
}

static void add(struct making *making, struct message *message)
{
    size_t segment = segment_of(message), len = message->header.msg_len;
    struct msghdr *answer;

    if (segment == 0)
        return; /* an empty datagram; the load sends none */
    if (!fits(making, message, segment)) {
        start_answer(&out[making->answers++], &message->peer);
        making->size = segment;
        making->bytes = making->segments = 0;
    }
    answer = &out[making->answers - 1].header.msg_hdr;
    message->parts[0].iov_len = len;
    answer->msg_iov[answer->msg_iovlen++] = message->parts[0];
    making->bytes += len;
    making->segments += (len + segment - 1) / segment;
    making->is_ended = len % segment != 0;
    if (making->segments == 2 || (making->segments > 1 && !answer->msg_control))
        set_segment(&out[making->answers - 1], segment);
}

static void echo_segmented(int fd)
{
    int count;

    while ((count = receive(fd, true)) > 0) {
        struct making making = {0};

        for (int i = 0; i < count; i++)
            add(&making, &in[i]);
        for (unsigned i = 0; i < making.answers; i++)
            batch[i] = out[i].header;
        sendmmsg(fd, batch, making.answers, 0);
    }
}

int main(int argc, char **argv)
{
    void (*echo)(int fd) = echo_singly;
    int fd = common_bind_udp(), on = 1, epoll;
    struct epoll_event event = {EPOLLIN, {0}};

    if (argc > 1)
        echo = strcmp(argv[1], "mmsg") ? echo_segmented : echo_many;
    if (echo == echo_segmented)
        must(setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)), "UDP_GRO");
    epoll = must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    for (;;)
        if (epoll_wait(epoll, &event, 1, -1) > 0)
            echo(fd);
}
