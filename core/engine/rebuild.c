/* Makes again what lived outside the arena. */

#include "engine/rebuild.h"

#include <errno.h>
#include <stdlib.h>

#include "chain/later.h"
#include "engine/look.h"
#include "engine/peers.h"
#include "out/broadcast.h"
#include "state/mark.h"
#include "workers/commons.h"

static int rebuild_timers(struct pg_session *session)
{
    for (unsigned place = 0; place < session_listener(session)->chain.count;
         place++) {
        struct ctx_slot *slot = session_ctx(session, place);

        slot->armed_ms = 0;
        if (slot->deadline_ms && timer_set(session, place))
            return -ENOMEM;
    }
    return 0;
}

/* The process died in an open() or between two: nobody knows how far it came.
 */
static bool rebuild_is_torn(const struct pg_session *session)
{
    if (!(session->flags & SESSION_OPEN))
        return false;
    for (unsigned place = 0; place < session->opened; place++)
        if (session_ctx(session, place)->is_opening)
            return true;
    return !(session->flags & SESSION_HOLDING) &&
           session->opened < session_listener(session)->chain.count;
}

/* So it may have died while it said goodbye. */
static void rebuild_end_torn(struct pg_session *session)
{
    if (rebuild_is_torn(session) && !session_is_closing(session))
        session_abort(session, PG_WHY_CRASH, "the server crashed");
    if (session->flags & SESSION_LEAVING && !session->late_out)
        mark_closing(session, SESSION_CLOSING);
}

static int rebuild_one(struct pg_session *session)
{
    uint32_t was = session->flags;

    slot_fill_gaps(session);
    slot_adopt(session);
    if (was & SESSION_COUNTED)
        commons_session_add(core->commons, core->worker, INT64_MAX);
    if (session_is_connection(session))
        look_begin(session);
    else if (!peers_add(session))
        return -ENOMEM;
    session->flags &=
        ~(uint32_t)(SESSION_DIRTY | SESSION_RESUMING | SESSION_MARKED |
                    SESSION_NOTED | SESSION_SOCKET_FULL);
    session->watching = 0;
    session->due = 0; /* later_rearm() finds them */
    if (session->head)
        mark_dirty(session);
    if (was & SESSION_CLOSING)
        mark_closing(session, 0);
    rebuild_end_torn(session);
    session_may_resume(session);
    if ((was & (SESSION_EOF | SESSION_ENDED)) == SESSION_EOF)
        mark_resuming(session); /* not all were told */
    session_watch(session);
    return rebuild_timers(session);
}

static int rebuild_by_activity(const void *a, const void *b)
{
    uint64_t one = session_at(*(const uint32_t *)a)->active_ms;
    uint64_t other = session_at(*(const uint32_t *)b)->active_ms;

    return one < other ? -1 : one > other;
}

int rebuild_sessions(void)
{
    struct arena_header *header = core->arena.header;
    uint32_t *slots = calloc(header->used_slots + 1, sizeof(*slots)), count = 0;
    int error = slots ? 0 : -ENOMEM;

    commons_forget_sessions(core->commons, core->worker);
    for (uint32_t slot = 0; slots && slot < header->used_slots; slot++)
        if (session_at(slot)->number)
            slots[count++] = slot;
    if (slots) /* the list of peers is by activity */
        qsort(slots, count, sizeof(*slots), rebuild_by_activity);
    for (uint32_t i = 0; !error && i < count; i++)
        error = rebuild_one(session_at(slots[i]));
    free(slots);
    if (!error)
        error = later_rearm();
    if (!error)
        broadcast_find();
    return error;
}
