/* A listener as this process keeps it, beside its config. */

#include "state/listener.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "state/counter.h"
#include "state/slot.h"

/* ---- making it --------------------------------------------------------- */

static int listener_run_create(struct pg_listener *listener)
{
    const struct config *config = listener->config;
    struct listener_run *run = calloc(1, sizeof(*run));

    if (!run)
        return -ENOMEM;
    listener->run = run;
    run->fd = -1;
    run->unverified_ratio = listener->transport->unverified_ratio;
    run->state_at = calloc(listener->chain.count + 1, sizeof(*run->state_at));
    run->place = calloc(config->entry_count + 1, sizeof(*run->place));
    if (!run->state_at || !run->place)
        return -ENOMEM;
    for (unsigned i = 0; i < config->entry_count; i++)
        run->place[i] = -1;
    for (unsigned i = 0; i < listener->chain.count; i++)
        run->place[listener->chain.entries[i]->id] = (int)i;
    slot_lay_out(listener);
    return 0;
}

static void listener_run_destroy(struct pg_listener *listener)
{
    if (!listener->run)
        return;
    free(listener->run->state_at);
    free(listener->run->place);
    free(listener->run);
    listener->run = NULL;
}

int listener_runs_create(struct config *config)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        if (!config->listeners[i]->run &&
            listener_run_create(config->listeners[i]))
            return -ENOMEM;
    return 0;
}

void listener_runs_destroy(struct config *config)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        listener_run_destroy(config->listeners[i]);
}

/* ---- its socket -------------------------------------------------------- */

void listener_watch(struct pg_listener *listener)
{
    const struct listener_run *run = listener->run;

    core->io->watch_listener(listener,
                             (run->is_paused || run->is_held ? 0 : CORE_READ) |
                                 (run->is_blocked ? CORE_WRITE : 0));
}

uint16_t *listener_port_in(struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return &((struct sockaddr_in *)address)->sin_port;
    if (address->sa_family == AF_INET6)
        return &((struct sockaddr_in6 *)address)->sin6_port;
    return NULL;
}

void listener_note_port(struct pg_listener *listener, int fd)
{
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof(bound);

    if (getsockname(fd, (struct sockaddr *)&bound, &length) == 0 &&
        listener_port_in((struct sockaddr *)&bound))
        listener->run->bound_port =
            *listener_port_in((struct sockaddr *)&bound);
}

/* ---- what the kernel drops --------------------------------------------- */

const char *listener_drops_name(const struct pg_listener *listener)
{
    return listener_has_connections(listener)
               ? "connections dropped by the kernel"
               : "datagrams dropped by the kernel";
}

/* See socket(7) and sock_diag(7); Linux 4.12 and later tell it. */
uint64_t listener_count_drops(struct pg_listener *listener)
{
    struct listener_run *run = listener->run;
    uint16_t owner = counter_of_listener(listener->id);
    const char *name = listener_drops_name(listener);
    uint32_t figures[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof(figures);

    if (run->fd >= 0 &&
        getsockopt(run->fd, SOL_SOCKET, SO_MEMINFO, figures, &length) == 0 &&
        figures[SK_MEMINFO_DROPS] != run->drops) {
        counter_add(owner, name, figures[SK_MEMINFO_DROPS] - run->drops);
        run->drops = figures[SK_MEMINFO_DROPS];
    }
    return counter_value(owner, name);
}
