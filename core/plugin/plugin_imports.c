/* Memory that a plugin asks for and has not declared: what it calls stands in
   its table of imports, whether or not the call is ever reached. */

#include "base/must.h"
#include "plugin/object.h"
#include "plugin/plugin_parts.h"

#define ERROR_BYTES 256

struct plugin_import {
    const char *function;
    bool is_declared;
    const char *advice; /* the field, and what to write there */
};

static char *plugin_imports_refuse(const struct plugin *plugin,
                                   const struct object *object,
                                   const struct plugin_import *imports,
                                   size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!imports[i].is_declared &&
            object_imports(object, imports[i].function))
            return must_printf("%s: calls %s(), but has no %s", plugin->path,
                               imports[i].function, imports[i].advice);
    return NULL;
}

#define STATE                                                                  \
    ".session_size; write .session_size = sizeof of the struct that one "      \
    "session needs"
#define OPTIONS ".options; write .options and .options_size, or delete the call"

static char *plugin_imports_check_handler(const struct plugin *plugin,
                                          const struct object *object)
{
    static const char private[] =
        ".entry_size; write .entry_size = sizeof of the struct that one entry "
        "needs";
    const struct pg_handler *handler = &plugin->handler;
    const struct plugin_import imports[] = {
        {"pg_state", handler->session_size, STATE},
        {"pg_private", handler->entry_size, private},
        {"pg_entry_private", handler->entry_size, private},
        {"pg_options", handler->options, OPTIONS},
        {"pg_entry_options", handler->options, OPTIONS},
    };

    return plugin_imports_refuse(plugin, object, imports,
                                 sizeof(imports) / sizeof(*imports));
}

static char *plugin_imports_check_transport(const struct plugin *plugin,
                                            const struct object *object)
{
    const struct pg_transport *transport = &plugin->transport;
    const struct plugin_import imports[] = {
        {"pg_session_data", transport->session_size, STATE},
        {"pg_session_data_const", transport->session_size, STATE},
        {"pg_listener_private", transport->listener_size,
         ".listener_size; write .listener_size = sizeof of the struct that one "
         "listener needs"},
        {"pg_listener_options", transport->options, OPTIONS},
    };

    return plugin_imports_refuse(plugin, object, imports,
                                 sizeof(imports) / sizeof(*imports));
}

char *plugin_check_imports(struct plugin *plugin)
{
    char error[ERROR_BYTES], *problem;
    struct object object;

    if (!object_open(&object, plugin->path, error, sizeof(error)))
        return must_printf("%s %s", plugin->path, error);
    plugin->may_hold = object_imports(&object, "pg_ready");
    problem = plugin->kind == PLUGIN_HANDLER
                  ? plugin_imports_check_handler(plugin, &object)
                  : plugin_imports_check_transport(plugin, &object);
    object_close(&object);
    return problem;
}
