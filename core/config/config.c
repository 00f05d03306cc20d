/* Walks through a config from the top and makes its listeners and entries. */

#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "config/config_parts.h"
#include "options/options.h"
#include "places/position.h"
#include "workers/commons.h"

static const struct pg_option workers_table[] = {
    {"workers", PG_INT, PG_FIELD(struct config, workers), .initial = "1",
     .min = 1, .max = WORKERS_MAX},
    {0},
};

/* ---- lists ------------------------------------------------------------ */

/* Returns the entries of a list, `*count` of them, or NULL. */
static struct pg_entry **config_read_handlers(struct config *config,
                                              const json_t *list,
                                              const char *path, unsigned *count,
                                              bool *is_good)
{
    struct pg_entry **entries = NULL;
    json_t *item;
    size_t i;

    *count = 0;
    if (!list)
        return NULL;
    if (!json_is_array(list)) {
        problems_add(config->problems, path, false,
                     "\"handlers\" takes a list; write \"handlers\": "
                     "[\"echo\"]");
        *is_good = false;
        return NULL;
    }
    entries = must_calloc(json_array_size(list) + 1, sizeof(*entries));
    json_array_foreach (list, i, item) {
        struct position_path place = position_path_index(path, i);
        struct pg_entry *entry = config_make_entry(config, item, place.text);

        if (entry)
            entries[(*count)++] = entry;
        else
            *is_good = false;
    }
    return entries;
}

/* One listener with its own handlers before the shared ones. */
static void config_read_transport(struct config *config, const json_t *value,
                                  const char *path, bool is_complete)
{
    struct pg_listener *listener = config_make_listener(config, value, path);
    char *place = position_path_key(path, "handlers");
    struct pg_entry **own;
    unsigned count;

    own = config_read_handlers(config, json_object_get(value, "handlers"),
                               place, &count, &is_complete);
    if (listener && is_complete)
        config_make_chain(listener, own, count);
    free(own);
    free(place);
}

static void config_read_transports(struct config *config, const json_t *root,
                                   bool is_complete)
{
    const json_t *list = json_object_get(root, "transports");
    json_t *item;
    size_t i;

    if (!list && config_means_top_key(root, "transports"))
        return; /* some other key was to be it: that has been said */
    if (!list) {
        config_complain_whole(
            config->problems,
            "\"transports\" is missing; write \"transports\": "
            "[\"tcp\"]");
        return;
    }
    if (!json_is_array(list) || json_array_size(list) == 0) {
        problems_add(config->problems, "/transports", false,
                     "\"transports\" takes a list of at least one; write "
                     "\"transports\": [\"tcp\"]");
        return;
    }
    if (json_array_size(list) > CONFIG_LISTENERS_MAX) {
        problems_add(config->problems, "/transports", false,
                     "more than %d transports; delete some",
                     CONFIG_LISTENERS_MAX);
        return;
    }
    json_array_foreach (list, i, item) {
        config_read_transport(config, item,
                              position_path_index("/transports", i).text,
                              is_complete);
    }
}

static void config_read_all(struct config *config, const json_t *root)
{
    struct config_internals *internals = config->internals;
    bool is_complete = true;

    config_read_plugin_path(config, json_object_get(root, "plugin_path"));
    options_fill(workers_table, root, config, "", config->problems);
    config_read_limits(config, json_object_get(root, "limits"));
    internals->shared = config_read_handlers(
        config, json_object_get(root, "handlers"), "/handlers",
        &internals->shared_count, &is_complete);
    config_read_transports(config, root, is_complete);
    config_check_top_keys(config, root); /* the plugins are asked, too */
    config_check_network(config);
    config_check_clock(config);
    config_check_workers(config);
}

/* ---- life ------------------------------------------------------------- */

static char *config_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return must_copy(".");
    return slash == path ? must_copy("/")
                         : must_printf("%.*s", (int)(slash - path), path);
}

struct config *config_new(const char *path, struct problems *problems)
{
    struct config *config = must_calloc(1, sizeof(*config));

    config->path = must_copy(path);
    config->folder = config_folder_of(path);
    config->problems = problems;
    config->workers = 1;
    config->internals = must_calloc(1, sizeof(struct config_internals));
    return config;
}

struct config *config_load(const char *path, const char *text, size_t len,
                           const struct config_overrides *overrides,
                           struct problems *problems)
{
    json_t *root = config_file_load(path, text, len, problems);
    struct config *config;

    if (!root)
        return NULL;
    config = config_new(path, problems);
    config->internals->root = root;
    if (overrides)
        config->overrides = *overrides;
    config_read_all(config, root);
    if (problems_count(problems) == 0)
        return config;
    config_destroy(config);
    return NULL;
}

static void config_internals_destroy(struct config_internals *internals)
{
    config_forget_plugins(internals);
    for (unsigned i = 0; internals->folders[i]; i++)
        free(internals->folders[i]);
    for (unsigned i = 0; i < internals->part_count; i++)
        json_decref(internals->parts[i]);
    free(internals->parts);
    names_finish(&internals->names);
    json_decref(internals->root);
    free(internals->shared);
    free(internals);
}

void config_destroy(struct config *config)
{
    if (!config)
        return;
    for (unsigned i = 0; i < config->listener_count; i++)
        config_free_listener(config->listeners[i]);
    for (unsigned i = 0; i < config->entry_count; i++)
        config_free_entry(config->entries[i]);
    config_internals_destroy(config->internals);
    free(config->listeners);
    free(config->entries);
    free(config->folder);
    free(config->path);
    free(config);
}
