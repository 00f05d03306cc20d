/*
 * config_parts - what the files of this folder share.
 *
 *   config.c           walks the top, makes, destroys
 *   config_file.c      the text: reads it, finds what is no JSON
 *   config_made.c      a config of parts instead of a file
 *   config_path.c      "plugin_path"
 *   config_limits.c    "limits"
 *   config_pairs.c     limits that exclude each other
 *   config_entry.c     one line of "handlers"
 *   config_listener.c  one line of "transports"
 *   config_options.c   what both have: plugin, name, options
 *   config_loads.c     the plugins, each loaded once; who has an option
 *   config_keys.c      which keys belong where
 *   config_chain.c     whether neighbours fit together
 *   config_network.c   whether the addresses can be listened on
 *   config_clock.c     whether real and virtual time are kept apart
 *   config_read.c      the files that options name
 *   config_api.c       what plugins call
 */
#ifndef CONFIG_PARTS_H
#define CONFIG_PARTS_H

#include <jansson.h>

#include "base/names.h"
#include "config/config.h"
#include "places/problems.h"
#include "plugin/plugin.h"

struct config_load;
struct config_owner;

struct config_internals {
    json_t *root;
    json_t **parts; /* added by config_add_...() */
    unsigned part_count;
    /* The config's own, those of plugin_path, the built-in one, NULL. */
    char *folders[CONFIG_PATHS_MAX + 3];
    struct plugin_search search; /* in those folders */
    struct names names;          /* taken by entries and listeners */
    struct pg_entry **shared;    /* the entries of the top */
    unsigned shared_count;

    struct config_load *loads; /* hash: what was asked for, and got */
    struct plugin **plugins;   /* loaded for this config, each once */
    size_t plugin_count;
    struct config_owner *builtins; /* hash: options of the built-in plugins */
};

/* An empty one with that path. */
struct config *config_new(const char *path, struct problems *problems);

/* The text as JSON; NULL after adding problems. `text` may be NULL: then it is
   what stands in the file. */
json_t *config_file_load(const char *path, const char *text, size_t len,
                         struct problems *problems);
/* A problem of the whole config: its place is where the JSON begins. */
void config_complain_whole(struct problems *problems, const char *text);

/* "plugin_path"; NULL: there is none. */
void config_read_plugin_path(struct config *config, const json_t *value);

/* A path that counts from the config's folder, from where the program runs; the
   caller frees it. */
char *config_path_of(const struct config *config, const char *path);

/* "limits"; NULL: all defaults. */
void config_read_limits(struct config *config, const json_t *value);

/* Whether what is set fits into the larger limits; those that are not set grow
   with it. */
void config_check_limit_pairs(struct config *config);
void config_check_option_pairs(struct config *config,
                               const struct plugin *plugin,
                               const json_t *object, const char *path);

/* One entry or listener out of its JSON value, "x" or {"plugin": "x"}. NULL
   after adding a problem; otherwise the config has it. */
struct pg_entry *config_make_entry(struct config *config, const json_t *value,
                                   const char *path);
struct pg_listener *config_make_listener(struct config *config,
                                         const json_t *value, const char *path);
/* An entry of a handler that is linked in. */
struct pg_entry *config_make_builtin(struct config *config,
                                     const struct pg_handler *handler,
                                     const char *path);
void config_free_entry(struct pg_entry *entry);
/* Frees what pg_read_file() has read. */
void config_read_forget(struct pg_entry *entry);
void config_free_listener(struct pg_listener *listener);

/* The plugin that a line names. NULL after adding a problem. */
struct plugin *config_read_plugin(struct config *config, enum plugin_kind kind,
                                  const json_t *value, const char *path);
/* The "name" of an entry or a listener, or a free one made of the plugin's; the
   caller frees it. */
char *config_read_name(struct config *config, const json_t *value,
                       const char *plugin, const char *path);
/* Fills `options`; true when nothing was wrong. */
bool config_read_options(struct config *config, const struct plugin *plugin,
                         const json_t *value, void *options, const char *path);

/* Loads a plugin, once for each name. NULL: `*error` says why, and stays as
   long as the config; NULL when no more problems are told. */
struct plugin *config_load_plugin(struct config *config, enum plugin_kind kind,
                                  const char *name, const char *path,
                                  const char **error);
/* The name of a plugin that has an option of that name, or NULL. Only plugins
   that this config has loaded and built-in ones are asked: others may do
   anything when they are loaded, and nobody has asked for them. */
const char *config_plugin_with(struct config *config, const char *key);
void config_forget_plugins(struct config_internals *internals);

/* Makes a listener's chain of its own entries and the shared ones, and fits
   the types. False after adding a problem. */
bool config_make_chain(struct pg_listener *listener, struct pg_entry **own,
                       unsigned own_count);

void config_check_network(struct config *config);
/* Whether all can do with more than one worker. */
void config_check_workers(struct config *config);
/* Whether all have the same kind of clock. */
void config_check_clock(struct config *config);

/* A problem for each key that does not belong there. */
void config_check_top_keys(struct config *config, const json_t *root);
void config_check_limit_keys(struct config *config, const json_t *limits);
void config_check_plugin_keys(struct config *config,
                              const struct plugin *plugin, const json_t *object,
                              const char *path);
/* True if some key that is none was most likely to be `key`. */
bool config_means_top_key(const json_t *root, const char *key);

#endif
