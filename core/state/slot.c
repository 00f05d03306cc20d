/* A session's slot in the arena: its layout, and who has which. */

#include "state/slot.h"

#include <string.h>

#include "state/counter.h"
#include "state/share.h"
#include "workers/commons.h"

/* ---- the layout -------------------------------------------------------- */

static uint32_t slot_aligned(size_t bytes)
{
    return (uint32_t)SESSION_ALIGNED(bytes);
}

static uint32_t slot_state_bytes(const struct pg_entry *entry)
{
    size_t size = entry->handler->session_size;

    return size ? slot_aligned(size + SLOT_CANARY_BYTES) : 0;
}

/* Walks the layout of a listener's slots; fills `run` when there is one. */
static uint32_t slot_walk(const struct pg_listener *listener,
                          struct listener_run *run)
{
    uint32_t offset =
        slot_aligned(sizeof(struct pg_session)) +
        slot_aligned(listener->chain.count * sizeof(struct ctx_slot)) +
        slot_gap;

    if (run)
        run->data_at = offset;
    offset += slot_aligned(listener->transport->session_size) + slot_gap;
    for (unsigned i = 0; i < listener->chain.count; i++) {
        if (run)
            run->state_at[i] = offset;
        offset += slot_state_bytes(listener->chain.entries[i]) + slot_gap;
    }
    return offset;
}

uint32_t slot_strangers_most(const struct config *config, unsigned workers)
{
    uint64_t share = (uint64_t)config->limits.strangers / workers;

    return share ? (uint32_t)share : 1;
}

uint32_t slot_most(const struct config *config, unsigned workers)
{
    return (uint32_t)config->limits.max_sessions +
           slot_strangers_most(config, workers) + SLOT_SPARE;
}

uint32_t slot_stride(const struct config *config)
{
    uint32_t stride = 0;

    for (unsigned i = 0; i < config->listener_count; i++) {
        uint32_t one = slot_walk(config->listeners[i], NULL);

        if (one > stride)
            stride = one;
    }
    return stride;
}

void slot_lay_out(struct pg_listener *listener)
{
    slot_walk(listener, listener->run);
}

/* ---- the live ones ----------------------------------------------------- */

struct pg_session *session_by_number(uint64_t number)
{
    for (uint32_t i = 0; i < core->live_count; i++)
        if (session_at(core->live[i])->number == number)
            return session_at(core->live[i]);
    return NULL;
}

/* Sessions that a broadcast visits stand in front, so that strangers cost it
   nothing. */
static void slot_live_swap(uint32_t one, uint32_t other)
{
    uint32_t slot = core->live[one];

    core->live[one] = core->live[other];
    core->live[other] = slot;
    core->live_at[core->live[one]] = one;
    core->live_at[slot] = other;
}

static void slot_live_remove(uint32_t slot)
{
    if (core->live_at[slot] < core->known_count)
        slot_live_swap(core->live_at[slot], --core->known_count);
    slot_live_swap(core->live_at[slot], --core->live_count);
}

static void slot_live_make_known(struct pg_session *session)
{
    slot_live_swap(core->live_at[session->slot], core->known_count++);
    session_listener(session)->run->count++;
}

void slot_adopt(struct pg_session *session)
{
    core->runs[session->slot] = (struct session_run){0};
    core->live_at[session->slot] = core->live_count;
    core->live[core->live_count++] = session->slot;
    if (!(session->flags & SESSION_STRANGER))
        slot_live_make_known(session);
}

void slot_make_known(struct pg_session *session)
{
    session->flags &= ~(uint32_t)SESSION_STRANGER;
    slot_live_make_known(session);
}

/* ---- taking and giving back -------------------------------------------- */

static struct pg_session *slot_next(void)
{
    struct arena_header *header = core->arena.header;
    struct pg_session *session;
    uint32_t slot;

    if (header->free_slot) {
        slot = header->free_slot - 1;
        header->free_slot = session_at(slot)->next_free;
    } else {
        slot = header->used_slots++;
    }
    session = session_at(slot);
    arena_unpoison(session, header->plan.stride);
    memset(session, 0, header->plan.stride);
    session->slot = slot;
    return session;
}

bool slot_is_free(void)
{
    const struct arena_header *header = core->arena.header;

    return header->free_slot || header->used_slots < header->plan.sessions;
}

bool slot_is_scarce(void)
{
    const struct arena_header *header = core->arena.header;

    return header->plan.sessions - header->count < SLOT_SPARE / 2;
}

struct pg_session *slot_take(struct pg_listener *listener, int fd,
                             const void *data, uint32_t flags)
{
    struct pg_session *session = slot_next();

    session->fd = fd;
    session->listener = (uint16_t)listener->id;
    session->flags = flags;
    if (listener->transport->provides == PG_STREAM)
        session->flags |= SESSION_STREAM;
    if (listener_has_connections(listener))
        session->flags |= SESSION_CONNECTION;
    session->number = commons_next_number(core->commons);
    session->active_ms = core_now_ms();
    slot_fill_gaps(session);
    if (listener->transport->session_size)
        memcpy(session_data(session), data, listener->transport->session_size);
    core->arena.header->count++;
    slot_adopt(session);
    share_queue(0);
    return session;
}

void slot_uncount(struct pg_session *session)
{
    if (session->flags & SESSION_COUNTED)
        commons_session_remove(core->commons, core->worker);
    session->flags &= ~(uint32_t)SESSION_COUNTED;
}

void slot_free(struct pg_session *session)
{
    struct arena_header *header = core->arena.header;

    slot_live_remove(session->slot);
    slot_uncount(session);
    if (!(session->flags & SESSION_STRANGER))
        session_listener(session)->run->count--;
    header->count--;
    arena_unpoison(session, header->plan.stride);
    session->number = 0;
    session->next_free = header->free_slot;
    header->free_slot = session->slot + 1;
    share_queue(0);
}
