#include <string.h>

#include "must.h"
#include "options.h"
#include "plugin_parts.h"

static char *check_names(const struct plugin *plugin, const char *name)
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

static char *check_kinds(const struct plugin *plugin)
{
    const struct pg_handler *handler = &plugin->handler;

    if (handler->needs != PG_ANY && handler->needs != PG_RECORDS)
        return must_printf("%s: .needs must be PG_ANY or PG_RECORDS",
                           plugin->path);
    if (handler->makes != PG_ANY && handler->makes != PG_RECORDS)
        return must_printf("%s: .makes must be PG_ANY or PG_RECORDS",
                           plugin->path);
    return NULL;
}

static char *missing(const struct plugin *plugin, const char *callback)
{
    static const char *const kinds[] = {"PG_ANY", "PG_STREAM", "PG_RECORDS"};

    return must_printf("%s: .%s is missing; a transport that provides %s%s "
                       "needs it",
                       plugin->path, callback,
                       kinds[plugin->transport.provides],
                       plugin->transport.step ? " and has .step" : "");
}

static char *check_transport(const struct plugin *plugin)
{
    const struct pg_transport *transport = &plugin->transport;

    if (transport->provides != PG_STREAM && transport->provides != PG_RECORDS &&
        !(transport->provides == PG_ANY && transport->kind))
        return must_printf("%s: .provides must be PG_STREAM or PG_RECORDS, or "
                           "PG_ANY with .kind",
                           plugin->path);
    if (!transport->address)
        return missing(plugin, "address");
    if (transport->step && !transport->next_ns)
        return missing(plugin, "next_ns");
    if (transport->step && !transport->stop)
        return missing(plugin, "stop");
    if (transport->provides != PG_STREAM && !transport->send_records)
        return missing(plugin, "send_records");
    if (transport->provides != PG_STREAM && !transport->peer_size)
        return missing(plugin, "peer_size");
    if (transport->provides != PG_RECORDS && !transport->recv)
        return missing(plugin, "recv");
    if (transport->provides != PG_RECORDS && !transport->send)
        return missing(plugin, "send");
    return NULL;
}

static char *check_options(const struct plugin *plugin)
{
    size_t size = plugin->kind == PLUGIN_HANDLER
                      ? plugin->handler.options_size
                      : plugin->transport.options_size;
    char error[256];

    if (options_check_table(plugin_options(plugin), size, error, sizeof(error)))
        return NULL;
    return must_printf("%s: %s", plugin->path, error);
}

char *plugin_check_shape(const struct plugin *plugin, const char *name)
{
    char *problem = check_names(plugin, name);

    if (!problem)
        problem = plugin->kind == PLUGIN_HANDLER ? check_kinds(plugin)
                                                 : check_transport(plugin);
    return problem ? problem : check_options(plugin);
}
