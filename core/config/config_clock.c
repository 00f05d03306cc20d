/* Sees to it that real and virtual time are kept apart. */

#include "config/config_parts.h"

static bool config_clock_is_virtual(const struct pg_listener *listener)
{
    return listener->transport->simulation != NULL;
}

/* Returns the first listener that keeps real or virtual time, or NULL. */
static const struct pg_listener *config_clock_find(const struct config *config,
                                                   bool is_wanted)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        if (config_clock_is_virtual(config->listeners[i]) == is_wanted)
            return config->listeners[i];
    return NULL;
}

void config_check_clock(struct config *config)
{
    const struct pg_listener *simulated = config_clock_find(config, true);
    const struct pg_listener *real = config_clock_find(config, false);

    if (!simulated)
        return;
    if (real)
        problems_add(config->problems, real->path, false,
                     "%s lives in real time, and %s jumps through virtual "
                     "time: they cannot share a chain; take one of them out",
                     real->name, simulated->name);
    if (config->workers > 1)
        problems_add(config->problems, "/workers", false,
                     "%s runs in one process, so that the same seed gives the "
                     "same; delete the key",
                     simulated->name);
}
