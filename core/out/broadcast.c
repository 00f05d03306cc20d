/* Messages to many sessions of a listener. */

#include "out/broadcast.h"

#include <errno.h>

#include "out/queue_push.h"
#include "state/scratch.h"
#include "workers/commons.h"

static struct gathered *
broadcast_gathered_of(const struct pg_listener *listener)
{
    return &core->arena.header->gathered[listener->id];
}

static bool broadcast_is_any(const struct gathered *gathered)
{
    return gathered->block != 0;
}

/* ---- who hears it ----------------------------------------------------- */

/* Into the scratch memory, so that the lock is not held for longer. */
static struct receivers broadcast_members(uint32_t part)
{
    struct receivers members = {.scratch_used = core->scratch_used};
    uint32_t *slots = (uint32_t *)scratch_take(0);

    members.slots = slots;
    members.count = member_slots(core->commons, part - 1, slots,
                                 scratch_most() / sizeof(*slots));
    scratch_take(members.count * sizeof(*slots));
    return members;
}

struct receivers broadcast_receivers(const struct audience *audience)
{
    if (audience->part)
        return broadcast_members(audience->part);
    return (struct receivers){core->live, core->known_count,
                              core->scratch_used};
}

void broadcast_forget(struct receivers receivers)
{
    core->scratch_used = receivers.scratch_used;
}

bool broadcast_reaches(const struct pg_session *session,
                       const struct pg_listener *listener,
                       const struct audience *audience)
{
    return session->listener == listener->id &&
           session->number != audience->except &&
           audience->place < session->opened &&
           !(session->flags &
             (SESSION_CLOSING | SESSION_LEAVING | SESSION_STRANGER));
}

/* ---- putting it into the queues --------------------------------------- */

static struct audience broadcast_audience_of(const struct gathered *gathered)
{
    return (struct audience){.except = gathered->except,
                             .slow = (enum pg_slow)gathered->slow,
                             .place = gathered->place,
                             .part = gathered->part};
}

void broadcast_deliver(struct pg_listener *listener)
{
    struct gathered *gathered = broadcast_gathered_of(listener),
                    taken = *gathered;
    struct range range = {taken.block, taken.offset, taken.len};
    struct audience audience = broadcast_audience_of(&taken);
    struct receivers receivers;

    if (!broadcast_is_any(gathered))
        return;
    gathered->block = 0; /* first: a session may end, and ask for this again */
    core->gathered--;
    receivers = broadcast_receivers(&audience);
    for (size_t i = 0; i < receivers.count; i++) {
        struct pg_session *session = session_at(receivers.slots[i]);

        if (broadcast_reaches(session, listener, &audience))
            queue_push_shared(session, &range, taken.size, audience.slow);
    }
    broadcast_forget(receivers);
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

static bool broadcast_is_for(const struct gathered *gathered,
                             const struct audience *audience)
{
    return gathered->except == audience->except &&
           gathered->slow == audience->slow &&
           gathered->place == audience->place &&
           gathered->part == audience->part;
}

/* A stream's messages may be of any size if a receiver that has no room for
   them is closed anyway; otherwise each must be found again. All together take
   a part of what a session's queue holds. What is too long for a record goes
   alone, since it is refused. */
static bool broadcast_goes_with(const struct gathered *gathered,
                                const struct pg_listener *listener, size_t len,
                                const struct audience *audience)
{
    bool is_free = listener->transport->provides == PG_STREAM &&
                   audience->slow == PG_SLOW_CLOSE;
    size_t most = (size_t)core->config->limits.session_queue_bytes / 4;
    size_t record = listener->transport->max_record;

    if (record && gathered->size > record)
        return false;
    if (!broadcast_is_for(gathered, audience) || gathered->len + len > most ||
        len == 0)
        return false;
    return is_free ||
           (len <= gathered->size && gathered->len % gathered->size == 0);
}

static void broadcast_begin(struct gathered *gathered,
                            const struct range *range,
                            const struct audience *audience)
{
    gathered->block = range->block;
    gathered->offset = range->offset;
    gathered->len = gathered->size = range->len;
    gathered->except = audience->except;
    gathered->slow = (uint16_t)audience->slow;
    gathered->place = (uint16_t)audience->place;
    gathered->part = audience->part;
    block_at(range->block)->refs++;
    core->gathered++;
}

/* Into the stage first: when that is full, what was gathered stays behind. */
int broadcast_push(struct pg_listener *listener, struct pg_bytes bytes,
                   const struct audience *audience)
{
    struct gathered *gathered = broadcast_gathered_of(listener);
    struct range range;

    if (!bytes.len && listener->transport->provides == PG_STREAM)
        return 0;
    if (broadcast_is_any(gathered) &&
        !broadcast_goes_with(gathered, listener, bytes.len, audience))
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
        broadcast_begin(gathered, &range, audience);
    return 0;
}
