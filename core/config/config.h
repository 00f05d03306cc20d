/*
 * config - makes a config of a JSON file, checked: listeners, entries, limits.
 *
 * config_load() is the only loader; `check` and `run` both go through it. It
 * parses the text, loads the plugins, checks every option against their
 * tables, fills in defaults, fits the types of the chains and gathers problems
 * with their places. It opens no socket, and of a plugin it runs constructors,
 * kind(), check() and check_place(); config_call.h says what becomes of one
 * that does not return.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "config/config_model.h"

/*
 * Loads `path`. `text` is the file's content if the caller has read it
 * already (a worker gets a snapshot), or NULL. Returns NULL after adding at
 * least one problem to `problems`, which also keeps the text for the places
 * of later ones and must outlive the config.
 */
struct config *config_load(const char *path, const char *text, size_t len,
                           const struct config_overrides *overrides,
                           struct problems *problems);

/* A config made of parts instead of a file, for the client and the harness. */
struct config *config_create(struct problems *problems);
/* Adds a listener by its plugin's name, with options as the text of a JSON
   object ("{}"). NULL after adding a problem. */
struct pg_listener *config_add_listener(struct config *config,
                                        const char *plugin,
                                        const char *options_json);
/* Adds a handler likewise, or one that is linked into the program: then
   `plugin` is NULL, and its options have their defaults. */
struct pg_entry *config_add_entry(struct config *config, const char *plugin,
                                  const struct pg_handler *builtin,
                                  const char *options_json);
/* Makes the chains (every listener gets every entry) and fits their types;
   for when all parts are there. False after adding a problem. */
bool config_make_chains(struct config *config);

/* Frees everything; accepts NULL. The worker calls finish() of the entries. */
void config_destroy(struct config *config);

#endif
