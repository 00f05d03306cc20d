/* Messages to all sessions of a listener but one. */

#include "out/broadcast.h"

#include <errno.h>

#include "out/queue_push.h"

static struct gathered *
broadcast_gathered_of(const struct pg_listener *listener)
{
    return &core->arena.header->gathered[listener->id];
}

static bool broadcast_is_any(const struct gathered *gathered)
{
    return gathered->block != 0;
}

/* While an entry holds the others back, only it and those in front are there.
 */
bool broadcast_reaches(const struct pg_session *session,
                       const struct pg_listener *listener, uint64_t except,
                       unsigned place)
{
    uint32_t flags = session->flags & (SESSION_OPEN | SESSION_HOLDING |
                                       SESSION_CLOSING | SESSION_LEAVING);

    if (session->listener != listener->id || session->number == except)
        return false;
    return flags == SESSION_OPEN ||
           (flags == (SESSION_OPEN | SESSION_HOLDING) &&
            place < session->opened);
}

/* ---- putting it into the queues --------------------------------------- */

void broadcast_deliver(struct pg_listener *listener)
{
    struct gathered *gathered = broadcast_gathered_of(listener),
                    taken = *gathered;
    struct range range = {taken.block, taken.offset, taken.len};

    if (!broadcast_is_any(gathered))
        return;
    gathered->block = 0; /* first: a session may end, and ask for this again */
    core->gathered--;
    for (uint32_t i = 0; i < core->known_count; i++) {
        struct pg_session *session = session_at(core->live[i]);

        if (broadcast_reaches(session, listener, taken.except, taken.place))
            queue_push_shared(session, &range, taken.size,
                              (enum pg_slow)taken.slow);
    }
    block_release(taken.block);
}

void broadcast_before(const struct pg_session *session)
{
    struct pg_listener *listener = session_listener(session);
    const struct gathered *gathered = broadcast_gathered_of(listener);

    if (broadcast_is_any(gathered) && gathered->except != session->number)
        broadcast_deliver(listener);
}

void broadcast_deliver_all(void)
{
    for (unsigned i = 0; core->gathered; i++)
        broadcast_deliver(core->config->listeners[i]);
}

void broadcast_find(void)
{
    for (unsigned i = 0; i < core->config->listener_count; i++)
        core->gathered +=
            broadcast_is_any(broadcast_gathered_of(core->config->listeners[i]));
}

/* ---- gathering -------------------------------------------------------- */

/* A stream's messages may be of any size if a receiver that has no room for
   them is closed anyway; otherwise each must be found again. All together take
   a part of what a session's queue holds. What is too long for a record goes
   alone, since it is refused. */
static bool broadcast_goes_with(const struct gathered *gathered,
                                const struct pg_listener *listener, size_t len,
                                uint64_t except, enum pg_slow slow,
                                unsigned place)
{
    bool is_free =
        listener->transport->provides == PG_STREAM && slow == PG_SLOW_CLOSE;
    size_t most = (size_t)core->config->limits.session_queue_bytes / 4;
    size_t record = listener->transport->max_record;

    if (record && gathered->size > record)
        return false;
    if (gathered->except != except || gathered->slow != slow ||
        gathered->place != place || gathered->len + len > most || len == 0)
        return false;
    return is_free ||
           (len <= gathered->size && gathered->len % gathered->size == 0);
}

static void broadcast_begin(struct gathered *gathered,
                            const struct range *range, uint64_t except,
                            enum pg_slow slow, unsigned place)
{
    gathered->block = range->block;
    gathered->offset = range->offset;
    gathered->len = gathered->size = range->len;
    gathered->except = except;
    gathered->slow = (uint16_t)slow;
    gathered->place = (uint16_t)place;
    block_at(range->block)->refs++;
    core->gathered++;
}

/* Into the stage first: when that is full, what was gathered stays behind. */
int broadcast_push(struct pg_listener *listener, struct pg_bytes bytes,
                   uint64_t except, enum pg_slow slow, unsigned place)
{
    struct gathered *gathered = broadcast_gathered_of(listener);
    struct range range;

    if (!bytes.len && listener->transport->provides == PG_STREAM)
        return 0;
    if (broadcast_is_any(gathered) &&
        !broadcast_goes_with(gathered, listener, bytes.len, except, slow,
                             place))
        broadcast_deliver(listener);
    if (!stage_copy(&gathered->stage, bytes, &range)) {
        counter_add(counter_of_listener(listener->id),
                    "dropped: no room for a broadcast", 1);
        return -ENOBUFS;
    }
    if (broadcast_is_any(gathered) &&
        (gathered->block != range.block ||
         gathered->offset + gathered->len != range.offset))
        broadcast_deliver(listener);
    if (broadcast_is_any(gathered))
        gathered->len += range.len;
    else
        broadcast_begin(gathered, &range, except, slow, place);
    return 0;
}
