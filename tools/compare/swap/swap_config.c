/* A user's config with another transport. */

#include "compare/swap/swap_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "config/config_model.h"
#include "options/options.h"
#include "places/problems.h"

struct swap_config {
    char *path;
    char *folder; /* absolute */
    struct config *config;
    struct problems *problems;
};

/* The address of a config may need rights that a comparison does not: it
   listens on a free port of the loopback interface. */
static const struct config_overrides anywhere = {"127.0.0.1", "0"};

struct swap_config *swap_config_load(const char *path)
{
    struct swap_config *config = must_calloc(1, sizeof(*config));

    config->problems = problems_create(path);
    config->config = config_load(path, NULL, 0, &anywhere, config->problems);
    problems_print(config->problems, stderr);
    if (!config->config) {
        swap_config_destroy(config);
        return NULL;
    }
    config->path = must_copy(path);
    config->folder = realpath(config->config->folder, NULL);
    if (!config->folder)
        config->folder = must_copy(config->config->folder);
    return config;
}

void swap_config_destroy(struct swap_config *config)
{
    if (!config)
        return;
    config_destroy(config->config);
    problems_destroy(config->problems);
    free(config->path);
    free(config->folder);
    free(config);
}

static const json_t *swap_config_root_of(const struct swap_config *config)
{
    return config_json(config->config);
}

/* ---- the listener ----------------------------------------------------- */

static const char *swap_config_plugin_of(const json_t *transport)
{
    return json_string_value(json_is_string(transport)
                                 ? transport
                                 : json_object_get(transport, "plugin"));
}

static void swap_config_note(json_t *notes, const char *format, ...)
    PG_PRINTF(2, 3);

static void swap_config_note(json_t *notes, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = must_vprintf(format, arguments);
    va_end(arguments);
    json_array_append_new(notes, json_string(text));
    free(text);
}

/* The config's own listener of the transport, or its first. */
static json_t *swap_config_choose(const json_t *list, const char *transport,
                                  json_t *notes)
{
    const char *plugin = swap_config_plugin_of(json_array_get(list, 0));
    json_t *item;
    size_t i, own = 0, at = 0;

    json_array_foreach ((json_t *)(uintptr_t)list, i, item)
        if (!strcmp(swap_config_plugin_of(item), transport) && own++ == 0)
            at = i;
    if (own > 1)
        swap_config_note(
            notes, "Of the config's %zu %s listeners the first is measured.",
            own, transport);
    else if (own == 0 && json_array_size(list) > 1)
        swap_config_note(
            notes,
            "The config has no %s listener: its first, %s, is replaced; the "
            "others are left out.",
            transport, plugin);
    return json_array_get(list, at);
}

/* Keys that the host knows in every transport, and comments. */
static bool swap_config_is_hosts(const char *key)
{
    return !strncmp(key, "//", 2) || !strcmp(key, "name") ||
           !strcmp(key, "handlers") || !strcmp(key, "on_crash");
}

static bool swap_config_is_address(const char *key)
{
    return !strcmp(key, "host") || !strcmp(key, "port");
}

static json_t *swap_config_replace(const json_t *listener,
                                   const char *transport,
                                   const struct pg_option *options,
                                   json_t *notes)
{
    json_t *made = json_pack("{s:s}", "plugin", transport), *value;
    const char *key;

    json_object_foreach ((json_t *)(uintptr_t)listener, key, value) {
        if (!strcmp(key, "plugin") || swap_config_is_address(key))
            continue;
        if (swap_config_is_hosts(key) || options_find(options, key))
            json_object_set(made, key, value);
        else
            swap_config_note(
                notes,
                "\"%s\" of %s is left out over %s, which has no such "
                "option.",
                key, swap_config_plugin_of(listener), transport);
    }
    return made;
}

/* ---- the folders of plugins ------------------------------------------- */

static void swap_config_add_path(json_t *paths, const char *folder,
                                 const char *path)
{
    char *whole =
        path[0] == '/' ? must_copy(path) : must_printf("%s/%s", folder, path);

    json_array_append_new(paths, json_string(whole));
    free(whole);
}

static json_t *swap_config_plugin_path(const struct swap_config *config)
{
    const json_t *theirs =
        json_object_get(swap_config_root_of(config), "plugin_path");
    json_t *paths = json_array(), *item;
    size_t i;

    json_array_append_new(paths, json_string(config->folder));
    if (json_is_string(theirs))
        swap_config_add_path(paths, config->folder, json_string_value(theirs));
    json_array_foreach ((json_t *)(uintptr_t)theirs, i, item)
        swap_config_add_path(paths, config->folder, json_string_value(item));
    return paths;
}

/* ---- the whole -------------------------------------------------------- */

json_t *swap_config_make(const struct swap_config *config,
                         const char *transport, json_t *notes, char *error,
                         size_t error_size)
{
    struct plugin_search search = {.folders = config_folders(config->config)};
    struct plugin *plugin =
        plugin_load(PLUGIN_TRANSPORT, transport, &search, error, error_size);
    json_t *made, *listener;

    plugin_search_finish(&search);
    if (!plugin)
        return NULL;
    listener = swap_config_replace(
        swap_config_choose(
            json_object_get(swap_config_root_of(config), "transports"),
            transport, notes),
        transport, plugin_options(plugin), notes);
    made = json_copy((json_t *)(uintptr_t)swap_config_root_of(config));
    json_object_set_new(made, "transports", json_pack("[o]", listener));
    json_object_set_new(made, "plugin_path", swap_config_plugin_path(config));
    return made;
}

static void swap_config_note_first(const struct problem_report *report,
                                   void *arg)
{
    const char **first = arg;

    if (!report->is_warning && !*first)
        *first = report->text;
}

struct config *swap_config_check(const struct swap_config *config,
                                 const json_t *json, char *error,
                                 size_t error_size)
{
    char *text = json_dumps(json, JSON_INDENT(4));
    struct problems *problems = problems_create(config->path);
    struct config *loaded =
        config_load(config->path, text, strlen(text), &anywhere, problems);
    const char *first = NULL;

    free(text);
    if (loaded)
        return loaded; /* which goes on using `problems` */
    problems_each(problems, swap_config_note_first, &first);
    snprintf(error, error_size, "%s", first ? first : "it is refused");
    problems_destroy(problems);
    return NULL;
}
