/* The core of this process: makes it, starts and ends its entries. */

#include "engine/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/crash.h"
#include "base/output.h"
#include "config/config_call.h"
#include "engine/life.h"
#include "engine/mail.h"
#include "engine/rebuild.h"
#include "engine/turn.h"
#include "memory/heap.h"
#include "out/flush.h"
#include "places/problems.h"
#include "plugin/plugin.h"
#include "state/budget.h"
#include "state/listener.h"
#include "state/mark.h"
#include "state/share.h"
#include "workers/commons.h"

#define DELAYED_MOST  (16 << 20)
#define MEMBERS_MOST  (4 << 20) /* of all groups */
#define WRITE_MS      60  /* for what the handlers' files do not have yet */
#define WRITE_MOST_MS 200 /* but no more, with what delivering has left */

_Static_assert((uint64_t)HEAP_GRANULE << (ARENA_ORDERS - 1) >=
                   4ull * FRAME_BYTES_MOST + DELAYED_MOST + (1 << 20),
               "the heap has an order for the biggest block");

struct arena_plan core_arena_plan(const struct config *config, unsigned workers)
{
    const struct limits *limits = &config->limits;
    uint64_t shared =
        (uint64_t)(limits->queue_bytes_total + limits->kept_bytes_total) /
        workers;
    int64_t delayed = limits->session_queue_bytes; /* see keep_set() */

    if (delayed > DELAYED_MOST)
        delayed = DELAYED_MOST;
    return (struct arena_plan){
        .sessions = slot_most(config, workers),
        .stride = (slot_stride(config) + 63) / 64 * 64,
        /* Address space: powers of two waste less than half, small messages
           that wait take four times their bytes (test_queue.c). Then slots,
           stage, reasons. */
        .heap =
            4 * shared + 512 * (uint64_t)slot_most(config, workers) + (8 << 20),
        .biggest = (uint32_t)(4 * limits->frame_bytes + delayed + (1 << 20)),
    };
}

struct commons_plan core_commons_plan(const struct config *config,
                                      unsigned workers)
{
    const struct limits *limits = &config->limits;
    int64_t sessions = limits->max_sessions + limits->strangers + SLOT_SPARE;
    int64_t members = sessions * limits->groups;

    return (struct commons_plan){
        .workers = workers,
        .claims = 2 * (uint32_t)sessions,
        .members = (uint32_t)(members < MEMBERS_MOST ? members : MEMBERS_MOST),
        .message_bytes = (size_t)limits->frame_bytes,
    };
}

/* ---- life ------------------------------------------------------------- */

