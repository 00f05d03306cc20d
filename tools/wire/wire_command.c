/* playground wire: two commands at the two ends of a wire, from the first step
   to the last. */

#include "wire/wire_command.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "commands.h"
#include "config/config.h"
#include "places/problems.h"
#include "wire/summary.h"

#define ANY_TIME_MS 1000 /* an event ends each wait; so long without one */
#define LISTEN_MS   5
#define GOODBYE_MS  10000
#define INTERRUPTS  3 /* Ctrl-C so often ends a command that takes no notice */

static uint64_t wire_command_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- before ----------------------------------------------------------- */

static int wire_command_check(void)
{
    char why[512];

    if (wire_is_possible(why, sizeof(why))) {
        printf("possible: %s\n", why);
        return 0;
    }
    text_print(stderr, "playground wire: %s\n", why);
    return 1;
}

static void wire_command_order_drops(struct wire *wire,
                                     const struct wire_command_line *line)
{
    for (int side = WIRE_LEFT; side <= WIRE_RIGHT; side++)
        for (unsigned i = 0; i < line->drop_counts[side]; i++)
            wire_drop_next(wire, side, line->drops[side][i]);
}

static void wire_command_say_right_failed(struct wire_jobs *jobs)
{
    int status = wire_jobs_status(jobs, WIRE_RIGHT);

    if (wire_jobs_may_say(jobs))
        text_print(stderr,
                   "playground wire: the right command ended with status %d\n",
                   status);
}

/* -1: the right end is ready for a client; else the exit status. */
static int wire_command_wait_for_right(struct wire_jobs *jobs,
                                       const struct wire_command_line *line)
{
    uint64_t limit = wire_command_now_ms() + (uint64_t)line->wait_ms;
    bool is_ready = false;
    int status;

    while (!is_ready && !wire_jobs_is_told(jobs) &&
           wire_jobs_is_running(jobs, WIRE_RIGHT)) {
        wire_jobs_wait(jobs, line->config ? ANY_TIME_MS : LISTEN_MS);
        is_ready = line->config ? jobs->server.is_ready
                                : wire_command_now_ms() >= limit ||
                                      wire_is_listening(jobs->wire, WIRE_RIGHT);
    }
    if (wire_jobs_is_told(jobs))
        return 130;
    if (is_ready)
        return -1;
    status = wire_jobs_status(jobs, WIRE_RIGHT);
    if (line->config)
        return status; /* the server has said why */
    if (status == 0)
        return -1;
    wire_command_say_right_failed(jobs);
    return 1;
}

/* ---- after ------------------------------------------------------------ */

static uint64_t wire_command_activity(struct wire *wire)
{
    struct wire_counts counts[2];

    wire_counts(wire, counts);
    return counts[0].packets + counts[0].delivered + counts[1].packets +
           counts[1].delivered;
}

static uint64_t wire_command_under_way(struct wire *wire)
{
    struct wire_counts counts[2];

    wire_counts(wire, counts);
    return wire_under_way(&counts[0]) + wire_under_way(&counts[1]);
}

static double wire_command_longest_ms(const struct wire_options *options)
{
    double right = options->to_right.delay_ms + options->to_right.jitter_ms;
    double left = options->to_left.delay_ms + options->to_left.jitter_ms;

    return right > left ? right : left;
}

/* How long a full queue takes. */
static double wire_command_queue_ms(const struct wire_direction *how)
{
    return how->rate_mbit ? (double)how->queue_bytes / (how->rate_mbit * 125)
                          : 0;
}

/* The last packets of the left command are still under way: the right one is
   stopped when the link has fallen silent. */
static void wire_command_wait_for_silence(struct wire_jobs *jobs,
                                          const struct wire_command_line *line)
{
    double silence =
        line->linger_ms + 4 * wire_command_longest_ms(&line->options);
    double most = silence + wire_command_queue_ms(&line->options.to_right) +
                  wire_command_queue_ms(&line->options.to_left) + GOODBYE_MS;
    uint64_t start = wire_command_now_ms(), since = start, before = UINT64_MAX;

    while (wire_jobs_is_running(jobs, WIRE_RIGHT) && !wire_jobs_is_told(jobs) &&
           (double)(wire_command_now_ms() - since) < silence &&
           (double)(wire_command_now_ms() - start) < most) {
        uint64_t seen = wire_command_activity(jobs->wire);

        if (seen != before || wire_command_under_way(jobs->wire))
            since = wire_command_now_ms();
        before = seen;
        wire_jobs_wait(jobs, 20);
    }
}

