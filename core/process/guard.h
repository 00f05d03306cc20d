/*
 * guard - the parent: starts the workers, holds their sockets and arenas, and
 * starts a new one when one dies. It never runs plugin code.
 */
#ifndef GUARD_H
#define GUARD_H

#include "config/config.h"

/* The hidden subcommand that a worker is started as:
   `playground worker first|next HOST|- PORT|- CONFIG`. */
#define GUARD_WORKER_COMMAND "worker"

/* Serves until SIGTERM or SIGINT. Returns the exit status. */
int guard_run(const char *path, const struct config_overrides *overrides);

#endif
