/* Puts bytes into a session's queue, and deals with those that do not fit. */

#include "out/queue_push.h"

#include <errno.h>

#include "out/queue_send.h"
#include "out/queue_settle.h"
#include "state/share.h"

/* ---- where the bytes are ------------------------------------------------ */

static bool queue_push_is_in_read_buffer(const uint8_t *data)
{
    const uint8_t *from = core->arena.base + core->arena.header->read_at;

    return data >= from && data < from + ARENA_HEADROOM + ARENA_READ_SIZE;
}

/* Do the bytes stay in the read buffer until the end of the turn? A stream's
   do. Records are better copied one behind the other, because a run of them
   leaves as one message; only the first, and what lies behind it, stay. */
static bool queue_push_stays(const struct pg_session *session,
                             const uint8_t *data)
{
    const struct range *last;

    if (!queue_push_is_in_read_buffer(data))
        return false;
    if (session_is_stream(session) || !session->head)
        return true;
    last = &piece_at(session->tail)->range;
    return !last->block && range_data(last) + last->len == data;
}

static bool queue_push_to_range(const struct pg_session *session,
                                struct pg_bytes bytes, struct range *range)
{
    if (!queue_push_stays(session, bytes.data))
        return stage_copy(&core->arena.header->stage, bytes, range);
    *range = (struct range){
        .offset = (uint32_t)(bytes.data -
                             (core->arena.base + core->arena.header->read_at)),
        .len = (uint32_t)bytes.len,
    };
    return true;
}

/* ---- is there room ------------------------------------------------------ */

static bool queue_push_fits(const struct pg_session *session, size_t len)
{
    return session->queued + len <= core->queue_most;
}

static bool queue_push_fits_after_sending(struct pg_session *session,
                                          size_t len)
{
    queue_send_now(session);
    return queue_push_fits(session, len) ||
           (core->must_take && share_has_room_for_rest(len));
}

/* Who reads pays nothing for those who do not: what an empty queue has no room
   for is given to the socket at once. Leaves in `bytes` what it did not take,
   if it took a part. -ENOBUFS: it took nothing. */
static int queue_push_past(struct pg_session *session, struct pg_bytes *bytes)
{
    int64_t sent;

    if (session->head || !session_is_connection(session))
        return -ENOBUFS;
    sent = queue_send_past(session, *bytes);
    if (sent < 0)
        return (int)sent;
    if (sent == 0) {
        session_watch(session);
        return -ENOBUFS;
    }
    *bytes = pg_bytes(bytes->data + sent, bytes->len - (size_t)sent);
    return 0;
}

static bool queue_push_is_stuck(const struct pg_session *session)
{
    return session_is_connection(session)
               ? session->flags & SESSION_SOCKET_FULL
               : session_listener(session)->run->is_blocked;
}

/* Behind what is already stuck it waits from now on, and counts, so that a
   broadcast to many of those finds out how much room there is left. */
static void queue_push_settle(struct pg_session *session)
{
    if (queue_push_is_stuck(session))
        queue_settle(session);
}

/* Is this more than a spoofed first record may be answered with? */
static bool queue_push_is_over_ratio(const struct pg_session *session,
                                     size_t len)
{
    return session->flags & SESSION_STRANGER &&
           len + session->header > session->credit &&
           session_listener(session)->run->unverified_ratio;
}

/* Takes off what is sent while nobody can tell whether the peer is there. */
static void queue_push_spend(struct pg_session *session, size_t len)
{
    len += session->header;
    session->credit -= len < session->credit ? len : session->credit;
}

static int queue_push_refuse_record(struct pg_session *session, size_t len)
{
    size_t most = session_listener(session)->transport->max_record;

    if (most && len > most) {
        count_drops(session, "dropped: too long for one record", 1);
        return -EMSGSIZE;
    }
    if (queue_push_is_over_ratio(session, len)) {
        count_drops(session, "dropped: peer not yet heard from twice", 1);
        return -EDQUOT;
    }
    return 0;
}

static int queue_push_refuse_length(struct pg_session *session)
{
    count_drops(session, "dropped: longer than limits.frame_bytes + 1 KiB", 1);
    return -EMSGSIZE;
}

/* Refuses what can be refused without looking at the queue. */
static inline int queue_push_refuse(struct pg_session *session, size_t len)
{
    if (session->flags & SESSION_CLOSING ||
        (session->flags & SESSION_HALF_CLOSING && !session->late_out))
        return -ECANCELED;
    if (len > core->message_most)
        return queue_push_refuse_length(session);
    return session_is_stream(session) ? 0
                                      : queue_push_refuse_record(session, len);
}

/* A session that sends past its queue, or much, has had its turn some time. */
static int queue_push_turn(struct pg_session *session)
{
    budget_take(&session->budget);
    return budget_is_spent(&session->budget) ? PG_FULL : 0;
}

/* It was taken, and is much. Whoever sends more than the socket takes is to
   stop. */
static int queue_push_is_much(struct pg_session *session)
{
    queue_send_now(session);
    return session->queued > core->high_water ? PG_FULL
                                              : queue_push_turn(session);
}

static inline int queue_push_done(struct pg_session *session, size_t len)
{
    if (session->flags & SESSION_STRANGER)
        queue_push_spend(session, len);
    return session->queued > core->high_water ? queue_push_is_much(session) : 0;
}