static void *core_reserve(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static size_t core_most_state(const struct config *config)
{
    size_t most = 1;

    for (unsigned i = 0; i < config->entry_count; i++)
        if (config->entries[i]->handler->session_size > most)
            most = config->entries[i]->handler->session_size;
    return most;
}

static int core_allocate(struct config *config)
{
    size_t slots = slot_most(config, core->workers);

    core->runs = core_reserve(slots * sizeof(*core->runs));
    core->live = core_reserve(slots * sizeof(*core->live));
    core->live_at = core_reserve(slots * sizeof(*core->live_at));
    core->scratch = core_reserve(CORE_SCRATCH_BYTES);
    core->timers.items = core_reserve(TIMERS_MOST * sizeof(struct timer_item));
    core->no_state = calloc(1, core_most_state(config));
    if (!core->runs || !core->live || !core->live_at || !core->scratch ||
        !core->timers.items || !core->no_state)
        return -ENOMEM;
    return listener_runs_create(config);
}

static struct commons *core_commons_alone(const struct config *config)
{
    struct commons_plan plan = core_commons_plan(config, 1);

    return commons_create(-1, &plan);
}

/* For crash.c; also while a signal is handled. */
static const char *core_running_handler(void)
{
    uint32_t id = core && core->arena.header ? core->arena.header->running : 0;

    return id ? core->config->entries[id - 1]->name : NULL;
}

static int core_begin(struct config *config, const struct core_io *io,
                      struct commons *commons, unsigned worker,
                      unsigned workers)
{
    core = calloc(1, sizeof(*core));
    if (!core)
        return -ENOMEM;
    core->config = config;
    core->io = io;
    core->worker = worker;
    core->workers = workers;
    core->timers.armed_ms = UINT64_MAX;
    core->turn_records = BUDGET_RECORDS;
    share_set_sizes();
    crash_ask(core_running_handler);
    output_reserve();
    core->commons = commons ? commons : core_commons_alone(config);
    if (!core->commons)
        return -errno;
    core->turns = commons_turns(core->commons, worker);
    return core_allocate(config);
}

static int core_begun(int error)
{
    if (error) {
        core_destroy();
        return error;
    }
    core_clock();
    share_queue(0);
    return 0;
}

int core_create(struct config *config, const struct core_io *io, int arena_fd,
                struct commons *commons, unsigned worker, unsigned workers)
{
    struct arena_plan plan = core_arena_plan(config, workers);
    int error = core_begin(config, io, commons, worker, workers);

    if (!error)
        error = arena_create(&core->arena, arena_fd, &plan);
    if (!error)
        commons_reset_worker(core->commons, worker);
    return core_begun(error);
}

int core_attach(struct config *config, const struct core_io *io, int arena_fd,
                struct commons *commons, unsigned worker, unsigned workers)
{
    int error = core_begin(config, io, commons, worker, workers);

    if (!error)
        error = arena_attach(&core->arena, arena_fd);
    if (!error && core->arena.header->plan.stride !=
                      core_arena_plan(config, workers).stride)
        error = -EINVAL;
    if (!error) {
        core_clock();
        share_queue(0);
        error = rebuild_sessions();
    }
    return core_begun(error);
}

static int core_init_entry(struct pg_entry *entry)
{
    struct config_call call;
    int error = 0;

    if (entry->handler->init) {
        call = config_call_entry(entry, "init()");
        error = config_call_end(&call, entry->handler->init(entry));
    }
    entry->is_ready = !error;
    return error;
}

bool core_init_entries(void)
{
    bool is_good = true;

    for (unsigned i = 0; i < core->config->entry_count; i++)
        if (core_init_entry(core->config->entries[i]))
            is_good = false;
    return is_good;
}

static unsigned core_write_ms(void)
{
    uint64_t ms = WRITE_MS;

    core_clock();
    if (core->stop_by_ms > core_now_ms())
        ms += core->stop_by_ms - core_now_ms();
    return ms < WRITE_MOST_MS ? (unsigned)ms : WRITE_MOST_MS;
}

/* However many files are stuck, the end waits for them only once. */
static void core_finish_entries(void)
{
    struct config *config = core->config;

    for (unsigned i = 0; i < config->entry_count; i++) {
        struct pg_entry *entry = config->entries[i];

        crash_enter(entry->plugin ? entry->plugin->path : entry->name,
                    "finish()", 0);
        if (entry->is_ready && entry->handler->finish)
            entry->handler->finish(entry);
        crash_leave();
        entry->is_ready = false;
    }
    output_finish(core_write_ms());
    for (unsigned i = 0; i < config->entry_count; i++)
        output_close_owned(config->entries[i], 0);
}

static void core_unreserve(void *memory, size_t bytes)
{
    if (memory)
        munmap(memory, bytes);
}

static void core_abort_sessions(void)
{
    while (core->live_count) {
        struct pg_session *session = session_at(core->live[0]);

        session_abort(session, PG_WHY_SHUTDOWN, "shutdown");
        session_resume_marked(); /* takes it off that list */
        turn_end();
        if (core->live_count && session->number) /* waits for a socket */
            flush_unblock(session_listener(session));
    }
}

void core_destroy(void)
{
    size_t slots;

    if (!core)
        return;
    slots = slot_most(core->config, core->workers);
    if (core->arena.base)
        core_abort_sessions();
    core_finish_entries();
    mail_finish();
    listener_runs_destroy(core->config);
    arena_finish(&core->arena);
    commons_destroy(core->commons);
    core_unreserve(core->runs, slots * sizeof(*core->runs));
    core_unreserve(core->live, slots * sizeof(*core->live));
    core_unreserve(core->live_at, slots * sizeof(*core->live_at));
    core_unreserve(core->scratch, CORE_SCRATCH_BYTES);
    core_unreserve(core->timers.items, TIMERS_MOST * sizeof(struct timer_item));
    free(core->no_state);
    free(core);
    core = NULL;
}
