/*
 * serve - what a serving process does: alone (--single), or as a worker.
 */
#ifndef SERVE_H
#define SERVE_H

#include "config/config.h"

/* `run --single`: loads, listens, serves. Returns the exit status. */
int serve_single(const char *path, const struct config_overrides *overrides);

/* A worker of a guard, which gave it CONTROL_FD and CONTROL_CONFIG_FD.
   The first one opens the sockets for all. Returns the exit status. */
int serve_worker(bool opens_sockets, const char *path,
                 const struct config_overrides *overrides);

#endif
