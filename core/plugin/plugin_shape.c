/* Looks at the struct that a plugin exports. */

#include <string.h>

#include <playground/simulation.h>

#include "base/must.h"
#include "options/options.h"
#include "plugin/plugin_parts.h"

#define OPTIONS_MOST (64u * 1024)
#define SESSION_MOST (1u << 20) /* there is one for each session */
#define PRIVATE_MOST (1u << 30)

static char *plugin_shape_check_names(const struct plugin *plugin,
                                      const char *name)
{
    if (!plugin_name(plugin))
        return must_printf("%s: .name is missing; write .name = \"%s\"",
                           plugin->path, name);
    if (strcmp(plugin_name(plugin), name) != 0)
        return must_printf("%s: .name is \"%s\", but the file is %s.so; make "
                           "them the same",
                           plugin->path, plugin_name(plugin), name);
    if (!plugin_summary(plugin))
        return must_printf("%s: .summary is missing; write one line that says "
                           "what it does",
                           plugin->path);
    return NULL;
}

static char *plugin_shape_check_kinds(const struct plugin *plugin)
{
    const struct pg_handler *handler = &plugin->handler;

    if (handler->needs != PG_ANY && handler->needs != PG_RECORDS)
        return must_printf("%s: .needs is neither PG_ANY nor PG_RECORDS; write "
                           "one of them",
                           plugin->path);
    if (handler->makes != PG_ANY && handler->makes != PG_RECORDS)
        return must_printf("%s: .makes is neither PG_ANY nor PG_RECORDS; write "
                           "one of them",
                           plugin->path);
    return NULL;
}

static char *plugin_shape_too_large(const struct plugin *plugin,
                                    const char *field, size_t size, size_t most)
{
    if (size <= most)
        return NULL;
    return must_printf("%s: .%s is %zu bytes, more than %zu; keep less, or "
                       "allocate the rest in init()",
                       plugin->path, field, size, most);
}

/* Nobody means so much; it comes of a size that became negative. */
static char *plugin_shape_check_sizes(const struct plugin *plugin)
{
    const struct pg_handler *handler = &plugin->handler;
    const struct pg_transport *transport = &plugin->transport;
    bool is_handler = plugin->kind == PLUGIN_HANDLER;
    char *problem = plugin_shape_too_large(plugin, "options_size",
                                           is_handler ? handler->options_size
                                                      : transport->options_size,
                                           OPTIONS_MOST);

    if (!problem)
        problem = plugin_shape_too_large(plugin, "session_size",
                                         is_handler ? handler->session_size
                                                    : transport->session_size,
                                         SESSION_MOST);
    if (!problem)
        problem = plugin_shape_too_large(
            plugin, is_handler ? "entry_size" : "listener_size",
            is_handler ? handler->entry_size : transport->listener_size,
            PRIVATE_MOST);
    return problem;
}

static char *plugin_shape_missing(const struct plugin *plugin,
                                  const char *callback)
{
    static const char *const kinds[] = {"PG_ANY", "PG_STREAM", "PG_RECORDS"};

    return must_printf(
        "%s: .%s is missing; write one, because a transport "
        "that provides %s%s needs it",
        plugin->path, callback, kinds[plugin->transport.provides],
        plugin->transport.simulation ? " and has .simulation" : "");
}

/* Records come by one socket for all peers, or by connections as a stream
   does: then there is send() instead of send_records(). */
static char *plugin_shape_check_ways(const struct plugin *plugin,
                                     const struct pg_transport *transport)
{
    bool has_connections = transport->provides == PG_STREAM ||
                           (!transport->send_records && transport->send);

    if (!has_connections && !transport->send_records)
        return plugin_shape_missing(plugin, "send_records");
    if (!has_connections && !transport->peer_size)
        return plugin_shape_missing(plugin, "peer_size");
    if (has_connections && transport->peer_size &&
        transport->provides != PG_STREAM)
        return plugin_shape_missing(plugin, "send_records");
    if ((has_connections || transport->provides == PG_ANY) && !transport->recv)
        return plugin_shape_missing(plugin, "recv");
    if ((has_connections || transport->provides == PG_ANY) && !transport->send)
        return plugin_shape_missing(plugin, "send");
    return NULL;
}

static char *plugin_shape_check_transport(const struct plugin *plugin)
{
    const struct pg_transport *transport = &plugin->transport;
    const struct pg_simulation *simulation = transport->simulation;

    if (transport->provides != PG_STREAM && transport->provides != PG_RECORDS &&
        !(transport->provides == PG_ANY && transport->kind))
        return must_printf("%s: .provides is neither PG_STREAM nor PG_RECORDS; "
                           "write one of them, or PG_ANY with .kind",
                           plugin->path);
    if (!transport->address)
        return plugin_shape_missing(plugin, "address");
    if (transport->listen && !transport->ready)
        return plugin_shape_missing(plugin, "ready");
    if (transport->peer_size > transport->session_size)
        return must_printf("%s: .peer_size is more than .session_size; it says "
                           "how many bytes of those tell peers apart",
                           plugin->path);
    if (simulation && !simulation->next_ns)
        return plugin_shape_missing(plugin, "simulation->next_ns");
    if (simulation && !simulation->step)
        return plugin_shape_missing(plugin, "simulation->step");
    if (simulation && !simulation->stop)
        return plugin_shape_missing(plugin, "simulation->stop");
    return plugin_shape_check_ways(plugin, transport);
}

static char *plugin_shape_check_options(const struct plugin *plugin)
{
    size_t size = plugin->kind == PLUGIN_HANDLER
                      ? plugin->handler.options_size
                      : plugin->transport.options_size;
    char error[256];

    if (options_check_table(plugin_options(plugin), size, error, sizeof(error)))
        return NULL;
    return must_printf("%s: %s", plugin->path, error);
}

char *plugin_check_shape(struct plugin *plugin, const char *name)
{
    char *problem = plugin_shape_check_names(plugin, name);

    if (!problem)
        problem = plugin->kind == PLUGIN_HANDLER
                      ? plugin_shape_check_kinds(plugin)
                      : plugin_shape_check_transport(plugin);
    if (!problem)
        problem = plugin_shape_check_sizes(plugin);
    if (!problem)
        problem = plugin_check_imports(plugin);
    if (!problem)
        problem = plugin_check_table(plugin);
    return problem ? problem : plugin_shape_check_options(plugin);
}
