/*
 * crash - says which plugin was running when it ended the process.
 *
 * A plugin is somebody's first C program: it reads through a NULL pointer,
 * calls exit(), loops, forks and goes on in the child. Whatever it is, the
 * process ends with one line that names the plugin. (What a worker's death
 * means for its clients is the guard's to say.)
 */
#ifndef CRASH_H
#define CRASH_H

/* Watches from here on; for the start of the program. */
void crash_watch(void);

/* Tells that the process is a worker, of that config; the text must stay. */
void crash_serves(const char *path);

/* Names the handler that runs now, or NULL: the one to ask about callbacks that
   handle traffic. Called while a signal is handled. */
void crash_ask(const char *(*running_handler)(void));

#define CRASH_LIMIT_S 5 /* for what a plugin does before it serves */

/* Code of a plugin begins and ends: `path` is its file and `callback` the name
   of what is called, "check()". Both must stay; calls do not nest. A call that
   does not return within `limit_s` seconds (0: it may take its time) ends the
   program with status 2. */
void crash_enter(const char *path, const char *callback, unsigned limit_s);
void crash_leave(void);

/* The place in a config for which plugins are called, "chat.json:3:5"; the text
   must stay. Until it is set to NULL a plugin that crashes has made the config
   a wrong one: the message begins with the place, and the status is 2. */
void crash_place(const char *place);

/* Whoever prints problems for programs to read is given the place and the text
   instead of stderr. `say` may only call what a signal handler may. */
void crash_say_by(void (*say)(const char *place, const char *text));

#endif
