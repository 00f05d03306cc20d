/* Loads the plugins of a config, each once, and knows who has an option. */

#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/must.h"
#include "config/config_parts.h"
#include "options/options.h"

#define uthash_malloc(size)       must_calloc(1, size)
#define uthash_free(memory, size) free(memory)
#include <uthash.h>

#define ERROR_BYTES 1024

/* One name of one kind, and whether a plugin could be loaded for it. */
struct config_load {
    char *key; /* "handler NAME" */
    struct plugin *plugin;
    char *error; /* NULL: it was loaded, or nobody will read why not */
    UT_hash_handle hh;
};

/* The first built-in plugin that has this option. */
struct config_owner {
    char *option, *plugin;
    UT_hash_handle hh;
};

/* ---- loading ---------------------------------------------------------- */

static void config_loads_keep(struct config_internals *internals,
                              struct plugin *plugin)
{
    for (size_t i = 0; i < internals->plugin_count; i++)
        if (internals->plugins[i] == plugin)
            return;
    internals->plugins = must_grow(internals->plugins, internals->plugin_count,
                                   sizeof(*internals->plugins));
    internals->plugins[internals->plugin_count++] = plugin;
}

/* Loads it, which runs constructors: the place in the config is to blame for
   what they do. */
static void config_loads_load(struct config *config, struct config_load *load,
                              enum plugin_kind kind, const char *name,
                              const char *path)
{
    struct config_internals *internals = config->internals;
    bool is_silent = problems_is_full(config->problems);
    char *place = problems_place(config->problems, path);
    char error[ERROR_BYTES];

    crash_place(place);
    load->plugin = plugin_load(kind, name, &internals->search,
                               is_silent ? NULL : error, sizeof(error));
    crash_place(NULL);
    free(place);
    if (load->plugin)
        config_loads_keep(internals, load->plugin);
    else if (!is_silent)
        load->error = must_copy(error);
}

struct plugin *config_load_plugin(struct config *config, enum plugin_kind kind,
                                  const char *name, const char *path,
                                  const char **error)
{
    char *key = must_printf("%s %s", plugin_kind_text(kind), name);
    struct config_load *load;

    HASH_FIND_STR(config->internals->loads, key, load);
    if (load) {
        free(key);
    } else {
        load = must_calloc(1, sizeof(*load));
        load->key = key;
        config_loads_load(config, load, kind, name, path);
        HASH_ADD_KEYPTR(hh, config->internals->loads, key, strlen(key), load);
    }
    *error = load->error;
    return load->plugin;
}

/* ---- who has an option ------------------------------------------------ */

static void config_loads_add_owner(struct config_internals *internals,
                                   const char *option, const char *plugin)
{
    struct config_owner *owner;

    HASH_FIND_STR(internals->builtins, option, owner);
    if (owner)
        return;
    owner = must_calloc(1, sizeof(*owner));
    owner->option = must_copy(option);
    owner->plugin = must_copy(plugin);
    HASH_ADD_KEYPTR(hh, internals->builtins, owner->option,
                    strlen(owner->option), owner);
}

/* A built-in plugin that one of the config's own hides is not meant. */
static void config_loads_take_builtin(enum plugin_kind kind, const char *name,
                                      const char *path, void *arg)
{
    struct config_internals *internals = arg;
    const struct plugin *plugin;
    const struct pg_option *option;

    if (!plugin_is_builtin_file(path))
        return;
    plugin = plugin_load(kind, name, &internals->search, NULL, 0);
    option = plugin ? plugin_options(plugin) : NULL;
    for (; option && option->name; option++)
        config_loads_add_owner(internals, option->name, name);
}

const char *config_plugin_with(struct config *config, const char *key)
{
    struct config_internals *internals = config->internals;
    struct config_owner *owner;

    for (size_t i = 0; i < internals->plugin_count; i++)
        if (!plugin_is_builtin(internals->plugins[i]) &&
            options_find(plugin_options(internals->plugins[i]), key))
            return plugin_name(internals->plugins[i]);
    if (!internals->builtins)
        plugin_each(&internals->search, config_loads_take_builtin, internals);
    HASH_FIND_STR(internals->builtins, key, owner);
    return owner ? owner->plugin : NULL;
}

/* ---- the end ---------------------------------------------------------- */

void config_forget_plugins(struct config_internals *internals)
{
    struct config_load *load, *next_load;
    struct config_owner *owner, *next_owner;

    HASH_ITER(hh, internals->loads, load, next_load)
    {
        HASH_DEL(internals->loads, load);
        free(load->key);
        free(load->error);
        free(load);
    }
    HASH_ITER(hh, internals->builtins, owner, next_owner)
    {
        HASH_DEL(internals->builtins, owner);
        free(owner->option);
        free(owner->plugin);
        free(owner);
    }
    free(internals->plugins);
    plugin_search_finish(&internals->search);
}
