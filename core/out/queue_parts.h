/*
 * queue_parts - what queue.c, queue_send.c and queue_settle.c share.
 */
#ifndef QUEUE_PARTS_H
#define QUEUE_PARTS_H

#include "memory/heap.h"
#include "out/queue.h"
#include "state/counter.h"

/* Counted by the pieces (and the stage) that use it; data follows. */
struct block {
    uint32_t refs;
    uint32_t used; /* bytes staged so far */
};

/* Some bytes of a stream, or a run of records: one behind the other, of one
   size, the last may be shorter. */
struct piece {
    uint32_t next; /* its number, from 1; 0: none */
    struct range range;
    uint32_t size; /* of each record */
    uint32_t unused[3];
};

/* What each record counts for beside its bytes: a piece and its block's header,
   though an empty one would take no room. */
#define RECORD_COST 32u

static inline struct piece *piece_at(uint32_t number)
{
    return (struct piece *)(core->arena.base + core->arena.header->heap_at) +
           (number - 1);
}

static inline struct block *block_at(uint32_t block)
{
    return (struct block *)heap_at(&core->arena, block);
}

static inline const uint8_t *range_data(const struct range *range)
{
    if (range->block)
        return heap_at(&core->arena, range->block) + range->at;
    return core->arena.base + core->arena.header->read_at + range->at;
}

static inline bool is_stream(const struct pg_session *session)
{
    return session->flags & SESSION_STREAM;
}

static inline void count_drops(const struct pg_session *session,
                               const char *why, uint64_t many)
{
    counter_add((uint16_t)(COUNTER_LISTENER | session->listener), why, many);
}

/* A block with room for so many bytes; 0: the heap is full. */
uint32_t block_make(size_t bytes);

/* Gives back a chain of pieces that are in no queue any more. */
void piece_give(uint32_t first, uint32_t last);

/* Makes what could not be sent independent of the read buffer, and of blocks
   that it uses little of. */
void queue_settle(struct pg_session *session);
/* Takes `len` bytes off the front of a stream's queue. */
void queue_pop_bytes(struct pg_session *session, uint32_t len);
/* How many records of this size are in so many bytes; an empty one is one. */
static inline uint32_t records_in(uint32_t len, uint32_t size)
{
    return len > size ? (len + size - 1) / size : 1;
}

/* Takes so many of the first piece's records off. */
void queue_pop_records(struct pg_session *session, uint32_t many);
/* No room for what is to be sent: ends a stream, counts a record. -ENOBUFS. */
int queue_no_room(struct pg_session *session);
/* The stages may be used again from their start, if nobody needs them. */
void queue_reuse_stages(void);

#endif
