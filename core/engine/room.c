/* Who gets a place, and who goes for another's sake. */

#include "engine/room.h"

#include "engine/peers.h"
#include "out/end.h"
#include "state/counter.h"
#include "workers/commons.h"

static const char room_is_needed[] = "limits.max_sessions: silent for longest";

/* ---- who goes ---------------------------------------------------------- */

/* Messages that are delayed, or that the socket does not take, would keep the
   slot long after this turn. */
static void room_evict(struct pg_session *session, const char *why)
{
    bool would_stay =
        session->late_out || session_listener(session)->run->is_blocked;

    peers_forget(session);
    slot_uncount(session);
    session_end(session, would_stay ? PG_END_ABORT : PG_END_FIN, PG_WHY_LIMIT,
                why);
}

/* Of two sessions, either of which may be NULL. */
static struct pg_session *room_older(struct pg_session *one, uint32_t other)
{
    struct pg_session *session = other ? session_at(other - 1) : NULL;

    if (!one || !session)
        return one ? one : session;
    return session->active_ms < one->active_ms ? session : one;
}

/* Among those whose addresses can be forged. */
static struct pg_session *room_longest_silent(void)
{
    struct pg_session *found = NULL;

    for (unsigned i = 0; i < core->config->listener_count; i++) {
        const struct pg_listener *listener = core->config->listeners[i];

        if (listener->transport->unverified_ratio)
            found = room_older(found, listener->run->known.oldest);
    }
    return found;
}

static struct pg_session *room_oldest_stranger(uint32_t *count)
{
    struct pg_session *found = NULL;

    *count = 0;
    for (unsigned i = 0; i < core->config->listener_count; i++) {
        const struct activity *strangers =
            &core->config->listeners[i]->run->strangers;

        found = room_older(found, strangers->oldest);
        *count += strangers->count;
    }
    return found;
}

/* ---- who comes --------------------------------------------------------- */

static bool room_refuse(struct pg_listener *listener, const char *limit)
{
    counter_add(counter_of_listener(listener->id), limit, 1);
    return false;
}

/* Another worker has UDP peers: it is asked to end one, and is believed. */
static bool room_is_made_by_another(void)
{
    int worker = commons_session_displace(core->commons, core->worker);

    if (worker >= 0)
        core->wake_mask |= 1ull << worker;
    return worker >= 0;
}

void room_make_for_others(void)
{
    int64_t left = commons_take_displaced(core->commons, core->worker);
    struct pg_session *silent;

    for (; left > 0 && (silent = room_longest_silent()); left--)
        room_evict(silent, room_is_needed);
}

/* Who goes leaves its place to the newcomer: no other worker can take it in
   between. */
static bool room_count_one(struct pg_listener *listener)
{
    struct pg_session *silent;

    if (commons_session_add(core->commons, core->worker,
                            core->config->limits.max_sessions))
        return true;
    silent = room_longest_silent();
    if (!silent)
        return room_is_made_by_another() ||
               room_refuse(listener, "refused: limits.max_sessions");
    silent->flags &= ~(uint32_t)SESSION_COUNTED;
    room_evict(silent, room_is_needed);
    return true;
}

/* Among the known peers of a listener of records. */
static bool room_for_peer(struct pg_listener *listener)
{
    const struct listener_run *run = listener->run;

    if (run->peers_most && run->known.count >= run->peers_most)
        room_evict(session_at(run->known.oldest - 1),
                   "max_peers: silent for longest");
    return room_count_one(listener);
}

bool room_for_session(struct pg_listener *listener)
{
    if (!slot_is_free())
        return room_refuse(listener, "refused: limits.max_sessions");
    return room_for_peer(listener);
}

bool room_for_stranger(struct pg_listener *listener)
{
    uint32_t count;
    struct pg_session *oldest = room_oldest_stranger(&count);

    if (!slot_is_free())
        return room_refuse(listener, "refused: limits.strangers");
    if (count >= slot_strangers_most(core->config, core->workers))
        room_evict(oldest, "limits.strangers: the oldest goes first");
    return true;
}

bool room_for_known(struct pg_session *session)
{
    if (!room_for_peer(session_listener(session)))
        return false;
    session->flags |= SESSION_COUNTED;
    return true;
}
