/* Makes a listener of one line of "transports". */

#include <stdlib.h>

#include "base/must.h"
#include "config/config_call.h"
#include "config/config_parts.h"
#include "options/options.h"

static struct pg_listener *config_listener_add(struct config *config,
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
    config->listeners = must_grow(config->listeners, config->listener_count,
                                  sizeof(*config->listeners));
    config->listeners[config->listener_count++] = listener;
    return listener;
}

/* A transport that can do both says which of them it provides here. */
static void config_listener_choose_kind(struct pg_listener *listener)
{
    struct pg_transport *shape = &listener->shape;
    struct config_call call;
    char *title;

    if (shape->provides == PG_ANY) {
        call = config_call_listener(listener, "kind()");
        shape->provides = shape->kind(listener);
        config_call_end(&call, 0);
    }
    if (shape->provides == PG_STREAM || shape->provides == PG_RECORDS)
        return;
    shape->provides = PG_STREAM;
    title = plugin_title(listener->plugin, listener->name);
    problems_add(listener->config->problems, listener->path, false,
                 "%s does not say what it provides; let its kind() return "
                 "PG_STREAM or PG_RECORDS",
                 title);
    free(title);
}

static void config_listener_override(struct pg_listener *listener,
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

static void config_listener_check(struct pg_listener *listener)
{
    struct config_call call;

    if (!listener->transport->check)
        return;
    call = config_call_listener(listener, "check()");
    config_call_end(&call, listener->transport->check(listener));
}

struct pg_listener *config_make_listener(struct config *config,
                                         const json_t *value, const char *path)
{
    struct plugin *plugin =
        config_read_plugin(config, PLUGIN_TRANSPORT, value, path);
    struct pg_listener *listener;
    size_t before;

    if (!plugin)
        return NULL;
    listener = config_listener_add(config, plugin, path);
    listener->name = config_read_name(config, value, plugin_name(plugin), path);
    before = problems_count(config->problems);
    config_read_options(config, plugin, value, listener->options, path);
    config_listener_override(listener, "host");
    config_listener_override(listener, "port");
    config_listener_choose_kind(listener);
    if (problems_count(config->problems) == before)
        config_listener_check(listener);
    return listener;
}

void config_free_listener(struct pg_listener *listener)
{
    free(listener->name);
    options_free(listener->transport->options, listener->options);
    free(listener->options);
    free(listener->private);
    free(listener->chain.entries);
    free(listener->chain.kinds);
    free((char *)(uintptr_t)listener->path);
    free(listener);
}
