/* A session's queue: pieces in the arena, and the blocks behind them. */

#include "out/queue.h"

#include <errno.h>
#include <string.h>

#include "state/share.h"

#define STAGE_BYTES (64u * 1024)
#define SLAB_PIECES 256

/* What each record counts for beside its bytes: a piece and its block's header,
   though an empty one would take no room. */
#define RECORD_COST 32u

/* ---- pieces ----------------------------------------------------------- */

/* Pieces are carved out of heap blocks, a slab at a time, and used again. */
static bool piece_slab(void)
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

static uint32_t piece_take(void)
{
    uint32_t number;

    if (!core->arena.header->free_piece && !piece_slab())
        return 0;
    number = core->arena.header->free_piece;
    core->arena.header->free_piece = piece_at(number)->next;
    return number;
}

/* ---- blocks ----------------------------------------------------------- */

static void block_free(uint32_t block)
{
    uint32_t counted = block_at(block)->counted;

    heap_free(&core->arena, block);
    if (counted)
        share_queue(-(int64_t)counted);
}

void block_release(uint32_t block)
{
    if (block && --block_at(block)->refs == 0)
        block_free(block);
}

void block_count(uint32_t block)
{
    uint32_t size = (uint32_t)heap_size(&core->arena, block);

    block_at(block)->counted = size;
    share_queue(size);
}

uint32_t block_make(size_t bytes)
{
    uint32_t block = heap_alloc(&core->arena, sizeof(struct block) + bytes);

    if (block)
        *block_at(block) =
            (struct block){.refs = 1, .used = sizeof(struct block)};
    return block;
}

/* The stage is given up to the pieces that use it. */
static void stage_retire(uint32_t *stage)
{
    if (!*stage)
        return;
    if (block_at(*stage)->refs > 1) {
        heap_shrink(&core->arena, *stage, block_at(*stage)->used);
        block_count(*stage);
    }
    block_release(*stage);
    *stage = 0;
}

/* What many turns leave behind for peers that do not read cuts the heap into
   pieces; then a smaller stage has to do. */
static uint32_t stage_make(size_t least)
{
    size_t size = STAGE_BYTES - sizeof(struct block);
    uint32_t block;

    if (size < least)
        size = least;
    while (!(block = block_make(size)) && size > least)
        size = size / 2 > least ? size / 2 : least;
    return block;
}

static bool stage_room(uint32_t *stage, size_t len)
{
    if (*stage &&
        heap_size(&core->arena, *stage) - block_at(*stage)->used >= len)
        return true;
    stage_retire(stage);
    *stage = stage_make(len);
    return *stage != 0;
}

bool stage_copy(uint32_t *stage, struct pg_bytes bytes, struct range *range)
{
    struct block *block;

    if (!stage_room(stage, bytes.len))
        return false;
    core->has_staged = true;
    block = block_at(*stage);
    *range = (struct range){
        .block = *stage, .offset = block->used, .len = (uint32_t)bytes.len};
    if (bytes.len)
        memcpy((uint8_t *)block + block->used, bytes.data, bytes.len);
    block->used += (uint32_t)bytes.len;
    return true;
}

static void stage_reuse(uint32_t *stage)
{
    if (block_at(*stage)->refs == 1)
        block_at(*stage)->used = sizeof(struct block);
    else
        stage_retire(stage);
}

void stage_reuse_all(void)
{
    struct arena_header *header = core->arena.header;
    unsigned count = core->config->listener_count;

    core->has_staged = false;
    if (header->stage)
        stage_reuse(&header->stage);
    for (unsigned i = 0; i < count; i++)
        if (header->gathered[i].stage)
            stage_reuse(&header->gathered[i].stage);
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
        number = piece_take();
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

int queue_no_room(struct pg_session *session)
{
    if (session_is_stream(session))
        session_abort(session, PG_WHY_LIMIT, "does not read what it is sent");
    else
        count_drops(session, "dropped: send queue full", 1);
    return -ENOBUFS;
}
