#include "out/queue_parts.h"

#include <errno.h>
#include <string.h>

#include "out/broadcast.h"

#define PARTS_MAX 64  /* iovecs in one write */
#define BATCH_MAX 256 /* pg_records in one batch */

/* ---- streams ------------------------------------------------------------- */

static int queue_send_gather(const struct pg_session *session,
                             struct iovec *parts, ssize_t *total)
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

static void queue_send_failed(struct pg_session *session, int error)
{
    session_end(session, PG_END_ABORT, PG_WHY_RESET,
                error == -EPIPE || error == -ECONNRESET ? "connection reset"
                                                        : strerror(-error));
    queue_clear(session);
}

static void queue_send_stream(struct pg_session *session)
{
    const struct pg_transport *transport = session_listener(session)->transport;
    struct iovec parts[PARTS_MAX];

    while (session->head && !(session->flags & SESSION_SOCKET_FULL)) {
        ssize_t total, sent;
        int count = queue_send_gather(session, parts, &total);

        sent = transport->send(session, session->fd, parts, count);
        if (sent < 0 && sent != -EAGAIN && sent != -EINTR) {
            queue_send_failed(session, (int)sent);
            return;
        }
        if (sent == (ssize_t)session->queued) {
            queue_clear(session);
            return;
        }
        if (sent > 0)
            queue_pop_bytes(session, (uint32_t)sent);
        if (sent != -EINTR && sent < total) /* the socket buffer is full */
            session->flags |= SESSION_SOCKET_FULL;
    }
}

void queue_flush_session(struct pg_session *session)
{
    if (!is_stream(session) || (session->flags & SESSION_CONNECTING))
        return;
    queue_send_stream(session);
}

/* ---- records: one batch for many sessions ----------------------------- */

struct batch {
    struct pg_listener *listener;
    struct pg_record records[BATCH_MAX]; /* some of them runs */
    int count;
};

/* The first datagrams of the batch are off the queue. */
static void queue_send_batch_took(struct batch *batch, int *done, uint32_t many)
{
    while (many) {
        struct pg_record *record = &batch->records[*done];
        uint32_t count =
            records_in((uint32_t)record->bytes.len, (uint32_t)record->size);

        if (count <= many) {
            ++*done;
        } else {
            count = many;
            record->bytes.data += count * record->size;
            record->bytes.len -= count * record->size;
        }
        queue_pop_records(record->session, count);
        many -= count;
    }
}

static void queue_send_batch_drop_first(struct batch *batch, int *done,
                                        int error)
{
    const struct pg_record *record = &batch->records[*done];

    count_drops(record->session,
                error == -EMSGSIZE       ? "dropped: too long for one record"
                : error == -ECONNREFUSED ? "dropped: nobody listens there"
                                         : "dropped: send failed",
                1);
    queue_send_batch_took(batch, done, 1);
}

static void queue_send_batch_send(struct batch *batch)
{
    struct pg_listener *listener = batch->listener;
    int done = 0;

    while (done < batch->count && !listener->run->is_blocked) {
        int sent = listener->transport->send_records(
            listener, listener->run->fd, batch->records + done,
            batch->count - done);

        if (sent == -EAGAIN) {
            listener->run->is_blocked = true;
            core_watch_listener(listener);
        } else if (sent < 0 && sent != -EINTR) {
            queue_send_batch_drop_first(batch, &done, sent);
        } else if (sent > 0) {
            queue_send_batch_took(batch, &done, (uint32_t)sent);
        }
    }
    batch->count = 0;
}

/* How many bytes of a run may go out as one. */
static uint32_t queue_send_run_bytes(const struct pg_transport *transport,
                                     uint32_t size)
{
    uint32_t most = transport->run_most;

    if (!size || !transport->max_record)
        return size;
    if (most > transport->max_record / size)
        most = (uint32_t)transport->max_record / size;
    return most > 1 ? most * size : size;
}

/* The session's records; the batch goes out whenever it is full, and what it
   took is off the queue then. */
static void queue_send_batch_add(struct batch *batch,
                                 struct pg_session *session)
{
    struct pg_listener *listener = session_listener(session);
    uint32_t n = session->head, at = 0;

    if (batch->listener != listener && batch->count)
        queue_send_batch_send(batch);
    batch->listener = listener;
    while (n && !listener->run->is_blocked) {
        const struct piece *piece = piece_at(n);
        const uint8_t *data = range_data(&piece->range) + at;
        uint32_t left = piece->range.len - at;
        uint32_t most = queue_send_run_bytes(listener->transport, piece->size);
        uint32_t len = left < most ? left : most;

        batch->records[batch->count++] =
            (struct pg_record){session, pg_bytes(data, len), piece->size};
        at += len;
        if (at == piece->range.len) {
            n = piece->next;
            at = 0;
        }
        if (batch->count == BATCH_MAX) {
            queue_send_batch_send(batch);
            n = session->head;
            at = 0;
        }
    }
}

/* ---- the end of a turn ------------------------------------------------ */

/* A record that the socket does not take waits in core->waiting. */
static void queue_send_wait_for_socket(struct pg_session *session)
{
    session->next_dirty = core->waiting;
    core->waiting = session->slot + 1;
}

/* Open, all is sent, and it is read from: so it is with most. */
static bool queue_send_is_at_rest(const struct pg_session *session)
{
    return !session->head && session->watching == CORE_READ &&
           !session->pauses &&
           session->flags == (SESSION_OPEN | SESSION_STREAM);
}

static void queue_send_after_send(struct pg_session *session)
{
    if (session->head)
        queue_settle(session);
    if (session->head && !is_stream(session)) {
        queue_send_wait_for_socket(session); /* and stays marked as dirty */
        return;
    }
    session->flags &= ~(uint32_t)SESSION_DIRTY;
    if (queue_send_is_at_rest(session))
        return;
    session_unlisted(session);
    if (!session->head)
        session_drained(session);
    session_may_resume(session);
    session_watch(session);
}

static uint32_t queue_send_take_dirty(void)
{
    uint32_t list = core->dirty;

    core->dirty = 0;
    return list;
}

/* Streams are done one by one; records go out in batches first, and are
   looked at again when all have gone: from this list. */
static uint32_t queue_send_flush_each(uint32_t list, struct batch *batch)
{
    uint32_t records = 0;

    while (list) {
        struct pg_session *session = session_at(list - 1);
        uint32_t next = session->next_dirty;

        if (is_stream(session)) {
            queue_flush_session(session);
            queue_send_after_send(session);
        } else {
            queue_send_batch_add(batch, session);
            session->next_dirty = records;
            records = list;
        }
        list = next;
    }
    return records;
}

void queue_flush(void)
{
    struct batch batch;
    uint32_t records;

    if (core->gathered)
        broadcast_deliver_all();
    batch.listener = NULL;
    batch.count = 0;
    records = queue_send_flush_each(queue_send_take_dirty(), &batch);
    if (batch.count)
        queue_send_batch_send(&batch);
    while (records) {
        struct pg_session *session = session_at(records - 1);

        records = session->next_dirty;
        queue_send_after_send(session);
    }
    if (core->has_staged)
        queue_reuse_stages();
}

void queue_unblock(struct pg_listener *listener)
{
    uint32_t *end = &core->waiting;

    listener->run->is_blocked = false;
    core_watch_listener(listener);
    /* All that wait are looked at again; those of a listener that is still
       blocked come back here. */
    while (*end)
        end = &session_at(*end - 1)->next_dirty;
    *end = core->dirty;
    core->dirty = core->waiting;
    core->waiting = 0;
}
