/* The outside of a core without descriptors, on a clock that jumps. */

#include "outside/virtual.h"

#include <errno.h>
#include <stdlib.h>

#include <playground/simulation.h>

#include "engine/due.h"
#include "engine/life.h"
#include "engine/turn.h"

#define LISTED 0x80 /* in the list of those to look at */

static struct {
    uint64_t now_ns, armed_ms;
    uint8_t *ready; /* by slot: enum core_watch, LISTED */
    uint32_t *list; /* a ring of slots */
    uint32_t size, first, count;
} outside;

/* ---- who is ready ----------------------------------------------------- */

static void virtual_look_at(const struct pg_session *session)
{
    uint8_t *ready = &outside.ready[session->slot];

    if (*ready & LISTED || !(*ready & session->watching))
        return;
    *ready |= LISTED;
    outside.list[(outside.first + outside.count++) % outside.size] =
        session->slot;
}

static void virtual_ready(struct pg_session *session, int events, bool is_ready)
{
    uint8_t *ready;

    ready = &outside.ready[session->slot];
    *ready =
        (uint8_t)(is_ready ? *ready | events : *ready & (LISTED | ~events));
    virtual_look_at(session);
}

static struct pg_session *virtual_take_first(void)
{
    uint32_t slot = outside.list[outside.first];

    outside.first = (outside.first + 1) % outside.size;
    outside.count--;
    outside.ready[slot] &= (uint8_t)~LISTED;
    return session_at(slot);
}

static void virtual_serve(struct pg_session *session)
{
    uint8_t *ready = &outside.ready[session->slot];
    int events = *ready & session->watching;

    if (events & CORE_WRITE) {
        *ready &= (uint8_t)~CORE_WRITE;
        session_writable(session);
    }
    if (events & CORE_READ)
        session_readable(session);
    virtual_look_at(session);
}

/* Each that is ready now, once. */
static void virtual_serve_all(void)
{
    for (uint32_t left = outside.count; left > 0; left--) {
        virtual_serve(virtual_take_first());
        turn_end();
    }
}

void virtual_turn(void)
{
    turn_end();
    while (outside.count || outside.armed_ms == CORE_AT_ONCE) {
        virtual_serve_all();
        if (outside.armed_ms != CORE_AT_ONCE)
            continue;
        outside.armed_ms = UINT64_MAX;
        due_run();
        turn_end();
    }
}

/* ---- what the core asks of the outside -------------------------------- */

static void virtual_watch(struct pg_session *session, int events)
{
    (void)events;
    virtual_look_at(session);
}

static void virtual_release(struct pg_session *session)
{
    const struct pg_simulation *simulation =
        session_listener(session)->transport->simulation;

    outside.ready[session->slot] &= LISTED;
    if (simulation && simulation->release)
        simulation->release(session, session->flags & SESSION_ABORT
                                         ? PG_END_ABORT
                                         : PG_END_FIN);
}

static void virtual_watch_listener(struct pg_listener *listener, int events)
{
    (void)listener, (void)events;
}

static void virtual_arm(uint64_t at_ms)
{
    outside.armed_ms = at_ms;
}

static void virtual_wake(unsigned worker)
{
    (void)worker; /* there is no other */
}

static uint64_t virtual_now_ns(void)
{
    return outside.now_ns;
}

static uint64_t virtual_woke_ms(void)
{
    return outside.now_ns / 1000000;
}

static uint64_t virtual_wall_ms(void)
{
    return VIRTUAL_WALL_MS + (outside.now_ns - VIRTUAL_START_NS) / 1000000;
}

const struct core_io virtual_io = {
    .watch = virtual_watch,
    .release = virtual_release,
    .watch_listener = virtual_watch_listener,
    .ready = virtual_ready,
    .arm = virtual_arm,
    .wake = virtual_wake,
    .now_ns = virtual_now_ns,
    .woke_ms = virtual_woke_ms,
    .wall_ms = virtual_wall_ms,
};

/* ---- time ------------------------------------------------------------- */

uint64_t virtual_next_ns(void)
{
    return outside.armed_ms == UINT64_MAX ? UINT64_MAX
                                          : outside.armed_ms * 1000000;
}

void virtual_advance(uint64_t until_ns)
{
    while (virtual_next_ns() <= until_ns) {
        if (virtual_next_ns() > outside.now_ns)
            outside.now_ns = virtual_next_ns();
        outside.armed_ms = UINT64_MAX;
        core_clock();
        due_run();
        virtual_turn();
    }
    if (until_ns > outside.now_ns)
        outside.now_ns = until_ns;
    core_clock();
}

/* ---- life ------------------------------------------------------------- */

int virtual_start(const struct config *config)
{
    virtual_finish();
    outside.size = slot_most(config, 1);
    outside.ready = calloc(outside.size, sizeof(*outside.ready));
    outside.list = calloc(outside.size, sizeof(*outside.list));
    outside.now_ns = VIRTUAL_START_NS;
    outside.armed_ms = UINT64_MAX;
    return outside.ready && outside.list ? 0 : -ENOMEM;
}

void virtual_finish(void)
{
    free(outside.ready);
    free(outside.list);
    outside.ready = NULL;
    outside.list = NULL;
    outside.first = outside.count = 0;
}
