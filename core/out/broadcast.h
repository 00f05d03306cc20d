/*
 * broadcast - messages to all sessions of a listener but one, or to those of
 * them that are in a group.
 *
 * Many messages of one turn that go to the same sessions are gathered, one
 * behind the other in one block, and put into the queues together: at the end
 * of the turn, or before anything else is queued for one of these sessions or
 * one comes or goes. So a message costs each receiver next to nothing.
 */
#ifndef BROADCAST_H
#define BROADCAST_H

#include "state/mark.h"

/* The receivers on one listener, while what is sent is the same for all. Layers
   that declare .send_is_shared run once for them. */
struct audience {
    uint64_t except; /* the sender's session number */
    enum pg_slow slow;
    unsigned place; /* of the entry that sends: who has not opened it yet hears
                       nothing */
    uint32_t part;  /* what the listener has of a group, + 1, see member_find();
                       0: all sessions */
};

/* Sends to every open session of an audience. 0, or -ENOBUFS: the heap is full,
   counted. */
int broadcast_push(struct pg_listener *listener, struct pg_bytes bytes,
                   const struct audience *audience);

/* Those who may be in an audience, by slot; broadcast_reaches() says who of
   them is. To be given back, the last ones first. */
struct receivers {
    const uint32_t *slots;
    size_t count;
    size_t scratch_used; /* before */
};

struct receivers broadcast_receivers(const struct audience *audience);
void broadcast_forget(struct receivers receivers);
bool broadcast_reaches(const struct pg_session *session,
                       const struct pg_listener *listener,
                       const struct audience *audience);

/* Puts what is gathered into the queues: if it is for this session, all of this
   listener's, or all there is. */
void broadcast_before(const struct pg_session *session);
void broadcast_deliver(struct pg_listener *listener);
void broadcast_deliver_all(void);

/* After core_attach(): there may be something gathered. */
void broadcast_find(void);

#endif
