#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/must.h"
#include "config/config_parts.h"
#include "options/options.h"
#include "places/position.h"
#include "places/syntax.h"

/* ---- reading ---------------------------------------------------------- */

static char *config_read_stream(FILE *file, size_t *len)
{
    char *text = NULL;
    size_t got;

    *len = 0;
    do {
        text = must_realloc(text, *len + 65536, 1);
        got = fread(text + *len, 1, 65536, file);
        *len += got;
    } while (got > 0 && *len < CONFIG_BYTES_MOST);
    return text;
}

/* NULL after adding a problem. */
static char *config_read_file(const char *path, size_t *len,
                              struct problems *problems)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    int error = errno;

    if (file) {
        text = config_read_stream(file, len);
        error = ferror(file) ? errno : 0;
        fclose(file);
    }
    if (!error && *len < CONFIG_BYTES_MOST)
        return text;
    free(text);
    if (error == EACCES)
        problems_add(problems, "", false,
                     "%s; chmod u+r makes a file of yours readable, chmod u+x "
                     "a folder; ask its owner if it is not yours",
                     strerror(error));
    else
        problems_add(problems, "", false,
                     "%s; give the path of a config, such as config/chat.json",
                     error ? strerror(error) : "the file is larger than 8 MiB");
    return NULL;
}

static void config_say_duplicate(const char *key, size_t first, size_t again,
                                 void *arg)
{
    size_t line, column;

    problems_line(arg, first, &line, &column);
    problems_add_at(arg, again,
                    "the key \"%s\" is there twice; delete this one or that of "
                    "line %zu, column %zu",
                    key, line, column);
}

/* A problem of the whole: its place is where the JSON begins. */
static void config_complain_top(struct problems *problems, const char *text)
{
    struct position top = {0};

    position_find(problems_map(problems), "", &top);
    problems_add_at(problems, top.value, "%s", text);
}

/* The whole text as JSON; NULL after adding problems. */
static json_t *config_parse(const char *text, size_t len,
                            struct problems *problems)
{
    json_error_t error;
    json_t *root;

    problems_set_text(problems, text, len);
    root = json_loadb(text, len, 0, &error);
    if (!root) {
        syntax_explain(problems, text, len, &error);
        return NULL;
    }
    position_each_duplicate(problems_map(problems), config_say_duplicate,
                            problems);
    if (json_is_object(root))
        return root;
    config_complain_top(problems,
                        "a config is an object; write { \"transports\": "
                        "[\"tcp\"], \"handlers\": [\"echo\"] }");
    json_decref(root);
    return NULL;
}

/* ---- the top ---------------------------------------------------------- */

static const struct pg_option workers_table[] = {
    {"workers", PG_INT, PG_FIELD(struct config, workers), .initial = "1",
     .min = 1, .max = CONFIG_WORKERS_MAX},
    {0},
};

static char *config_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return must_copy(".");
    return slash == path ? must_copy("/")
                         : must_printf("%.*s", (int)(slash - path), path);
}

/* What is not there yet may come; but most often it is misspelt. */
static void config_warn_missing(struct config *config, const char *folder,
                                const char *path)
{
    struct stat status;

    if (stat(folder, &status) == 0 && S_ISDIR(status.st_mode))
        return;
    problems_warn(config->problems, path, false,
                  "there is no folder %s; make it, or correct the path (it "
                  "counts from the config's folder)",
                  folder);
}

static bool config_add_folder(struct config *config, const json_t *value,
                              const char *path)
{
    struct config_internals *internals = config_internals(config);
    const char *folder = json_string_value(value);
    unsigned count = 0;

    while (internals->folders[count])
        count++;
    if (!folder || count > CONFIG_PATHS_MAX)
        return false;
    internals->folders[count] =
        folder[0] == '/' ? must_copy(folder)
                         : must_printf("%s/%s", config->folder, folder);
    config_warn_missing(config, internals->folders[count], path);
    return true;
}

/* The config's own folder, then plugin_path, then the built-in one. */
static void config_read_plugin_path(struct config *config, const json_t *value)
{
    struct config_internals *internals = config_internals(config);
    bool is_good = true;
    unsigned count = 0;
    json_t *item;
    size_t i;

    internals->folders[0] = must_copy(config->folder);
    if (json_is_array(value)) {
        json_array_foreach (value, i, item) {
            char *path = position_path_index("/plugin_path", i);

            is_good &= config_add_folder(config, item, path);
            free(path);
        }
    } else if (value) {
        is_good = config_add_folder(config, value, "/plugin_path");
    }
    if (!is_good)
        problems_add(config->problems, "/plugin_path", false,
                     "\"plugin_path\" takes a folder or a list of up to 15; "
                     "write \"plugin_path\": [\"my-plugins\"]");
    while (internals->folders[count])
        count++;
    internals->folders[count] = must_copy(plugin_builtin_folder());
}

