/* Records of many sessions of a listener, sent with few calls. */

#include "out/batch.h"

#include <errno.h>

#include "state/listener.h"

/* The first datagrams of the batch are off the queue. */
static void batch_took(struct batch *batch, int *done, uint32_t many)
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

static void batch_drop_first(struct batch *batch, int *done, int error)
{
    const struct pg_record *record = &batch->records[*done];

    count_drops(record->session,
                error == -EMSGSIZE       ? "dropped: too long for one record"
                : error == -ECONNREFUSED ? "dropped: nobody listens there"
                                         : "dropped: send failed",
                1);
    batch_took(batch, done, 1);
}

void batch_send(struct batch *batch)
{
    struct pg_listener *listener = batch->listener;
    int done = 0;

    while (done < batch->count && !listener->run->is_blocked) {
        int sent = listener->transport->send_records(
            listener, listener->run->fd, batch->records + done,
            batch->count - done);

        if (sent == -EAGAIN) {
            listener->run->is_blocked = true;
            listener_watch(listener);
        } else if (sent < 0 && sent != -EINTR) {
            batch_drop_first(batch, &done, sent);
        } else if (sent > 0) {
            batch_took(batch, &done, (uint32_t)sent);
        }
    }
    batch->count = 0;
}

/* How many bytes of a run, of which `left` are left, may go out as one. */
static uint32_t batch_run_bytes(const struct pg_transport *transport,
                                uint32_t size, uint32_t left)
{
    uint32_t most = transport->run_most;

    if (left <= size)
        return left;
    if (transport->max_record && most > transport->max_record / size)
        most = (uint32_t)transport->max_record / size;
    if (!transport->max_record || most < 1)
        most = 1;
    return left < most * size ? left : most * size;
}

void batch_add(struct batch *batch, struct pg_session *session)
{
    struct pg_listener *listener = session_listener(session);
    uint32_t n = session->head, offset = 0;

    if (batch->listener != listener && batch->count)
        batch_send(batch);
    batch->listener = listener;
    while (n && !listener->run->is_blocked) {
        const struct piece *piece = piece_at(n);
        const uint8_t *data = range_data(&piece->range) + offset;
        uint32_t left = piece->range.len - offset;
        uint32_t len = batch_run_bytes(listener->transport, piece->size, left);

        batch->records[batch->count++] =
            (struct pg_record){session, pg_bytes(data, len), piece->size};
        offset += len;
        if (offset == piece->range.len) {
            n = piece->next;
            offset = 0;
        }
        if (batch->count == BATCH_MAX) {
            batch_send(batch);
            n = session->head;
            offset = 0;
        }
    }
}
