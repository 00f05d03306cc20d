#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "base/names.h"
#include "plugin/plugin_parts.h"

static const char *builtin_folder;

void plugin_set_builtin_folder(const char *folder)
{
    builtin_folder = folder;
}

const char *plugin_builtin_folder(void)
{
    static char found[PATH_MAX + 32];
    char program[PATH_MAX];
    ssize_t len;

    if (builtin_folder)
        return builtin_folder;
    len = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (len < 0)
        return ".";
    program[len] = '\0';
    for (int i = 0; i < 2; i++) /* bin/playground */
        if (strrchr(program, '/'))
            *strrchr(program, '/') = '\0';
    snprintf(found, sizeof(found), "%s/lib/playground", program);
    return found;
}

const char *plugin_kind_text(enum plugin_kind kind)
{
    return kind == PLUGIN_HANDLER ? "handler" : "transport";
}

/* A link to nothing is there, too: it is refused with a reason. */
static bool plugin_find_is_there(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

/* ---- every plugin of a folder ----------------------------------------- */

struct listing {
    struct names names;
    enum plugin_kind kind;
    bool is_sorted_by_folder; /* FOLDER/handler holds handlers only */
};

static void plugin_find_list_file(struct listing *listing, const char *folder,
                                  const char *file)
{
    size_t len = strlen(file);
    char *path, *name;

    if (len < 4 || strcmp(file + len - 3, ".so") != 0 || file[0] == '.')
        return;
    path = must_printf("%s/%s", folder, file);
    name = must_copy(file);
    name[len - 3] = '\0';
    if (listing->is_sorted_by_folder ||
        plugin_file_kinds(path) & 1u << listing->kind)
        names_add(&listing->names, name);
    free(name);
    free(path);
}

static void plugin_find_list_folder(struct listing *listing, const char *folder)
{
    DIR *open_folder = opendir(folder);
    const struct dirent *item;

    if (!open_folder)
        return;
    while ((item = readdir(open_folder)))
        plugin_find_list_file(listing, folder, item->d_name);
    closedir(open_folder);
}

static struct names plugin_find_list_all(enum plugin_kind kind,
                                         const struct plugin_search *search)
{
    struct listing listing = {.kind = kind};

    for (const char *const *at = search->folders; *at; at++) {
        char *inner = must_printf("%s/%s", *at, plugin_kind_text(kind));

        listing.is_sorted_by_folder = false;
        plugin_find_list_folder(&listing, *at);
        listing.is_sorted_by_folder = true;
        plugin_find_list_folder(&listing, inner);
        free(inner);
    }
    names_sort(&listing.names);
    return listing.names;
}

/* ---- the one that is meant -------------------------------------------- */

/* FOLDER/NAME.so counts when it is of that kind, or nothing else is there:
   then it is refused with a reason instead of "no such plugin". */
static char *plugin_find_in(const char *folder, enum plugin_kind kind,
                            const char *name, char **doubtful)
{
    char *plain = must_printf("%s/%s.so", folder, name);
    char *inner =
        must_printf("%s/%s/%s.so", folder, plugin_kind_text(kind), name);

    if (plugin_find_is_there(plain) && plugin_file_kinds(plain) & 1u << kind) {
        free(inner);
        return plain;
    }
    if (plugin_find_is_there(plain) && !*doubtful)
        *doubtful = plain;
    else
        free(plain);
    if (plugin_find_is_there(inner))
        return inner;
    free(inner);
    return NULL;
}

static enum plugin_kind plugin_find_other_kind(enum plugin_kind kind)
{
    return kind == PLUGIN_HANDLER ? PLUGIN_TRANSPORT : PLUGIN_HANDLER;
}

/* NAME.c where NAME.so was sought: it has not been built. */
static char *plugin_find_unbuilt(const char *name,
                                 const struct plugin_search *search)
{
    for (const char *const *at = search->folders; *at; at++) {
        char *source = must_printf("%s/%s.c", *at, name);

        if (plugin_find_is_there(source))
            return source;
        free(source);
    }
    return NULL;
}

static char *plugin_find_explain(enum plugin_kind kind, const char *name,
                                 const struct plugin_search *search)
{
    enum plugin_kind other = plugin_find_other_kind(kind);
    struct names names = plugin_find_list_all(kind, search);
    struct names others = plugin_find_list_all(other, search);
    char *source = plugin_find_unbuilt(name, search);
    char *advice, *problem, *intro;

    intro = must_printf("the %ss are", plugin_kind_text(kind));
    advice = names_advice(&names, name, intro);
    if (names_has(&others, name))
        problem = must_printf("%s is a %s, not a %s; put it into \"%ss\"", name,
                              plugin_kind_text(other), plugin_kind_text(kind),
                              plugin_kind_text(other));
    else if (source)
        problem = must_printf("there is no %s plugin \"%s\", only its source; "
                              "build it: `playground build %s`",
                              plugin_kind_text(kind), name, source);
    else
        problem = must_printf("there is no %s plugin \"%s\"; %s",
                              plugin_kind_text(kind), name, advice);
    free(source);
    free(intro);
    free(advice);
    names_finish(&names);
    names_finish(&others);
    return problem;
}

static bool plugin_find_is_name(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && name[0] != '.' && !strchr(name, '/') &&
           (len < 3 || strcmp(name + len - 3, ".so") != 0);
}

char *plugin_find(enum plugin_kind kind, const char *name,
                  const struct plugin_search *search, char **path)
{
    char *doubtful = NULL;

    *path = NULL;
    if (!plugin_find_is_name(name))
        return must_printf("\"%s\" is no name of a plugin; write the name "
                           "without folder and without .so, and put the "
                           "folder into \"plugin_path\"",
                           name);
    for (const char *const *at = search->folders; *at && !*path; at++)
        *path = plugin_find_in(*at, kind, name, &doubtful);
    if (!*path) {
        *path = doubtful;
        doubtful = NULL;
    }
    free(doubtful);
    return *path ? NULL : plugin_find_explain(kind, name, search);
}

bool plugin_is_there(const struct plugin_search *search, const char *name)
{
    for (int kind = PLUGIN_HANDLER; kind <= PLUGIN_TRANSPORT; kind++) {
        char *path,
            *problem = plugin_find((enum plugin_kind)kind, name, search, &path);

        free(problem);
        free(path);
        if (!problem)
            return true;
    }
    return false;
}

bool plugin_has_builtin(enum plugin_kind kind, const char *name)
{
    const char *const folders[] = {plugin_builtin_folder(), NULL};
    const struct plugin_search search = {folders};
    char *path, *problem = plugin_find(kind, name, &search, &path);

    free(problem);
    free(path);
    return !problem;
}

/* ---- all -------------------------------------------------------------- */

static void
plugin_find_each_of(enum plugin_kind kind, const struct plugin_search *search,
                    void (*fn)(enum plugin_kind kind, const char *name,
                               const char *path, void *arg),
                    void *arg)
{
    struct names names = plugin_find_list_all(kind, search);

    for (size_t i = 0; i < names.count; i++) {
        char *path, *problem = plugin_find(kind, names.list[i], search, &path);

        if (!problem)
            fn(kind, names.list[i], path, arg);
        free(problem);
        free(path);
    }
    names_finish(&names);
}

void plugin_each(const struct plugin_search *search,
                 void (*fn)(enum plugin_kind kind, const char *name,
                            const char *path, void *arg),
                 void *arg)
{
    plugin_find_each_of(PLUGIN_TRANSPORT, search, fn, arg);
    plugin_find_each_of(PLUGIN_HANDLER, search, fn, arg);
}
