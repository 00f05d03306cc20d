/*
 * end - a session's end as it is decided: with what is gathered for it still
 * delivered, and what is queued still sent. life.c carries it out.
 */
#ifndef END_H
#define END_H

#include "state/mark.h"

/* Marks it to end in turn_end(); the first reason counts. */
void session_end(struct pg_session *session, enum pg_end how, enum pg_why why,
                 const char *text);
/* Ends it if the peer has no more and everything is answered. */
void session_check_done(struct pg_session *session);
/* The queue is empty: half-closes or releases the session, as its flags say. */
void session_drained(struct pg_session *session);

#endif
