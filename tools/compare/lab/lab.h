/*
 * lab - one experiment being run, and what it may use: the playground's own
 * server, sockets, the settings of the command line, a clock, chance.
 *
 *     static void boundaries_run(struct lab *lab)
 *     {
 *         struct server *server = lab_server(lab, json_pack(...));
 *         int tcp = lab_connect(lab, server, SIDE_TCP);
 *         ...
 *         result_row(lab, "reads", "reads of the server", "reads",
 *                    value_count(1), value_count(5));
 *     }
 *
 * Nothing needs to be released: the process ends with the experiment. What
 * goes wrong ends it too, by lab_fail(), with a message for the person who
 * typed the command; functions here that can fail do so by themselves.
 */
#ifndef LAB_H
#define LAB_H

#include <netinet/in.h>
#include <stdint.h>

#include <jansson.h>

#include <playground/handler.h>

#include "compare/lab/experiment.h"
#include "compare/lab/result.h"

struct server; /* a `playground run` */
struct wire;   /* see ../wire/wire.h */

/* ---- the command line ------------------------------------------------- */

/* The value given, or `fallback`. Only for the settings which the experiment
   declares; the value used becomes part of the result. */
double lab_setting(struct lab *lab, enum setting which, double fallback);

/* Whether any of these, SETTING(...) or-ed together, was given. */
bool lab_is_given(const struct lab *lab, unsigned settings);

uint64_t lab_seed(const struct lab *lab);
/* The next of the numbers that belong to this seed, at least 0, less than 1. */
double lab_random(struct lab *lab);

/* ---- ends and progress ------------------------------------------------ */

/* The experiment could not be run: says why, and ends it. */
void lab_fail(struct lab *lab, const char *format, ...) PG_PRINTF(2, 3)
    __attribute__((noreturn));
/* `what` failed, errno says how. */
void lab_fail_errno(struct lab *lab, const char *what)
    __attribute__((noreturn));

/* Where it is, for those who wait: "loss 5 %". */
void lab_progress(struct lab *lab, const char *format, ...) PG_PRINTF(2, 3);

/* A folder of its own, removed afterwards. */
const char *lab_folder(const struct lab *lab);

/* So long is waited for what must come: a busy machine takes its time. */
#define LAB_LIMIT_MS 10000

/* ---- time ------------------------------------------------------------- */

/* Milliseconds of the monotonic clock. */
double lab_now_ms(void);
void lab_sleep_ms(double ms);

/* ---- a busy machine --------------------------------------------------- */

/* How late, at worst, a process came that had asked to be woken, since the
   experiment began: one that does nothing else, the forwarder of the link, or
   who has said so below. See result_check_timed(). */
double lab_late_ms(struct lab *lab);
/* A loop of the experiment came so late. */
void lab_note_late(struct lab *lab, double ms);

/* ---- the server ------------------------------------------------------- */

/*
 * Starts `playground run` on this config (stolen) and waits until it is ready.
 * Every transport in it gets port 0 unless it names one. Its output is read by
 * the functions below, and shown if it fails.
 *
 * It starts in the network namespace of the caller.
 */
struct server *lab_server(struct lab *lab, json_t *config);

/* The server most experiments want: tcp and udp, a log for server_event(), and
   behind it this handler, or none (NULL). */
struct server *lab_log_server(struct lab *lab, const char *handler);

/* How it may differ from that. */
struct server_how {
    struct wire *wire; /* it stands at the right end of it; NULL: here */
    bool is_whole;     /* guard and workers, not one process for all */
};

struct server *lab_server_as(struct lab *lab, json_t *config,
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
void server_mute(struct lab *lab, struct server *server);

/* SIGSTOP and SIGCONT: a server that is busy for a while, without guessing
   how long a moment is. Returns when it has stopped. */
void server_pause(struct server *server);
void server_resume(struct server *server);

/* Sends the signal and waits for the end; the wait status of waitpid(). */
int server_stop(struct server *server, int signal);

/* ---- sockets ---------------------------------------------------------- */

/* A socket that blocks, for reads at most LAB_LIMIT_MS (then EAGAIN). */
int lab_socket(struct lab *lab, enum side side);
/* A socket like that, connected to the server. */
int lab_connect(struct lab *lab, const struct server *server, enum side side);
/* All of it, however often that has to be tried; failing that, lab_fail(). */
void lab_send(struct lab *lab, int fd, const void *data, size_t len);

/* Waits until there is something to read (or an error, or the end). */
bool lab_is_readable(int fd, int limit_ms);
/* Exactly so many bytes of a stream, or one datagram of that length; failing
   that, lab_fail(). */
void lab_recv(struct lab *lab, int fd, void *data, size_t len);

/* ---- figures ---------------------------------------------------------- */

/* The median of values, which it sorts; at least one. */
double lab_median(double *values, size_t count);

#endif
