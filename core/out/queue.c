/* A session's queue: a list of pieces in the arena. */

#include "out/queue.h"

#include <errno.h>
#include <string.h>

#define SLAB_PIECES 256

/* Each record counts for so much beside its bytes: a piece and its block's
   header, though an empty one would take no room. */
#define RECORD_COST 32u

/* ---- pieces ----------------------------------------------------------- */

/* Pieces are carved out of heap blocks, a slab at a time, and used again. */
static bool queue_piece_slab(void)
{
    struct arena *arena = &core->arena;
    uint32_t slab = heap_alloc(arena, SLAB_PIECES * sizeof(struct piece));
    uint32_t first;

    if (!slab)
        return false;
    first = (slab - 1) * (HEAP_GRANULE / sizeof(struct piece)) + 1;
    for (uint32_t i = 0; i < SLAB_PIECES; i++) {
        piece_at(first + i)->next = arena->header->free_piece;
        arena->header->free_piece = first + i;
    }
    return true;
}

static uint32_t queue_piece_take(void)
{
    uint32_t number;

    if (!core->arena.header->free_piece && !queue_piece_slab())
        return 0;
    number = core->arena.header->free_piece;
    core->arena.header->free_piece = piece_at(number)->next;
    return number;
}

/* ---- a session's queue ------------------------------------------------ */

static uint32_t queue_cost(const struct pg_session *session, uint32_t len,
                           uint32_t size)
{
    return session_is_stream(session)
               ? len
               : len + RECORD_COST * records_in(len, size);
}

static void queue_account(struct pg_session *session, int64_t bytes)
{
    session->queued = (uint32_t)(session->queued + bytes);
    core->arena.header->queued += (uint64_t)bytes;
}

/* A run's records are of one size, only the last may be shorter, and none is
   empty. */
static bool queue_continues_run(const struct piece *last, uint32_t len,
                                uint32_t size)
{
    if (!len || !last->size || last->range.len % last->size)
        return false;
    return size == last->size || (len <= size && size < last->size);
}

/* The next bytes often follow the last ones in memory. */
static bool queue_extend_last(struct pg_session *session,
                              const struct range *range, uint32_t size)
{
    struct piece *last;

    if (!session->tail || session->tail == session->settled)
        return false;
    last = piece_at(session->tail);
    if (last->range.block != range->block ||
        last->range.offset + last->range.len != range->offset)
        return false;
    if (!session_is_stream(session) &&
        !queue_continues_run(last, range->len, size))
        return false;
    last->range.len += range->len;
    return true;
}

bool queue_append(struct pg_session *session, const struct range *range,
                  uint32_t size)
{
    uint32_t number;

    if (!queue_extend_last(session, range, size)) {
        number = queue_piece_take();
        if (!number)
            return false;
        *piece_at(number) = (struct piece){.range = *range, .size = size};
        if (range->block)
            block_at(range->block)->refs++;
        if (session->tail)
            piece_at(session->tail)->next = number;
        else
            session->head = number;
        session->tail = number;
    }
    queue_account(session, queue_cost(session, range->len, size));
    mark_dirty(session);
    return true;
}

void piece_give(uint32_t first, uint32_t last)
{
    piece_at(last)->next = core->arena.header->free_piece;
    core->arena.header->free_piece = first;
}

/* Takes the first piece off the queue. */
static void queue_pop_piece(struct pg_session *session)
{
    uint32_t number = session->head;
    const struct piece *piece = piece_at(number);

    queue_account(session,
                  -(int64_t)queue_cost(session, piece->range.len, piece->size));
    session->head = piece->next;
    if (session->tail == number)
        session->tail = 0;
    if (session->settled == number)
        session->settled = 0;
    block_release(piece->range.block);
    piece_give(number, number);
}

static void queue_pop_front(struct pg_session *session, uint32_t len,
                            uint32_t more)
{
    struct range *range = &piece_at(session->head)->range;

    range->offset += len;
    range->len -= len;
    queue_account(session, -(int64_t)(len + more));
}

void queue_pop_records(struct pg_session *session, uint32_t many)
{
    const struct piece *piece = piece_at(session->head);
    uint64_t bytes = (uint64_t)piece->size * many;

    if (bytes < piece->range.len)
        queue_pop_front(session, (uint32_t)bytes, RECORD_COST * many);
    else
        queue_pop_piece(session);
}

void queue_pop_bytes(struct pg_session *session, uint32_t len)
{
    while (session->head && len) {
        uint32_t first = piece_at(session->head)->range.len;

        if (len < first) {
            queue_pop_front(session, len, 0);
            return;
        }
        len -= first;
        queue_pop_piece(session);
    }
}

/* All at once is the usual case: what was queued has been sent. */
uint32_t queue_clear(struct pg_session *session)
{
    uint32_t bytes = session->queued;

    if (!session->head)
        return 0;
    for (uint32_t n = session->head; n; n = piece_at(n)->next)
        block_release(piece_at(n)->range.block);
    piece_give(session->head, session->tail);
    session->head = session->tail = session->settled = 0;
    queue_account(session, -(int64_t)bytes);
    return bytes;
}

void queue_drop(struct pg_session *session)
{
    uint64_t records = 0;

    for (uint32_t n = session->head; n; n = piece_at(n)->next)
        records += records_in(piece_at(n)->range.len, piece_at(n)->size);
    if (records && !session_is_stream(session))
        count_drops(session, "dropped: session is over", records);
    queue_clear(session);
}

int queue_no_room(struct pg_session *session)
{
    if (session_is_connection(session))
        session_abort(session, PG_WHY_LIMIT, "does not read what it is sent");
    else
        count_drops(session, "dropped: send queue full", 1);
    return -ENOBUFS;
}
