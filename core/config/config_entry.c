/* Makes an entry of one line of "handlers". */

#include <stdlib.h>

#include "base/must.h"
#include "config/config_call.h"
#include "config/config_parts.h"
#include "options/options.h"

static struct pg_entry *config_entry_add(struct config *config,
                                         const struct pg_handler *handler,
                                         const char *path)
{
    struct pg_entry *entry = must_calloc(1, sizeof(*entry));

    entry->handler = handler;
    entry->config = config;
    entry->id = config->entry_count;
    entry->running = entry->id + 1;
    entry->path = must_copy(path);
    entry->options = must_calloc(1, handler->options_size + 1);
    entry->private = must_calloc(1, handler->entry_size + 1);
    config->entries = must_grow(config->entries, config->entry_count,
                                sizeof(*config->entries));
    config->entries[config->entry_count++] = entry;
    return entry;
}

static void config_entry_check(struct pg_entry *entry)
{
    struct config_call call;

    if (!entry->handler->check)
        return;
    call = config_call_entry(entry, "check()");
    config_call_end(&call, entry->handler->check(entry));
}

struct pg_entry *config_make_entry(struct config *config, const json_t *value,
                                   const char *path)
{
    struct plugin *plugin =
        config_read_plugin(config, PLUGIN_HANDLER, value, path);
    struct pg_entry *entry;

    if (!plugin)
        return NULL;
    entry = config_entry_add(config, &plugin->handler, path);
    entry->plugin = plugin;
    entry->name = config_read_name(config, value, plugin_name(plugin), path);
    if (config_read_options(config, plugin, value, entry->options, path))
        config_entry_check(entry);
    return entry;
}

struct pg_entry *config_make_builtin(struct config *config,
                                     const struct pg_handler *handler,
                                     const char *path)
{
    struct pg_entry *entry = config_entry_add(config, handler, path);

    entry->name = config_read_name(config, NULL, handler->name, path);
    options_set_defaults(handler->options, entry->options);
    return entry;
}

/* Shows both places; the key alone can be mended, so once is enough. */
void config_check_workers(struct config *config)
{
    for (unsigned i = 0; config->workers > 1 && i < config->entry_count; i++) {
        const struct pg_entry *entry = config->entries[i];

        if (!entry->handler->one_worker)
            continue;
        problems_add_pair(config->problems, "/workers", entry->path,
                          "%s keeps one state for all its sessions, and each "
                          "of %d workers would have its own; write "
                          "\"workers\": 1, or delete the key",
                          entry->name, (int)config->workers);
        return;
    }
}

void config_free_entry(struct pg_entry *entry)
{
    free(entry->name);
    config_read_forget(entry);
    options_free(entry->handler->options, entry->options);
    free(entry->options);
    free(entry->private);
    free((char *)(uintptr_t)entry->path);
    free(entry);
}
