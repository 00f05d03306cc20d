/* Makes sure that a call of a plugin ends, and that an error has words. */

#include "config/config_call.h"

#include <stdlib.h>

#include "base/crash.h"
#include "places/problems.h"

static void config_call_begin(struct config_call *call)
{
    call->place = problems_place(call->config->problems, call->path);
    call->said = problems_said(call->config->problems);
    crash_place(call->place);
    crash_enter(call->plugin ? call->plugin->path : call->name, call->callback,
                CRASH_LIMIT_S);
}

struct config_call config_call_entry(const struct pg_entry *entry,
                                     const char *callback)
{
    struct config_call call = {.config = entry->config,
                               .path = entry->path,
                               .name = entry->name,
                               .callback = callback,
                               .plugin = entry->plugin};

    config_call_begin(&call);
    return call;
}

struct config_call config_call_listener(const struct pg_listener *listener,
                                        const char *callback)
{
    struct config_call call = {.config = listener->config,
                               .path = listener->path,
                               .name = listener->name,
                               .callback = callback,
                               .plugin = listener->plugin};

    config_call_begin(&call);
    return call;
}

/* The plugin returned an error and has not said why. */
static void config_call_blame(const struct config_call *call)
{
    bool is_transport = call->plugin && call->plugin->kind == PLUGIN_TRANSPORT;
    char *title = plugin_title(call->plugin, call->name);

    problems_add(call->config->problems, call->path, false,
                 "%s refuses in its %s without saying why; let that call "
                 "%s()",
                 title, call->callback,
                 is_transport ? "pg_listen_fail" : "pg_fail");
    free(title);
}

int config_call_end(struct config_call *call, int error)
{
    crash_leave();
    crash_place(NULL);
    if (error && problems_said(call->config->problems) == call->said)
        config_call_blame(call);
    free(call->place);
    return error;
}
