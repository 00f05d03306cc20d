/*
 * canary - a word behind each handler's state in a slot, which nobody may
 * write: a state that is larger than its .session_size does.
 *
 * A session is looked at once a turn, if a handler has asked for its state in
 * it. In a sanitizer build the words are poisoned as well, and a handler that
 * is built with it ends where it writes.
 */
#ifndef CANARY_H
#define CANARY_H

#include "state/slot.h"

/* Writes the words of a slot. */
void canary_fill(const struct pg_session *session);
/* Looks at the sessions that were noted since the last time. Where a word has
   changed it says whose it was, and ends the session. */
void canary_check_noted(void);

/* A handler has its state in hand: the session is to be looked at. */
static inline void canary_note(struct pg_session *session)
{
    if (session->flags & SESSION_NOTED)
        return;
    session->flags |= SESSION_NOTED;
    session->next_noted = core->noted;
    core->noted = session->slot + 1;
}

#endif
