/*
 * nobody: what does a client notice when nobody listens?
 *
 * The port is bound by this process over TCP, without listen(): so nobody
 * else can take it meanwhile, and it refuses as any closed port does.
 */
#include "compare/lab/lab.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define SILENCE_MS 300

/* The experience of a client over UDP. */
struct silence {
    int first, second; /* errno of its two calls of send() */
    double first_ms;
    bool is_answered; /* anything came */
    int type, code;   /* of the ICMP message, -1: none was seen */
};

/* A loopback address at which neither TCP nor UDP listens. */
static struct sockaddr_in nobody_closed_port(struct lab *lab)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof(address);

    for (int i = 0; i < 100; i++) {
        int tcp = lab_socket(lab, SIDE_TCP), udp = lab_socket(lab, SIDE_UDP);
        bool is_free;

        address.sin_port = 0;
        if (bind(tcp, (struct sockaddr *)&address, sizeof(address)) ||
            getsockname(tcp, (struct sockaddr *)&address, &length))
            lab_fail_errno(lab, "bind");
        is_free = !bind(udp, (struct sockaddr *)&address, sizeof(address));
        close(udp);
        if (is_free)
            return address; /* the TCP socket stays bound */
        close(tcp);
    }
    lab_fail(lab, "no port that is free for both TCP and UDP");
}

static int nobody_try_send(int fd)
{
    return send(fd, "x", 1, 0) < 0 ? errno : 0;
}

/* connect() over TCP: its error, and how long it took. */
static int nobody_try_connect(struct lab *lab, struct sockaddr_in to,
                              double *ms)
{
    int fd = lab_socket(lab, SIDE_TCP);
    double begin = lab_now_ms();
    int error = connect(fd, (struct sockaddr *)&to, sizeof(to)) ? errno : 0;

    *ms = lab_now_ms() - begin;
    close(fd);
    return error;
}

/* A socket that is not connected, as most UDP servers' and many clients'. */
static void nobody_try_unconnected(struct lab *lab, struct sockaddr_in to,
                                   struct silence *silence)
{
    int fd = lab_socket(lab, SIDE_UDP);
    double begin = lab_now_ms();

    for (int i = 0; i < 2; i++) {
        ssize_t sent =
            sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));

        *(i == 0 ? &silence->first : &silence->second) = sent < 0 ? errno : 0;
        if (i == 0) {
            silence->first_ms = lab_now_ms() - begin;
            silence->is_answered = lab_is_readable(fd, SILENCE_MS);
        }
    }
    close(fd);
}

/* connect() on a UDP socket sends nothing, but the kernel then knows whose
   errors are ours: the next call returns them. */
static void nobody_try_connected(struct lab *lab, struct sockaddr_in to,
                                 struct silence *silence)
{
    int fd = lab_socket(lab, SIDE_UDP);

    if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
        lab_fail_errno(lab, "connect");
    silence->first = nobody_try_send(fd);
    lab_is_readable(fd, LAB_LIMIT_MS); /* until the ICMP message is there */
    silence->second = nobody_try_send(fd);
    close(fd);
}

/* IP_RECVERR shows the ICMP message itself, see ip(7). */
static void nobody_try_error_queue(struct lab *lab, struct sockaddr_in to,
                                   struct silence *silence)
{
    int fd = lab_socket(lab, SIDE_UDP), on = 1;
    char byte[1];
    union {
        char room[512];
        struct cmsghdr align;
    } control;
    struct iovec part = {byte, sizeof(byte)};
    struct msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };

    silence->type = silence->code = -1;
    if (setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on)) ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)))
        lab_fail_errno(lab, "IP_RECVERR");
    silence->first = nobody_try_send(fd);
    if (!lab_is_readable(fd, LAB_LIMIT_MS) ||
        recvmsg(fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
        return;
    for (struct cmsghdr *one = CMSG_FIRSTHDR(&header); one;
         one = CMSG_NXTHDR(&header, one)) {
        struct sock_extended_err error;

        if (one->cmsg_level != IPPROTO_IP || one->cmsg_type != IP_RECVERR)
            continue;
        memcpy(&error, CMSG_DATA(one), sizeof(error));
        silence->type = error.ee_type;
        silence->code = error.ee_code;
    }
    close(fd);
}

static json_t *nobody_error_value(int error)
{
    return error ? value_text("%s", strerror(error)) : value_text("fine");
}

static void nobody_run(struct lab *lab)
{
    struct sockaddr_in to = nobody_closed_port(lab);
    struct silence plain = {0}, connected = {0}, queue = {0};
    double tcp_ms;
    int tcp = nobody_try_connect(lab, to, &tcp_ms);

    nobody_try_unconnected(lab, to, &plain);
    nobody_try_connected(lab, to, &connected);
    nobody_try_error_queue(lab, to, &queue);

    result_did(lab,
               "The client turns to a port of this machine on which nobody "
               "listens: over TCP with connect(), over UDP with send().");
    result_row(lab, "first", "the first call says", "", nobody_error_value(tcp),
               nobody_error_value(plain.first));
    result_numbers(lab, "time", "after", "ms", tcp_ms, plain.first_ms);
    result_row(lab, "silence", "in the next 300 ms, recv() brings", "",
               value_none(),
               value_text(plain.is_answered ? "something" : "nothing"));
    result_row(lab, "second", "a second sendto() says", "", value_none(),
               nobody_error_value(plain.second));
    result_row(lab, "connected", "on a connected UDP socket it says", "",
               value_none(), nobody_error_value(connected.second));
    result_row(lab, "icmp", "ICMP message, seen with IP_RECVERR", "",
               value_none(),
               queue.type < 0 ? value_text("none")
                              : value_text("type %d, code %d: port unreachable",
                                           queue.type, queue.code));
    result_why(lab,
               "TCP asks first: the SYN is answered by a RST, and connect() "
               "fails. UDP sends and knows nothing. The other machine's "
               "kernel may send an ICMP message back, which only a connected "
               "socket hears of, one call too late; where a firewall drops "
               "it, there is silence.");
    result_check(lab, "tcp_is_refused", tcp == ECONNREFUSED,
                 "connect() is refused at once");
    result_check(lab, "udp_is_silent",
                 plain.first == 0 && plain.second == 0 && !plain.is_answered,
                 "an unconnected UDP socket never hears of it");
    result_check(lab, "udp_learns_late",
                 connected.first == 0 && connected.second == ECONNREFUSED,
                 "a connected UDP socket hears of it with the second call");
    result_check(lab, "icmp_port_unreachable",
                 queue.type == ICMP_DEST_UNREACH &&
                     queue.code == ICMP_PORT_UNREACH,
                 "the reason is an ICMP message, port unreachable");
    result_answer(lab, plain.first == 0 && !plain.is_answered ? 2
                       : plain.first == ECONNREFUSED          ? 0
                                                              : 1);
}

const struct experiment experiment_nobody = {
    .name = "nobody",
    .title = "Nobody listening",
    .question = "What does a client notice when no server is there?",
    .is_first = true,
    .guess = {"A UDP client sends a datagram to a port on which nobody "
              "listens. What does its sendto() say?",
              {"connection refused, as connect() over TCP",
               "nothing yet: it waits for an answer and then gives up",
               "that all is fine, and nothing ever comes"}},
    .run = nobody_run,
};
