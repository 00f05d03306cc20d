/*
 * rebuild - what lived outside the arena is made again after core_attach().
 */
#ifndef REBUILD_H
#define REBUILD_H

/* Finds the sessions of the arena, and lists, times and watches them anew; and
   so for what pg_later() has on its way. -ENOMEM or 0. */
int rebuild_sessions(void);

#endif
