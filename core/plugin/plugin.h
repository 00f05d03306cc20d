/*
 * plugin - finds and loads shared objects, and refuses what is none of ours.
 *
 *   plugin_kind.c    handler or transport
 *   plugin_find.c    which file is meant
 *   plugin_file.c    what can be said against the file before it is loaded:
 *                    a plugin that is refused has run none of its code
 *   plugin.c         loads it, once
 *   plugin_shape.c   what can be said against the struct it exports
 *   plugin_imports.c ... in the light of what the file calls
 *   plugin_table.c   has its option table an end?
 */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <playground/transport.h>

#include "base/names.h"
#include "plugin/plugin_kind.h"

struct plugin {
    enum plugin_kind kind;
    char *path;                    /* to the file that was loaded */
    struct pg_handler handler;     /* full-size copies: a plugin built for */
    struct pg_transport transport; /* a smaller struct has zeros at the end */
    void *handle;                  /* from dlopen(3); never closed */
    bool may_hold;       /* calls pg_ready(), so its open() may hold */
    char *warning;       /* says that others may write to it, or NULL */
    char *stale;         /* says that its source is newer, or NULL */
    struct plugin *next; /* in the list of all that are loaded */
};

/* Where plugins are sought, in order; ends with NULL. Each folder is tried
   as FOLDER/NAME.so and FOLDER/{handler,transport}/NAME.so. */
struct plugin_search {
    const char *const *folders;
    struct names names[2]; /* by kind, once somebody has asked for them */
    bool is_listed;
};

void plugin_search_finish(struct plugin_search *search);

/* The built-in folder: ../lib/playground beside the program's own folder
   (found through base/program.h, so that a copied tree works). */
const char *plugin_builtin_folder(void);
/* For tests, which live elsewhere. The text must stay. */
void plugin_set_builtin_folder(const char *folder);

/*
 * Loads NAME of the wanted kind, once each file; it stays until the program
 * ends. On failure returns NULL and writes into `error` what is wrong and,
 * after a semicolon, what to do. `error` may be NULL: the words take time.
 */
struct plugin *plugin_load(enum plugin_kind kind, const char *name,
                           struct plugin_search *search, char *error,
                           size_t error_size);

/* Looks who may write to the folder of this plugin: NULL, or why nothing in it
   is loaded; or a `warning`. The caller frees both. */
char *plugin_check_folders(const char *path, char **warning);

/* True if there is a file of this name, whatever is in it. */
bool plugin_is_there(const struct plugin_search *search, const char *name);

/* Calls fn for each plugin that can be found, sorted by kind and name; also
   for those that cannot be loaded. */
void plugin_each(struct plugin_search *search,
                 void (*fn)(enum plugin_kind kind, const char *name,
                            const char *path, void *arg),
                 void *arg);

/* The option table of either kind; NULL: it has none. */
const struct pg_option *plugin_options(const struct plugin *plugin);
const char *plugin_name(const struct plugin *plugin);
const char *plugin_summary(const struct plugin *plugin);
/* The title of a plugin in messages: NAME, and the file unless it is built in,
   as in "lines (first/lines.so)". The caller frees it. `plugin` may be NULL:
   then the program itself has it. */
char *plugin_title(const struct plugin *plugin, const char *name);
/* True if the file is one of those that come with the program. */
bool plugin_is_builtin(const struct plugin *plugin);
bool plugin_is_builtin_file(const char *path);
/* True if the program has one of this kind and name itself: a plugin of that
   name in a config's folder is taken instead of it. */
bool plugin_has_builtin(enum plugin_kind kind, const char *name);

#endif
