/*
 * command - `playground wire`: two commands at the two ends of a wire.
 *
 *   command.c       from the first to the last step
 *   commands.c      the commands: starting them, their ends, our signals
 *   server_lines.c  what a server at the right end prints
 */
#ifndef WIRE_COMMAND_H
#define WIRE_COMMAND_H

#include "wire/command_line.h"

/* ---- server_lines.c --------------------------------------------------- */

/* The stdout of `playground run`. */
struct server_lines {
    int fd;          /* -1: there is none (any more) */
    char url[192];   /* of the first listener */
    bool is_ready;   /* it has said so */
    char text[1024]; /* a line whose end has not come */
    size_t len;
};

/* Reads what is there, and shows it on stderr. */
void server_lines_read(struct server_lines *lines);

/* ---- commands.c ------------------------------------------------------- */

struct wire_commands {
    struct wire *wire;
    pid_t pids[2]; /* by side; 0: not started, or it has ended */
    int statuses[2];
    struct server_lines server;
    int signals;         /* a signalfd */
    int stop_signal;     /* we were sent; or 0 */
    unsigned interrupts; /* Ctrl-C at the terminal, which LEFT has seen too */
};

/* From now on signals are waited for. False: said. */
bool wire_commands_init(struct wire_commands *commands);
void wire_commands_finish(struct wire_commands *commands);

/* Starts one. False: said. */
bool wire_commands_start_right(struct wire_commands *commands,
                               const struct wire_command_line *line);
bool wire_commands_start_left(struct wire_commands *commands,
                              const struct wire_command_line *line);
/* Sleeps until something has happened: an end, a signal, a line. */
void wire_commands_wait(struct wire_commands *commands, int ms);
bool wire_commands_is_running(const struct wire_commands *commands,
                              enum wire_side side);
/* The status as a shell has it: 128 + N after signal N. */
int wire_commands_status(const struct wire_commands *commands,
                         enum wire_side side);
/* Tells it to end, and ends it when it does not. */
void wire_commands_stop(struct wire_commands *commands, enum wire_side side);
/* Ends what the commands have started and left behind. */
void wire_commands_clear(void);

#endif
