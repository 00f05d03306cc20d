/* A TCP connection that sends as much as it may. */

#include "compare/tools/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "compare/tools/tcp_figures.h"

#define SAMPLE_MS      100
#define DATAGRAM_BYTES 1200
#define SEND_BYTES     65536

bool flow_start(struct lab *lab, struct flow *flow, const struct server *server,
                const char *congestion)
{
    struct sockaddr_in to = server_address(server, SIDE_TCP);

    *flow = (struct flow){.fd = lab_socket(lab, SIDE_TCP)};
    if (!tcp_set_congestion(flow->fd, congestion)) {
        int error = errno;

        close(flow->fd);
        errno = error;
        return false;
    }
    if (connect(flow->fd, (struct sockaddr *)&to, sizeof(to)) ||
        fcntl(flow->fd, F_SETFL, O_NONBLOCK))
        lab_fail_errno(lab, "connect to the server");
    flow->begin_ms = lab_now_ms();
    return true;
}

/* ---- sampling --------------------------------------------------------- */

/* While it sends. */
struct sending {
    struct lab *lab;
    struct flow *flow;
    const struct flow_flood *flood;
    double begin_ms, sampled_ms;
    uint64_t datagrams;
    double delivered; /* bytes of datagrams, at the last sample */
};

static double flow_delivered(const struct sending *sending)
{
    const struct flow_flood *flood = sending->flood;

    return flood ? flood->delivered(flood->arg) : 0;
}

static void flow_sample(struct sending *sending)
{
    struct flow *flow = sending->flow;
    double now = lab_now_ms(), ms = now - sending->sampled_ms, tcp, udp;
    struct tcp_figures figures;

    if (ms < SAMPLE_MS)
        return;
    if (!tcp_figures_get(flow->fd, &figures))
        lab_fail(sending->lab, "this kernel's TCP_INFO is too old");
    tcp = (double)(figures.bytes_acked - flow->acked);
    flow->acked = figures.bytes_acked; /* flow_delivered() looks at it */
    udp = fmax(flow_delivered(sending), sending->delivered);
    flow->samples =
        must_grow(flow->samples, flow->count, sizeof(*flow->samples));
    flow->samples[flow->count++] = (struct flow_sample){
        .s = (now - flow->begin_ms) / 1e3,
        .mbit_s = 8e-3 * tcp / ms,
        .udp_mbit_s = 8e-3 * (udp - sending->delivered) / ms,
        .rtt_ms = figures.rtt_ms,
        .window = figures.window,
    };
    flow->mss = figures.mss;
    sending->delivered = udp;
    sending->sampled_ms = now;
}

/* ---- sending ---------------------------------------------------------- */

static void flow_fill(const struct sending *sending)
{
    static const char bytes[SEND_BYTES];
    ssize_t sent;

    do
        sent = send(sending->flow->fd, bytes, sizeof(bytes), MSG_NOSIGNAL);
    while (sent > 0);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        lab_fail_errno(sending->lab, "send");
}

/* Sends what is due of the flood. A full queue of our own is no reason to wait:
   that is what a flood is. */
static void flow_send_flood(struct sending *sending)
{
    static const char bytes[DATAGRAM_BYTES];
    const struct flow_flood *how = sending->flood;
    double due;

    if (!how)
        return;
    due = (lab_now_ms() - sending->begin_ms) * how->mbit_s * 1e3 /
          (8 * DATAGRAM_BYTES);
    for (; (double)sending->datagrams < due; sending->datagrams++)
        if (send(how->fd, bytes, sizeof(bytes), MSG_DONTWAIT) < 0 &&
            errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
            lab_fail_errno(sending->lab, "send a datagram");
}

void flow_send(struct lab *lab, struct flow *flow, double seconds,
               const struct flow_flood *with)
{
    struct sending sending = {.lab = lab,
                              .flow = flow,
                              .flood = with,
                              .begin_ms = lab_now_ms(),
                              .sampled_ms = lab_now_ms()};
    double until = sending.begin_ms + 1e3 * seconds;
    const struct timespec turn = {.tv_nsec = with ? 1000000 : 10000000};

    sending.delivered = flow_delivered(&sending);
    while (lab_now_ms() < until) {
        struct pollfd fd = {.fd = flow->fd, .events = POLLOUT};

        ppoll(&fd, 1, &turn, NULL);
        if (fd.revents)
            flow_fill(&sending);
        flow_send_flood(&sending);
        flow_sample(&sending);
    }
}

void flow_stop(struct flow *flow)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};

    setsockopt(flow->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(flow->fd);
}

double flow_rtt_ms(const struct flow *flow, double from_s)
{
    double sum = 0, count = 0;

    for (size_t i = 0; i < flow->count; i++)
        if (flow->samples[i].s >= from_s) {
            sum += flow->samples[i].rtt_ms;
            count++;
        }
    return count > 0 ? sum / count : 0;
}

double flow_goodput(const struct flow *flow, double from_s, double to_s)
{
    double sum = 0, count = 0;

    for (size_t i = 0; i < flow->count; i++)
        if (flow->samples[i].s >= from_s && flow->samples[i].s <= to_s) {
            sum += flow->samples[i].mbit_s;
            count++;
        }
    return count > 0 ? sum / count : 0;
}
