/* The end of a turn: what is queued goes out, and each session is looked at. */

#include "out/flush.h"

#include "out/batch.h"
#include "out/broadcast.h"
#include "out/end.h"
#include "out/queue_send.h"
#include "out/queue_settle.h"
#include "state/listener.h"

/* A record that the socket does not take waits in core->waiting. */
static void flush_wait_for_socket(struct pg_session *session)
{
    session->next_dirty = core->waiting;
    core->waiting = session->slot + 1;
}

/* Is it open, with all sent, and read from? So it is with most. */
static bool flush_is_at_rest(const struct pg_session *session)
{
    return !session->head && !session->pauses &&
           (session->flags & ~(uint32_t)(SESSION_STREAM | SESSION_CONNECTION |
                                         SESSION_SENT | SESSION_MAY_IDLE |
                                         SESSION_STRANGER | SESSION_COUNTED)) ==
               SESSION_OPEN &&
           (session->watching == CORE_READ || session->fd < 0);
}

static void flush_after_send(struct pg_session *session)
{
    if (session->head)
        queue_settle(session);
    if (session->head && !session_is_connection(session)) {
        flush_wait_for_socket(session); /* and stays marked as dirty */
        return;
    }
    session->flags &= ~(uint32_t)SESSION_DIRTY;
    if (flush_is_at_rest(session))
        return;
    mark_unlisted(session);
    if (!session->head) {
        session->flags &= ~(uint32_t)SESSION_STARVED;
        session_drained(session);
    }
    session_may_resume(session);
    session_watch(session);
}

static uint32_t flush_take_dirty(void)
{
    uint32_t list = core->dirty;

    core->dirty = 0;
    return list;
}

/* Connections are done one by one; datagrams go out in batches first, and are
   looked at again when all have gone: from this list. */
static uint32_t flush_each(uint32_t list, struct batch *batch)
{
    uint32_t records = 0;

    while (list) {
        struct pg_session *session = session_at(list - 1);
        uint32_t next = session->next_dirty;

        if (session_is_connection(session)) {
            queue_send_now(session);
            flush_after_send(session);
        } else {
            batch_add(batch, session);
            session->next_dirty = records;
            records = list;
        }
        list = next;
    }
    return records;
}

void flush_all(void)
{
    struct batch batch;
    uint32_t records;

    if (core->gathered)
        broadcast_deliver_all();
    batch.listener = NULL;
    batch.count = 0;
    records = flush_each(flush_take_dirty(), &batch);
    if (batch.count)
        batch_send(&batch);
    while (records) {
        struct pg_session *session = session_at(records - 1);

        records = session->next_dirty;
        flush_after_send(session);
    }
    if (core->has_staged)
        stage_reuse_all();
}

void flush_unblock(struct pg_listener *listener)
{
    uint32_t *end = &core->waiting;

    listener->run->is_blocked = false;
    listener_watch(listener);
    /* All that wait are looked at again; those of a listener that is still
       blocked come back here. */
    while (*end)
        end = &session_at(*end - 1)->next_dirty;
    *end = core->dirty;
    core->dirty = core->waiting;
    core->waiting = 0;
}

void flush_forget_gone(void)
{
    uint32_t *at = &core->waiting;

    while (*at) {
        struct pg_session *session = session_at(*at - 1);

        if (session->flags & SESSION_GONE) {
            *at = session->next_dirty;
            session->flags &= ~(uint32_t)SESSION_DIRTY;
            mark_unlisted(session);
        } else {
            at = &session->next_dirty;
        }
    }
}
