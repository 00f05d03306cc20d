/* The forwarder: a loop over two ports, two lanes and the requests. */
#include "wire/link/forwarder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "wire/link/lane.h"
#include "wire/link/pcap.h"

#define BATCH        64 /* packets from one port before the other's turn */
#define PACKET_BYTES 65536

struct forwarder {
    struct port *ports;   /* by side */
    struct lane lanes[2]; /* by the side that sends */
    FILE *capture;        /* or NULL */
    const char *capture_path;
    int control;
    uint8_t packet[PACKET_BYTES];
};

static uint64_t forwarder_clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t forwarder_now_ns(void)
{
    return forwarder_clock_ns(CLOCK_MONOTONIC);
}

/* ---- capture ---------------------------------------------------------- */

static void forwarder_end_capture(struct forwarder *forwarder, bool is_complete)
{
    if (!forwarder->capture)
        return;
    if (fclose(forwarder->capture) != 0)
        is_complete = false;
    if (!is_complete)
        text_print(stderr,
                   "wire: %s: %s; the capture ends here, the link goes on\n",
                   forwarder->capture_path, strerror(errno));
    forwarder->capture = NULL;
}

static void forwarder_capture(struct forwarder *forwarder, size_t len)
{
    if (forwarder->capture &&
        !pcap_write(forwarder->capture, forwarder->packet, len,
                    forwarder_clock_ns(CLOCK_REALTIME)))
        forwarder_end_capture(forwarder, false);
}

/* ---- packets ---------------------------------------------------------- */

static void forwarder_deliver(struct forwarder *forwarder, enum wire_side from)
{
    struct lane *lane = &forwarder->lanes[from];
    struct lane_packet *packet;
    uint64_t now = forwarder_now_ns();

    while ((packet = lane_take(lane, now))) {
        bool is_taken =
            port_write(&forwarder->ports[!from], packet->bytes, packet->len);

        lane_delivered(lane, packet, is_taken, now);
        now = forwarder_now_ns();
    }
}

/* True: there may be more. */
static bool forwarder_take_in(struct forwarder *forwarder, enum wire_side from)
{
    for (unsigned i = 0; i < BATCH; i++) {
        ssize_t got = port_read(&forwarder->ports[from], forwarder->packet,
                                sizeof(forwarder->packet));

        if (got < 0)
            return false;
        if (lane_send(&forwarder->lanes[from], forwarder->packet, (size_t)got,
                      forwarder_now_ns()))
            forwarder_capture(forwarder, (size_t)got);
        forwarder_deliver(forwarder, from);
    }
    return true;
}

/* ---- requests --------------------------------------------------------- */

static void forwarder_count(struct forwarder *forwarder,
                            struct wire_counts counts[2])
{
    for (int from = WIRE_LEFT; from <= WIRE_RIGHT; from++) {
        uint64_t before = port_dropped_from(&forwarder->ports[from]);
        uint64_t behind = port_dropped_to(&forwarder->ports[!from]);

        counts[from] = forwarder->lanes[from].counts;
        counts[from].packets += before;
        counts[from].overrun += before + behind;
        counts[from].delivered -= behind;
    }
}

static void forwarder_answer(struct forwarder *forwarder,
                             const struct forwarder_request *request)
{
    struct forwarder_reply reply = {.is_done = true};
    struct lane *lanes = forwarder->lanes;

    switch (request->ask) {
    case FORWARDER_COUNTS:
        forwarder_count(forwarder, reply.counts);
        break;
    case FORWARDER_DROP:
        reply.is_done =
            impairment_drop(&lanes[request->from].impairment, request->nth);
        break;
    case FORWARDER_IMPAIR:
        impairment_change(&lanes[WIRE_LEFT].impairment, &request->to_right);
        impairment_change(&lanes[WIRE_RIGHT].impairment, &request->to_left);
        break;
    }
    send(forwarder->control, &reply, sizeof(reply), MSG_NOSIGNAL);
}

