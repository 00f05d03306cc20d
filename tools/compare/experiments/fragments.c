/* The part of largest that shows fragments on a link. */

#include "compare/experiments/fragments.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"

#include "compare/lab/bad_link.h"

#define MTU        1500
#define FITS       1472 /* in one packet, with 20 bytes IP and 8 UDP header */
#define STREAM     (1000 * 1000)
#define LIMIT_MS   10000
#define SETTLE_MS  20000
#define SLACK_MS   25 /* of the 100 in which the last may come */
#define LONGEST    65507
#define TRAINS     6
#define LOSS_LIMIT 4 /* standard deviations */

/* The counts are small enough that what the kernel keeps of datagrams that miss
   a fragment, for 30 s each, stays below 4 MB: beyond that it takes no more
   fragments (ip-sysctl, ipfrag_high_thresh). */
static const struct {
    size_t size;
    int count;
} trains[TRAINS] = {{100, 200},  {FITS, 200}, {FITS + 1, 200},
                    {4000, 150}, {10000, 80}, {30000, 60}};

/* The sockets of a client on the left and of a server on the right. */
struct ends {
    struct wire *wire;
    int udp, tcp;               /* left */
    int udp_server, tcp_server; /* right */
};

static char *data; /* STREAM bytes */

/* ---- the ends --------------------------------------------------------- */

static int fragments_right_socket(struct lab *lab, struct wire *wire, int type,
                                  struct sockaddr_in *address)
{
    int fd = wire_socket(wire, WIRE_RIGHT, AF_INET, type, 0);
    socklen_t length = sizeof(*address);

    *address = (struct sockaddr_in){.sin_family = AF_INET};
    inet_pton(AF_INET, wire_address(WIRE_RIGHT, AF_INET), &address->sin_addr);
    if (fd < 0)
        lab_fail(lab, "a socket beyond the link: %s", strerror(-fd));
    if (bind(fd, (struct sockaddr *)address, length) ||
        getsockname(fd, (struct sockaddr *)address, &length))
        lab_fail_errno(lab, "bind beyond the link");
    return fd;
}

static int fragments_left_socket(struct lab *lab, enum side side,
                                 struct sockaddr_in address)
{
    int fd = lab_socket(lab, side);

    if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
        lab_fail_errno(lab, "connect over the link");
    return fd;
}

static void fragments_open_ends(struct lab *lab, struct ends *ends)
{
    struct sockaddr_in address;
    int listener;

    ends->udp_server =
        fragments_right_socket(lab, ends->wire, SOCK_DGRAM, &address);
    ends->udp = fragments_left_socket(lab, SIDE_UDP, address);
    listener = fragments_right_socket(lab, ends->wire, SOCK_STREAM, &address);
    if (listen(listener, 1))
        lab_fail_errno(lab, "listen");
    ends->tcp = fragments_left_socket(lab, SIDE_TCP, address);
    ends->tcp_server = accept(listener, NULL, NULL);
    if (ends->tcp_server < 0)
        lab_fail_errno(lab, "accept");
    close(listener);
}

/* ---- packets ---------------------------------------------------------- */

/* Towards the right, once nothing is under way. */
static struct wire_counts fragments_settled(struct lab *lab, struct ends *ends)
{
    double limit = lab_now_ms() + SETTLE_MS;
    struct wire_counts counts[2], *right = &counts[WIRE_LEFT];

    do {
        if (!wire_counts(ends->wire, counts))
            lab_fail(lab, "the link has ended");
        if (right->packets + right->duplicated ==
            right->delivered + right->lost + right->queue_dropped +
                right->overrun)
            return *right;
    } while (lab_now_ms() < limit);
    lab_fail(lab, "the link does not come to rest");
}

static void fragments_set_discovery(struct lab *lab, int fd, int how)
{
    if (setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &how, sizeof(how)))
        lab_fail_errno(lab, "IP_MTU_DISCOVER");
}

/* How many packets a datagram of that size takes. */
static int fragments_count_fragments(struct lab *lab, struct ends *ends,
                                     size_t size)
{
    uint64_t before = fragments_settled(lab, ends).packets;

    lab_send(lab, ends->udp, data, size);
    lab_recv(lab, ends->udp_server, data, size);
    return (int)(fragments_settled(lab, ends).packets - before);
}

static int fragments_count_segments(struct lab *lab, struct ends *ends,
                                    size_t size)
{
    uint64_t before = fragments_settled(lab, ends).payload_packets;

    lab_send(lab, ends->tcp, data, size);
    lab_recv(lab, ends->tcp_server, data, size);
    return (int)(fragments_settled(lab, ends).payload_packets - before);
}

static int fragments_path_mtu(struct lab *lab, int fd)
{
    socklen_t length = sizeof(int);
    int mtu;

    if (getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &length))
        lab_fail_errno(lab, "IP_MTU");
    return mtu;
}

