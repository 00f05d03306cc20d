/*
 * crash - says which plugin was running when it ended the process.
 *
 * A plugin is somebody's first C program: it reads through a NULL pointer,
 * calls exit(), forks and goes on in the child. Whatever it is, the process
 * ends with one line that names the plugin. (What a worker's death means for
 * its clients is the guard's to say.)
 */
#ifndef CRASH_H
#define CRASH_H

/* Watches from here on; for the start of the program. */
void crash_watch(void);

/* This is a worker, of that config; the text must stay. */
void crash_serves(const char *path);

/* Names the handler that runs now, or NULL: what to ask about callbacks that
   handle traffic. Called while a signal is handled. */
void crash_ask(const char *(*running_handler)(void));

/* Code of a plugin begins and ends: `path` is its file and `callback` what is
   called, "check()". Both must stay; they do not nest. For what runs
   once. */
void crash_enter(const char *path, const char *callback);
void crash_leave(void);

#endif
