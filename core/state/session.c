#include "state/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chain/chain.h"
#include "chain/later.h"
#include "engine/peers.h"
#include "memory/heap.h"
#include "out/broadcast.h"
#include "out/queue.h"
#include "state/counter.h"
#include "workers/commons.h"

#define READ_BYTES  (64u * 1024)
#define REASON_SIZE 256

/* ---- the slot --------------------------------------------------------- */

static uint32_t aligned(size_t bytes)
{
    return (uint32_t)SESSION_ALIGNED(bytes);
}

/* Walks the layout of a listener's slots; fills `run` when there is one. */
static uint32_t lay_out(const struct pg_listener *listener,
                        struct listener_run *run)
{
    uint32_t at = aligned(sizeof(struct pg_session)) +
                  aligned(listener->chain.count * sizeof(struct ctx_slot)) +
                  session_gap;

    if (run)
        run->data_at = at;
    at += aligned(listener->transport->session_size) + session_gap;
    for (unsigned i = 0; i < listener->chain.count; i++) {
        if (run)
            run->state_at[i] = at;
        at += aligned(listener->chain.entries[i]->handler->session_size) +
              session_gap;
    }
    return at;
}

uint32_t session_stride(const struct config *config)
{
    uint32_t stride = 0;

    for (unsigned i = 0; i < config->listener_count; i++) {
        uint32_t one = lay_out(config->listeners[i], NULL);

        if (one > stride)
            stride = one;
    }
    return stride;
}

void session_lay_out(struct pg_listener *listener)
{
    lay_out(listener, listener->run);
}

void *session_state(const struct pg_session *session, unsigned at)
{
    return (uint8_t *)(uintptr_t)session +
           session_listener(session)->run->state_at[at];
}

static void *session_data(const struct pg_session *session)
{
    return (uint8_t *)(uintptr_t)session +
           session_listener(session)->run->data_at;
}

struct pg_session *session_by_number(uint64_t number)
{
    for (uint32_t i = 0; i < core->live_count; i++)
        if (session_at(core->live[i])->number == number)
            return session_at(core->live[i]);
    return NULL;
}

static void mark(struct pg_session *session, uint32_t flags);
static void session_destroy(struct pg_session *session);

static uint32_t take_slot(void)
{
    struct arena_header *header = core->arena.header;
    uint32_t slot;

    if (header->free_slot) {
        slot = header->free_slot - 1;
        header->free_slot = session_at(slot)->next_free;
    } else {
        slot = header->used_slots++;
    }
    arena_unpoison(session_at(slot), header->plan.stride);
    memset(session_at(slot), 0, header->plan.stride);
    return slot;
}

static void live_add(uint32_t slot)
{
    core->live_at[slot] = core->live_count;
    core->live[core->live_count++] = slot;
}

static void live_remove(uint32_t slot)
{
    uint32_t at = core->live_at[slot], last = core->live[--core->live_count];

    core->live[at] = last;
    core->live_at[last] = at;
}

struct pg_session *session_create(struct pg_listener *listener, int fd,
                                  const void *data)
{
    struct pg_session *session;
    uint32_t slot;

    if (!commons_session_add(core->commons, core->worker,
                             core->config->limits.max_sessions)) {
        counter_add((uint16_t)(COUNTER_LISTENER | listener->id),
                    "refused: limits.max_sessions", 1);
        return NULL;
    }
    slot = take_slot();
    session = session_at(slot);
    session->slot = slot;
    session->fd = fd;
    session->listener = (uint16_t)listener->id;
    if (listener->transport->provides == PG_STREAM)
        session->flags = SESSION_STREAM;
    session->number = commons_next_number(core->commons);
    session->active_ms = core_now_ms();
    session_fill_gaps(session);
    if (listener->transport->session_size)
        memcpy(session_data(session), data, listener->transport->session_size);
    core->runs[slot] = (struct session_run){0};
    core->arena.header->count++;
    listener->run->count++;
    live_add(slot);
    if (listener->transport->provides != PG_RECORDS || peers_add(session))
        return session;
    counter_add((uint16_t)(COUNTER_LISTENER | listener->id),
                "refused: no memory", 1);
    session_destroy(session);
    return NULL;
}

void session_start(struct pg_session *session)
{
    broadcast_deliver(session_listener(session)); /* not for this one */
    session->flags |= SESSION_OPEN;
    session->flags &= ~(uint32_t)SESSION_CONNECTING;
    chain_open(session);
    session_watch(session);
}

/* ---- after core_attach() ---------------------------------------------- */

