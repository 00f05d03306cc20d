/* Bytes on their way, handed on after a delay: pg_later(). */

#include "chain/later.h"

#include <errno.h>
#include <string.h>

#include "memory/heap.h"
#include "out/end.h"
#include "state/counter.h"
#include "state/share.h"

static struct later *later_at(uint32_t block)
{
    return (struct later *)heap_at(&core->arena, block);
}

static struct pg_bytes later_bytes(const struct later *later)
{
    return pg_bytes(later + 1, later->len);
}

static void later_link_in(uint32_t block)
{
    uint32_t *first = &core->arena.header->first_later;

    later_at(block)->next = *first;
    if (*first)
        later_at(*first)->previous = block;
    *first = block;
}

static void later_link_out(uint32_t block)
{
    const struct later *later = later_at(block);

    if (later->previous)
        later_at(later->previous)->next = later->next;
    else
        core->arena.header->first_later = later->next;
    if (later->next)
        later_at(later->next)->previous = later->previous;
}

static int later_arm(uint32_t block)
{
    const struct later *later = later_at(block);

    return timer_add(later->due_ms, later->slot, later->number, TIMER_LATER,
                     block);
}

/* `session` is NULL when it is over. */
static void later_uncount(struct pg_session *session, uint32_t block)
{
    int64_t bytes = (int64_t)heap_size(&core->arena, block);

    if (session)
        share_keep(session, -bytes);
    else
        core->arena.header->kept -= (uint64_t)bytes;
}

static void later_free(uint32_t block)
{
    later_link_out(block);
    heap_free(&core->arena, block);
}

/* ---- what a session has on its way ------------------------------------- */

/* A sender faster than a delay or a rate in its chain has to wait; each message
   counts for its bytes and for what it costs. */
static void later_weigh_way(struct pg_session *session, uint64_t load,
                            enum session_flags is_full)
{
    uint64_t most = core->high_water, kept_most = share_to_keep() / 2;

    if (most > kept_most)
        most = kept_most;
    if (load > most)
        session->flags |= (uint32_t)is_full;
    else if (load <= most / 2)
        session->flags &= ~(uint32_t)is_full;
}

/* Both ways count for who is read from; only the way out for who answers. */
static void later_weigh(struct pg_session *session)
{
    const uint64_t cost = sizeof(struct later);

    later_weigh_way(session, session->delayed + session->late * cost,
                    SESSION_DELAY_FULL);
    later_weigh_way(session, session->delayed_out + session->late_out * cost,
                    SESSION_LATE_OUT_FULL);
    session_may_resume(session);
    session_watch(session);
}

static void later_begins(struct pg_session *session, const struct later *later)
{
    bool is_outward = later->direction == CHAIN_OUT;

    session->timed++;
    session->late++;
    session->delayed += later->len;
    session->late_out += is_outward;
    session->delayed_out += is_outward ? later->len : 0;
    session_ctx(session, later->place)->late += !is_outward;
    later_weigh(session);
}

/* The last delayed message has left: a leaving session closes now, a
   half-closed one sends its FIN. */
static void later_all_are_out(struct pg_session *session)
{
    if (session->flags & SESSION_LEAVING)
        mark_closing(session, SESSION_CLOSING);
    else if (session->flags & SESSION_HALF_CLOSING && !session->head)
        session_drained(session);
}

static void later_ends(struct pg_session *session, const struct later *later)
{
    bool is_outward = later->direction == CHAIN_OUT;

    session->timed--;
    session->late--;
    session->delayed -= later->len;
    session->late_out -= is_outward;
    session->delayed_out -= is_outward ? later->len : 0;
    session_ctx(session, later->place)->late -= !is_outward;
    if (is_outward && !session->late_out)
        later_all_are_out(session);
    if (session->flags & SESSION_EOF && !(session->flags & SESSION_ENDED))
        chain_end(session);
    later_weigh(session);
    session_check_done(session);
}

/* ---- setting out, arriving --------------------------------------------- */

/* Room comes when something of its own has left, or of others'. */
static int later_no_room(struct pg_session *session)
{
    if (session->late_out)
        session->flags |= SESSION_LATE_OUT_FULL;
    else
        mark_starved(session);
    return -ENOBUFS;
}

/* What is read of a stream cannot be refused: it is not read from until less is
   on its way. And were those refused that have nothing on their way out, all
   might wait for room that they themselves take by waiting. */
static bool later_has_room(const struct pg_ctx *ctx, size_t more)
{
    struct pg_session *session = ctx->session;
    bool must_take = core->must_take, has_room;

    if (session_is_stream(session))
        core->must_take |= ctx->direction == CHAIN_IN || !session->late_out;
    has_room = share_has_room_to_keep(session, more);
    core->must_take = must_take;
    return has_room;
}