/* Returns the error of send() for a datagram that may not be cut. */
static int fragments_try_uncut(struct lab *lab, struct ends *ends, size_t size)
{
    int error;

    fragments_set_discovery(lab, ends->udp, IP_PMTUDISC_DO);
    error = send(ends->udp, data, size, 0) < 0 ? errno : 0;
    fragments_set_discovery(lab, ends->udp, IP_PMTUDISC_DONT);
    return error;
}

/* ---- with loss -------------------------------------------------------- */

static void fragments_lose(struct lab *lab, struct ends *ends, double loss)
{
    const struct wire_direction right = {.loss = loss}, left = {0};

    if (!wire_impair(ends->wire, &right, &left))
        lab_fail(lab, "the link has ended");
}

/* Sends a train one by one, so that nothing but the loss can lose them. */
static int fragments_count_arrivals(struct lab *lab, struct ends *ends,
                                    int train)
{
    int arrived = 0;

    for (int i = 0; i < trains[train].count; i++) {
        lab_send(lab, ends->udp, data, trains[train].size);
        fragments_settled(lab, ends);
        while (recv(ends->udp_server, data, STREAM, MSG_DONTWAIT) >= 0)
            arrived++;
    }
    while (lab_is_readable(ends->udp_server, 100) &&
           recv(ends->udp_server, data, STREAM, MSG_DONTWAIT) >= 0)
        arrived++;
    return arrived;
}

/* The end of a stream into which STREAM bytes went. */
struct stream {
    size_t arrived;
    bool has_gap; /* something came that is not what stands next */
};

static void fragments_read_stream(struct ends *ends, struct stream *stream)
{
    static char got[65536];
    ssize_t count = recv(ends->tcp_server, got, sizeof(got), MSG_DONTWAIT);

    if (count <= 0)
        return;
    if ((size_t)count > STREAM - stream->arrived ||
        memcmp(got, data + stream->arrived, (size_t)count) != 0)
        stream->has_gap = true;
    stream->arrived += (size_t)count;
}

static struct stream fragments_pump(struct lab *lab, struct ends *ends)
{
    double limit = lab_now_ms() + LIMIT_MS;
    struct stream stream = {0, false};
    size_t sent = 0;

    for (size_t i = 0; i < STREAM; i++)
        data[i] = (char)(i % 251); /* no two packets are alike */
    while (stream.arrived < STREAM && lab_now_ms() < limit) {
        struct pollfd fds[] = {
            {.fd = ends->tcp, .events = sent < STREAM ? POLLOUT : 0},
            {.fd = ends->tcp_server, .events = POLLIN},
        };
        ssize_t count;

        if (poll(fds, 2, 100) < 0)
            lab_fail_errno(lab, "poll");
        if (fds[0].revents & POLLOUT) {
            count = send(ends->tcp, data + sent, STREAM - sent, MSG_DONTWAIT);
            sent += count > 0 ? (size_t)count : 0;
        }
        if (fds[1].revents)
            fragments_read_stream(ends, &stream);
    }
    return stream;
}

static unsigned fragments_count_retransmissions(struct lab *lab, int fd)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
        lab_fail_errno(lab, "TCP_INFO");
    return info.tcpi_total_retrans;
}

/* A datagram arrives when all of its fragments do. */
static double fragments_expected_loss(double loss, int fragments)
{
    return 1 - pow(1 - loss, fragments);
}

static bool fragments_is_expected(int train, int arrived, double loss,
                                  int fragments)
{
    double p = fragments_expected_loss(loss, fragments),
           n = trains[train].count;

    return fabs(n - arrived - n * p) <= LOSS_LIMIT * sqrt(n * p * (1 - p)) + 1;
}

/* ---- all of it -------------------------------------------------------- */

static void fragments_add_packets(struct lab *lab, struct ends *ends)
{
    static const size_t lengths[] = {FITS, FITS + 1, LONGEST};
    static const char *const keys[] = {"packets_1472", "packets_1473",
                                       "packets_65507"};
    static const char *const measures[] = {
        "packets on the link for 1,472 bytes", "for 1,473 bytes",
        "for 65,507 bytes"};
    int fragments[3], error = fragments_try_uncut(lab, ends, FITS + 1);

    result_counts(lab, "mtu", "longest packet of the way (path MTU)", "bytes",
                  fragments_path_mtu(lab, ends->tcp),
                  fragments_path_mtu(lab, ends->udp));
    for (int i = 0; i < 3; i++) {
        fragments[i] = fragments_count_fragments(lab, ends, lengths[i]);
        result_counts(lab, keys[i], measures[i], "",
                      fragments_count_segments(lab, ends, lengths[i]),
                      fragments[i]);
    }
    result_row(lab, "uncut", "1,473 bytes that may not be cut", "",
               value_text("TCP cuts by itself"),
               value_text("%s", error ? strerror(error) : "fine"));
    result_check(lab, "udp_fragments",
                 fragments[0] == 1 && fragments[1] == 2 && fragments[2] == 45,
                 "a datagram longer than a packet travels in fragments");
    result_check(lab, "udp_respects_the_path", error == EMSGSIZE,
                 "one that may not be cut is refused when it is too long");
}

