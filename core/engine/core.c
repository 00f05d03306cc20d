#include "engine/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/crash.h"
#include "base/output.h"
#include "chain/chain.h"
#include "config/config_call.h"
#include "engine/mail.h"
#include "memory/heap.h"
#include "out/broadcast.h"
#include "out/queue.h"
#include "places/problems.h"
#include "plugin/plugin.h"
#include "state/counter.h"
#include "state/session.h"
#include "workers/commons.h"

#define SCRATCH_KEEP  (1u << 20)
#define DELAYED_MOST  (16 << 20)
#define WRITE_MS      60  /* for what the handlers' files do not have yet */
#define WRITE_MOST_MS 200 /* ... if delivering has left so much time */

struct core *core;

_Static_assert(CONFIG_LISTENERS_MAX <= ARENA_LISTENERS,
               "the arena has a place for each listener's broadcast");

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
        .sessions = (uint32_t)limits->max_sessions,
        .stride = (session_stride(config) + 63) / 64 * 64,
        /* Address space: powers of two waste less than half, small messages
           that wait take four times their bytes (test_queue.c). Then slots,
           stage, reasons. */
        .heap = 4 * shared + 512 * (uint64_t)limits->max_sessions + (8 << 20),
        .biggest = (uint32_t)(4 * limits->frame_bytes + delayed + (1 << 20)),
    };
}

/* ---- what this process keeps for a listener --------------------------- */

static int run_create(struct pg_listener *listener)
{
    const struct config *config = listener->config;
    struct listener_run *run = calloc(1, sizeof(*run));

    if (!run)
        return -ENOMEM;
    listener->run = run;
    run->fd = -1;
    run->state_at = calloc(listener->chain.count + 1, sizeof(*run->state_at));
    run->position = calloc(config->entry_count + 1, sizeof(*run->position));
    if (!run->state_at || !run->position)
        return -ENOMEM;
    for (unsigned i = 0; i < config->entry_count; i++)
        run->position[i] = -1;
    for (unsigned i = 0; i < listener->chain.count; i++)
        run->position[listener->chain.entries[i]->id] = (int)i;
    session_lay_out(listener);
    return 0;
}

static void run_destroy(struct pg_listener *listener)
{
    if (!listener->run)
        return;
    free(listener->run->state_at);
    free(listener->run->position);
    free(listener->run);
    listener->run = NULL;
}

/* ---- life ------------------------------------------------------------- */

int core_listeners(struct config *config)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        if (!config->listeners[i]->run && run_create(config->listeners[i]))
            return -ENOMEM;
    return 0;
}

void core_listeners_finish(struct config *config)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        run_destroy(config->listeners[i]);
}

static void *reserve(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return at == MAP_FAILED ? NULL : at;
}

static size_t most_state(const struct config *config)
{
    size_t most = 1;

    for (unsigned i = 0; i < config->entry_count; i++)
        if (config->entries[i]->handler->session_size > most)
            most = config->entries[i]->handler->session_size;
    return most;
}

static int allocate(struct config *config)
{
    size_t slots = (size_t)config->limits.max_sessions;

    core->runs = reserve(slots * sizeof(*core->runs));
    core->live = reserve(slots * sizeof(*core->live));
    core->live_at = reserve(slots * sizeof(*core->live_at));
    core->scratch = reserve(CORE_SCRATCH_BYTES);
    core->timers.items = reserve(TIMERS_MOST * sizeof(struct timer_item));
    core->no_state = calloc(1, most_state(config));
    if (!core->runs || !core->live || !core->live_at || !core->scratch ||
        !core->timers.items || !core->no_state)
        return -ENOMEM;
    return core_listeners(config);
}

static struct commons *commons_alone(const struct config *config)
{
    return commons_create(-1, 1, 2 * (uint32_t)config->limits.max_sessions,
                          (size_t)config->limits.frame_bytes);
}

static int begin(struct config *config, const struct core_io *io,
                 struct commons *commons, unsigned worker, unsigned workers)
{
    core = calloc(1, sizeof(*core));
    if (!core)
        return -ENOMEM;
    core->config = config;
    core->io = io;
    core->worker = worker;
    core->workers = workers;
    core->high_water = (uint32_t)(config->limits.session_queue_bytes / 2);
    core->queued_most = (uint64_t)config->limits.queue_bytes_total / workers;
    core->commons = commons ? commons : commons_alone(config);
    return core->commons ? allocate(config) : -errno;
}

