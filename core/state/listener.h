/*
 * listener - what a process keeps for each listener of a config.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include "state/state.h"

/* Makes pg_listener.run of each listener that has none. -ENOMEM or 0. */
int listener_runs_create(struct config *config);
void listener_runs_destroy(struct config *config);

/* Watches a listener anew, after a change of is_paused, is_held or is_blocked.
 */
void listener_watch(struct pg_listener *listener);

/* Where the port stands in an address; NULL: it has none. */
uint16_t *listener_port_in(struct sockaddr *address);
/* Counts what the kernel has dropped since the last time: datagrams that its
   receive buffer, connections that the backlog had no room for. Returns how
   many there were in all. */
uint64_t listener_count_drops(struct pg_listener *listener);
/* The name of that counter. */
const char *listener_drops_name(const struct pg_listener *listener);

/* Asks the listener's socket which port it has. */
void listener_note_port(struct pg_listener *listener, int fd);

#endif
