#include "queue.h"

#include <errno.h>
#include <string.h>

#include "chain.h"
#include "counter.h"
#include "heap.h"

#define STAGE_BYTES (64u * 1024)
#define SLAB_PIECES 256
#define PARTS_MAX   64  /* iovecs in one write */
#define BATCH_MAX   256 /* records in one batch */

/* Counted by the pieces (and the stage) that use it; data follows. */
struct block {
    uint32_t refs;
    uint32_t used; /* bytes staged so far */
};

struct piece {
    uint32_t next; /* its number, from 1; 0: none */
    struct range range;
};

/* ---- pieces ----------------------------------------------------------- */

static struct piece *piece_at(uint32_t number)
{
    return (struct piece *)(core->arena.base + core->arena.header->heap_at) +
           (number - 1);
}

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

static struct block *block_at(uint32_t block)
{
    return (struct block *)heap_at(&core->arena, block);
}

static void block_release(uint32_t block)
{
    if (block && --block_at(block)->refs == 0)
        heap_free(&core->arena, block);
}

static uint32_t block_make(size_t bytes)
{
    uint32_t block = heap_alloc(&core->arena, sizeof(struct block) + bytes);

    if (block)
        *block_at(block) =
            (struct block){.refs = 1, .used = sizeof(struct block)};
    return block;
}

static const uint8_t *range_data(const struct range *range)
{
    if (range->block)
        return heap_at(&core->arena, range->block) + range->at;
    return core->arena.base + core->arena.header->read_at + range->at;
}

