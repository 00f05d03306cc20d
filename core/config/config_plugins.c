#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/must.h"
#include "base/text.h"
#include "config/config_parts.h"
#include "options/options.h"
#include "places/position.h"

#define ERROR_BYTES 1024

struct config_internals *config_internals(const struct config *config)
{
    return config->internals;
}

char *config_call(const char *name, const struct plugin *plugin)
{
    return !plugin || plugin_is_builtin(plugin)
               ? must_copy(name)
               : must_printf("%s (%s)", name, plugin->path);
}

void config_blame(struct config *config, const char *path, const char *name,
                  const struct plugin *plugin, const char *what)
{
    char *who = config_call(name, plugin);

    problems_add(config->problems, path, false, "%s %s", who, what);
    free(who);
}

/* ---- which plugin ----------------------------------------------------- */

/* Without "plugin" there is perhaps a key that was to be it. */
static void config_plugins_no_plugin(struct config *config,
                                     const json_t *object, const char *path)
{
    struct names keys = {0};
    const char *key, *near;
    json_t *value;
    char *place;

    json_object_foreach ((json_t *)(uintptr_t)object, key, value)
        names_add(&keys, key);
    near = names_near(&keys, "plugin");
    place = near ? position_path_key(path, near) : must_copy(path);
    if (near)
        problems_add(config->problems, place, true,
                     "\"plugin\" is missing; did you mean it by \"%s\"?", near);
    else
        problems_add(config->problems, place, false,
                     "\"plugin\" is missing; write { \"plugin\": \"NAME\" }");
    free(place);
    names_finish(&keys);
}

/* "x" or the "plugin" of an object. */
static const char *config_plugins_plugin_wanted(struct config *config,
                                                const json_t *value,
                                                const char *path)
{
    const json_t *name = value;

    if (json_is_object(value))
        name = json_object_get(value, "plugin");
    if (json_is_object(value) && !name) {
        config_plugins_no_plugin(config, value, path);
        return NULL;
    }
    if (!json_is_string(name)) {
        problems_add(config->problems, path, false,
                     "this is neither a plugin's name nor an object; write "
                     "\"NAME\" or { \"plugin\": \"NAME\" }");
        return NULL;
    }
    return json_string_value(name);
}

static void config_plugins_warn_once(struct config *config, char **warning,
                                     const char *path)
{
    if (*warning)
        problems_warn(config->problems, path, false, "%s", *warning);
    free(*warning);
    *warning = NULL;
}

static struct plugin *config_plugins_load(struct config *config,
                                          enum plugin_kind kind,
                                          const json_t *value, const char *path)
{
    struct plugin_search search = config_search(config);
    const char *name = config_plugins_plugin_wanted(config, value, path);
    char error[ERROR_BYTES];
    struct plugin *plugin;
    char *place;

    if (!name)
        return NULL;
    plugin = plugin_load(kind, name, &search, error, sizeof(error));
    place = json_is_object(value) ? position_path_key(path, "plugin")
                                  : must_copy(path);
    if (plugin) {
        config_plugins_warn_once(config, &plugin->warning, place);
        config_plugins_warn_once(config, &plugin->stale, place);
    } else {
        problems_add(config->problems, place, false, "%s", error);
    }
    free(place);
    return plugin;
}

/* ---- keys of the host ------------------------------------------------- */

static void config_plugins_check_on_crash(struct config *config,
                                          const json_t *value, const char *path)
{
    char *place;

    if (!value ||
        (json_is_string(value) && !strcmp(json_string_value(value), "restart")))
        return;
    place = position_path_key(path, "on_crash");
    problems_add(config->problems, place, false,
                 "\"on_crash\" takes \"restart\"; write that or delete the "
                 "key");
    free(place);
}

/* ---- its name --------------------------------------------------------- */

static char *config_plugins_free_name(const struct names *taken,
                                      const char *name)
{
    char *wanted = must_copy(name);

    for (unsigned i = 2; names_has(taken, wanted); i++) {
        free(wanted);
        wanted = must_printf("%s-%u", name, i);
    }
    return wanted;
}

static bool config_plugins_is_good_name(const json_t *value)
{
    const char *name = json_string_value(value);

    if (!name || !name[0] || strlen(name) > 64)
        return false;
    for (size_t left = strlen(name); left > 0;) {
        struct text_cell cell = text_cell(name, left);

        if (*name == ' ' || memcmp(cell.shown, name, cell.bytes) != 0)
            return false;
        name += cell.bytes;
        left -= cell.bytes;
    }
    return true;
}

