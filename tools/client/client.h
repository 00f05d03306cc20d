/*
 * client - `playground client URL`: what the files of this command share.
 *
 *   client.c           the command: config, worker, signals, exit status
 *   client_options.c   the command line
 *   client_url.c       tcp://HOST:PORT, unix:PATH
 *   client_connect.c   the addresses of a name, one after the other
 *   client_session.c   the entries of the chain, and how a session goes
 *   client_input.c     stdin, in big reads or line by line
 *   client_out.c       stdout and stderr
 *   terminal/          the line being typed, and bytes made readable
 *
 * It runs in the loop of a worker of its own, with the server's own plugins:
 *
 *   tcp, udp, unix  -  [hex view]  -  [--framing ...]  -  what prints and sends
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <uv.h>

#include "client/client_url.h"
#include "client/terminal/client_terminal.h"
#include "config/config.h"
#include "outside/worker.h"
#include "places/problems.h"

#define CLIENT_FRAMINGS  8
#define CLIENT_ADDRESSES 8 /* of one name, tried one after the other */
#define CLIENT_SIGNALS   8

#define CLIENT_INTERRUPTED 130 /* exit status after Ctrl-C, as in a shell */

struct client_options {
    struct client_url url;
    const char *framings[CLIENT_FRAMINGS]; /* "length,size=2" */
    unsigned framing_count;
    const char *quit_word; /* "": none */
    uint64_t timeout_ms;   /* to connect */
    uint64_t wait_ms;      /* UDP: silence before we leave */
    bool is_hex, is_quiet;
};

enum client_stage {
    CLIENT_CONNECTING,
    CLIENT_OPEN,
    CLIENT_FINISHED, /* we have said all; answers may still come */
    CLIENT_CLOSED,   /* the session is over */
};

/* stdout; see client_out.c */
struct client_out {
    struct client_buffer pending; /* what it has not taken yet */
    struct client_view view;      /* when it is a terminal */
    bool is_terminal, is_error_terminal;
    bool is_pollable; /* a pipe, a socket, a terminal */
    bool is_pipe;
    bool is_broken;   /* nobody reads it any more */
    bool is_mid_line; /* what was written last had no line end */
    uv_poll_t poll;
};

/* stdin; see client_input.c */
struct client_input {
    struct client_buffer line; /* its end has not come yet */
    bool is_terminal;
    bool is_file;     /* cannot be polled: read in turns */
    bool is_by_line;  /* each line is one message */
    bool is_paused;   /* too much waits to be sent */
    bool is_skipping; /* the rest of a line that was too long */
    bool is_over;
    uv_poll_t poll;
    uv_check_t check; /* while paused: has the queue become short? */
};

struct client {
    struct client_options options;
    struct config *config;
    struct worker *worker;
    uv_loop_t *loop;

    struct pg_listener *listeners[CLIENT_ADDRESSES];
    unsigned address_count, address;          /* which one is tried or used */
    char address_text[CLIENT_ADDRESSES][128]; /* "tcp 127.0.0.1:5000" */
    struct pg_entry *entry;

    enum client_stage stage;
    uint64_t session; /* its number, from CLIENT_OPEN on */
    bool is_records;  /* each message whole; else a stream of bytes */
    bool has_begun;   /* stdin is read: this may be the second address */
    bool has_sent, has_heard;
    struct client_buffer unheard; /* lengths and datagrams for the next one */
    uint64_t unheard_lost;        /* datagrams that had no room there */
    bool is_pausing; /* the session is not read from: stdout is full */
    uint64_t lost;   /* datagrams that stdout was too slow for */
    bool must_connect, must_start; /* (to read stdin) in the next turn */
    bool is_leaving;
    bool has_stopped;
    int status;

    struct client_out out;
    struct client_input input;
    struct terminal *terminal; /* NULL: no line is edited */

    uv_idle_t turn;   /* what is to be done before the loop sleeps */
    uv_timer_t timer; /* to connect; later UDP's silence */
    uv_signal_t signals[CLIENT_SIGNALS];
    unsigned signal_count;
};

/* ---- client.c --------------------------------------------------------- */

/* Asks for a turn before the loop sleeps: it writes what is pending, and
   leaves if told to. */
void client_wake(struct client *client);
/* Ends the program with this status once stdout has taken everything. The
   first status that is not 0 counts. */
void client_leave(struct client *client, int status);
/* Ends the program without waiting for stdout. */
void client_leave_at_once(struct client *client, int status);

/* Watches stdin or stdout, which stays blocking: other programs may share it.
   UV_EPERM: a regular file or the like, which cannot be polled. */
int client_poll_init(struct client *client, uv_poll_t *poll, int fd);

/* ---- client_options.c ------------------------------------------------- */

/* Reads the command line. -1: go on; else the exit status: --help was given,
   or what is wrong has been said. */
int client_options_read(struct client_options *options, int argc, char **argv);
/* "length,size=2" -> "length" and {"size": 2}, both to be freed. False after
   writing into `error` what is wrong and, after a semicolon, what to do. */
bool client_framing_parse(const char *text, char **name, char **json,
                          char *error, size_t error_size);

/* ---- client_connect.c ------------------------------------------------- */

/* Adds a listener for each address of the host. 0, or the exit status after
   saying what is wrong. */
int client_connect_look_up(struct client *client);
/* Connects to the first address, within timeout_ms. */
void client_connect_start(struct client *client);
/* Connects to the address whose turn it is. */
void client_connect(struct client *client);
/* Tries the next address of the name in the next turn. False: it has none. */
bool client_connect_try_next(struct client *client);
/* "tcp 127.0.0.1:5000" */
const char *client_address(const struct client *client);

/* ---- client_session.c ------------------------------------------------- */

/* The client's own entries in the chain. */
extern const struct pg_handler client_handler;
extern const struct pg_handler client_hex_handler;
/* Names the client that the handlers work for; a program has one. */
void client_session_serve(struct client *client);
/* Starts to read stdin, or sends what the address before did not take. */
void client_session_begin(struct client *client);
/* Sends bytes, or one message. Returns how many bytes wait to be sent. */
size_t client_session_send(struct client *client, struct pg_bytes bytes);
size_t client_session_queued(struct client *client);
/* stdin has ended: says goodbye as far as the transport knows one. */
void client_session_finish(struct client *client);
/* stdout has taken bytes: reads from the server again if it had to stop. */
void client_session_resume(struct client *client);

/* ---- client_input.c --------------------------------------------------- */

void client_input_start(struct client *client);
/* Reads a piece of a file. True: there is more. */
bool client_input_turn(struct client *client);
void client_input_stop(struct client *client);

/* ---- client_out.c ----------------------------------------------------- */

void client_out_start(struct client *client);
/* Prints a message, or some bytes of a stream, on stdout. */
void client_out_message(struct client *client, struct pg_bytes bytes);
void client_out_hex(struct client *client, bool is_sent, struct pg_bytes bytes);
/* Shows what is wrong with the config, on stderr. */
void client_out_problems(struct client *client);
/* Writes what stdout takes without blocking. */
void client_out_flush(struct client *client);
/* Whether more is pending than should be: stop reading from the server. */
bool client_out_is_full(const struct client *client);
void client_out_finish(struct client *client);

/* A line on stderr: a note says what happens (not with --quiet), a complaint
   what went wrong. */
void client_note(struct client *client, const char *format, ...)
    PG_PRINTF(2, 3);
void client_complain(struct client *client, const char *format, ...)
    PG_PRINTF(2, 3);

#endif
