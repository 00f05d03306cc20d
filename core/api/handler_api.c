/* The functions of playground/handler.h that need a core (those about options
   are in config_api.c, about files in output_api.c). */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/given.h"
#include "api/group_api.h"
#include "base/output.h"
#include "chain/callback.h"
#include "chain/chain.h"
#include "chain/keep.h"
#include "chain/later.h"
#include "engine/mail.h"
#include "memory/heap.h"
#include "out/end.h"
#include "state/blame.h"
#include "state/canary.h"
#include "state/counter.h"
#include "state/scratch.h"
#include "state/share.h"
#include "workers/commons.h"

static uint16_t handler_api_owner_of(const struct pg_ctx *ctx)
{
    return (uint16_t)ctx->entry->id;
}

/* ---- verdicts --------------------------------------------------------- */

enum pg_verdict pg_drop(struct pg_ctx *ctx, const char *reason)
{
    counter_add_reason(handler_api_owner_of(ctx), reason);
    ctx->has_dropped = true;
    return PG_DROP;
}

enum pg_verdict pg_close(struct pg_ctx *ctx, const char *reason)
{
    if (ctx->session)
        session_end(ctx->session, PG_END_FIN, PG_WHY_HANDLER, reason);
    return PG_CLOSE;
}

enum pg_verdict pg_reset(struct pg_ctx *ctx, const char *reason)
{
    if (ctx->session)
        session_end(ctx->session, PG_END_ABORT, PG_WHY_HANDLER, reason);
    return PG_CLOSE;
}

/* ---- passing on ------------------------------------------------------- */

static int handler_api_send_below(struct pg_ctx *ctx, struct pg_bytes bytes)
{
    if (!ctx->session)
        return chain_send_group(ctx->listener, ctx->place, bytes, ctx->group);
    return chain_send(ctx->session, ctx->place, bytes, ctx->group);
}

/* What is kept from now on comes again, or room() is called. */
static void handler_api_wait(struct pg_ctx *ctx)
{
    struct pg_session *session = ctx->session;

    ctx->must_wait = true;
    if (!ctx->entry->handler->room)
        return;
    session_ctx(session, ctx->place)->wants_room = true;
    session->flags |= SESSION_WANTS_ROOM;
    session_may_resume(session);
}

/* The way ahead is full, or the session has had its turn. The rest of what
   recv() was given has to be kept meanwhile; where there is no room for that
   until the next turn, it is dealt with now. */
static int handler_api_full(struct pg_ctx *ctx)
{
    struct pg_session *session = ctx->session;

    if (core->is_hurried)
        return 0;
    if (!session_is_pressed(session) &&
        !(session->flags & SESSION_INPUT_HELD) &&
        !share_has_room_to_keep(session, 2 * ctx->in_len))
        return 0;
    handler_api_wait(ctx);
    return PG_FULL;
}

static int handler_api_forward_in(struct pg_ctx *ctx, struct pg_bytes bytes)
{
    struct pg_session *session = ctx->session;
    int result;

    if (chain_is_cut_off(session, ctx->place))
        return -ECANCELED;
    result = chain_recv(session, ctx->place + 1, bytes);
    budget_take(&session->budget);
    if (result == 0 && budget_is_spent(&session->budget))
        result = PG_FULL;
    if (chain_is_cut_off(session, ctx->place))
        return -ECANCELED;
    return result == PG_FULL ? handler_api_full(ctx) : result;
}

/* Hands on a part of the message that a layer's send() was given: by `later`
   after so many milliseconds, or now. Once the first is on its way, the others
   cannot be refused. The sender is told what became of them. */
