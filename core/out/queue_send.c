/* Gives a connection's queue to its socket. */

#include "out/queue_send.h"

#include <errno.h>
#include <string.h>

#define PARTS_MAX 64 /* iovecs in one write */

static int queue_send_parts(const struct pg_session *session,
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
    session_abort(session, PG_WHY_RESET,
                  error == -EPIPE || error == -ECONNRESET ? "connection reset"
                                                          : strerror(-error));
    queue_clear(session);
}

static void queue_send_all(struct pg_session *session)
{
    const struct pg_transport *transport = session_listener(session)->transport;
    struct iovec parts[PARTS_MAX];

    while (session->head && !(session->flags & SESSION_SOCKET_FULL)) {
        ssize_t total, sent;
        int count = queue_send_parts(session, parts, &total);

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

/* The first record alone: a call carries one, or none. */
static void queue_send_record(struct pg_session *session)
{
    const struct pg_transport *transport = session_listener(session)->transport;
    const struct piece *piece = piece_at(session->head);
    const struct iovec part = {
        .iov_base = (void *)(uintptr_t)range_data(&piece->range),
        .iov_len =
            piece->size < piece->range.len ? piece->size : piece->range.len};
    ssize_t sent = transport->send(session, session->fd, &part, 1);

    if (sent == -EAGAIN)
        session->flags |= SESSION_SOCKET_FULL;
    else if (sent == -EMSGSIZE)
        count_drops(session, "dropped: too long for one record", 1);
    else if (sent < 0 && sent != -EINTR)
        queue_send_failed(session, (int)sent);
    if (session->head && (sent >= 0 || sent == -EMSGSIZE))
        queue_pop_records(session, 1);
}

/* Apart, so that streams, which are many, have no registers to save for it. */
__attribute__((noinline)) static void
queue_send_records(struct pg_session *session)
{
    session->flags |= SESSION_SENT;
    while (session->head && !(session->flags & SESSION_SOCKET_FULL))
        queue_send_record(session);
}

int64_t queue_send_past(struct pg_session *session, struct pg_bytes bytes)
{
    const struct pg_transport *transport = session_listener(session)->transport;
    const struct iovec part = {.iov_base = (void *)(uintptr_t)bytes.data,
                               .iov_len = bytes.len};
    ssize_t sent;

    if (session->flags & (SESSION_SOCKET_FULL | SESSION_CONNECTING))
        return 0;
    session->flags |= SESSION_SENT;
    do
        sent = transport->send(session, session->fd, &part, 1);
    while (sent == -EINTR);
    if (sent == -EMSGSIZE) {
        count_drops(session, "dropped: too long for one record", 1);
        return -EMSGSIZE;
    }
    if (sent < 0 && sent != -EAGAIN) {
        queue_send_failed(session, (int)sent);
        return -ECANCELED;
    }
    if (sent < (ssize_t)bytes.len)
        session->flags |= SESSION_SOCKET_FULL;
    return sent < 0 ? 0 : sent;
}

void queue_send_now(struct pg_session *session)
{
    uint32_t kind = session->flags &
                    (SESSION_STREAM | SESSION_CONNECTION | SESSION_CONNECTING);

    if (kind == (SESSION_STREAM | SESSION_CONNECTION)) {
        session->flags |= SESSION_SENT;
        queue_send_all(session);
    } else if (kind == SESSION_CONNECTION) {
        queue_send_records(session);
    }
}
