/*
 * life - what happens to a session, from the outside in: the one road by which
 * bytes come into the core, and the one by which a session leaves it.
 */
#ifndef LIFE_H
#define LIFE_H

#include "state/mark.h"

/* Takes a slot, from whom it may be taken: see room.h. NULL: there is none,
   counted. Runs no handler. */
struct pg_session *session_create(struct pg_listener *listener, int fd,
                                  const void *data);
/* The same for a peer of records that may not be who it seems. */
struct pg_session *session_create_stranger(struct pg_listener *listener,
                                           const void *data);
/* Runs open() of its entries, then watches its descriptor. */
void session_start(struct pg_session *session);

/* The descriptor of the session is readable, or writable. */
void session_readable(struct pg_session *session);
void session_writable(struct pg_session *session);
/* Takes in bytes or one record. */
void session_input(struct pg_session *session, struct pg_bytes in);
/* Records: one has come from a peer without a session. It gets one, and what
   the record earns may be sent in open() already. NULL: there is none. */
struct pg_session *session_meet(struct pg_listener *listener, const void *data,
                                struct pg_bytes in);

/* For turn_end(): ends the sessions that are to end. */
void session_close_marked(void);
/* At the start of a turn: lets those go on that may, each within its budget. */
void session_resume_marked(void);

/* Releases a session whose peer has everything, without waiting for its
   goodbye. */
void session_let_go(struct pg_session *session);
/* Closing sessions only: the peer took nothing for linger_ms. */
void session_timeout(struct pg_session *session);

#endif