static int handler_api_forward_out(struct pg_ctx *ctx, struct pg_bytes bytes,
                                   const uint32_t *later)
{
    bool must_take = core->must_take;
    int result;

    core->must_take |= ctx->has_sent;
    result = later ? later_add(ctx, *later, bytes)
                   : handler_api_send_below(ctx, bytes);
    core->must_take = must_take;
    if (result >= 0)
        ctx->has_sent = true;
    else if (later && result == -ENOBUFS)
        counter_add(handler_api_owner_of(ctx), "refused: no room for a delay",
                    1);
    if (result && ctx->result >= 0)
        ctx->result = result;
    return result;
}

int pg_forward(struct pg_ctx *ctx, struct pg_bytes bytes)
{
    if (given_is_nowhere(ctx->entry, bytes))
        return -EINVAL;
    return ctx->direction == CHAIN_IN
               ? handler_api_forward_in(ctx, bytes)
               : handler_api_forward_out(ctx, bytes, NULL);
}

/* Nothing of it was taken: what it answers may be kept, if there will be room
   for it. */
static void handler_api_refused(struct pg_ctx *ctx)
{
    const struct pg_session *session = ctx->session;

    if (session->flags & SESSION_STARVED ||
        (session->flags & SESSION_LATE_OUT_FULL &&
         session_is_connection(session))) {
        handler_api_wait(ctx);
        ctx->must_resend = true;
    } else {
        ctx->was_refused = true;
    }
}

/* What pg_send() says, if it is not 0. A broadcast waits for nobody, and after
   bye() nobody goes on. */
static int handler_api_sent(struct pg_ctx *ctx, int result)
{
    bool is_for_one = ctx->session && !ctx->group && ctx->callback != CHAIN_BYE;

    if (result == -EDQUOT)
        callback_unverified(ctx->entry, ctx->listener);
    if (result == PG_FULL)
        return is_for_one ? handler_api_full(ctx) : 0;
    if (result == -ENOBUFS && is_for_one)
        handler_api_refused(ctx);
    return result;
}

static bool handler_api_is_too_long_a_bye(struct pg_ctx *ctx, size_t len)
{
    if (len <= ctx->in_len) {
        ctx->in_len -= len;
        return false;
    }
    counter_add((uint16_t)ctx->entry->id,
                "dropped: more than limits.frame_bytes in bye()", 1);
    return true;
}

int pg_send(struct pg_ctx *ctx, struct pg_bytes bytes)
{
    int result;

    if (given_is_nowhere(ctx->entry, bytes))
        return -EINVAL;
    if (ctx->callback == CHAIN_BYE &&
        handler_api_is_too_long_a_bye(ctx, bytes.len))
        return -EMSGSIZE;
    if (ctx->direction == CHAIN_OUT)
        result = handler_api_forward_out(ctx, bytes, NULL);
    else
        result = handler_api_send_below(ctx, bytes);
    return result ? handler_api_sent(ctx, result) : 0;
}

void pg_rest(struct pg_ctx *ctx, struct pg_bytes rest)
{
    if (ctx->callback == CHAIN_BYTES)
        ctx->in_len = rest.len;
}

int pg_later(struct pg_ctx *ctx, uint32_t ms, struct pg_bytes bytes)
{
    if (!ctx->session || given_is_nowhere(ctx->entry, bytes))
        return -EINVAL;
    /* A record is lost on its way, without a word to its sender. */
    return ctx->direction == CHAIN_OUT && session_is_stream(ctx->session)
               ? handler_api_forward_out(ctx, bytes, &ms)
               : later_add(ctx, ms, bytes);
}

/* Bytes kept now come again alone, once the way ahead is free. */
static bool handler_api_waits(const struct pg_ctx *ctx)
{
    return ctx->must_wait || ctx->session->pauses;
}

/* A record is whole: to keep a part of it for the next one is a mistake. To
   keep what nobody may is another, which keep_set() judges. */
