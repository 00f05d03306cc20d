/* Looks at a file without loading it: a plugin that is refused has run no code.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/must.h"
#include "base/names.h"
#include "base/remedy.h"
#include "plugin/object.h"
#include "plugin/plugin_parts.h"

#define ERROR_BYTES REMEDY_BYTES

/* ---- who may write to it ---------------------------------------------- */

/* How to take the right from others. */
static const char *plugin_file_close(const char *path, char text[REMEDY_BYTES])
{
    char quoted[PATH_MAX];
    struct statvfs mount;

    snprintf(quoted, sizeof(quoted), "%s", path);
    remedy_quote(quoted);
    if (statvfs(path, &mount) == 0 && mount.f_flag & ST_RDONLY)
        snprintf(text, REMEDY_BYTES,
                 "its file system is read-only: take a "
                 "copy elsewhere");
    else
        snprintf(text, REMEDY_BYTES, "run chmod o-w %s", quoted);
    return text;
}

/* Everybody who may write to a plugin, or to its folder, has our rights. But
   WSL and shared folders show every file as writable by all, so for a user's
   own files it stays with a warning. */
static char *plugin_file_check_mode(const char *path, const struct stat *status,
                                    char **warning)
{
    const char *what = S_ISDIR(status->st_mode) ? "the folder" : "the file";
    char remedy[REMEDY_BYTES];
    uid_t user = geteuid();

    if (!(status->st_mode & S_IWOTH))
        return NULL;
    if (user == 0 || status->st_uid != user)
        return must_printf("everybody may change %s %s, so it is not loaded%s; "
                           "%s",
                           what, path,
                           user == 0 ? " for root" : ": it is not yours",
                           plugin_file_close(path, remedy));
    if (!*warning)
        *warning = must_printf("everybody may change %s %s; %s", what, path,
                               plugin_file_close(path, remedy));
    return NULL;
}

static char *plugin_file_unreadable(const char *path)
{
    char text[REMEDY_BYTES];

    return must_printf("%s cannot be read: %s", path,
                       remedy_file(REMEDY_LOAD, path, errno, "look at the file",
                                   text, sizeof(text)));
}

static char *plugin_file_check_status(const char *path, char **warning)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return plugin_file_unreadable(path);
    return plugin_file_check_mode(path, &status, warning);
}

/* Of lib/playground/handler the folder above, too. */
char *plugin_check_folders(const char *path, char **warning)
{
    char *folder = must_copy(path), *problem = NULL;

    for (int level = 0; level < 2 && !problem; level++) {
        char *slash = strrchr(folder, '/');

        if (!slash || slash == folder)
            break;
        *slash = '\0';

        const char *name = strrchr(folder, '/');
        bool is_inner =
            name && (!strcmp(name, "/handler") || !strcmp(name, "/transport"));

        problem = plugin_file_check_status(folder, warning);
        if (!is_inner)
            break;
    }
    free(folder);
    return problem;
}

static char *plugin_file_check_kind_of_file(const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return plugin_file_unreadable(path);
    if (S_ISDIR(status.st_mode))
        return must_printf("%s is a folder, no plugin; rename it, or build the "
                           "plugin with `playground build`",
                           path);
    if (!S_ISREG(status.st_mode))
        return must_printf("%s is no regular file; put the plugin there", path);
    return NULL;
}

/* ---- its source ------------------------------------------------------- */

static bool plugin_file_is_older(const struct stat *a, const struct stat *b)
{
    return a->st_mtim.tv_sec < b->st_mtim.tv_sec ||
           (a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
            a->st_mtim.tv_nsec < b->st_mtim.tv_nsec);
}

char *plugin_check_source(const char *path)
{
    char *source = must_printf("%.*sc", (int)strlen(path) - 2, path),
         *text = NULL;
    struct stat made, from;

    if (stat(path, &made) == 0 && stat(source, &from) == 0 &&
        plugin_file_is_older(&made, &from))
        text = must_printf("%s is newer than what was built of it; "
                           "`playground build %s`",
                           source, source);
    free(source);
    return text;
}

/* ---- its symbols ------------------------------------------------------ */

struct lookout {
    const char *wanted;
    bool is_static;
    struct names names;
};

static bool plugin_file_look_at(const struct object_symbol *symbol, void *arg)
{
    struct lookout *lookout = arg;

    if (!strcmp(symbol->name, lookout->wanted))
        lookout->is_static = true; /* an exported one would do */
    else if (symbol->is_object && !strncmp(symbol->name, "pg", 2))
        names_add(&lookout->names, symbol->name);
    return true;
}