/* ---- lists ------------------------------------------------------------ */

/* A list of entries; NULL or its entries, `*count` of them. */
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
        char *place = position_path_index(path, i);
        struct pg_entry *entry = config_make_entry(config, item, place);

        if (entry)
            entries[(*count)++] = entry;
        else
            *is_good = false;
        free(place);
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
        return; /* it is misspelt, which has been said */
    if (!list) {
        config_complain_top(config->problems,
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
        char *place = position_path_index("/transports", i);

        config_read_transport(config, item, place, is_complete);
        free(place);
    }
}

static void config_read_all(struct config *config, const json_t *root)
{
    struct config_internals *internals = config_internals(config);
    bool is_complete = true;

    config_read_plugin_path(config, json_object_get(root, "plugin_path"));
    config_check_top_keys(config, root);
    options_fill(workers_table, root, config, "", config->problems);
    config_read_limits(config, json_object_get(root, "limits"));
    internals->shared = config_read_handlers(
        config, json_object_get(root, "handlers"), "/handlers",
        &internals->shared_count, &is_complete);
    config_read_transports(config, root, is_complete);
    config_check_network(config);
    config_check_clock(config);
}

/* ---- life ------------------------------------------------------------- */

static struct config *create(const char *path, struct problems *problems)
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
    char *own = text ? NULL : config_read_file(path, &len, problems);
    struct config *config;
    json_t *root;

    if (!text && !own)
        return NULL;
    root = config_parse(text ? text : own, len, problems);
    free(own);
    if (!root)
        return NULL;
    config = create(path, problems);
    config_internals(config)->root = root;
    if (overrides)
        config->overrides = *overrides;
    config_read_all(config, root);
    if (problems_count(problems) == 0)
        return config;
    config_destroy(config);
    return NULL;
}

void config_destroy(struct config *config)
{
    struct config_internals *internals;

    if (!config)
        return;
    internals = config_internals(config);
    for (unsigned i = 0; i < config->listener_count; i++)
        config_free_listener(config->listeners[i]);
    for (unsigned i = 0; i < config->entry_count; i++)
        config_free_entry(config->entries[i]);
    for (unsigned i = 0; internals->folders[i]; i++)
        free(internals->folders[i]);
    for (unsigned i = 0; i < internals->part_count; i++)
        json_decref(internals->parts[i]);
    free(internals->parts);
    names_finish(&internals->names);
    json_decref(internals->root);
    free(internals->shared);
    free(internals);
    free(config->listeners);
    free(config->entries);
    free(config->folder);
    free(config->path);
    free(config);
}

/* ---- made of parts ---------------------------------------------------- */

struct config *config_create(struct problems *problems)
{
    struct config *config = create("command line", problems);

    config_read_plugin_path(config, NULL);
    config_read_limits(config, NULL);
    return config;
}

/* The options with the plugin's name among them; kept for their strings. */
static json_t *config_make_part(struct config *config, const char *plugin,
                                const char *options_json)
{
    struct config_internals *internals = config_internals(config);
    json_error_t error;
    json_t *part = json_loads(options_json, 0, &error);

    if (!json_is_object(part)) {
        problems_add(config->problems, "", false,
                     "the options of %s cannot be read: %s", plugin,
                     part ? "they are no object" : error.text);
        json_decref(part);
        return NULL;
    }
    json_object_set_new(part, "plugin", json_string(plugin));
    internals->parts = must_grow(internals->parts, internals->part_count,
                                 sizeof(*internals->parts));
    internals->parts[internals->part_count++] = part;
    return part;
}

struct pg_listener *config_add_listener(struct config *config,
                                        const char *plugin,
                                        const char *options_json)
{
    json_t *part = config_make_part(config, plugin, options_json);

    return part ? config_make_listener(config, part, "") : NULL;
}

struct pg_entry *config_add_entry(struct config *config, const char *plugin,
                                  const struct pg_handler *builtin,
                                  const char *options_json)
{
    struct config_internals *internals = config_internals(config);
    struct pg_entry *entry = NULL;
    json_t *part;

    if (builtin) {
        entry = config_make_builtin(config, builtin, "");
    } else {
        part = config_make_part(config, plugin, options_json);
        if (part)
            entry = config_make_entry(config, part, "");
    }
    if (!entry)
        return NULL;
    internals->shared =
        must_realloc(internals->shared, internals->shared_count + 1,
                     sizeof(*internals->shared));
    internals->shared[internals->shared_count++] = entry;
    return entry;
}

bool config_finish(struct config *config)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        config_make_chain(config->listeners[i], NULL, 0);
    return problems_count(config->problems) == 0;
}
