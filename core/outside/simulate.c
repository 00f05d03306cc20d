/* Runs a config on a virtual clock, from the first event to the last. */

#include "outside/simulate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include <playground/simulation.h>

#include "base/text.h"
#include "engine/core.h"
#include "out/end.h"
#include "outside/virtual.h"
#include "places/problems.h"
#include "state/counter.h"
#include "state/slot.h"

#define WRITE_MS 200 /* of real time, for the files of handlers */

/* A simulated day begins at midnight on every machine, so that what handlers
   show of it is the same to the byte. */
static void simulate_set_time_zone(void)
{
    setenv("TZ", "UTC0", 1);
    tzset();
}

static bool simulate_adopt_all(struct config *config)
{
    for (unsigned i = 0; i < config->listener_count; i++) {
        struct pg_listener *listener = config->listeners[i];

        if (listener->transport->adopt &&
            listener->transport->adopt(listener, -1))
            return false;
    }
    return true;
}

/* ---- from event to event ---------------------------------------------- */

/* The listener whose step() comes first; NULL: all is over. */
static struct pg_listener *simulate_find_next(const struct config *config,
                                              uint64_t *at_ns)
{
    struct pg_listener *first = NULL;

    *at_ns = UINT64_MAX;
    for (unsigned i = 0; i < config->listener_count; i++) {
        struct pg_listener *listener = config->listeners[i];
        uint64_t next_ns = listener->transport->simulation->next_ns(listener);

        if (next_ns < *at_ns) {
            first = listener;
            *at_ns = next_ns;
        }
    }
    return first;
}

/* 0 at the end, or what step() has failed with. */
static int simulate_run(const struct config *config)
{
    struct pg_listener *listener;
    uint64_t at_ns;
    int error = 0;

    while (!error && (listener = simulate_find_next(config, &at_ns))) {
        if (virtual_next_ns() <= at_ns) { /* it may bring something earlier */
            virtual_advance(virtual_next_ns());
            continue;
        }
        virtual_advance(at_ns);
        error = listener->transport->simulation->step(listener);
        virtual_turn();
    }
    return error;
}

/* ---- the end ---------------------------------------------------------- */

/* With a goodbye first, which is still queued, then for good. */
static void simulate_end_sessions(void)
{
    core->stop_by_ms = core_now_ms() + WRITE_MS;
    for (uint32_t i = 0; i < core->live_count; i++)
        session_end(session_at(core->live[i]), PG_END_FIN, PG_WHY_SHUTDOWN,
                    "the simulation is over");
    virtual_turn();
    for (uint32_t i = 0; i < core->live_count; i++)
        session_end(session_at(core->live[i]), PG_END_ABORT, PG_WHY_SHUTDOWN,
                    "the simulation is over");
    virtual_turn();
}

static int simulate_stop_all(const struct config *config)
{
    int error = 0;

    for (unsigned i = 0; i < config->listener_count; i++) {
        struct pg_listener *listener = config->listeners[i];
        int one = listener->transport->simulation->stop(listener, stdout);

        error = error ? error : one;
    }
    return error;
}

static void simulate_print_counter(uint16_t owner, const char *name,
                                   uint64_t value, void *arg)
{
    if (owner == *(const uint16_t *)arg)
        text_print(stdout, "%s: %s: %" PRIu64 "\n", counter_owner_name(owner),
                   name, value);
}

static void simulate_print_counters(const struct config *config)
{
    for (unsigned i = 0; i < config->listener_count; i++) {
        uint16_t owner = counter_of_listener(i);

        counter_each(simulate_print_counter, &owner);
    }
    for (unsigned i = 0; i < config->entry_count; i++) {
        uint16_t owner = (uint16_t)i;

        counter_each(simulate_print_counter, &owner);
    }
}

static void simulate_print_times(uint64_t real_ns)
{
    uint64_t virtual_ns = virtual_io.now_ns() - VIRTUAL_START_NS;

    printf("simulated %" PRIu64 ".%03" PRIu64 " s\n", virtual_ns / 1000000000,
           virtual_ns / 1000000 % 1000);
    fflush(stdout);
    fprintf(stderr, "in %" PRIu64 ".%03" PRIu64 " s of real time\n",
            real_ns / 1000000000, real_ns / 1000000 % 1000);
}

/* ---- all of it -------------------------------------------------------- */

static int simulate_failed(int error)
{
    if (!error && (fflush(stdout) || ferror(stdout)))
        error = -errno;
    if (error)
        fprintf(stderr, "the simulation broke off: %s\n", strerror(-error));
    return error ? 1 : 0;
}

static int simulate_run_and_report(struct config *config)
{
    uint64_t start_ns = uv_hrtime();
    int error = simulate_run(config), stopped;

    simulate_end_sessions();
    stopped = simulate_stop_all(config);
    error = error ? error : stopped;
    if (!error) {
        simulate_print_counters(config);
        simulate_print_times(uv_hrtime() - start_ns);
    }
    return simulate_failed(error);
}

int simulate(struct config *config)
{
    int error = virtual_start(config), status = 1;

    simulate_set_time_zone();
    if (!error)
        error = core_create(config, &virtual_io, -1, NULL, 0, 1);
    if (error)
        problems_add(config->problems, "", false,
                     "the simulation cannot start: %s; free memory or lower "
                     "limits",
                     strerror(-error));
    else if (core_init_entries() && simulate_adopt_all(config))
        status = simulate_run_and_report(config);
    core_destroy();
    virtual_finish();
    return status;
}