static bool handler_api_may_keep(const struct pg_ctx *ctx, struct pg_bytes tail)
{
    if (ctx->direction == CHAIN_OUT || ctx->callback == CHAIN_EVENT ||
        ctx->callback == CHAIN_BYE)
        return false;
    if (!tail.len || handler_api_waits(ctx) ||
        ctx->entry->handler->joins_records ||
        pg_input_kind(ctx) != PG_RECORDS || tail.len > keep_most())
        return true;
    if (ctx->was_refused) {
        counter_add((uint16_t)ctx->entry->id, "dropped: no room for its answer",
                    1);
        return false;
    }
    if (blame_is_new(ctx->entry, BLAME_KEEP))
        output_line(output_stderr(),
                    "%s: keeps bytes of a record with pg_keep(), which are "
                    "dropped; a record is whole, and only what pg_send() or "
                    "pg_forward() has said PG_FULL for, or what comes after "
                    "pg_pause(), may be kept: put the rest into pg_state()",
                    ctx->entry->name);
    counter_add((uint16_t)ctx->entry->id, "dropped: part of a record kept", 1);
    return false;
}

/* Nothing of it can be kept, but it comes again. */
static bool handler_api_is_empty_record(const struct pg_ctx *ctx)
{
    return ctx->in_len == 0 && pg_input_kind(ctx) == PG_RECORDS;
}

enum pg_verdict pg_keep(struct pg_ctx *ctx, struct pg_bytes tail)
{
    bool must_take = core->must_take;
    struct ctx_slot *slot;
    const char *why;

    if (!ctx->session || given_is_nowhere(ctx->entry, tail) ||
        !handler_api_may_keep(ctx, tail))
        return PG_STOP;
    slot = session_ctx(ctx->session, ctx->place);
    ctx->has_kept = true;
    core->must_take |= handler_api_waits(ctx); /* it was told to keep this */
    why = keep_set(ctx->session, ctx->place, tail);
    core->must_take = must_take;
    if (why)
        session_end(ctx->session, PG_END_FIN, PG_WHY_LIMIT, why);
    slot->is_held =
        handler_api_waits(ctx) &&
        (tail.len || (ctx->must_resend && handler_api_is_empty_record(ctx)));
    if (slot->is_held) {
        slot->wants_room = false; /* recv() is told by these */
        ctx->session->flags |= SESSION_INPUT_HELD;
        session_may_resume(ctx->session);
    }
    return PG_STOP;
}

struct pg_bytes pg_kept(struct pg_ctx *ctx)
{
    if (!ctx->session)
        return pg_bytes(NULL, 0);
    return keep_get(ctx->session, ctx->place);
}

/* ---- memory ----------------------------------------------------------- */

static void handler_api_over_scratch(struct pg_ctx *ctx)
{
    if (ctx->session)
        session_end(ctx->session, PG_END_FIN, PG_WHY_LIMIT,
                    "more scratch memory than limits.frame_bytes");
}

uint8_t *pg_scratch(struct pg_ctx *ctx, size_t len)
{
    if (len > core->message_most)
        handler_api_over_scratch(ctx);
    return scratch_take(len);
}

/* ---- to others -------------------------------------------------------- */

int pg_broadcast(struct pg_ctx *ctx, struct pg_bytes bytes, enum pg_slow slow)
{
    if (given_is_nowhere(ctx->entry, bytes))
        return -EINVAL;
    chain_broadcast(ctx->entry, bytes, ctx->session ? ctx->session->number : 0,
                    slow);
    return mail_broadcast(ctx->entry, bytes, slow);
}

int pg_broadcast_all(struct pg_entry *entry, struct pg_bytes bytes,
                     enum pg_slow slow)
{
    if (given_is_nowhere(entry, bytes))
        return -EINVAL;
    chain_broadcast(entry, bytes, 0, slow);
    return mail_broadcast(entry, bytes, slow);
}