static char *config_plugins_name_of(struct config *config, const json_t *object,
                                    const char *plugin, const char *path)
{
    struct names *names = &config_internals(config)->names;
    const json_t *value = json_object_get(object, "name");
    char *place, *name;

    if (!value) {
        name = config_plugins_free_name(names, plugin);
    } else {
        place = position_path_key(path, "name");
        name = must_copy(json_is_string(value) ? json_string_value(value)
                                               : plugin);
        if (!config_plugins_is_good_name(value))
            problems_add(
                config->problems, place, false,
                "\"name\" takes a text of 1 to 64 bytes that can be "
                "seen, without spaces; write for example \"name\": \"%s-a\"",
                plugin);
        else if (names_has(names, name))
            problems_add(config->problems, place, false,
                         "the name \"%s\" is taken; choose another, or delete "
                         "the key",
                         name);
        free(place);
    }
    names_add(names, name);
    return name;
}

/* ---- a limit that every plugin with `max_bytes` has -------------------- */

static void config_plugins_check_max_bytes(struct config *config,
                                           const struct plugin *plugin,
                                           const json_t *object,
                                           const char *path)
{
    const json_t *value = json_object_get(object, "max_bytes");
    char *place;

    if (!options_find(plugin_options(plugin), "max_bytes") ||
        !json_is_integer(value) ||
        json_integer_value(value) <= config->limits.frame_bytes)
        return;
    place = position_path_key(path, "max_bytes");
    problems_add(config->problems, place, false,
                 "\"max_bytes\" is %lld, more than limits.frame_bytes %lld; "
                 "lower it, or raise limits.frame_bytes",
                 (long long)json_integer_value(value),
                 (long long)config->limits.frame_bytes);
    free(place);
}

/* Fills `options`; true when nothing was wrong. */
static bool config_plugins_read_options(struct config *config,
                                        const struct plugin *plugin,
                                        const json_t *value, void *options,
                                        const char *path)
{
    size_t before = problems_count(config->problems);
    const json_t *object = json_is_object(value) ? value : NULL;

    options_set_defaults(plugin_options(plugin), options);
    if (!object)
        return true;
    config_check_plugin_keys(config, plugin, object, path);
    config_plugins_check_on_crash(config, json_object_get(object, "on_crash"),
                                  path);
    options_fill(plugin_options(plugin), object, options, path,
                 config->problems);
    config_plugins_check_max_bytes(config, plugin, object, path);
    return problems_count(config->problems) == before;
}

/* ---- entries ---------------------------------------------------------- */

static struct pg_entry *
config_plugins_add_entry(struct config *config,
                         const struct pg_handler *handler, const char *path)
{
    struct pg_entry *entry = must_calloc(1, sizeof(*entry));

    entry->handler = handler;
    entry->config = config;
    entry->id = config->entry_count;
    entry->mark = entry->id + 1;
    entry->path = must_copy(path);
    entry->options = must_calloc(1, handler->options_size + 1);
    entry->private = must_calloc(1, handler->entry_size + 1);
    config->entries = must_realloc(config->entries, config->entry_count + 1,
                                   sizeof(*config->entries));
    config->entries[config->entry_count++] = entry;
    return entry;
}

static void config_plugins_run_check(struct pg_entry *entry)
{
    size_t before = problems_said(entry->config->problems);
    int error = 0;

    crash_enter(entry->plugin->path, "check()");
    if (entry->handler->check)
        error = entry->handler->check(entry);
    crash_leave();
    if (error && problems_said(entry->config->problems) == before)
        config_blame(entry->config, entry->path, entry->name, entry->plugin,
                     "refuses its options without saying why; let its check() "
                     "call pg_fail()");
}

struct pg_entry *config_make_entry(struct config *config, const json_t *value,
                                   const char *path)
{
    struct plugin *plugin =
        config_plugins_load(config, PLUGIN_HANDLER, value, path);
    struct pg_entry *entry;

    if (!plugin)
        return NULL;
    entry = config_plugins_add_entry(config, &plugin->handler, path);
    entry->plugin = plugin;
    entry->name =
        config_plugins_name_of(config, value, plugin_name(plugin), path);
    if (config_plugins_read_options(config, plugin, value, entry->options,
                                    path))
        config_plugins_run_check(entry);
    return entry;
}