static int rearm(struct pg_session *session)
{
    for (unsigned at = 0; at < session_listener(session)->chain.count; at++) {
        struct ctx_slot *slot = session_ctx(session, at);

        slot->armed_ms = 0;
        if (slot->deadline_ms && timer_set(session, at))
            return -ENOMEM;
    }
    return 0;
}

static int rebuild_one(struct pg_session *session)
{
    struct pg_listener *listener = session_listener(session);
    uint32_t was = session->flags;

    session_fill_gaps(session);
    core->runs[session->slot] = (struct session_run){0};
    live_add(session->slot);
    listener->run->count++;
    if (listener->transport->provides == PG_RECORDS && !peers_add(session))
        return -ENOMEM;
    session->flags &= ~(uint32_t)(SESSION_DIRTY | SESSION_RESUMING |
                                  SESSION_MARKED | SESSION_SOCKET_FULL);
    session->watching = 0;
    if (session->head)
        queue_again(session);
    if (was & SESSION_CLOSING)
        mark(session, 0);
    session_may_resume(session);
    session_watch(session);
    return rearm(session);
}

static int by_activity(const void *a, const void *b)
{
    uint64_t one = session_at(*(const uint32_t *)a)->active_ms;
    uint64_t other = session_at(*(const uint32_t *)b)->active_ms;

    return one < other ? -1 : one > other;
}

int session_rebuild(void)
{
    struct arena_header *header = core->arena.header;
    uint32_t *slots = calloc(header->used_slots + 1, sizeof(*slots)), count = 0;
    int error = slots ? 0 : -ENOMEM;

    for (uint32_t slot = 0; slots && slot < header->used_slots; slot++)
        if (session_at(slot)->number)
            slots[count++] = slot;
    if (slots) /* the list of peers is by activity */
        qsort(slots, count, sizeof(*slots), by_activity);
    for (uint32_t i = 0; !error && i < count; i++)
        error = rebuild_one(session_at(slots[i]));
    free(slots);
    return error ? error : later_rearm();
}

/* Gives the slot back. */
static void session_destroy(struct pg_session *session)
{
    struct arena_header *header = core->arena.header;
    struct pg_listener *listener = session_listener(session);
    uint32_t slot = session->slot;

    core->io->release(session);
    queue_clear(session);
    chain_forget(session);
    if (session->reason)
        heap_free(&core->arena, session->reason);
    if (listener->transport->provides == PG_RECORDS)
        peers_forget(session);
    live_remove(slot);
    commons_session_remove(core->commons, core->worker);
    listener->run->count--;
    header->count--;
    arena_unpoison(session, header->plan.stride);
    session->number = 0;
    session->next_free = header->free_slot;
    header->free_slot = slot + 1;
}

/* For core_settle() to look at. */
static void mark(struct pg_session *session, uint32_t flags)
{
    session->flags |= flags;
    if (session->flags & SESSION_MARKED)
        return;
    session->flags |= SESSION_MARKED;
    session->next_closing = core->closing;
    core->closing = session->slot + 1;
}

void session_unlisted(struct pg_session *session)
{
    if (session->flags & SESSION_GONE)
        mark(session, 0);
}

/* ---- input ------------------------------------------------------------ */

/* Streams do without: only when they end does it matter who is silent. */
void session_touch(struct pg_session *session)
{
    if (session->flags & SESSION_STREAM)
        return;
    session->active_ms = core_now_ms();
    peers_touch(session);
}

void session_input(struct pg_session *session, struct pg_bytes in)
{
    if (session->heard < 2) {
        session->heard++;
        session->credit +=
            in.len * session_listener(session)->transport->unverified_ratio;
    }
    session_touch(session);
    if (session->flags & (SESSION_CLOSING | SESSION_LEAVING | SESSION_EOF)) {
        /* Our goodbye is on its way: what still comes is discarded. */
        session->active_ms = core_now_ms();
        return;
    }
    if (session->pauses) {
        counter_add((uint16_t)(COUNTER_LISTENER | session->listener),
                    "dropped: session is paused", 1);
        return;
    }
    chain_recv(session, 0, in);
}

/* From entry to entry; what one of them has delayed comes first. */
static void pass_end(struct pg_session *session)
{
    if (session->flags & SESSION_CLOSING)
        return;
    chain_end(session);
    if (session->ended < session_listener(session)->chain.count)
        return;
    session->flags |= SESSION_ENDED;
    session_check_done(session);
}

static void input_ended(struct pg_session *session)
{
    session->flags |= SESSION_EOF;
    if (session->flags & SESSION_CLOSED && session->flags & SESSION_FINISHED)
        mark(session, SESSION_GONE);
    pass_end(session);
}

static const char *error_text(int error)
{
    if (error == ECONNRESET || error == EPIPE)
        return "connection reset";
    return strerror(error);
}

