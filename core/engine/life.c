/* A session's life, from the outside in: it comes, its socket is readable or
   writable, it goes. */

#include "engine/life.h"

#include <errno.h>
#include <string.h>

#include "chain/chain.h"
#include "chain/later.h"
#include "engine/look.h"
#include "engine/peers.h"
#include "engine/room.h"
#include "memory/heap.h"
#include "out/broadcast.h"
#include "out/end.h"
#include "out/flush.h"
#include "out/queue_send.h"
#include "state/counter.h"

static void life_release(struct pg_session *session);

/* ---- it comes ---------------------------------------------------------- */

static struct pg_session *life_create(struct pg_listener *listener, int fd,
                                      const void *data, uint32_t flags)
{
    struct pg_session *session = slot_take(listener, fd, data, flags);

    if (!session)
        return NULL;
    if (session_is_connection(session)) {
        look_begin(session);
        return session;
    }
    if (peers_add(session))
        return session;
    counter_add(counter_of_listener(listener->id), "refused: no memory", 1);
    life_release(session);
    return NULL;
}

struct pg_session *session_create(struct pg_listener *listener, int fd,
                                  const void *data)
{
    return room_for_session(listener)
               ? life_create(listener, fd, data, SESSION_COUNTED)
               : NULL;
}

struct pg_session *session_create_stranger(struct pg_listener *listener,
                                           const void *data)
{
    const struct pg_transport *transport = listener->transport;
    struct pg_session *session =
        room_for_stranger(listener)
            ? life_create(listener, -1, data, SESSION_STRANGER)
            : NULL;

    if (session && transport->header_bytes)
        session->header = (uint8_t)transport->header_bytes(session);
    return session;
}

void session_start(struct pg_session *session)
{
    if (!(session->flags & SESSION_STRANGER)) /* who hears no broadcast */
        broadcast_deliver(session_listener(session)); /* not for this one */
    session->flags |= SESSION_OPEN;
    session->flags &= ~(uint32_t)SESSION_CONNECTING;
    chain_open(session);
    session_watch(session);
}

/* ---- input ------------------------------------------------------------- */

/* A stranger's record earns it an answer: its address may be somebody
   else's. */
static void life_earn(struct pg_session *session, size_t len)
{
    session->credit = (len + session->header) *
                      session_listener(session)->run->unverified_ratio;
}

/* The second record of a peer: now it is known. False: there is no room, the
   record is dropped. */
static bool life_make_known(struct pg_session *session)
{
    if (session_is_closing(session))
        return true;
    if (!room_for_known(session))
        return false;
    broadcast_deliver(session_listener(session)); /* not for this one */
    peers_make_known(session);
    chain_known(session);
    return true;
}

/* Flags to be looked at before input of a session is dealt with. */
#define LIFE_UNUSUAL                                                           \
    (SESSION_CLOSING | SESSION_LEAVING | SESSION_EOF | SESSION_INPUT_HELD)

/* False: nobody is given what has come. Bytes of a stream that come while our
   goodbye is on its way are no message any more, and no reason to wait longer;
   a record is one. */
static bool life_may_take(struct pg_session *session)
{
    const char *why = NULL;

    if (session->flags & (SESSION_CLOSING | SESSION_LEAVING | SESSION_EOF)) {
        if (session_is_stream(session))
            return false;
        why = "dropped: session is over";
    } else if (session->pauses) {
        why = "dropped: session is paused";
    } else if (!session_is_stream(session)) {
        why = "dropped: the one before is not dealt with yet";
    }
    if (why) {
        session_touch(session);
        counter_add(counter_of_listener(session->listener), why, 1);
    }
    return !why;
}

static inline void life_take(struct pg_session *session, struct pg_bytes in)
{
    if ((session->flags & LIFE_UNUSUAL || session->pauses) &&
        !life_may_take(session))
        return;
    session_touch(session);
    chain_recv(session, 0, in);
}

void session_input(struct pg_session *session, struct pg_bytes in)
{
    if (session->flags & SESSION_STRANGER && !life_make_known(session))
        return;
    life_take(session, in);
}

struct pg_session *session_meet(struct pg_listener *listener, const void *data,
                                struct pg_bytes in)
{
    bool is_stranger = listener->transport->unverified_ratio != 0;
    struct pg_session *session = is_stranger
                                     ? session_create_stranger(listener, data)
                                     : session_create(listener, -1, data);

    if (!session)
        return NULL;
    if (is_stranger)
        life_earn(session, in.len);
    session_start(session);
    life_take(session, in);
    return session;
}

static void life_input_ended(struct pg_session *session)
{
    session->flags |= SESSION_EOF;
    session->flags &= ~(uint32_t)SESSION_CUT_OFF;
    if (session->flags & SESSION_CLOSED && session->flags & SESSION_FINISHED)
        mark_closing(session, SESSION_GONE);
    chain_end(session);
}

static const char *life_error_text(int error)
{
    if (error == ECONNRESET || error == EPIPE)
        return "connection reset";
    return strerror(error);
}

/* A stream may be read in pieces; a record has to fit whole. */
static size_t life_read_bytes(const struct pg_session *session)
{
    size_t frame = (size_t)core->config->limits.frame_bytes;

    if (session_is_stream(session))
        return core->read_most;
    return frame < ARENA_READ_SIZE ? frame : ARENA_READ_SIZE;
}