int pg_claim_as(struct pg_ctx *ctx, const char *key, const char *shown)
{
    struct pg_session *session = ctx->session;
    struct claim_owner owner = {.entry = handler_api_owner_of(ctx),
                                .worker = (uint16_t)core->worker};
    struct ctx_slot *slot;
    uint32_t place, before;
    int error;

    if (!session || !given_is_key(key) || !given_is_key(shown))
        return -EINVAL;
    slot = session_ctx(session, ctx->place);
    owner.slot = session->slot;
    owner.number = session->number;
    error = claim_take(core->commons, key, shown, &owner, &place);
    if (error)
        return error;
    before = slot->claim;
    slot->claim = place + 1;
    group_api_show(ctx);
    if (before && before != slot->claim)
        claim_release(core->commons, before - 1, session->number);
    return 0;
}

int pg_claim(struct pg_ctx *ctx, const char *key)
{
    return pg_claim_as(ctx, key, key);
}

const char *pg_claimed(struct pg_ctx *ctx)
{
    const struct ctx_slot *slot;
    char *key;

    if (!ctx->session)
        return "";
    slot = session_ctx(ctx->session, ctx->place);
    if (!slot->claim)
        return "";
    key = (char *)pg_scratch(ctx, PG_KEY_BYTES + 1);
    claim_key(core->commons, slot->claim - 1, key);
    return key;
}

bool pg_is_claimed(struct pg_entry *entry, const char *key)
{
    struct claim_owner owner;

    return claim_find(core->commons, (uint16_t)entry->id, key, &owner);
}

void pg_claims(struct pg_entry *entry,
               void (*fn)(const char *key, const char *shown, void *arg),
               void *arg)
{
    size_t count;
    char *keys = claim_list(core->commons, (uint16_t)entry->id, &count);

    if (!keys)
        counter_add((uint16_t)entry->id, "no memory to list the keys", 1);
    for (const char *key = keys; count > 0; count--) {
        const char *shown = key + strlen(key) + 1;

        fn(key, shown, arg);
        key = shown + strlen(shown) + 1;
    }
    free(keys);
}

int pg_send_to(struct pg_entry *entry, const char *key, struct pg_bytes bytes)
{
    struct claim_owner owner;
    struct pg_session *session;
    int place;

    if (given_is_nowhere(entry, bytes))
        return -EINVAL;
    if (!claim_find(core->commons, (uint16_t)entry->id, key, &owner))
        return -ENOENT;
    if (owner.worker != core->worker)
        return mail_send_to(&owner, bytes);
    session = session_at(owner.slot);
    if (session->number != owner.number || session->flags & SESSION_SAID_BYE)
        return -ENOENT;
    place = session_listener(session)->run->place[entry->id];
    return chain_send_one(session, (unsigned)place, bytes);
}

/* ---- time and pressure ------------------------------------------------ */

uint64_t pg_now(void)
{
    return core_now_ms();
}

uint64_t pg_now_ns(void)
{
    return core->io->now_ns();
}

uint64_t pg_wall_ms(void)
{
    return core->io->wall_ms();
}

void pg_timer_stop(struct pg_ctx *ctx)
{
    struct ctx_slot *slot;

    if (!ctx->session)
        return;
    slot = session_ctx(ctx->session, ctx->place);
    if (slot->deadline_ms)
        ctx->session->timed--;
    slot->deadline_ms = 0;
    session_check_done(ctx->session);
}

void pg_timer(struct pg_ctx *ctx, uint32_t ms)
{
    struct pg_session *session = ctx->session;
    struct ctx_slot *slot;

    if (!session || session->flags & SESSION_CLOSED)
        return;
    slot = session_ctx(session, ctx->place);
    session->timed += !slot->deadline_ms;
    slot->deadline_ms = core_now_ms() + ms;
    if (timer_set(session, ctx->place))
        session_abort(session, PG_WHY_LIMIT, "too many timers");
}

void pg_entry_timer(struct pg_entry *entry, uint32_t ms)
{
    entry->tick_ms = core_now_ms() + ms;
    if (timer_set_entry(entry))
        counter_add((uint16_t)entry->id, "dropped: too many timers", 1);
}

