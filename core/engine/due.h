/*
 * due - runs what is due: deadlines of entries and sessions, pg_later(), peers
 * that were silent for too long.
 */
#ifndef DUE_H
#define DUE_H

/* For the outside, when the time it was told by core_io.arm() has come: first
   go on those sessions that had to wait for this turn. */
void due_run(void);

#endif