int later_add(const struct pg_ctx *ctx, uint32_t ms, struct pg_bytes bytes)
{
    struct pg_session *session = ctx->session;
    uint32_t block;

    if (!later_has_room(ctx, sizeof(struct later) + bytes.len))
        return later_no_room(session);
    block = heap_alloc(&core->arena, sizeof(struct later) + bytes.len);
    if (!block)
        return later_no_room(session);
    *later_at(block) = (struct later){
        .number = session->number,
        .due_ms = core_now_ms() + ms,
        .slot = session->slot,
        .len = (uint32_t)bytes.len,
        .place = (uint16_t)ctx->place,
        .direction = (uint16_t)ctx->direction,
        .entry = (uint16_t)ctx->entry->id,
    };
    if (bytes.len)
        memcpy(later_at(block) + 1, bytes.data, bytes.len);
    share_keep(session, (int64_t)heap_size(&core->arena, block));
    later_link_in(block);
    if (later_arm(block)) {
        later_uncount(session, block);
        later_free(block);
        return later_no_room(session);
    }
    later_begins(session, later_at(block));
    return 0;
}

/* A part of a stream was taken when it set out. */
static void later_send(struct pg_session *session, const struct later *later)
{
    core->must_take = session_is_stream(session);
    chain_send_one(session, later->place, later_bytes(later));
    core->must_take = false;
}

static void later_hand_on(struct pg_session *session, const struct later *later)
{
    struct pg_bytes bytes = later_bytes(later);
    bool is_outward = later->direction == CHAIN_OUT;

    if (is_outward && !(session->flags & SESSION_CLOSING))
        later_send(session, later);
    else if (!is_outward && !session_is_closing(session))
        chain_recv(session, later->place + 1u, bytes);
    else
        counter_add(later->entry, "dropped: session over before its delay", 1);
    later_ends(session, later);
}

/* A message that arrives counts no more, so that it may set out again. */
static void later_arrives(struct pg_session *session, uint32_t block)
{
    budget_take(&session->budget);
    later_uncount(session, block);
    later_hand_on(session, later_at(block));
    later_free(block);
}

static void later_wait_for_turn(struct pg_session *session, uint32_t block)
{
    later_at(block)->next_due = 0;
    if (session->due)
        later_at(session->due_last)->next_due = block;
    else
        session->due = block;
    session->due_last = block;
    mark_resuming(session);
}

/* Kept bytes of a stream come again alone: what they are kept for may have room
   for no more. And who is to have room says what it has to say first. */
static bool later_is_held_up(const struct pg_session *session,
                             const struct later *later)
{
    unsigned count = session_listener(session)->chain.count;

    if (later->direction == CHAIN_OUT || session_is_closing(session) ||
        !session_is_stream(session) ||
        !(session->flags & (SESSION_INPUT_HELD | SESSION_WANTS_ROOM)))
        return false;
    for (unsigned place = later->place + 1u; place < count; place++)
        if (session_ctx(session, place)->is_held ||
            session_ctx(session, place)->wants_room)
            return true;
    return false;
}

void later_deliver(uint32_t block)
{
    const struct later *later = later_at(block);
    struct pg_session *session = session_at(later->slot);

    if (session->number != later->number) {
        later_uncount(NULL, block);
        counter_add(later->entry, "dropped: session over before its delay", 1);
        later_free(block);
    } else if (session->flags & SESSION_RESUMING ||
               budget_is_spent(&session->budget) ||
               later_is_held_up(session, later)) {
        later_wait_for_turn(session, block);
    } else {
        later_arrives(session, block);
    }
}

static void later_leave_due(struct pg_session *session, uint32_t block,
                            uint32_t before)
{
    uint32_t next = later_at(block)->next_due;

    if (before)
        later_at(before)->next_due = next;
    else
        session->due = next;
    if (!next)
        session->due_last = before;
}

/* What is held up stays; what goes the other way passes it. A session that is
   closing has nothing delivered: that takes no time. */
void later_resume(struct pg_session *session)
{
    uint32_t block = session->due, before = 0, next;

    for (; block; block = next) {
        next = later_at(block)->next_due;
        if (later_is_held_up(session, later_at(block))) {
            before = block;
            continue;
        }
        if (budget_is_spent(&session->budget) &&
            !(session->flags & SESSION_CLOSING)) {
            mark_resuming(session);
            return;
        }
        later_leave_due(session, block, before);
        later_arrives(session, block);
    }
}

/* The list has the newest first; what is due at once comes in the order it
   was given, so the oldest is armed first. */
int later_rearm(void)
{
    uint32_t block = core->arena.header->first_later;

    while (block && later_at(block)->next)
        block = later_at(block)->next;
    for (; block; block = later_at(block)->previous)
        if (later_arm(block))
            return -ENOMEM;
    return 0;
}