void pg_pause(struct pg_ctx *ctx)
{
    if (!ctx->session)
        return;
    ctx->session->pauses++;
    session_watch(ctx->session);
}

/* Kept bytes come again whether they were kept before the pause or in it. */
void pg_resume(struct pg_ctx *ctx)
{
    struct pg_session *session = ctx->session;

    if (!session || !session->pauses)
        return;
    session->pauses--;
    if (session->keeping & 1ull << ctx->place) {
        session_ctx(session, ctx->place)->is_held = true;
        session->flags |= SESSION_INPUT_HELD;
    }
    session_may_resume(session);
    session_watch(session);
}

/* ---- who am I --------------------------------------------------------- */

const void *pg_options(const struct pg_ctx *ctx)
{
    return ctx->entry->options;
}

void *pg_state(struct pg_ctx *ctx)
{
    if (ctx->session)
        canary_note(ctx->session);
    return ctx->session ? session_state(ctx->session, ctx->place)
                        : core->no_state;
}

void *pg_private(struct pg_ctx *ctx)
{
    return ctx->entry->private;
}

struct pg_entry *pg_entry(struct pg_ctx *ctx)
{
    return ctx->entry;
}

/* Before check() has been followed by init() there is no core yet. */
unsigned pg_worker(const struct pg_entry *entry)
{
    (void)entry;
    return core ? core->worker : 0;
}

unsigned pg_workers(const struct pg_entry *entry)
{
    return core ? core->workers : (unsigned)entry->config->workers;
}

const char *pg_peer(struct pg_ctx *ctx)
{
    const struct pg_transport *transport = ctx->listener->transport;
    int len = snprintf(core->peer_text, sizeof(core->peer_text), "%s ",
                       transport->name);

    if (!ctx->session)
        return "everyone";
    transport->address(ctx->listener, ctx->session, ctx->session->fd,
                       core->peer_text + len,
                       sizeof(core->peer_text) - (size_t)len);
    return core->peer_text;
}

/* What runs once for a group has no one peer: it came to the listener. */
const char *pg_local(struct pg_ctx *ctx)
{
    const struct pg_transport *transport = ctx->listener->transport;
    const struct pg_session *session = ctx->session;
    int len = snprintf(core->local_text, sizeof(core->local_text), "%s ",
                       transport->name);
    char *text = core->local_text + len;
    size_t size = sizeof(core->local_text) - (size_t)len;

    if (session && transport->local)
        transport->local(ctx->listener, session, text, size);
    else
        transport->address(ctx->listener, NULL,
                           session && session->fd >= 0 ? session->fd
                                                       : ctx->listener->run->fd,
                           text, size);
    return core->local_text;
}

const char *pg_transport_name(const struct pg_ctx *ctx)
{
    return ctx->listener->transport->name;
}

enum pg_kind pg_transport_kind(const struct pg_ctx *ctx)
{
    return ctx->listener->transport->provides;
}

enum pg_kind pg_input_kind(const struct pg_ctx *ctx)
{
    return ctx->listener->chain.kinds[ctx->place];
}

uint64_t pg_idle_ms(const struct pg_ctx *ctx)
{
    return ctx->listener->run->idle_ms;
}

bool pg_is_stranger(const struct pg_ctx *ctx)
{
    return ctx->session && ctx->session->flags & SESSION_STRANGER;
}

uint64_t pg_session_number(const struct pg_ctx *ctx)
{
    return ctx->session ? ctx->session->number : 0;
}

void pg_count(struct pg_ctx *ctx, const char *name)
{
    counter_add(handler_api_owner_of(ctx), name, 1);
}

void pg_count_many(struct pg_ctx *ctx, const char *name, uint64_t many)
{
    counter_add(handler_api_owner_of(ctx), name, many);
}
