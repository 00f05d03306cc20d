/*
 * core - makes and ends what serves sessions, without sockets and without a
 * loop: it owns the arena and runs the entries. One process has one; see
 * state.h for what is in it and turn.h for what it does.
 */
#ifndef CORE_H
#define CORE_H

#include "state/state.h"
#include "workers/commons.h"

/* Makes the core of this process. `arena_fd` as for arena_create(); it takes
   `commons` over (NULL: makes one for itself alone). 0 or -errno. */
int core_create(struct config *config, const struct core_io *io, int arena_fd,
                struct commons *commons, unsigned worker, unsigned workers);
/*
 * Goes on with the arena of a process that is no more: finds its sessions,
 * their state, kept bytes, queues and deadlines, and rebuilds what lives
 * outside. -EINVAL: the arena was made for another config.
 */
int core_attach(struct config *config, const struct core_io *io, int arena_fd,
                struct commons *commons, unsigned worker, unsigned workers);
/* Runs init() of every entry. False after adding a problem. */
bool core_init_entries(void);
void core_destroy(void);

/* The plan of the arena for a config. */
struct arena_plan core_arena_plan(const struct config *config,
                                  unsigned workers);
/* The plan of the memory that its workers share: there is room also for the
   names and members that are gone only at the end of a turn. */
struct commons_plan core_commons_plan(const struct config *config,
                                      unsigned workers);

#endif
