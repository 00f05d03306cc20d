/*
 * flush - the end of a turn: what is queued goes out.
 */
#ifndef FLUSH_H
#define FLUSH_H

#include "state/slot.h"

/* Sends what the sockets take, of every session that has something new. */
void flush_all(void);
/* A records socket takes bytes again. */
void flush_unblock(struct pg_listener *listener);
/* Who is gone does not wait for a socket: to be released in this turn. */
void flush_forget_gone(void);

#endif