/* ---- there is no room --------------------------------------------------- */

static void queue_push_too_slow(struct pg_session *session, enum pg_slow slow)
{
    if (slow == PG_SLOW_CLOSE && session_is_connection(session))
        session_abort(session, PG_WHY_LIMIT, "reads too slowly");
    else
        count_drops(session, "dropped: reads too slowly", 1);
}

/* A record that never has room, whoever else gives up its own, is not to be
   waited with. */
static int queue_push_no_room(struct pg_session *session, size_t len,
                              const enum pg_slow *slow)
{
    if (slow) {
        queue_push_too_slow(session, *slow);
        return -ENOBUFS;
    }
    count_drops(session, "dropped: send queue full", 1);
    if (session_is_connection(session) || share_may_queue(len))
        mark_starved(session);
    return -ENOBUFS;
}

/* ---- one message -------------------------------------------------------- */

/* What is to be queued: of a broadcast, which is staged already, a range. */
struct push {
    struct pg_bytes bytes;
    const struct range *range; /* NULL: own bytes */
    uint32_t size;             /* of each message */
    const enum pg_slow *slow;  /* a broadcast's policy; NULL: own bytes */
};

static bool queue_push_append(struct pg_session *session,
                              const struct push *push)
{
    struct range range;

    if (!push->range) {
        if (!queue_push_to_range(session, push->bytes, &range))
            return false;
    } else {
        range = *push->range;
        range.offset += range.len - (uint32_t)push->bytes.len;
        range.len = (uint32_t)push->bytes.len;
    }
    return queue_append(session, &range, push->size);
}

/* The rest of a message that the socket took a part of can be refused no more:
   it waits beyond the session's share. */
static int queue_push_rest(struct pg_session *session, const struct push *push)
{
    if (!share_has_room_for_rest(push->bytes.len) ||
        !queue_push_append(session, push))
        return queue_no_room(session);
    queue_push_settle(session);
    return PG_FULL;
}

static int queue_push_to_socket(struct pg_session *session, struct push *push)
{
    size_t len = push->bytes.len;
    int error = queue_push_past(session, &push->bytes);

    if (error == -ENOBUFS)
        return queue_push_no_room(session, len, push->slow);
    if (error)
        return error;
    return push->bytes.len ? queue_push_rest(session, push)
                           : queue_push_turn(session);
}

static inline int queue_push_is_in(struct pg_session *session, size_t len)
{
    queue_push_settle(session);
    return queue_push_done(session, len);
}

/* It did not fit at once. */
__attribute__((noinline)) static int
queue_push_in_need(struct pg_session *session, struct push *push)
{
    size_t len = push->bytes.len;

    if (!queue_push_fits_after_sending(session, len))
        return queue_push_to_socket(session, push);
    return queue_push_append(session, push)
               ? queue_push_is_in(session, len)
               : queue_push_no_room(session, len, push->slow);
}

/* `slow` is NULL for a message of its own, or the handler's policy when this is
   its part of a broadcast. */
static int queue_push_own(struct pg_session *session, struct pg_bytes bytes,
                          const enum pg_slow *slow)
{
    struct push push;
    struct range range;
    int error = queue_push_refuse(session, bytes.len);

    if (error || (bytes.len == 0 && session_is_stream(session)))
        return error;
    if (queue_push_fits(session, bytes.len) &&
        queue_push_to_range(session, bytes, &range) &&
        queue_append(session, &range, range.len))
        return queue_push_is_in(session, bytes.len);
    push = (struct push){
        .bytes = bytes, .size = (uint32_t)bytes.len, .slow = slow};
    return queue_push_in_need(session, &push);
}

int queue_push(struct pg_session *session, struct pg_bytes bytes)
{
    return queue_push_own(session, bytes, NULL);
}

int queue_push_slow(struct pg_session *session, struct pg_bytes bytes,
                    enum pg_slow slow)
{
    return queue_push_own(session, bytes, &slow);
}

static void queue_push_range(struct pg_session *session,
                             const struct range *range, uint32_t size,
                             enum pg_slow slow)
{
    struct push push;

    if (queue_push_refuse(session, size) ||
        (range->len == 0 && session_is_stream(session)))
        return;
    if (queue_push_fits(session, range->len) &&
        queue_append(session, range, size)) {
        queue_push_is_in(session, range->len);
        return;
    }
    push = (struct push){.bytes = pg_bytes(range_data(range), range->len),
                         .range = range,
                         .size = size,
                         .slow = &slow};
    queue_push_in_need(session, &push);
}

/* One by one, so that as many are taken as there is room for. */
static void queue_push_each(struct pg_session *session, struct range range,
                            uint32_t size, enum pg_slow slow)
{
    uint32_t left = range.len;

    do { /* once for an empty record too */
        range.len = left < size ? left : size;
        queue_push_range(session, &range, range.len, slow);
        range.offset += range.len;
        left -= range.len;
    } while (left);
}

void queue_push_shared(struct pg_session *session, const struct range *range,
                       uint32_t size, enum pg_slow slow)
{
    bool is_many = range->len > size;

    if (is_many && !queue_push_fits(session, range->len))
        queue_push_each(session, *range, size, slow);
    else
        queue_push_range(session, range, size, slow);
}
