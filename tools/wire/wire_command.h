/*
 * wire_command - `playground wire`: two commands at the two ends of a wire.
 *
 *   wire_command.c  from the first to the last step
 *   wire_jobs.c     the commands: their start, their end, our signals
 *   server_lines.c  reads what a server at the right end prints
 *   summary.c       the counters, at the end
 */
#ifndef WIRE_COMMAND_H
#define WIRE_COMMAND_H

#include "wire/wire_command_line.h"

/* ---- server_lines.c --------------------------------------------------- */

/* The stdout of `playground run`. */
struct server_lines {
    int fd;          /* -1: no server was started, or it has closed it */
    char url[192];   /* of the first listener */
    bool is_ready;   /* "ready" was read */
    char text[1024]; /* a line whose end has not come */
    size_t len;
};

/* Reads what is there, and shows it on stderr. */
void server_lines_read(struct server_lines *lines);

/* ---- wire_jobs.c ------------------------------------------------------ */

struct wire_jobs {
    struct wire *wire;
    pid_t pids[2]; /* by side; 0: not started, or it has ended */
    int statuses[2];
    struct server_lines server;
    int log;             /* for what the right command prints */
    int signals;         /* a signalfd */
    int stop_signal;     /* that we were sent; or 0 */
    unsigned interrupts; /* Ctrl-C at the terminal, which LEFT has seen too */
};

/* Where the right command's output goes: stdout belongs to the left one. NULL:
   to stderr. It may wait for a reader, so it comes before wire_jobs_init(). -1
   after saying why not. */
int wire_jobs_open_log(const char *path);
/* From now on signals are waited for. False after saying why not. */
bool wire_jobs_init(struct wire_jobs *jobs, struct wire *wire, int log);
/* Closes the log, too. */
void wire_jobs_finish(struct wire_jobs *jobs);
/* A signal has told us to end. */
bool wire_jobs_is_told(const struct wire_jobs *jobs);
/* Waits until stderr takes something. False: it does not, and a signal has come
   that leaves no time for words. */
bool wire_jobs_may_say(struct wire_jobs *jobs);

/* Starts one of the two. False after saying why not. */
bool wire_jobs_start_right(struct wire_jobs *jobs,
                           const struct wire_command_line *line);
bool wire_jobs_start_left(struct wire_jobs *jobs,
                          const struct wire_command_line *line);
/* Sleeps until something has happened: an end, a signal, a line. */
void wire_jobs_wait(struct wire_jobs *jobs, int ms);
bool wire_jobs_is_running(const struct wire_jobs *jobs, enum wire_side side);
/* The status as a shell has it: 128 + N after signal N. */
int wire_jobs_status(const struct wire_jobs *jobs, enum wire_side side);
/* Tells the command to end, and kills it when it does not. */
void wire_jobs_stop(struct wire_jobs *jobs, enum wire_side side);
/* Ends what the commands have started and left behind. */
void wire_jobs_clear(void);

#endif
