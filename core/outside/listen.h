/*
 * listen - opens the sockets of a config, one for each listener and worker.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdio.h>

#include "config/config.h"

/*
 * Fills fds[listener + worker * config->listener_count]. On failure a problem
 * has been added, and nothing stays open.
 */
bool listen_open(struct config *config, unsigned workers, int *fds);

/* `listening tcp 127.0.0.1:5000` for each listener, and on a wildcard address
   one line for each interface: what colleagues type. */
void listen_print(struct config *config, const int *fds, FILE *out);

/* Raises RLIMIT_NOFILE to its hard limit; says so if limits.max_sessions does
   not fit. */
void listen_raise_limit(const struct config *config);

#endif