static void wire_command_wait_for_left(struct wire_jobs *jobs)
{
    bool is_right_running = true;

    while (wire_jobs_is_running(jobs, WIRE_LEFT)) {
        wire_jobs_wait(jobs, ANY_TIME_MS);
        if (is_right_running && !jobs->pids[WIRE_RIGHT] &&
            wire_jobs_status(jobs, WIRE_RIGHT))
            wire_command_say_right_failed(jobs);
        is_right_running = jobs->pids[WIRE_RIGHT] != 0;
        if (jobs->stop_signal || jobs->interrupts >= INTERRUPTS)
            wire_jobs_stop(jobs, WIRE_LEFT);
    }
}

static void wire_command_summarise(struct wire_jobs *jobs,
                                   const struct wire_command_line *line,
                                   uint64_t start_ms)
{
    struct summary summary = {
        .kind = wire_kind(jobs->wire),
        .options = &line->options,
        .seconds = (double)(wire_command_now_ms() - start_ms) / 1000,
    };

    bool is_known = wire_counts(jobs->wire, summary.counts);

    if (!wire_jobs_may_say(jobs))
        return;
    if (!is_known)
        text_print(stderr,
                   "playground wire: the forwarder has ended; what came "
                   "after that was lost\n");
    else if (line->is_json)
        summary_print_json(&summary, stderr);
    else
        summary_print(&summary, stderr);
}

/* A simulation has no sockets, and so nothing that could cross a link. A config
   that is wrong is for `run` to refuse. */
static bool wire_command_is_simulation(const char *path)
{
    struct problems *problems = problems_create(path);
    struct config *config = config_load(path, NULL, 0, NULL, problems);
    bool is_virtual = config && config_is_virtual(config);

    config_destroy(config);
    problems_destroy(problems);
    if (is_virtual)
        text_print(
            stderr,
            "playground wire: %s is a simulation, which needs no link; run "
            "it with `playground run %s`, its options have the loss and "
            "the delay\n",
            path, path);
    return is_virtual;
}

/* ---- all of it -------------------------------------------------------- */

static int wire_command_run(struct wire_jobs *jobs,
                            const struct wire_command_line *line)
{
    uint64_t start_ms = wire_command_now_ms();
    int status = 1;

    if (wire_jobs_start_right(jobs, line))
        status = wire_command_wait_for_right(jobs, line);
    if (status < 0) {
        status = 1;
        start_ms = wire_command_now_ms();
        if (wire_jobs_start_left(jobs, line)) {
            wire_command_wait_for_left(jobs);
            status = wire_jobs_status(jobs, WIRE_LEFT);
            wire_command_wait_for_silence(jobs, line);
            wire_jobs_stop(jobs, WIRE_RIGHT);
            wire_command_summarise(jobs, line, start_ms);
        }
    }
    wire_jobs_stop(jobs, WIRE_RIGHT);
    return status;
}

/* Steps that may wait (an open of a FIFO) come first, while a signal still ends
   the program as any other. */
static int wire_command_prepare(const struct wire_command_line *line,
                                struct wire_jobs *jobs)
{
    char error[512];
    int log = wire_jobs_open_log(line->log);
    struct wire *wire =
        log >= 0 ? wire_create(&line->options, error, sizeof(error)) : NULL;

    if (wire && wire_jobs_init(jobs, wire, log))
        return 0;
    if (log >= 0 && !wire)
        text_print(stderr, "playground wire: %s\n", error);
    wire_destroy(wire);
    if (log >= 0)
        close(log);
    return 1;
}

int cmd_wire(int argc, char **argv)
{
    static struct wire_command_line line;
    struct wire_jobs jobs;
    int status = wire_command_line_read(&line, argc, argv);

    if (status >= 0)
        return status;
    if (line.is_check)
        return wire_command_check();
    if (line.config && wire_command_is_simulation(line.config))
        return 2;
    if (wire_command_prepare(&line, &jobs))
        return 1;
    wire_command_order_drops(jobs.wire, &line);
    status = wire_command_run(&jobs, &line);
    wire_destroy(jobs.wire);
    wire_jobs_clear();
    wire_jobs_finish(&jobs);
    return status;
}