void session_readable(struct pg_session *session)
{
    const struct pg_transport *transport = session_listener(session)->transport;
    uint8_t *buffer = arena_read_buffer(&core->arena);
    ssize_t got = transport->recv(session, session->fd, buffer, READ_BYTES);

    if (got > 0)
        session_input(session, pg_bytes(buffer, (size_t)got));
    else if (got == 0)
        input_ended(session);
    else if (got != -EAGAIN && got != -EINTR)
        session_end(session, PG_END_ABORT, PG_WHY_RESET, error_text((int)-got));
    if (!(session->flags & SESSION_DIRTY)) /* else it is looked at then */
        session_watch(session);
}

void session_writable(struct pg_session *session)
{
    session->flags &= ~(uint32_t)SESSION_SOCKET_FULL;
    session->active_ms = core_now_ms();
    queue_flush_session(session);
    if (!session->head)
        session_drained(session);
    session_may_resume(session);
    session_watch(session);
}

/* ---- pressure --------------------------------------------------------- */

void session_may_resume(struct pg_session *session)
{
    if (session->queued > core->high_water)
        session->flags |= SESSION_QUEUE_FULL;
    else if (session->queued <= core->high_water / 2)
        session->flags &= ~(uint32_t)SESSION_QUEUE_FULL;
    if (!(session->flags & SESSION_INPUT_HELD) || session->pauses ||
        session->flags & (SESSION_QUEUE_FULL | SESSION_DELAY_FULL |
                          SESSION_RESUMING | SESSION_CLOSING))
        return;
    session->flags |= SESSION_RESUMING;
    session->next_resuming = core->resuming;
    core->resuming = session->slot + 1;
}

void session_resume_marked(void)
{
    uint32_t list = core->resuming;

    core->resuming = 0;
    while (list) {
        struct pg_session *session = session_at(list - 1);

        list = session->next_resuming;
        session->flags &= ~(uint32_t)SESSION_RESUMING;
        if (session->flags & SESSION_CLOSING) {
            session_unlisted(session);
            continue;
        }
        chain_resume(session);
        session_watch(session);
    }
}

static int wanted(const struct pg_session *session)
{
    int events = 0;
    bool is_reading =
        !(session->flags & SESSION_EOF) &&
        !(session->flags & (SESSION_QUEUE_FULL | SESSION_DELAY_FULL |
                            SESSION_INPUT_HELD | SESSION_LEAVING)) &&
        !session->pauses;

    if (session->flags & SESSION_CONNECTING)
        return CORE_WRITE;
    if (session->flags & SESSION_CLOSING)
        is_reading = session->flags & SESSION_FINISHED;
    if (is_reading)
        events |= CORE_READ;
    if (session->flags & SESSION_SOCKET_FULL)
        events |= CORE_WRITE;
    return events;
}

void session_watch(struct pg_session *session)
{
    int events = wanted(session);

    if (session->fd < 0 || events == session->watching || !session->number)
        return;
    session->watching = (uint8_t)events;
    core->io->watch(session, events);
}

/* ---- what pg_later() has on its way ----------------------------------- */

/* A sender faster than a delay or a rate in its chain has to wait; each piece
   counts for its bytes and for what it costs. */
static void weigh(struct pg_session *session)
{
    uint64_t load =
        session->delayed + (uint64_t)session->timed * sizeof(struct later);

    if (load > core->high_water)
        session->flags |= SESSION_DELAY_FULL;
    else if (load <= core->high_water / 2)
        session->flags &= ~(uint32_t)SESSION_DELAY_FULL;
    session_may_resume(session);
    session_watch(session);
}

void session_later_begins(struct pg_session *session, unsigned at,
                          bool is_outward, uint32_t len)
{
    session->timed++;
    session->delayed += len;
    session->late_out += is_outward;
    session_ctx(session, at)->late += !is_outward;
    weigh(session);
}

/* Nothing more is on its way out: what waited for that. */
static void all_are_out(struct pg_session *session)
{
    if (session->flags & SESSION_LEAVING)
        mark(session, SESSION_CLOSING);
    else if (session->flags & SESSION_HALF_CLOSING && !session->head)
        session_drained(session);
}

void session_later_ends(struct pg_session *session, unsigned at,
                        bool is_outward, uint32_t len)
{
    session->timed--;
    session->delayed -= len;
    session->late_out -= is_outward;
    session_ctx(session, at)->late -= !is_outward;
    if (is_outward && !session->late_out)
        all_are_out(session);
    if (session->flags & SESSION_EOF && !(session->flags & SESSION_ENDED))
        pass_end(session);
    weigh(session);
    session_check_done(session);
}

/* ---- the end ---------------------------------------------------------- */

