/*
 * simulate - runs a config whose transports have no sockets but a virtual
 * clock, from the first event to the last, as fast as it goes.
 */
#ifndef SIMULATE_H
#define SIMULATE_H

#include "config/config.h"

/* Says on stdout what happened. Returns the exit status; what went wrong is in
   config->problems or on stderr. */
int simulate(struct config *config);

#endif