struct pg_entry *config_make_builtin(struct config *config,
                                     const struct pg_handler *handler,
                                     const char *path)
{
    struct pg_entry *entry = config_plugins_add_entry(config, handler, path);

    entry->name = config_plugins_name_of(config, NULL, handler->name, path);
    options_set_defaults(handler->options, entry->options);
    return entry;
}

void config_free_entry(struct pg_entry *entry)
{
    free(entry->name);
    free(entry->options);
    free(entry->private);
    free((char *)(uintptr_t)entry->path);
    free(entry);
}

/* ---- listeners -------------------------------------------------------- */

static struct pg_listener *config_plugins_add_listener(struct config *config,
                                                       struct plugin *plugin,
                                                       const char *path)
{
    struct pg_listener *listener = must_calloc(1, sizeof(*listener));

    listener->shape = plugin->transport;
    listener->transport = &listener->shape;
    listener->plugin = plugin;
    listener->config = config;
    listener->id = config->listener_count;
    listener->path = must_copy(path);
    listener->options = must_calloc(1, plugin->transport.options_size + 1);
    listener->private = must_calloc(1, plugin->transport.listener_size + 1);
    config->listeners =
        must_realloc(config->listeners, config->listener_count + 1,
                     sizeof(*config->listeners));
    config->listeners[config->listener_count++] = listener;
    return listener;
}

/* What a transport that can do both provides here. */
static void config_plugins_choose_kind(struct pg_listener *listener)
{
    struct pg_transport *shape = &listener->shape;

    crash_enter(listener->plugin->path, "kind()");
    if (shape->provides == PG_ANY)
        shape->provides = shape->kind(listener);
    crash_leave();
    if (shape->provides == PG_STREAM || shape->provides == PG_RECORDS)
        return;
    shape->provides = PG_STREAM;
    config_blame(
        listener->config, listener->path, listener->name, listener->plugin,
        "does not say what it provides; let its kind() return PG_STREAM "
        "or PG_RECORDS");
}

const char *config_override(const struct config *config, const char *key)
{
    return !strcmp(key, "host")   ? config->overrides.host
           : !strcmp(key, "port") ? config->overrides.port
                                  : NULL;
}

static void config_plugins_override(struct pg_listener *listener,
                                    const char *name)
{
    const char *text = config_override(listener->config, name);
    const struct pg_option *option =
        options_find(listener->transport->options, name);
    char *problem;

    if (!text || !option)
        return;
    problem = options_set_text(option, text, listener->options);
    if (problem)
        pg_listen_fail(listener, name, "%s", problem);
    free(problem);
}

static void config_plugins_run_listener_check(struct pg_listener *listener)
{
    struct problems *problems = listener->config->problems;
    size_t before = problems_said(problems);
    int error = 0;

    crash_enter(listener->plugin->path, "check()");
    if (listener->transport->check)
        error = listener->transport->check(listener);
    crash_leave();
    if (error && problems_said(problems) == before)
        config_blame(listener->config, listener->path, listener->name,
                     listener->plugin,
                     "refuses its options without saying why; let its check() "
                     "call pg_listen_fail()");
}

struct pg_listener *config_make_listener(struct config *config,
                                         const json_t *value, const char *path)
{
    struct plugin *plugin =
        config_plugins_load(config, PLUGIN_TRANSPORT, value, path);
    struct pg_listener *listener;
    size_t before;

    if (!plugin)
        return NULL;
    listener = config_plugins_add_listener(config, plugin, path);
    listener->name =
        config_plugins_name_of(config, value, plugin_name(plugin), path);
    before = problems_count(config->problems);
    config_plugins_read_options(config, plugin, value, listener->options, path);
    config_plugins_override(listener, "host");
    config_plugins_override(listener, "port");
    config_plugins_choose_kind(listener);
    if (problems_count(config->problems) == before)
        config_plugins_run_listener_check(listener);
    return listener;
}

void config_free_listener(struct pg_listener *listener)
{
    free(listener->name);
    free(listener->options);
    free(listener->private);
    free(listener->chain.entries);
    free(listener->chain.kinds);
    free((char *)(uintptr_t)listener->path);
    free(listener);
}
