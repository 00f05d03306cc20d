/*
 * queue - what waits to be sent to a session: a list of pieces in the arena.
 *
 * A piece is a range of a heap block that is counted by the pieces that use
 * it, or of the read buffer. Output is staged: copied once into the current
 * block, which many sessions may share (a broadcast), and sent at the end of
 * the turn. Only what the kernel did not take is kept, see queue_settle.c.
 *
 *   queue_push.c     what fits in, and what happens to the rest
 *   queue_send.c     a stream's, now; flush.c and batch.c at the end of a turn
 *   queue_settle.c   what could not be sent is made fit to wait
 *   queue.c          the list itself; stage.c the blocks behind it
 */
#ifndef QUEUE_H
#define QUEUE_H

#include "out/stage.h"
#include "state/counter.h"
#include "state/mark.h"

/* Some bytes of a stream, or a run of records: one behind the other, of one
   size, the last may be shorter. */
struct piece {
    uint32_t next; /* its number, from 1; 0: none */
    struct range range;
    uint32_t size; /* of each record */
    uint32_t unused[3];
};

static inline struct piece *piece_at(uint32_t number)
{
    return (struct piece *)(core->arena.base + core->arena.header->heap_at) +
           (number - 1);
}

/* How many records of this size are in so many bytes; an empty one is one. */
static inline uint32_t records_in(uint32_t len, uint32_t size)
{
    return len > size ? (len + size - 1) / size : 1;
}

static inline void count_drops(const struct pg_session *session,
                               const char *why, uint64_t many)
{
    counter_add(counter_of_listener(session->listener), why, many);
}

/* ---- the list ----------------------------------------------------------- */

/* Behind the last piece, as messages of `size` bytes, the last of which may be
   shorter. False: the heap is full. */
bool queue_append(struct pg_session *session, const struct range *range,
                  uint32_t size);
/* Takes `len` bytes off the front of a stream's queue. */
void queue_pop_bytes(struct pg_session *session, uint32_t len);
/* Takes so many of the first piece's records off. */
void queue_pop_records(struct pg_session *session, uint32_t many);
/* Throws away what waits. Returns how many bytes. */
uint32_t queue_clear(struct pg_session *session);
/* The same at a session's end: records are counted, a stream's peer sees its
   reset. */
void queue_drop(struct pg_session *session);
/* Gives back a chain of pieces that are in no queue any more. */
void piece_give(uint32_t first, uint32_t last);
/* No room for what is to be sent: ends a stream, counts a record. -ENOBUFS. */
int queue_no_room(struct pg_session *session);

#endif