static int begun(int error)
{
    if (error)
        core_destroy();
    else
        core_clock();
    return error;
}

int core_create(struct config *config, const struct core_io *io, int arena_fd,
                struct commons *commons, unsigned worker, unsigned workers)
{
    struct arena_plan plan = core_arena_plan(config, workers);
    int error = begin(config, io, commons, worker, workers);

    if (!error)
        error = arena_create(&core->arena, arena_fd, &plan);
    if (!error)
        commons_reset_worker(core->commons, worker);
    return begun(error);
}

int core_attach(struct config *config, const struct core_io *io, int arena_fd,
                struct commons *commons, unsigned worker, unsigned workers)
{
    int error = begin(config, io, commons, worker, workers);

    if (!error)
        error = arena_attach(&core->arena, arena_fd);
    if (!error && core->arena.header->plan.stride !=
                      core_arena_plan(config, workers).stride)
        error = -EINVAL;
    if (!error)
        core_clock();
    if (!error)
        error = session_rebuild();
    if (!error)
        broadcast_find();
    return begun(error);
}

static int init_entry(struct pg_entry *entry)
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
        if (init_entry(core->config->entries[i]))
            is_good = false;
    return is_good;
}

static unsigned write_ms(void)
{
    uint64_t ms = WRITE_MS;

    core_clock();
    if (core->stop_by_ms > core_now_ms())
        ms += core->stop_by_ms - core_now_ms();
    return ms < WRITE_MOST_MS ? (unsigned)ms : WRITE_MOST_MS;
}

/* However many files are stuck, the end waits for them only once. */
static void finish_entries(void)
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
    output_finish(write_ms());
    for (unsigned i = 0; i < config->entry_count; i++)
        output_close_owned(config->entries[i], 0);
}

static void unreserve(void *at, size_t bytes)
{
    if (at)
        munmap(at, bytes);
}

static void forget_peers(void)
{
    while (core->live_count) {
        struct pg_session *session = session_at(core->live[0]);

        session_end(session, PG_END_ABORT, PG_WHY_SHUTDOWN, "shutdown");
        core_settle();
        if (core->live_count && session->number) /* waits for a socket */
            queue_unblock(session_listener(session));
    }
}

void core_destroy(void)
{
    size_t slots;

    if (!core)
        return;
    slots = (size_t)core->config->limits.max_sessions;
    if (core->arena.base)
        forget_peers();
    finish_entries();
    mail_finish();
    core_listeners_finish(core->config);
    arena_finish(&core->arena);
    commons_destroy(core->commons);
    unreserve(core->runs, slots * sizeof(*core->runs));
    unreserve(core->live, slots * sizeof(*core->live));
    unreserve(core->live_at, slots * sizeof(*core->live_at));
    unreserve(core->scratch, CORE_SCRATCH_BYTES);
    unreserve(core->timers.items, TIMERS_MOST * sizeof(struct timer_item));
    free(core->no_state);
    free(core);
    core = NULL;
}

/* ---- a turn ----------------------------------------------------------- */

void core_flush(void)
{
    if (core->dirty)
        queue_flush();
}

static void trim_scratch(void)
{
    madvise(core->scratch, core->scratch_peak, MADV_DONTNEED);
    core->scratch_peak = 0;
}

void core_watch_listener(struct pg_listener *listener)
{
    const struct listener_run *run = listener->run;

    core->io->watch_listener(listener,
                             (run->is_paused || run->is_held ? 0 : CORE_READ) |
                                 (run->is_blocked ? CORE_WRITE : 0));
}

void core_settle(void)
{
    struct core *this = core;

    this->arena.header->turns++;
    do {
        if (this->closing)
            session_close_marked();
        if (this->dirty || this->gathered)
            queue_flush();
        if (this->resuming)
            session_resume_marked();
    } while (this->closing || this->dirty || this->gathered || this->resuming);
    if (this->scratch_peak > SCRATCH_KEEP)
        trim_scratch();
    if (this->wake_mask)
        mail_wake();
    timer_arm();
}
