/* Makes fit to wait what the kernel did not take. */

#include "out/queue_settle.h"

#include <string.h>

/* A block that many sessions share is kept for a piece of it only if that is
   long, and much of the block. Less moves to a block of the session's own, so
   that no block is pinned for a little of it. */
#define SHARED_LEAST 4096u

/* A stream's own blocks grow with its queue, up to the size of a stage. */
#define OWN_LEAST 256u
#define OWN_MOST  (64u * 1024)

static bool queue_settle_may_stay(const struct range *range)
{
    return range->block && range->len >= SHARED_LEAST &&
           (uint64_t)range->len * 4 >= block_at(range->block)->used;
}

/* A block with room for what will come behind, or, where that is not to be had,
   for these bytes alone. 0: the heap is full. */
static uint32_t queue_settle_make(const struct pg_session *session, size_t len)
{
    size_t size = OWN_LEAST;
    uint32_t block = 0;

    if (!session_is_stream(session))
        return block_make(len);
    if (session->settled)
        size = 2 *
               heap_size(&core->arena, piece_at(session->settled)->range.block);
    if (size > OWN_MOST)
        size = OWN_MOST;
    if (size > core->queue_most / 2)
        size = core->queue_most / 2;
    if (size > len + sizeof(struct block))
        block = block_make(size - sizeof(struct block));
    return block ? block : block_make(len);
}

/* False: there is no memory, and the read buffer will not keep the bytes. */
static bool queue_settle_alone(const struct pg_session *session,
                               struct range *range)
{
    uint32_t block;

    if (queue_settle_may_stay(range))
        return true;
    block = queue_settle_make(session, range->len);
    if (!block)
        return range->block != 0;
    block_count(block);
    memcpy((uint8_t *)block_at(block) + sizeof(struct block), range_data(range),
           range->len);
    block_at(block)->used += range->len;
    block_release(range->block);
    range->block = block;
    range->offset = sizeof(struct block);
    return true;
}

/* Behind what was settled before, if that is in a block of this session's own
   with room: else each word for a peer that does not read would take a block
   and a piece. Only streams, which have no bounds to keep. */
static bool queue_settle_behind(struct pg_session *session, struct piece *piece)
{
    struct range *settled;
    struct block *block;

    if (!session->settled || !session_is_stream(session))
        return false;
    settled = &piece_at(session->settled)->range;
    block = block_at(settled->block);
    if (block->refs != 1 || settled->offset + settled->len != block->used ||
        heap_size(&core->arena, settled->block) - block->used <
            piece->range.len)
        return false;
    memcpy((uint8_t *)block + block->used, range_data(&piece->range),
           piece->range.len);
    block->used += piece->range.len;
    settled->len += piece->range.len;
    return true;
}

/* The piece behind the settled one has become part of it. */
static void queue_settle_take_out(struct pg_session *session, uint32_t number)
{
    piece_at(session->settled)->next = piece_at(number)->next;
    if (session->tail == number)
        session->tail = session->settled;
    block_release(piece_at(number)->range.block);
    piece_give(number, number);
}

void queue_settle(struct pg_session *session)
{
    uint32_t number =
        session->settled ? piece_at(session->settled)->next : session->head;

    while (number) {
        struct piece *piece = piece_at(number);
        uint32_t next = piece->next;

        if (queue_settle_behind(session, piece)) {
            queue_settle_take_out(session, number);
        } else if (queue_settle_alone(session, &piece->range)) {
            session->settled = number;
        } else {
            queue_clear(session);
            queue_no_room(session);
            return;
        }
        number = next;
    }
}
