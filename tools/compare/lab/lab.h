/*
 * run - one experiment being run, and what it may use: the playground's own
 * server, sockets, the settings of the command line, a clock, chance.
 *
 *     static void boundaries_run(struct run *run)
 *     {
 *         struct server *server = run_server(run, json_pack(...));
 *         int tcp = run_connect(run, server, SIDE_TCP);
 *         ...
 *         result_row(run, "reads", "reads of the server", "reads",
 *                    value_count(1), value_count(5));
 *     }
 *
 * Nothing needs to be released: the process ends with the experiment. What
 * goes wrong ends it too, by run_fail(), with a message for the person who
 * typed the command; functions here that can fail do so by themselves.
 */
#ifndef LAB_H
#define LAB_H

#include <netinet/in.h>
#include <stdint.h>

#include <jansson.h>

#include <playground/handler.h>

#include "compare/lab/experiment.h"
#include "compare/report/result.h"

struct server; /* a `playground run` */
struct wire;   /* see ../wire/wire.h */

/* ---- the command line ------------------------------------------------- */

/* What was given, or `fallback`. Only for the settings which the experiment
   declares; the value used becomes part of the result. */
double run_setting(struct run *run, enum setting which, double fallback);

/* Whether any of these, SETTING(...) or-ed together, was given. */
bool run_is_given(const struct run *run, unsigned settings);

uint64_t run_seed(const struct run *run);
/* The next of the numbers that belong to this seed, at least 0, less than 1. */
double run_random(struct run *run);

/* ---- ends and progress ------------------------------------------------ */

/* The experiment could not be run: says why, and ends it. */
void run_fail(struct run *run, const char *format, ...) PG_PRINTF(2, 3)
    __attribute__((noreturn));
/* `what` failed, errno says how. */
void run_fail_errno(struct run *run, const char *what)
    __attribute__((noreturn));

/* Where it is, for those who wait: "loss 5 %". */
void run_progress(struct run *run, const char *format, ...) PG_PRINTF(2, 3);

/* A folder of its own, removed afterwards. */
const char *run_folder(const struct run *run);

/* ---- time ------------------------------------------------------------- */

/* Of the monotonic clock. */
double run_now_ms(void);
void run_sleep_ms(double ms);

/* ---- the server ------------------------------------------------------- */

/*
 * Starts `playground run` on this config (stolen) and waits until it is ready.
 * Every transport in it gets port 0 unless it names one. Its output is read by
 * the functions below, and shown if it fails.
 *
 * It starts in the network namespace of the caller.
 */
struct server *run_server(struct run *run, json_t *config);

/* The server most experiments want: tcp and udp, a log for server_event(), and
   behind it this handler, or none (NULL). */
struct server *run_log_server(struct run *run, const char *handler);

/* How it may differ from that. */
struct server_how {
    struct wire *wire; /* it stands at the right end of it; NULL: here */
    bool is_whole;     /* guard and workers, not one process for all */
};

struct server *run_server_as(struct run *run, json_t *config,
                             const struct server_how *how);

/* Where it listens, the first listener of that side. */
struct sockaddr_in server_address(const struct server *server, enum side side);
pid_t server_pid(const struct server *server);

/* The next line that a `log` with "format": "json" writes about this event
   ("open", "recv", "send", "close"; NULL: any); lines about others are passed
   over. NULL when none comes within limit_ms. The caller frees it. */
json_t *server_event(struct server *server, const char *event, int limit_ms);

/* Throws away what it prints from now on, so that a chatty one need not wait
   for us to read. */
void server_mute(struct run *run, struct server *server);

/* SIGSTOP and SIGCONT: a server that is busy for a while, without guessing
   how long a moment is. Returns when it has stopped. */
void server_pause(struct server *server);
void server_resume(struct server *server);

/* Sends the signal and waits for the end; the wait status of waitpid(). */
int server_stop(struct server *server, int signal);

/* ---- sockets ---------------------------------------------------------- */

/* A socket that blocks, for reads at most 5 s (then EAGAIN). */
int run_socket(struct run *run, enum side side);
/* The same, connected to the server. */
int run_connect(struct run *run, const struct server *server, enum side side);
/* All of it, however often that has to be tried; failing that, run_fail(). */
void run_send(struct run *run, int fd, const void *data, size_t len);

/* Waits until there is something to read (or an error, or the end). */
bool run_is_readable(int fd, int limit_ms);
/* Exactly so many bytes of a stream, or one datagram of that length; failing
   that, run_fail(). */
void run_recv(struct run *run, int fd, void *data, size_t len);

/* ---- figures ---------------------------------------------------------- */

/* Of values, which it sorts; at least one. */
double run_median(double *values, size_t count);

#endif
