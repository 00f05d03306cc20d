/*
 * config_parts - what the files of config.h share.
 *
 *   config.c          the whole: reads, walks the top, destroys
 *   config_keys.c     which keys belong where
 *   config_plugins.c  one line of "transports" or "handlers"
 *   config_chain.c    whether what is neighbours fits together
 *   config_network.c  whether the addresses can be listened on
 *   config_clock.c    whether real and virtual time are kept apart
 *   config_limits.c   "limits"
 *   config_api.c      what plugins call
 */
#ifndef CONFIG_PARTS_H
#define CONFIG_PARTS_H

#include <jansson.h>

#include "base/names.h"
#include "config/config.h"
#include "places/problems.h"
#include "plugin/plugin.h"

#define CONFIG_CHAIN_MAX     60 /* entries that one session passes */
#define CONFIG_LISTENERS_MAX 64
#define CONFIG_WORKERS_MAX   64
#define CONFIG_PATHS_MAX     15 /* folders of plugin_path */

struct config_internals {
    json_t *root;
    json_t **parts; /* of config_add_...() */
    unsigned part_count;
    /* Where plugins are sought: the config's own, plugin_path, the built-in
       one; ends with NULL. */
    char *folders[CONFIG_PATHS_MAX + 3];
    struct names names;
    struct pg_entry **shared; /* entries of the top, then NULL */
    unsigned shared_count;
};

struct config_internals *config_internals(const struct config *config);

/* One entry or listener out of its JSON value, "x" or {"plugin": "x"}. NULL
   after adding a problem; it has been added to the config otherwise. */
struct pg_entry *config_make_entry(struct config *config, const json_t *value,
                                   const char *path);
struct pg_listener *config_make_listener(struct config *config,
                                         const json_t *value, const char *path);
/* ... with a handler that is linked in. */
struct pg_entry *config_make_builtin(struct config *config,
                                     const struct pg_handler *handler,
                                     const char *path);
void config_free_entry(struct pg_entry *entry);
void config_free_listener(struct pg_listener *listener);

/* Makes a listener's chain of its own entries and the shared ones, and fits
   the types. False after adding a problem. */
bool config_make_chain(struct pg_listener *listener, struct pg_entry **own,
                       unsigned own_count);

void config_check_network(struct config *config);
/* Whether all have the same kind of clock. */
void config_check_clock(struct config *config);

/* What the command line says instead of the config; NULL: nothing. */
const char *config_override(const struct config *config, const char *key);

/* "limits"; NULL: all defaults. */
void config_read_limits(struct config *config, const json_t *value);
const struct pg_option *config_limit_table(void);

/* Where plugins are sought. */
struct plugin_search config_search(const struct config *config);

/* A problem for each key that does not belong there. */
void config_check_top_keys(struct config *config, const json_t *root);
/* True if some key that is none was most likely to be `key`. */
bool config_means_top_key(const json_t *root, const char *key);
void config_check_limit_keys(struct config *config, const json_t *limits);
void config_check_plugin_keys(struct config *config,
                              const struct plugin *plugin, const json_t *object,
                              const char *path);

#endif