static double fragments_lost_percent(int train, int arrived)
{
    return 100 - 100.0 * arrived / trains[train].count;
}

static void fragments_draw(struct lab *lab, double loss,
                           const int arrived[TRAINS],
                           const int fragments[TRAINS])
{
    json_t *plot = result_plot(
        lab, PLOT_LINES, "Datagrams lost, by their length",
        "The longer a datagram, the more are lost, as many as the loss of any "
        "one of the fragments foretells.",
        "bytes of a datagram", "lost (%)");
    json_t *udp = plot_series(plot, PLOT_UDP, "UDP");
    json_t *theory = plot_series(plot, PLOT_OTHER, "theory: any fragment lost");

    for (int i = 0; i < TRAINS; i++) {
        plot_point(udp, (double)trains[i].size,
                   fragments_lost_percent(i, arrived[i]));
        plot_point(theory, (double)trains[i].size,
                   100 * fragments_expected_loss(loss, fragments[i]));
    }
}

static void fragments_add_stream(struct lab *lab, const struct stream *stream,
                                 unsigned again)
{
    result_row(lab, "stream", "of 1,000,000 bytes in a stream arrive", "bytes",
               value_count(stream->arrived), value_none());
    result_row(lab, "again", "segments sent again", "", value_count(again),
               value_none());
    if (stream->arrived < STREAM)
        result_note(lab,
                    "With so much loss TCP needs more than the %d s that it "
                    "was given.",
                    LIMIT_MS / 1000);
    result_check(lab, "tcp_has_no_gap",
                 !stream->has_gap && stream->arrived <= STREAM,
                 "TCP sends again what is lost: the stream has no gap");
}

static void fragments_add_losses(struct lab *lab, struct ends *ends,
                                 double loss)
{
    int fragments[TRAINS], arrived[TRAINS];
    bool are_expected = true;
    struct stream stream;

    for (int i = 0; i < TRAINS; i++)
        fragments[i] = fragments_count_fragments(lab, ends, trains[i].size);
    fragments_lose(lab, ends, loss);
    for (int i = 0; i < TRAINS; i++) {
        lab_progress(lab, "%zu bytes a message", trains[i].size);
        arrived[i] = fragments_count_arrivals(lab, ends, i);
        are_expected &=
            fragments_is_expected(i, arrived[i], loss, fragments[i]);
    }
    stream = fragments_pump(lab, ends);

    result_row(lab, "lost_100", "datagrams of 100 bytes lost", "%",
               value_none(),
               value_number(fragments_lost_percent(0, arrived[0])));
    result_row(
        lab, "lost_30000", "datagrams of 30,000 bytes lost", "%", value_none(),
        value_number(fragments_lost_percent(TRAINS - 1, arrived[TRAINS - 1])));
    fragments_add_stream(lab, &stream,
                         fragments_count_retransmissions(lab, ends->tcp));
    fragments_draw(lab, loss, arrived, fragments);
    result_check_timed(lab, "udp_loses_the_whole", are_expected,
                       "one lost fragment loses the whole datagram", SLACK_MS);
}

void fragments_measure(struct lab *lab)
{
    const struct wire_options options = {.mtu = MTU, .seed = lab_seed(lab)};
    struct ends ends = {0};
    const char *why = bad_link_hindrance();
    double loss;

    if (why) {
        result_note(lab,
                    "Fragments were left out, since the loopback interface "
                    "needs none: its packets carry 65,536 bytes. They need a "
                    "link: %s.",
                    why);
        return;
    }
    loss = lab_setting(lab, SETTING_LOSS, 1) / 100;
    data = must_calloc(STREAM, 1);
    ends.wire = bad_link_wire(lab, &options);
    fragments_open_ends(lab, &ends);
    fragments_set_discovery(lab, ends.udp, IP_PMTUDISC_DONT);
    result_did(lab,
               "Then both over a link whose packets carry 1,500 bytes: first "
               "a good one, then one that loses %g %% of them.",
               100 * loss);
    fragments_add_packets(lab, &ends);
    fragments_add_losses(lab, &ends, loss);
    result_why(lab, "On a way with shorter packets IP cuts a datagram into "
                    "fragments, and if one of them is lost, all is lost. TCP "
                    "cuts its stream to fit (MSS), and sends again only the "
                    "piece that is missing.");
    free(data);
}
