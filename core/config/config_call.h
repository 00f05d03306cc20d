/*
 * config_call - calls of a plugin that are made once: check(), init(),
 * listen().
 *
 *     struct config_call call = config_call_entry(entry, "check()");
 *
 *     error = config_call_end(&call, entry->handler->check(entry));
 *
 * Whatever the plugin does in between, somebody is told: a crash, exit(), or
 * not returning ends the program with the place in the config (crash.h), and
 * an error without pg_fail() becomes a problem.
 */
#ifndef CONFIG_CALL_H
#define CONFIG_CALL_H

#include "config/config_model.h"

struct config_call {
    struct config *config;
    const char *path, *name, *callback;
    const struct plugin *plugin; /* NULL: it is linked in */
    char *place;
    size_t said; /* problems before the call */
};

struct config_call config_call_entry(const struct pg_entry *entry,
                                     const char *callback);
struct config_call config_call_listener(const struct pg_listener *listener,
                                        const char *callback);
/* Takes and returns the plugin's result, of which 0 is no error. */
int config_call_end(struct config_call *call, int error);

#endif
