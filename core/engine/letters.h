/*
 * letters - messages that another worker's ring had no room for.
 *
 * While one waits this worker reads nothing new, so that what waits is at most
 * what one read brings. A worker that stands still meanwhile is left out: what
 * does not fit into its ring is dropped and counted, until it goes on.
 */
#ifndef LETTERS_H
#define LETTERS_H

#include "workers/commons.h"

/* Keeps a message until there is room. -ENOBUFS: it is dropped, counted. */
int letters_keep(unsigned to, const struct message *message,
                 const uint8_t *bytes);
/* Puts into the rings what fits by now. */
void letters_send(void);
/* The time has come to see whether a worker whose ring was full stands still.
 */
void letters_look_at(unsigned to);
/* Throws away those that wait. Returns how many they were. */
uint64_t letters_finish(void);

#endif
