/* Makes a config of parts instead of a file, for the client and the harness. */

#include "base/must.h"
#include "config/config_parts.h"

struct config *config_create(struct problems *problems)
{
    struct config *config = config_new("command line", problems);

    config_read_plugin_path(config, NULL);
    config_read_limits(config, NULL);
    return config;
}

/* Puts the plugin's name among its options. The config keeps them, because
   their strings stay in use. */
static json_t *config_made_part(struct config *config, const char *plugin,
                                const char *options_json)
{
    struct config_internals *internals = config->internals;
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
    json_t *part = config_made_part(config, plugin, options_json);

    return part ? config_make_listener(config, part, "") : NULL;
}

struct pg_entry *config_add_entry(struct config *config, const char *plugin,
                                  const struct pg_handler *builtin,
                                  const char *options_json)
{
    struct config_internals *internals = config->internals;
    struct pg_entry *entry = NULL;
    json_t *part;

    if (builtin) {
        entry = config_make_builtin(config, builtin, "");
    } else {
        part = config_made_part(config, plugin, options_json);
        if (part)
            entry = config_make_entry(config, part, "");
    }
    if (!entry)
        return NULL;
    internals->shared = must_grow(internals->shared, internals->shared_count,
                                  sizeof(*internals->shared));
    internals->shared[internals->shared_count++] = entry;
    return entry;
}

bool config_make_chains(struct config *config)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        config_make_chain(config->listeners[i], NULL, 0);
    return problems_count(config->problems) == 0;
}
