/*
 * inherited - the signals as whoever started the program has left them.
 *
 * nohup(1), a shell's `&` and cron ignore signals on purpose: who ignored
 * SIGHUP, SIGINT or SIGQUIT for us has meant it, so nobody here handles them.
 * All else is an accident of the parent's and is set anew.
 */
#ifndef INHERITED_H
#define INHERITED_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* For the start of the program, before any thread: SIGTERM, SIGCHLD and the
   like as by default, no signal blocked. */
void inherited_set_anew(void);
/* True: this signal was ignored at the start, and is to stay so. */
bool inherited_is_ignored(int number);
/* The signals of `numbers` that are not to stay ignored. */
sigset_t inherited_wanted(const int *numbers, size_t count);

#endif
