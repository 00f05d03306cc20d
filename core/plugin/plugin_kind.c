/* Tells handlers and transports apart, by name and by the symbol in a file. */

#include "plugin/plugin_kind.h"

#include "plugin/object.h"

#define ERROR_BYTES 256

const char *plugin_kind_text(enum plugin_kind kind)
{
    return kind == PLUGIN_HANDLER ? "handler" : "transport";
}

const char *plugin_kind_symbol(enum plugin_kind kind)
{
    return kind == PLUGIN_HANDLER ? "pg_handler" : "pg_transport";
}

enum plugin_kind plugin_kind_other(enum plugin_kind kind)
{
    return kind == PLUGIN_HANDLER ? PLUGIN_TRANSPORT : PLUGIN_HANDLER;
}

static unsigned plugin_kind_in(const struct object *object,
                               enum plugin_kind kind)
{
    struct object_symbol symbol;

    return object_find(object, plugin_kind_symbol(kind), &symbol) ? 1u << kind
                                                                  : 0;
}

unsigned plugin_kinds_of(const char *path)
{
    char error[ERROR_BYTES];
    struct object object;
    unsigned kinds;

    if (!object_open(&object, path, error, sizeof(error)))
        return 0;
    kinds = plugin_kind_in(&object, PLUGIN_HANDLER) |
            plugin_kind_in(&object, PLUGIN_TRANSPORT);
    object_close(&object);
    return kinds;
}
