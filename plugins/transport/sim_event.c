/* The events of sim in their order, and the trace of them. */
#include "transport/sim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <playground/utf8.h>

/* ---- events ----------------------------------------------------------- */

static bool sim_event_is_before(const struct event *a, const struct event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

void sim_schedule(struct sim *sim, uint64_t at_ns, enum event_type type,
                  const struct client *client, enum way way,
                  struct packet *packet)
{
    struct event event = {at_ns,          sim->next_order++,
                          packet,         (uint32_t)(client - sim->clients),
                          (uint16_t)type, (uint16_t)way};
    size_t at = sim->count;

    if (sim->count == sim->size) {
        size_t size = sim->size ? 2 * sim->size : 1024;
        void *events = realloc(sim->events, size * sizeof(event));

        if (!events) {
            free(packet);
            sim->error = -ENOMEM;
            return;
        }
        sim->events = events;
        sim->size = size;
    }
    sim->count++;
    for (; at > 0 && sim_event_is_before(&event, &sim->events[(at - 1) / 2]);
         at = (at - 1) / 2)
        sim->events[at] = sim->events[(at - 1) / 2];
    sim->events[at] = event;
}

struct event sim_take_first(struct sim *sim)
{
    struct event first = sim->events[0], last = sim->events[--sim->count];
    size_t at = 0, child;

    while ((child = 2 * at + 1) < sim->count) {
        if (child + 1 < sim->count &&
            sim_event_is_before(&sim->events[child + 1], &sim->events[child]))
            child++;
        if (!sim_event_is_before(&sim->events[child], &last))
            break;
        sim->events[at] = sim->events[child];
        at = child;
    }
    sim->events[at] = last;
    return first;
}

/* ---- the trace -------------------------------------------------------- */

static void sim_event_trace_bytes(FILE *out, struct pg_bytes in)
{
    while (in.len > 0) {
        char shown[256];
        size_t used,
            len = pg_utf8_show(shown, sizeof(shown), in, PG_UTF8_QUOTED, &used);

        fwrite(shown, 1, len, out);
        in = pg_bytes(in.data + used, in.len - used);
    }
}

/* `time client way what "bytes"`, with bytes unless data is NULL. */
void sim_trace(const struct sim *sim, const struct client *client, enum way way,
               const char *what, struct pg_bytes bytes)
{
    uint64_t us;

    if (!sim->trace)
        return;
    us = (pg_now_ns() - sim->start_ns) / 1000;
    fprintf(sim->trace, "%" PRIu64 ".%06" PRIu64 " %zu %c %s", us / 1000000,
            us % 1000000, (size_t)(client - sim->clients) + 1,
            way == TO_SERVER ? '>' : '<', what);
    if (bytes.data) {
        fputs(" \"", sim->trace);
        sim_event_trace_bytes(sim->trace, bytes);
        fputc('"', sim->trace);
    }
    fputc('\n', sim->trace);
}

void sim_note(const struct sim *sim, const struct client *client, enum way way,
              const char *what)
{
    sim_trace(sim, client, way, what, pg_bytes(NULL, 0));
}