/* The compiler says nothing about a misspelt pg_handler: we must. */
static char *plugin_file_explain_missing(const struct object *object,
                                         const char *path, const char *wanted)
{
    struct lookout lookout = {.wanted = wanted};
    char *problem;

    object_each_symbol(object, plugin_file_look_at, &lookout);

    const char *near = names_near(&lookout.names, wanted);

    if (lookout.is_static)
        problem = must_printf("%s: %s is not exported; delete the word static "
                              "before it, and include its header",
                              path, wanted);
    else if (near)
        problem = must_printf("%s: no symbol %s, but %s; correct the spelling",
                              path, wanted, near);
    else
        problem =
            must_printf("%s: no symbol %s: not a %s plugin; define `const "
                        "struct %s %s`, not static, spelt so",
                        path, wanted, wanted + 3, wanted, wanted);
    names_finish(&lookout.names);
    return problem;
}

char *plugin_check_abi(enum plugin_kind kind, const char *path, uint32_t abi)
{
    bool is_handler = kind == PLUGIN_HANDLER;
    uint32_t own = is_handler ? PG_HANDLER_ABI : PG_TRANSPORT_ABI;
    const char *macro = is_handler ? "PG_HANDLER_ABI" : "PG_TRANSPORT_ABI";
    const char *text = plugin_kind_text(kind);

    if (abi == 0)
        return must_printf("%s: its .abi is not set; write .abi = %s", path,
                           macro);
    if (abi >> 16 == 0)
        return must_printf("%s: its .abi is %u, and no version was ever that; "
                           "write .abi = %s",
                           path, abi, macro);
    if (abi >> 16 != own >> 16)
        return must_printf("%s was built for version %u of the %s interface, "
                           "and this program has version %u; build it again "
                           "with this program's `playground build`",
                           path, abi >> 16, text, own >> 16);
    if ((abi & 0xffff) > (own & 0xffff))
        return must_printf("%s was built for a newer %s interface (version %u, "
                           "%u bytes) than this program's (version %u, %u "
                           "bytes); build it again with this program's "
                           "`playground build`, or update the program",
                           path, text, abi >> 16, abi & 0xffff, own >> 16,
                           own & 0xffff);
    return NULL;
}

static char *plugin_file_check_symbol(const struct object *object,
                                      enum plugin_kind kind, const char *path,
                                      const struct object_symbol *symbol)
{
    const char *name = plugin_kind_symbol(kind);
    uint32_t abi;

    if (!symbol->is_object)
        return must_printf("%s: %s is no data; define it as `const struct %s "
                           "%s`",
                           path, name, name, name);
    if (!object_read(object, symbol->address, &abi, sizeof(abi)))
        abi = 0; /* the file has only zeros there, and no bytes for them */

    char *problem = plugin_check_abi(kind, path, abi);

    if (!problem && symbol->size < (abi & 0xffff))
        problem = must_printf("%s: %s has %zu bytes, but its .abi says %u; "
                              "write .abi = PG_%s_ABI",
                              path, name, (size_t)symbol->size, abi & 0xffff,
                              kind == PLUGIN_HANDLER ? "HANDLER" : "TRANSPORT");
    return problem;
}

static char *plugin_file_check_symbols(const struct object *object,
                                       enum plugin_kind kind, const char *path)
{
    enum plugin_kind other = plugin_kind_other(kind);
    struct object_symbol symbol;

    if (object_find(object, plugin_kind_symbol(kind), &symbol))
        return plugin_file_check_symbol(object, kind, path, &symbol);
    if (object_find(object, plugin_kind_symbol(other), &symbol))
        return must_printf("%s is a %s, not a %s; put it into \"%ss\"", path,
                           plugin_kind_text(other), plugin_kind_text(kind),
                           plugin_kind_text(other));
    return plugin_file_explain_missing(object, path, plugin_kind_symbol(kind));
}

char *plugin_check_file(enum plugin_kind kind, const char *path, char **warning)
{
    char error[ERROR_BYTES], *problem = plugin_file_check_kind_of_file(path);
    struct object object;

    *warning = NULL;
    if (!problem)
        problem = plugin_file_check_status(path, warning);
    if (!problem)
        problem = plugin_check_folders(path, warning);
    if (problem)
        return problem;
    if (!object_open(&object, path, error, sizeof(error)))
        return must_printf("%s %s", path, error);
    problem = plugin_file_check_symbols(&object, kind, path);
    object_close(&object);
    return problem;
}
