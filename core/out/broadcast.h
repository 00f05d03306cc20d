/*
 * broadcast - messages to all sessions of a listener but one.
 *
 * Many messages of one turn that go to the same sessions are gathered, one
 * behind the other in one block, and put into the queues together: at the end
 * of the turn, or before anything else is queued for one of these sessions or
 * one comes or goes. So a message costs each receiver next to nothing.
 */
#ifndef BROADCAST_H
#define BROADCAST_H

#include "state/mark.h"

/* Sends to every open session of the listener but number `except`. 0, or
   -ENOBUFS: the heap is full, counted. */
int broadcast_push(struct pg_listener *listener, struct pg_bytes bytes,
                   uint64_t except, enum pg_slow slow, unsigned place);

/* Is this session one that a broadcast reaches? */
bool broadcast_reaches(const struct pg_session *session,
                       const struct pg_listener *listener, uint64_t except,
                       unsigned place);

/* Puts what is gathered into the queues: if it is for this session, all of this
   listener's, or all there is. */
void broadcast_before(const struct pg_session *session);
void broadcast_deliver(struct pg_listener *listener);
void broadcast_deliver_all(void);

/* After core_attach(): there may be something gathered. */
void broadcast_find(void);

#endif
