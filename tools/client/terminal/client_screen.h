/*
 * client_screen - the line being typed and the messages above it.
 *
 * libedit does the editing and the drawing. It is run unbuffered: el_wgets()
 * treats one key and comes back. To show a message the line being typed is
 * erased, from its first row to the end of the screen, and drawn again below;
 * libedit keeps its text meanwhile. That needs to know on which row of it the
 * cursor stands: rows_above() counts as libedit wraps.
 */
#ifndef CLIENT_SCREEN_H
#define CLIENT_SCREEN_H

#include <histedit.h>

#include "client/terminal/client_keys.h"
#include "client/terminal/client_terminal.h"

#define SCREEN_PROMPT "> " /* one column each */

struct terminal {
    struct terminal_user user;
    EditLine *editor;
    HistoryW *history;
    struct client_buffer typed; /* keys not dealt with yet */
    wchar_t key[KEY_MAX];       /* the one libedit reads now */
    int key_len, key_at;
    bool has_enter, has_end;
    unsigned tail; /* the row above ends here, without a line end; 0: it
                      does not */
};

/* The typed line is finished: it stays on the screen, and an empty one begins
   below. libedit has forgotten it already. */
void client_screen_enter(struct terminal *terminal, struct pg_bytes line);

#endif
