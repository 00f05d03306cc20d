/* Loads plugins, each file once. */

#include "plugin/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/must.h"
#include "base/remedy.h"
#include "plugin/plugin_parts.h"

static struct plugin *loaded; /* all of this process */

const struct pg_option *plugin_options(const struct plugin *plugin)
{
    return plugin->kind == PLUGIN_HANDLER ? plugin->handler.options
                                          : plugin->transport.options;
}

const char *plugin_name(const struct plugin *plugin)
{
    return plugin->kind == PLUGIN_HANDLER ? plugin->handler.name
                                          : plugin->transport.name;
}

const char *plugin_summary(const struct plugin *plugin)
{
    return plugin->kind == PLUGIN_HANDLER ? plugin->handler.summary
                                          : plugin->transport.summary;
}

bool plugin_is_builtin_file(const char *path)
{
    const char *folder = plugin_builtin_folder();
    size_t len = strlen(folder);

    return !strncmp(path, folder, len) && path[len] == '/';
}

bool plugin_is_builtin(const struct plugin *plugin)
{
    return plugin_is_builtin_file(plugin->path);
}

char *plugin_title(const struct plugin *plugin, const char *name)
{
    return !plugin || plugin_is_builtin(plugin)
               ? must_copy(name)
               : must_printf("%s (%s)", name, plugin->path);
}

/* Why the system lets no code be run from this file: dlopen(3) only says that
   it could not map a segment. 0: it does. */
static int plugin_code_error(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), error;
    void *code = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

    error = code == MAP_FAILED ? errno : 0;
    if (!error)
        munmap(code, 1);
    if (fd >= 0)
        close(fd);
    return error;
}

/* "libx.so: cannot open shared object file: No such file or directory" */
static char *plugin_explain_library(const char *path, const char *error)
{
    size_t len = strcspn(error, ":");
    bool is_other = strstr(error, "cannot open shared object file") &&
                    strncmp(error, path, len);

    return is_other ? must_printf("%s cannot be loaded: %s; install %.*s, or "
                                  "build it without that library",
                                  path, error, (int)len, error)
                    : must_printf("%s cannot be loaded: %s; build it again "
                                  "with `playground build`",
                                  path, error);
}

/* dlopen() says "FILE: undefined symbol: NAME". */
static char *plugin_explain_dlopen(const char *path, const char *error)
{
    const char *symbol = strstr(error, "undefined symbol: ");
    int code_error = symbol ? 0
                     : strstr(error, strerror(ENOMEM))
                         ? ENOMEM
                         : plugin_code_error(path);
    char text[REMEDY_BYTES];
    size_t len;

    if (code_error)
        return must_printf("%s cannot be loaded: %s", path,
                           remedy_file(REMEDY_LOAD, path, code_error,
                                       "no code may be run from there: ask who "
                                       "made the rules of this machine",
                                       text, sizeof(text)));
    if (!symbol)
        return plugin_explain_library(path, error);
    symbol += strlen("undefined symbol: ");
    len = strcspn(symbol, " ,(");
    if (!strncmp(symbol, "pg_", 3))
        return must_printf("%s calls %.*s(), which this program does not have; "
                           "correct the spelling, or update the program",
                           path, (int)len, symbol);
    return must_printf("%s uses %.*s, which is defined nowhere; correct the "
                       "spelling, or link the library that has it",
                       path, (int)len, symbol);
}

/* Only as much as the plugin has: the rest stays zero. */
static void plugin_copy_struct(struct plugin *plugin, const void *symbol)
{
    uint32_t abi;

    memcpy(&abi, symbol, sizeof(abi));
    memcpy(plugin->kind == PLUGIN_HANDLER ? (void *)&plugin->handler
                                          : (void *)&plugin->transport,
           symbol, abi & 0xffff);
}

static char *plugin_open_file(struct plugin *plugin, const char *name)
{
    const void *symbol;

    crash_enter(plugin->path, "constructor", CRASH_LIMIT_S);
    plugin->handle = dlopen(plugin->path, RTLD_NOW | RTLD_LOCAL);
    crash_leave();
    if (!plugin->handle)
        return plugin_explain_dlopen(plugin->path, dlerror());
    symbol = dlsym(plugin->handle, plugin_kind_symbol(plugin->kind));
    if (!symbol)
        return must_printf("%s: no symbol %s", plugin->path,
                           plugin_kind_symbol(plugin->kind));
    plugin_copy_struct(plugin, symbol);
    return plugin_check_shape(plugin, name);
}

static struct plugin *plugin_find_loaded(enum plugin_kind kind,
                                         const char *path)
{
    struct plugin *plugin = loaded;

    while (plugin && (plugin->kind != kind || strcmp(plugin->path, path) != 0))
        plugin = plugin->next;
    return plugin;
}

static void plugin_free(struct plugin *plugin)
{
    free(plugin->path);
    free(plugin->warning);
    free(plugin->stale);
    free(plugin);
}

/* Takes `path` over. */
static struct plugin *plugin_load_file(enum plugin_kind kind, char *path,
                                       const char *name, char **problem)
{
    struct plugin *plugin = plugin_find_loaded(kind, path);

    if (plugin) {
        free(path);
        return plugin;
    }
    plugin = must_calloc(1, sizeof(*plugin));
    plugin->kind = kind;
    plugin->path = path;
    *problem = plugin_check_file(kind, path, &plugin->warning);
    if (!*problem)
        *problem = plugin_open_file(plugin, name);
    if (*problem) {
        plugin_free(plugin);
        return NULL;
    }
    plugin->stale = plugin_check_source(path);
    plugin->next = loaded;
    loaded = plugin;
    return plugin;
}

struct plugin *plugin_load(enum plugin_kind kind, const char *name,
                           struct plugin_search *search, char *error,
                           size_t error_size)
{
    struct plugin *plugin = NULL;
    char *path, *problem = NULL;

    if (error)
        problem = plugin_find(kind, name, search, &path);
    else
        path = plugin_find_file(kind, name, search);
    if (path)
        plugin = plugin_load_file(kind, path, name, &problem);
    if (problem && error)
        snprintf(error, error_size, "%s", problem);
    free(problem);
    return plugin;
}
