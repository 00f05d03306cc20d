/*
 * client_terminal - the line being typed, below the messages.
 *
 *   client_terminal.c  from keys to a line
 *   client_keys.c      which bytes are a key
 *   client_screen.c    where the line is, and the messages above it
 *   client_mode.c      raw mode
 *   client_text.c      bytes made readable
 */
#ifndef CLIENT_TERMINAL_H
#define CLIENT_TERMINAL_H

#include "client/terminal/client_text.h"

struct terminal;

/* For whom lines are edited; `arg` is given to the functions. */
struct terminal_user {
    /* A line was typed, without its end. */
    void (*take_line)(struct pg_bytes line, void *arg);
    /* The end of input was typed; may call terminal_stop(). */
    void (*take_end)(void *arg);
    /* True: nothing that is typed from here on matters. */
    bool (*is_leaving)(void *arg);
    struct client_view *view; /* through which messages are shown */
    void *arg;
};

/* How wide the terminal on stdout is, in columns; 80 where there is none. */
unsigned terminal_columns(void);

/* Starts to edit lines. NULL: this terminal cannot; read plain lines. */
struct terminal *terminal_start(const struct terminal_user *user);
/* Gives the terminal back as it was. Accepts NULL. */
void terminal_stop(struct terminal *terminal);
/* Takes bytes that were typed. */
void terminal_typed(struct terminal *terminal, struct pg_bytes bytes);
/* Shows text above the line being typed; it need not end with a line. */
void terminal_print(struct terminal *terminal, struct pg_bytes text);
/* Takes the line being typed off the screen and puts it back, for others to
   write in between. The cursor is at the start of an empty row. */
void terminal_hide(struct terminal *terminal);
void terminal_show(struct terminal *terminal);
/* Draws the line anew, for the window has another size. */
void terminal_redraw(struct terminal *terminal);
/* Draws the line on a row of its own, for the program was stopped and goes
   on. */
void terminal_continue(struct terminal *terminal);

#endif
