#include "out/queue_parts.h"

#include <errno.h>
#include <string.h>

#include "out/broadcast.h"
#include "state/counter.h"

#define STAGE_BYTES (64u * 1024)
#define SLAB_PIECES 256

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

void queue_release(uint32_t block)
{
    if (block && --block_at(block)->refs == 0)
        heap_free(&core->arena, block);
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
    if (block_at(*stage)->refs > 1)
        heap_shrink(&core->arena, *stage, block_at(*stage)->used);
    queue_release(*stage);
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

bool queue_stage(uint32_t *stage, struct pg_bytes bytes, struct range *range)
{
    struct block *block;

    if (!stage_room(stage, bytes.len))
        return false;
    core->has_staged = true;
    block = block_at(*stage);
    *range = (struct range){
        .block = *stage, .at = block->used, .len = (uint32_t)bytes.len};
    if (bytes.len)
        memcpy((uint8_t *)block + block->used, bytes.data, bytes.len);
    block->used += (uint32_t)bytes.len;
    return true;
}

static void stage_reuse(uint32_t *stage)
{
    if (!*stage)
        return;
    if (block_at(*stage)->refs == 1)
        block_at(*stage)->used = sizeof(struct block);
    else
        stage_retire(stage);
}

void queue_reuse_stages(void)
{
    core->has_staged = false;
    stage_reuse(&core->arena.header->stage);
    for (unsigned i = 0; i < core->config->listener_count; i++)
        stage_reuse(&core->arena.header->gathered[i].stage);
}

/* ---- a session's queue ------------------------------------------------ */

static uint32_t cost(const struct pg_session *session, uint32_t len,
                     uint32_t size)
{
    return is_stream(session) ? len : len + RECORD_COST * records_in(len, size);
}

static void account(struct pg_session *session, int64_t bytes)
{
    session->queued = (uint32_t)(session->queued + bytes);
    core->arena.header->queued += (uint64_t)bytes;
}

static void mark_dirty(struct pg_session *session)
{
    if (session->flags & SESSION_DIRTY)
        return;
    session->flags |= SESSION_DIRTY;
    session->next_dirty = core->dirty;
    core->dirty = session->slot + 1;
}

void queue_again(struct pg_session *session)
{
    mark_dirty(session);
}

/* A run's records are of one size, only the last may be shorter, and none is
   empty. */
static bool continues_run(const struct piece *last, uint32_t len, uint32_t size)
{
    if (!len || !last->size || last->range.len % last->size)
        return false;
    return size == last->size || (len <= size && size < last->size);
}

/* The next bytes often follow the last ones in memory. */
static bool extend_last(struct pg_session *session, const struct range *range,
                        uint32_t size)
{
    struct piece *last;

    if (!session->tail || session->tail == session->settled)
        return false;
    last = piece_at(session->tail);
    if (last->range.block != range->block ||
        last->range.at + last->range.len != range->at)
        return false;
    if (!is_stream(session) && !continues_run(last, range->len, size))
        return false;
    last->range.len += range->len;
    return true;
}

static bool append(struct pg_session *session, const struct range *range,
                   uint32_t size)
{
    uint32_t number;

    if (!extend_last(session, range, size)) {
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
    account(session, cost(session, range->len, size));
    mark_dirty(session);
    return true;
}

void piece_give(uint32_t first, uint32_t last)
{
    piece_at(last)->next = core->arena.header->free_piece;
    core->arena.header->free_piece = first;
}

/* Takes the first piece off the queue. */
static void pop_piece(struct pg_session *session)
{
    uint32_t number = session->head;
    const struct piece *piece = piece_at(number);

    account(session, -(int64_t)cost(session, piece->range.len, piece->size));
    session->head = piece->next;
    if (session->tail == number)
        session->tail = 0;
    if (session->settled == number)
        session->settled = 0;
    queue_release(piece->range.block);
    piece_give(number, number);
}

static void pop_front(struct pg_session *session, uint32_t len, uint32_t more)
{
    struct range *range = &piece_at(session->head)->range;

    range->at += len;
    range->len -= len;
    account(session, -(int64_t)(len + more));
}

void queue_pop_records(struct pg_session *session, uint32_t many)
{
    const struct piece *piece = piece_at(session->head);
    uint64_t bytes = (uint64_t)piece->size * many;

    if (bytes < piece->range.len)
        pop_front(session, (uint32_t)bytes, RECORD_COST * many);
    else
        pop_piece(session);
}

void queue_pop_bytes(struct pg_session *session, uint32_t len)
{
    while (session->head && len) {
        uint32_t first = piece_at(session->head)->range.len;

        if (len < first) {
            pop_front(session, len, 0);
            return;
        }
        len -= first;
        pop_piece(session);
    }
}

/* All at once is the usual case: what was queued has been sent. */
uint32_t queue_clear(struct pg_session *session)
{
    uint32_t bytes = session->queued;

    if (!session->head)
        return 0;
    for (uint32_t n = session->head; n; n = piece_at(n)->next)
        queue_release(piece_at(n)->range.block);
    piece_give(session->head, session->tail);
    session->head = session->tail = session->settled = 0;
    account(session, -(int64_t)bytes);
    return bytes;
}

/* ---- pushing ---------------------------------------------------------- */

static bool is_in_read_buffer(const uint8_t *data)
{
    const uint8_t *from = core->arena.base + core->arena.header->read_at;

    return data >= from && data < from + ARENA_HEADROOM + ARENA_READ_SIZE;
}

/* Records are staged all the same: so they become a run, which can leave as one
   message. */
static bool to_range(const struct pg_session *session, struct pg_bytes bytes,
                     struct range *range)
{
    if (!is_stream(session) || !is_in_read_buffer(bytes.data))
        return queue_stage(&core->arena.header->stage, bytes, range);
    *range = (struct range){
        .at = (uint32_t)(bytes.data -
                         (core->arena.base + core->arena.header->read_at)),
        .len = (uint32_t)bytes.len,
    };
    return true;
}

static bool fits(const struct pg_session *session, size_t len)
{
    const struct limits *limits = &core->config->limits;

    if (core->arena.header->queued + len > core->queued_most)
        return false;
    return session->queued == 0 ||
           session->queued + len <= (uint64_t)limits->session_queue_bytes;
}

static bool fits_after_flush(struct pg_session *session, size_t len)
{
    if (fits(session, len))
        return true;
    queue_flush_session(session);
    return fits(session, len);
}

/* What a spoofed first datagram may be answered with. */
static bool is_over_ratio(const struct pg_session *session, size_t len)
{
    return session->heard < 2 && len > session->credit &&
           session_listener(session)->transport->unverified_ratio;
}

/* What was sent while nobody could tell whether the peer is there. */
static void spend(struct pg_session *session, size_t len)
{
    if (session->heard < 2)
        session->credit -= len < session->credit ? len : session->credit;
}

/* What can be refused without looking at the queue. */
static int refuse(struct pg_session *session, size_t len)
{
    const struct pg_listener *listener = session_listener(session);
    size_t most = listener->transport->max_record;

    if (session->flags & SESSION_CLOSING ||
        (session->flags & SESSION_HALF_CLOSING && !session->late_out))
        return -ECANCELED;
    if (is_stream(session))
        return 0;
    if (most && len > most) {
        count_drops(session, "dropped: too long for one record", 1);
        return -EMSGSIZE;
    }
    if (is_over_ratio(session, len)) {
        count_drops(session, "dropped: peer not yet heard from twice", 1);
        return -EDQUOT;
    }
    return 0;
}

int queue_no_room(struct pg_session *session)
{
    if (is_stream(session))
        session_end(session, PG_END_ABORT, PG_WHY_LIMIT,
                    "does not read what it is sent");
    else
        count_drops(session, "dropped: send queue full", 1);
    return -ENOBUFS;
}

static void pushed(struct pg_session *session, size_t len)
{
    if (is_stream(session))
        return;
    spend(session, len);
    session_touch(session);
}

/* ---- a broadcast ------------------------------------------------------- */

static void too_slow(struct pg_session *session, enum pg_slow slow)
{
    if (slow == PG_SLOW_CLOSE && is_stream(session))
        session_end(session, PG_END_ABORT, PG_WHY_LIMIT, "reads too slowly");
    else
        count_drops(session, "dropped: reads too slowly", 1);
}

/* NULL: not a broadcast's. */
static int push_own(struct pg_session *session, struct pg_bytes bytes,
                    const enum pg_slow *slow)
{
    struct range range;
    int error = refuse(session, bytes.len);

    if (error || (bytes.len == 0 && is_stream(session)))
        return error;
    if (core->gathered)
        broadcast_before(session);
    if (!fits_after_flush(session, bytes.len) ||
        !to_range(session, bytes, &range) ||
        !append(session, &range, range.len)) {
        if (!slow)
            return queue_no_room(session);
        too_slow(session, *slow);
        return -ENOBUFS;
    }
    pushed(session, bytes.len);
    return 0;
}

int queue_push(struct pg_session *session, struct pg_bytes bytes)
{
    return push_own(session, bytes, NULL);
}

int queue_push_slow(struct pg_session *session, struct pg_bytes bytes,
                    enum pg_slow slow)
{
    return push_own(session, bytes, &slow);
}

static void push_one(struct pg_session *session, const struct range *range,
                     uint32_t size, enum pg_slow slow)
{
    if (refuse(session, size) || (range->len == 0 && is_stream(session)))
        return;
    if (fits_after_flush(session, range->len) && append(session, range, size))
        pushed(session, range->len);
    else
        too_slow(session, slow);
}

/* One by one, so that as many are taken as there is room for. */
static void push_each(struct pg_session *session, struct range range,
                      uint32_t size, enum pg_slow slow)
{
    uint32_t left = range.len;

    do { /* once for an empty record too */
        range.len = left < size ? left : size;
        push_one(session, &range, range.len, slow);
        range.at += range.len;
        left -= range.len;
    } while (left);
}

void queue_push_shared(struct pg_session *session, const struct range *range,
                       uint32_t size, enum pg_slow slow)
{
    bool is_many = range->len > size;

    if (is_many && ((!is_stream(session) && session->heard < 2) ||
                    !fits(session, range->len)))
        push_each(session, *range, size, slow);
    else
        push_one(session, range, size, slow);
}