/* The stage is given up to the pieces that use it. */
static void stage_retire(void)
{
    uint32_t *stage = &core->arena.header->stage;

    if (!*stage)
        return;
    if (block_at(*stage)->refs > 1)
        heap_shrink(&core->arena, *stage, block_at(*stage)->used);
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

static bool stage_room(size_t len)
{
    uint32_t *stage = &core->arena.header->stage;

    if (*stage &&
        heap_size(&core->arena, *stage) - block_at(*stage)->used >= len)
        return true;
    stage_retire();
    *stage = stage_make(len);
    return *stage != 0;
}

bool queue_stage(struct pg_bytes bytes, struct range *range)
{
    struct block *block;

    if (!stage_room(bytes.len))
        return false;
    block = block_at(core->arena.header->stage);
    *range = (struct range){.block = core->arena.header->stage,
                            .at = block->used,
                            .len = (uint32_t)bytes.len};
    if (bytes.len)
        memcpy((uint8_t *)block + block->used, bytes.data, bytes.len);
    block->used += (uint32_t)bytes.len;
    return true;
}

/* ---- a session's queue ------------------------------------------------ */

static bool is_stream(const struct pg_session *session)
{
    return session->flags & SESSION_STREAM;
}

/* What a piece counts for: an empty datagram takes room too. */
static uint32_t cost(const struct pg_session *session, uint32_t len)
{
    return is_stream(session) ? len : len + (uint32_t)sizeof(struct piece);
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

/* The next bytes of a stream often follow the last ones in memory. */
static bool extend_last(struct pg_session *session, const struct range *range)
{
    struct range *last;

    if (!session->tail || session->tail == session->settled ||
        !is_stream(session))
        return false;
    last = &piece_at(session->tail)->range;
    if (last->block != range->block || last->at + last->len != range->at)
        return false;
    last->len += range->len;
    return true;
}

static bool append(struct pg_session *session, const struct range *range)
{
    uint32_t number;

    if (!extend_last(session, range)) {
        number = piece_take();
        if (!number)
            return false;
        *piece_at(number) = (struct piece){.range = *range};
        if (range->block)
            block_at(range->block)->refs++;
        if (session->tail)
            piece_at(session->tail)->next = number;
        else
            session->head = number;
        session->tail = number;
    }
    account(session, cost(session, range->len));
    mark_dirty(session);
    return true;
}

static void piece_give(uint32_t first, uint32_t last)
{
    piece_at(last)->next = core->arena.header->free_piece;
    core->arena.header->free_piece = first;
}

/* Takes the first piece off the queue. */
static void pop_piece(struct pg_session *session)
{
    uint32_t number = session->head;
    struct piece *piece = piece_at(number);

    account(session, -(int64_t)cost(session, piece->range.len));
    session->head = piece->next;
    if (session->tail == number)
        session->tail = 0;
    if (session->settled == number)
        session->settled = 0;
    block_release(piece->range.block);
    piece_give(number, number);
}

/* Takes `len` bytes off the front of a stream. */
static void pop_bytes(struct pg_session *session, uint32_t len)
{
    while (session->head && len) {
        struct range *range = &piece_at(session->head)->range;

        if (len < range->len) {
            range->at += len;
            range->len -= len;
            account(session, -(int64_t)len);
            return;
        }
        len -= range->len;
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
        block_release(piece_at(n)->range.block);
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

/* A session that waits for its listener's socket is not settled at the end of
   this turn, so it may not point into the read buffer. */
static bool to_range(const struct pg_session *session, struct pg_bytes bytes,
                     struct range *range)
{
    if (bytes.len == 0 || !is_in_read_buffer(bytes.data) ||
        session_listener(session)->run->is_blocked)
        return queue_stage(bytes, range);
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

static void count_drop(const struct pg_session *session, const char *why)
{
    counter_add((uint16_t)(COUNTER_LISTENER | session->listener), why, 1);
}

/* What can be refused without looking at the queue. */
static int refuse(struct pg_session *session, size_t len)
{
    const struct pg_listener *listener = session_listener(session);
    size_t most = listener->transport->max_record;

    if (session->flags & SESSION_CLOSING ||
        (session->flags & SESSION_HALF && !session->late_out))
        return -ECANCELED;
    if (is_stream(session))
        return 0;
    if (most && len > most) {
        count_drop(session, "dropped: too long for one record");
        return -EMSGSIZE;
    }
    if (is_over_ratio(session, len)) {
        count_drop(session, "dropped: peer not yet heard from twice");
        return -EDQUOT;
    }
    return 0;
}

static int no_room(struct pg_session *session)
{
    if (is_stream(session))
        session_end(session, PG_END_ABORT, PG_WHY_LIMIT,
                    "does not read what it is sent");
    else
        count_drop(session, "dropped: send queue full");
    return -ENOBUFS;
}

int queue_push(struct pg_session *session, struct pg_bytes bytes)
{
    struct range range;
    int error = refuse(session, bytes.len);

    if (error || (bytes.len == 0 && is_stream(session)))
        return error;
    if (!fits_after_flush(session, bytes.len) ||
        !to_range(session, bytes, &range) || !append(session, &range))
        return no_room(session);
    spend(session, bytes.len);
    session_touch(session);
    return 0;
}

void queue_push_shared(struct pg_session *session, struct range range,
                       enum pg_slow slow)
{
    if (refuse(session, range.len) || (range.len == 0 && is_stream(session)))
        return;
    if (!fits_after_flush(session, range.len) || !append(session, &range)) {
        if (slow == PG_SLOW_CLOSE && is_stream(session))
            session_end(session, PG_END_ABORT, PG_WHY_LIMIT,
                        "reads too slowly");
        else
            count_drop(session, "dropped: reads too slowly");
        return;
    }
    spend(session, range.len);
    session_touch(session);
}

/* ---- sending ---------------------------------------------------------- */

static int gather(const struct pg_session *session, struct iovec *parts,
                  ssize_t *total)
{
    int count = 0;

    *total = 0;
    for (uint32_t n = session->head; n && count < PARTS_MAX;
         n = piece_at(n)->next) {
        const struct range *range = &piece_at(n)->range;

        parts[count].iov_base = (void *)(uintptr_t)range_data(range);
        parts[count++].iov_len = range->len;
        *total += range->len;
    }
    return count;
}

static void send_failed(struct pg_session *session, int error)
{
    session_end(session, PG_END_ABORT, PG_WHY_RESET,
                error == -EPIPE || error == -ECONNRESET ? "connection reset"
                                                        : strerror(-error));
    queue_clear(session);
}

static void send_stream(struct pg_session *session)
{
    const struct pg_transport *transport = session_listener(session)->transport;
    struct iovec parts[PARTS_MAX];

    while (session->head && !(session->flags & SESSION_BLOCKED)) {
        ssize_t total, sent;
        int count = gather(session, parts, &total);

        sent = transport->send(session, session->fd, parts, count);
        if (sent < 0 && sent != -EAGAIN && sent != -EINTR) {
            send_failed(session, (int)sent);
            return;
        }
        if (sent == (ssize_t)session->queued)
            queue_clear(session);
        else if (sent > 0)
            pop_bytes(session, (uint32_t)sent);
        if (sent != -EINTR && sent < total) /* the socket buffer is full */
            session->flags |= SESSION_BLOCKED;
    }
}

/* A range of its own: for the read buffer's, and for a little of much. */
static bool settle_piece(struct piece *piece)
{
    struct range *range = &piece->range;
    uint32_t block;

    if (range->block &&
        (uint64_t)range->len * 4 >= block_at(range->block)->used)
        return true;
    if (range->block && range->block != core->arena.header->stage &&
        block_at(range->block)->refs == 1)
        return true;
    block = block_make(range->len);
    if (!block)
        return range->block != 0;
    memcpy((uint8_t *)block_at(block) + sizeof(struct block), range_data(range),
           range->len);
    block_at(block)->used += range->len;
    block_release(range->block);
    range->block = block;
    range->at = sizeof(struct block);
    return true;
}

/* Makes what could not be sent independent of the read buffer. */
static void settle(struct pg_session *session)
{
    uint32_t number =
        session->settled ? piece_at(session->settled)->next : session->head;

    for (; number; number = piece_at(number)->next) {
        if (!settle_piece(piece_at(number))) {
            queue_clear(session);
            no_room(session);
            return;
        }
        session->settled = number;
    }
}

void queue_flush_session(struct pg_session *session)
{
    if (!is_stream(session) || (session->flags & SESSION_CONNECTING))
        return;
    send_stream(session);
}

/* ---- records: one batch for many sessions ----------------------------- */

struct batch {
    struct pg_listener *listener;
    struct pg_record records[BATCH_MAX];
    int count;
};

static void batch_drop_first(struct pg_record *record, int error)
{
    count_drop(record->session,
               error == -EMSGSIZE       ? "dropped: too long for one record"
               : error == -ECONNREFUSED ? "dropped: nobody listens there"
                                        : "dropped: send failed");
    pop_piece(record->session);
}

static void batch_send(struct batch *batch)
{
    struct pg_listener *listener = batch->listener;
    int done = 0;

    while (done < batch->count && !listener->run->is_blocked) {
        int sent = listener->transport->send_records(
            listener, listener->run->fd, batch->records + done,
            batch->count - done);

        if (sent == -EAGAIN) {
            listener->run->is_blocked = true;
            core->io->watch_listener(listener, CORE_READ | CORE_WRITE);
        } else if (sent < 0 && sent != -EINTR) {
            batch_drop_first(&batch->records[done++], sent);
        }
        for (int i = 0; i < sent; i++)
            pop_piece(batch->records[done++].session);
    }
    batch->count = 0;
}

/* The session's pieces; the batch goes out whenever it is full. */
static void batch_add(struct batch *batch, struct pg_session *session)
{
    struct pg_listener *listener = session_listener(session);

    if (batch->listener != listener && batch->count)
        batch_send(batch);
    batch->listener = listener;
    for (uint32_t n = session->head; n && !listener->run->is_blocked;) {
        const struct range *range = &piece_at(n)->range;

        batch->records[batch->count++] =
            (struct pg_record){session, {range_data(range), range->len}};
        n = piece_at(n)->next;
        if (batch->count == BATCH_MAX) {
            batch_send(batch);
            n = session->head;
        }
    }
}

/* ---- the end of a turn ------------------------------------------------ */

/* A record that the socket does not take waits in core->waiting. */
static void wait_for_socket(struct pg_session *session)
{
    session->next_dirty = core->waiting;
    core->waiting = session->slot + 1;
}

/* Open, all is sent, and it is read from: so it is with most. */
static bool is_at_rest(const struct pg_session *session)
{
    return !session->head && session->watching == CORE_READ &&
           !session->pauses &&
           session->flags == (SESSION_OPEN | SESSION_STREAM);
}

static void after_send(struct pg_session *session)
{
    if (session->head)
        settle(session);
    if (session->head && !is_stream(session)) {
        wait_for_socket(session); /* and stays marked as dirty */
        return;
    }
    session->flags &= ~(uint32_t)SESSION_DIRTY;
    if (is_at_rest(session))
        return;
    session_unlisted(session);
    if (!session->head)
        session_drained(session);
    session_may_resume(session);
    session_watch(session);
}

static uint32_t take_dirty(void)
{
    uint32_t list = core->dirty;

    core->dirty = 0;
    return list;
}

/* Streams are done one by one; records go out in batches first, and are
   looked at again when all have gone: from this list. */
static uint32_t flush_each(uint32_t list, struct batch *batch)
{
    uint32_t records = 0;

    while (list) {
        struct pg_session *session = session_at(list - 1);
        uint32_t next = session->next_dirty;

        if (is_stream(session)) {
            queue_flush_session(session);
            after_send(session);
        } else {
            batch_add(batch, session);
            session->next_dirty = records;
            records = list;
        }
        list = next;
    }
    return records;
}

static void stage_reuse(void)
{
    uint32_t stage = core->arena.header->stage;

    if (!stage)
        return;
    if (block_at(stage)->refs == 1)
        block_at(stage)->used = sizeof(struct block);
    else
        stage_retire();
}

void queue_flush(void)
{
    struct batch batch;
    uint32_t records;

    batch.listener = NULL;
    batch.count = 0;
    records = flush_each(take_dirty(), &batch);
    if (batch.count)
        batch_send(&batch);
    while (records) {
        struct pg_session *session = session_at(records - 1);

        records = session->next_dirty;
        after_send(session);
    }
    stage_reuse();
}

void queue_unblock(struct pg_listener *listener)
{
    uint32_t *end = &core->waiting;

    listener->run->is_blocked = false;
    core->io->watch_listener(listener,
                             listener->run->is_paused ? 0 : CORE_READ);
    /* All that wait are looked at again; those of a listener that is still
       blocked come back here. */
    while (*end)
        end = &session_at(*end - 1)->next_dirty;
    *end = core->dirty;
    core->dirty = core->waiting;
    core->waiting = 0;
}