static void keep_reason(struct pg_session *session, const char *text)
{
    session->reason = heap_alloc(&core->arena, REASON_SIZE);
    if (session->reason)
        snprintf((char *)heap_at(&core->arena, session->reason), REASON_SIZE,
                 "%s", text);
}

const char *session_reason(const struct pg_session *session)
{
    return session->reason
               ? (const char *)heap_at(&core->arena, session->reason)
               : "no memory for the reason";
}

void session_end(struct pg_session *session, enum pg_end how, enum pg_why why,
                 const char *text)
{
    if (session->flags & SESSION_CONNECTING)
        how = PG_END_ABORT; /* nobody is there to be said goodbye to */
    if (how == PG_END_FIN && core->gathered)
        broadcast_before(session); /* was said while it was there */
    if (!(session->flags & (SESSION_CLOSING | SESSION_LEAVING))) {
        session->why = (uint16_t)why;
        keep_reason(session, text);
        counter_add_reason((uint16_t)(COUNTER_LISTENER | session->listener),
                           text);
    }
    if (how == PG_END_FIN && session->late_out) {
        session->flags |= SESSION_LEAVING;
        session_watch(session);
        return;
    }
    mark(session, how == PG_END_ABORT ? SESSION_CLOSING | SESSION_ABORT
                                      : SESSION_CLOSING);
}

void session_check_done(struct pg_session *session)
{
    uint32_t flags =
        session->flags & (SESSION_ENDED | SESSION_CLOSING | SESSION_LEAVING);

    if (flags == SESSION_ENDED && !session->timed && !session->head &&
        !(session->flags & SESSION_INPUT_HELD))
        session_end(session, PG_END_FIN, PG_WHY_EOF, "end of input");
}

static void finish_output(struct pg_session *session)
{
    const struct pg_transport *transport = session_listener(session)->transport;

    if (session->flags & SESSION_FINISHED)
        return;
    session->flags |= SESSION_FINISHED;
    if (transport->finish && session->fd >= 0)
        transport->finish(session, session->fd);
}

void session_drained(struct pg_session *session)
{
    if (session->flags & SESSION_CLOSED) {
        if (session->fd < 0 || session->flags & SESSION_EOF)
            mark(session, SESSION_GONE);
        else
            finish_output(session);
    } else if (session->flags & SESSION_HALF_CLOSING && !session->late_out) {
        finish_output(session);
    }
    session_check_done(session);
}

/* The peer has linger_ms from its last sign of life to take the rest and say
   goodbye (RFC 1122, 4.2.2.13: closing with unread input would reset). */
static void linger(struct pg_session *session)
{
    uint64_t until =
        session->active_ms + (uint64_t)core->config->limits.linger_ms;

    if (until <= core_now_ms())
        mark(session, SESSION_GONE | SESSION_ABORT);
    else
        timer_add(until, session->slot, session->number, TIMER_SESSION, 0);
}

void session_let_go(struct pg_session *session)
{
    if (session->flags & SESSION_CLOSED && !session->head)
        mark(session, SESSION_GONE);
}

void session_timeout(struct pg_session *session)
{
    if (session->flags & SESSION_CLOSED)
        linger(session);
}

static void close_entries(struct pg_session *session)
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
        linger(session);
}

static void close_one(struct pg_session *session)
{
    if (!(session->flags & SESSION_CLOSED))
        close_entries(session);
    if (session->flags & SESSION_ABORT)
        session->flags |= SESSION_GONE;
    if (!(session->flags & SESSION_GONE)) {
        session_watch(session);
        return;
    }
    queue_clear(session);
    /* On another list of the core, or again on this one, it waits until that
       list is done. */
    if (!(session->flags & (SESSION_DIRTY | SESSION_RESUMING | SESSION_MARKED)))
        session_destroy(session);
}

void session_close_marked(void)
{
    while (core->closing) {
        struct pg_session *session = session_at(core->closing - 1);

        core->closing = session->next_closing;
        session->flags &= ~(uint32_t)SESSION_MARKED;
        close_one(session);
    }
}

/* ---- idle sessions ---------------------------------------------------- */

void session_expire(struct pg_listener *listener)
{
    struct listener_run *run = listener->run;

    run->expiry_at = 0;
    while (run->idle_ms && run->oldest) {
        struct pg_session *session = session_at(run->oldest - 1);

        if (session->active_ms + run->idle_ms > core_now_ms()) {
            run->expiry_at = session->active_ms + run->idle_ms;
            timer_add(run->expiry_at, listener->id, 0, TIMER_LISTENER, 0);
            return;
        }
        peers_forget(session); /* off the list; the address may come anew */
        session_end(session, PG_END_FIN, PG_WHY_IDLE, "idle for too long");
    }
}