void session_readable(struct pg_session *session)
{
    const struct pg_transport *transport = session_listener(session)->transport;
    uint8_t *buffer = arena_read_buffer(&core->arena);
    ssize_t got =
        transport->recv(session, session->fd, buffer, life_read_bytes(session));

    if (got > 0 || (got == 0 && !session_is_stream(session)))
        session_input(session, pg_bytes(buffer, (size_t)got));
    else if (got == 0 || got == -ESHUTDOWN)
        life_input_ended(session);
    else if (got == -EMSGSIZE)
        session_abort(session, PG_WHY_LIMIT,
                      "sends a record that is longer "
                      "than limits.frame_bytes");
    else if (got != -EAGAIN && got != -EINTR)
        session_abort(session, PG_WHY_RESET, life_error_text((int)-got));
    /* A dirty session is watched anew at the end of the turn, by flush.c. */
    if (!(session->flags & SESSION_DIRTY))
        session_watch(session);
}

static void life_resume_one(struct pg_session *session)
{
    session->flags &= ~(uint32_t)SESSION_RESUMING;
    if (session->flags & (SESSION_INPUT_HELD | SESSION_WANTS_ROOM) &&
        !session_is_closing(session))
        chain_resume(session);
    later_resume(session);
    mark_unlisted(session);
    session_watch(session);
}

/* Sessions that are not reached in time keep their place in the list; those
   that are not done go to its end. */
void session_resume_marked(void)
{
    uint32_t last = core->resuming ? core->resuming_last : 0, one = 0;
    struct pass pass = pass_begin();

    while (core->resuming && one != last && !pass_is_over(&pass)) {
        one = core->resuming;
        core->resuming = session_at(one - 1)->next_resuming;
        life_resume_one(session_at(one - 1));
    }
}

/* ---- output ------------------------------------------------------------ */

void session_writable(struct pg_session *session)
{
    session->flags &= ~(uint32_t)(SESSION_SOCKET_FULL | SESSION_STARVED);
    session->unread_ms = 0;
    if (session->flags & SESSION_CLOSING)
        session->active_ms = core_now_ms();
    queue_send_now(session);
    if (!session->head)
        session_drained(session);
    session_may_resume(session);
    session_watch(session);
}

/* ---- it goes ----------------------------------------------------------- */

static void life_release(struct pg_session *session)
{
    core->io->release(session);
    queue_clear(session);
    chain_forget(session);
    if (session->reason)
        heap_free(&core->arena, session->reason);
    peers_forget(session);
    slot_free(session);
}

/* The peer has linger_ms to take the rest and say goodbye (RFC 1122, 4.2.2.13:
   closing with unread input would reset), counted from what it took last, also
   of what our system holds for it. To say more is no goodbye. */
static void life_linger(struct pg_session *session)
{
    uint64_t linger_ms = (uint64_t)core->config->limits.linger_ms, until;

    if (linger_ms && look_has_taken(session))
        session->active_ms = core_now_ms();
    until = session->active_ms + linger_ms;
    if (until <= core_now_ms())
        mark_closing(session, SESSION_GONE | SESSION_ABORT);
    else
        timer_add(until, session->slot, session->number, TIMER_SESSION, 0);
}

void session_let_go(struct pg_session *session)
{
    if (session->flags & SESSION_CLOSED && !session->head)
        mark_closing(session, SESSION_GONE);
}

void session_timeout(struct pg_session *session)
{
    if (session->flags & SESSION_CLOSED)
        life_linger(session);
}

static void life_close_entries(struct pg_session *session)
{
    struct pg_reason reason = {session->why, session_reason(session)};

    session->flags |= SESSION_CLOSED;
    if (session->flags & SESSION_OPEN)
        chain_close(session, reason);
    session->active_ms = core_now_ms();
    if (session->flags & SESSION_ABORT)
        session->flags |= SESSION_GONE;
    else if (!session->head)
        session_drained(session);
    if (!(session->flags & SESSION_GONE))
        life_linger(session);
}

/* False: what was said in bye() is delayed, and the session closes after it. */
static bool life_say_bye(struct pg_session *session)
{
    if ((session->flags & (SESSION_OPEN | SESSION_ABORT | SESSION_SAID_BYE)) !=
        SESSION_OPEN)
        return true;
    chain_bye(session);
    return session->flags & SESSION_CLOSING;
}

static void life_close_one(struct pg_session *session)
{
    if (!(session->flags & SESSION_CLOSED) && !life_say_bye(session))
        return;
    if (!(session->flags & SESSION_CLOSED))
        life_close_entries(session);
    if (session->flags & SESSION_ABORT)
        session->flags |= SESSION_GONE;
    if (!(session->flags & SESSION_GONE)) {
        session_watch(session);
        return;
    }
    queue_drop(session);
    /* On another list of the core, or again on this one, it waits until that
       list is done. */
    if (!(session->flags &
          (SESSION_DIRTY | SESSION_RESUMING | SESSION_MARKED | SESSION_NOTED)))
        life_release(session);
}

void session_close_marked(void)
{
    while (core->closing) {
        struct pg_session *session = session_at(core->closing - 1);

        core->closing = session->next_closing;
        session->flags &= ~(uint32_t)SESSION_MARKED;
        life_close_one(session);
    }
    if (core->waiting && slot_is_scarce())
        flush_forget_gone();
}