/* False: who asked is gone. */
static bool forwarder_serve(struct forwarder *forwarder)
{
    struct forwarder_request request;
    ssize_t got = recv(forwarder->control, &request, sizeof(request), 0);

    if (got == sizeof(request))
        forwarder_answer(forwarder, &request);
    return got > 0 || (got < 0 && errno == EINTR);
}

/* ---- the loop --------------------------------------------------------- */

static void forwarder_sleep_until(struct forwarder *forwarder,
                                  struct pollfd fds[3], uint64_t when_ns)
{
    uint64_t now = forwarder_now_ns(),
             left_ns = when_ns > now ? when_ns - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left_ns / 1000000000),
                               .tv_nsec = (long)(left_ns % 1000000000)};

    /* A reader of the growing capture finds it whole. */
    if (left_ns > 0 && forwarder->capture && fflush(forwarder->capture) != 0)
        forwarder_end_capture(forwarder, false);
    if (ppoll(fds, 3, when_ns == UINT64_MAX ? NULL : &timeout, NULL) < 0)
        for (int i = 0; i < 3; i++)
            fds[i].revents = 0;
}

static void forwarder_loop(struct forwarder *forwarder)
{
    struct pollfd fds[3] = {
        {.fd = forwarder->ports[WIRE_LEFT].fd, .events = POLLIN},
        {.fd = forwarder->ports[WIRE_RIGHT].fd, .events = POLLIN},
        {.fd = forwarder->control, .events = POLLIN},
    };
    bool is_busy = false;

    for (;;) {
        uint64_t left = lane_next_ns(&forwarder->lanes[WIRE_LEFT]);
        uint64_t right = lane_next_ns(&forwarder->lanes[WIRE_RIGHT]);

        forwarder_sleep_until(forwarder, fds,
                              is_busy        ? 0
                              : left < right ? left
                                             : right);
        is_busy = false;
        for (int side = WIRE_LEFT; side <= WIRE_RIGHT; side++) {
            if (fds[side].revents)
                is_busy |= forwarder_take_in(forwarder, side);
            forwarder_deliver(forwarder, side);
        }
        if (fds[2].revents && !forwarder_serve(forwarder))
            return;
    }
}

/* ---- the process ------------------------------------------------------ */

/* Ctrl-C is for the commands: the link stays until they have said goodbye. */
static void forwarder_ignore_signals(void)
{
    static const int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        signal(numbers[i], SIG_IGN);
}

static int forwarder_by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* A socket of the caller that stayed open here would never be closed. */
static void forwarder_close_others(const struct forwarder *forwarder)
{
    const struct port *ports = forwarder->ports;
    int keep[] = {
        STDERR_FILENO,
        forwarder->control,
        ports[0].fd,
        ports[1].fd,
        ports[0].end_figures,
        ports[1].end_figures,
        ports[0].hub_figures,
        ports[1].hub_figures,
        forwarder->capture ? fileno(forwarder->capture) : -1,
    };
    size_t count = sizeof(keep) / sizeof(*keep);
    int next = 0;

    qsort(keep, count, sizeof(*keep), forwarder_by_number);
    for (size_t i = 0; i < count; i++) {
        if (keep[i] > next)
            close_range((unsigned)next, (unsigned)keep[i] - 1, 0);
        if (keep[i] >= next)
            next = keep[i] + 1;
    }
    close_range((unsigned)next, ~0u, 0);
}

_Noreturn void forwarder_run(struct port ports[2],
                             const struct wire_options *options, FILE *capture,
                             int control)
{
    static struct forwarder forwarder;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_TIMERSLACK, 1);
    prctl(PR_SET_NAME, "wire-forwarder");
    forwarder_ignore_signals();
    forwarder.ports = ports;
    forwarder.capture = capture;
    forwarder.capture_path = options->pcap;
    forwarder.control = control;
    lane_init(&forwarder.lanes[WIRE_LEFT], &options->to_right, options->seed,
              WIRE_LEFT);
    lane_init(&forwarder.lanes[WIRE_RIGHT], &options->to_left, options->seed,
              WIRE_RIGHT);
    forwarder_close_others(&forwarder);
    forwarder_loop(&forwarder);
    forwarder_end_capture(&forwarder, true);
    _exit(0);
}
