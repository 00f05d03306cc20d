/* Reads what a transport and a handler both have: plugin, name, options. */

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "config/config_parts.h"
#include "options/options.h"
#include "places/position.h"

/* ---- which plugin ----------------------------------------------------- */

/* Without "plugin" there is perhaps a key that was to be it. */
static void config_options_no_plugin(struct config *config,
                                     const json_t *object, const char *path)
{
    struct names keys = {0};
    const char *key, *near;
    json_t *value;

    json_object_foreach ((json_t *)(uintptr_t)object, key, value)
        names_add(&keys, key);
    near = names_near(&keys, "plugin");
    if (near)
        problems_add_key(config->problems, path, near, true,
                         "\"plugin\" is missing; did you mean it by \"%s\"?",
                         near);
    else
        problems_add(config->problems, path, false,
                     "\"plugin\" is missing; write { \"plugin\": \"NAME\" }");
    names_finish(&keys);
}

/* Returns "x", or the "plugin" of an object; NULL after adding a problem. */
static const char *config_options_plugin(struct config *config,
                                         const json_t *value, const char *path)
{
    const json_t *name = value;

    if (json_is_object(value))
        name = json_object_get(value, "plugin");
    if (json_is_object(value) && !name) {
        config_options_no_plugin(config, value, path);
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

static void config_options_warn_once(struct config *config, char **warning,
                                     const char *path)
{
    if (*warning)
        problems_warn(config->problems, path, false, "%s", *warning);
    free(*warning);
    *warning = NULL;
}

static void config_options_warn(struct config *config, struct plugin *plugin,
                                const char *path)
{
    config_options_warn_once(config, &plugin->warning, path);
    config_options_warn_once(config, &plugin->stale, path);
}

struct plugin *config_read_plugin(struct config *config, enum plugin_kind kind,
                                  const json_t *value, const char *path)
{
    const char *name = config_options_plugin(config, value, path), *error;
    struct plugin *plugin;
    char *place;

    if (!name)
        return NULL;
    place = json_is_object(value) ? position_path_key(path, "plugin")
                                  : must_copy(path);
    plugin = config_load_plugin(config, kind, name, place, &error);
    if (plugin)
        config_options_warn(config, plugin, place);
    else if (error)
        problems_add(config->problems, place, false, "%s", error);
    else
        problems_add_unseen(config->problems);
    free(place);
    return plugin;
}

/* ---- keys of the host ------------------------------------------------- */

static void config_options_check_on_crash(struct config *config,
                                          const json_t *value, const char *path)
{
    if (!value ||
        (json_is_string(value) && !strcmp(json_string_value(value), "restart")))
        return;
    problems_add_key(config->problems, path, "on_crash", false,
                     "\"on_crash\" takes \"restart\"; write that or delete "
                     "the key");
}

/* ---- its name --------------------------------------------------------- */

static bool config_options_is_good_name(const json_t *value)
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

/* A name that is given: a text without spaces that nobody else has. */
static void config_options_check_name(struct config *config,
                                      const json_t *value, const char *name,
                                      const char *plugin, const char *path)
{
    if (!config_options_is_good_name(value))
        problems_add_key(
            config->problems, path, "name", false,
            "\"name\" takes a text of 1 to 64 bytes that can be "
            "seen, without spaces; write for example \"name\": \"%s-a\"",
            plugin);
    else if (names_has(&config->internals->names, name))
        problems_add_key(config->problems, path, "name", false,
                         "the name \"%s\" is taken; choose another, or delete "
                         "the key",
                         name);
}

char *config_read_name(struct config *config, const json_t *value,
                       const char *plugin, const char *path)
{
    struct names *names = &config->internals->names;
    const json_t *given = json_object_get(value, "name");
    const char *name =
        json_is_string(given) ? json_string_value(given) : plugin;

    if (!given)
        return must_copy(names_add_unique(names, plugin));
    config_options_check_name(config, given, name, plugin, path);
    names_add(names, name);
    return must_copy(name);
}

/* ---- its options ------------------------------------------------------ */

bool config_read_options(struct config *config, const struct plugin *plugin,
                         const json_t *value, void *options, const char *path)
{
    size_t before = problems_count(config->problems);
    const json_t *object = json_is_object(value) ? value : NULL;

    options_set_defaults(plugin_options(plugin), options);
    if (!object)
        return true;
    config_check_plugin_keys(config, plugin, object, path);
    config_options_check_on_crash(config, json_object_get(object, "on_crash"),
                                  path);
    if (options_fill(plugin_options(plugin), object, options, path,
                     config->problems))
        config_check_option_pairs(config, plugin, object, path);
    return problems_count(config->problems) == before;
}
