/* Finds the file that a name stands for, and lists what can be found. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "base/names.h"
#include "base/program.h"
#include "base/remedy.h"
#include "plugin/plugin_parts.h"

static const char *builtin_folder;

void plugin_set_builtin_folder(const char *folder)
{
    builtin_folder = folder;
}

/* ../lib/playground beside the program's own folder, bin. */
static void plugin_find_folder_of_program(char *found, size_t size)
{
    char program[PATH_MAX];

    snprintf(program, sizeof(program), "%s", program_path());
    if (!*program) {
        snprintf(found, size, ".");
        return;
    }
    for (int i = 0; i < 2; i++)
        if (strrchr(program, '/'))
            *strrchr(program, '/') = '\0';
    snprintf(found, size, "%s/lib/playground", program);
}

const char *plugin_builtin_folder(void)
{
    static char found[PATH_MAX + 32];

    if (builtin_folder)
        return builtin_folder;
    if (!found[0])
        plugin_find_folder_of_program(found, sizeof(found));
    return found;
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
        plugin_kinds_of(path) & 1u << listing->kind)
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

static struct names plugin_find_list_kind(enum plugin_kind kind,
                                          const char *const *folders)
{
    struct listing listing = {.kind = kind};

    for (; *folders; folders++) {
        char *inner = must_printf("%s/%s", *folders, plugin_kind_text(kind));

        listing.is_sorted_by_folder = false;
        plugin_find_list_folder(&listing, *folders);
        listing.is_sorted_by_folder = true;
        plugin_find_list_folder(&listing, inner);
        free(inner);
    }
    names_sort(&listing.names);
    return listing.names;
}

/* Looks into the folders only once for each search. */
static const struct names *plugin_find_names(struct plugin_search *search,
                                             enum plugin_kind kind)
{
    if (!search->is_listed) {
        search->names[PLUGIN_HANDLER] =
            plugin_find_list_kind(PLUGIN_HANDLER, search->folders);
        search->names[PLUGIN_TRANSPORT] =
            plugin_find_list_kind(PLUGIN_TRANSPORT, search->folders);
        search->is_listed = true;
    }
    return &search->names[kind];
}

void plugin_search_finish(struct plugin_search *search)
{
    names_finish(&search->names[PLUGIN_HANDLER]);
    names_finish(&search->names[PLUGIN_TRANSPORT]);
    search->is_listed = false;
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

    if (plugin_find_is_there(plain) && plugin_kinds_of(plain) & 1u << kind) {
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

/* NAME.c where NAME.so was sought: it has not been built. */
static char *plugin_find_unbuilt(const char *name,
                                 const struct plugin_search *search)
{
    for (const char *const *folder = search->folders; *folder; folder++) {
        char *source = must_printf("%s/%s.c", *folder, name);

        if (plugin_find_is_there(source))
            return source;
        free(source);
    }
    return NULL;
}

/* A folder that is there and cannot be looked into: "FOLDER: ERROR; ADVICE". */
static char *plugin_find_unseen(const struct plugin_search *search)
{
    char text[REMEDY_BYTES];

    for (const char *const *folder = search->folders; *folder; folder++) {
        DIR *open_folder = opendir(*folder);
        int error = open_folder ? 0 : errno;

        if (open_folder)
            closedir(open_folder);
        if (!error && faccessat(AT_FDCWD, *folder, X_OK, AT_EACCESS))
            error = errno;
        if (error && error != ENOENT && error != ENOTDIR)
            return must_printf("%s: %s", *folder,
                               remedy_file(REMEDY_SEARCH, *folder, error,
                                           "take another folder", text,
                                           sizeof(text)));
    }
    return NULL;
}

static char *plugin_find_explain(enum plugin_kind kind, const char *name,
                                 struct plugin_search *search)
{
    const char *text = plugin_kind_text(kind);
    const char *other = plugin_kind_text(plugin_kind_other(kind));
    char *source, *unseen, *advice, *problem, *intro;

    if (names_has(plugin_find_names(search, plugin_kind_other(kind)), name))
        return must_printf("%s is a %s, not a %s; put it into \"%ss\"", name,
                           other, text, other);
    source = plugin_find_unbuilt(name, search);
    unseen = plugin_find_unseen(search);
    intro = must_printf("the %ss are", text);
    advice = names_advice(plugin_find_names(search, kind), name, intro);
    if (source)
        problem = must_printf("there is no %s plugin \"%s\", only its source; "
                              "build it: `playground build %s`",
                              text, name, source);
    else if (unseen)
        problem = must_printf("there is no %s plugin \"%s\" to be seen: %s",
                              text, name, unseen);
    else
        problem =
            must_printf("there is no %s plugin \"%s\"; %s", text, name, advice);
    free(source);
    free(unseen);
    free(intro);
    free(advice);
    return problem;
}

static bool plugin_find_is_name(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && name[0] != '.' && !strchr(name, '/') &&
           (len < 3 || strcmp(name + len - 3, ".so") != 0);
}

char *plugin_find_file(enum plugin_kind kind, const char *name,
                       const struct plugin_search *search)
{
    char *path = NULL, *doubtful = NULL;

    if (!plugin_find_is_name(name))
        return NULL;
    for (const char *const *folder = search->folders; *folder && !path;
         folder++)
        path = plugin_find_in(*folder, kind, name, &doubtful);
    if (path)
        free(doubtful);
    return path ? path : doubtful;
}

char *plugin_find(enum plugin_kind kind, const char *name,
                  struct plugin_search *search, char **path)
{
    *path = plugin_find_file(kind, name, search);
    if (*path)
        return NULL;
    if (!plugin_find_is_name(name))
        return must_printf("\"%s\" is no name of a plugin; write the name "
                           "without folder and without .so, and put the "
                           "folder into \"plugin_path\"",
                           name);
    return plugin_find_explain(kind, name, search);
}

static bool plugin_find_has(enum plugin_kind kind, const char *name,
                            const struct plugin_search *search)
{
    char *path = plugin_find_file(kind, name, search);

    free(path);
    return path != NULL;
}

bool plugin_is_there(const struct plugin_search *search, const char *name)
{
    return plugin_find_has(PLUGIN_HANDLER, name, search) ||
           plugin_find_has(PLUGIN_TRANSPORT, name, search);
}

bool plugin_has_builtin(enum plugin_kind kind, const char *name)
{
    const char *const folders[] = {plugin_builtin_folder(), NULL};
    const struct plugin_search search = {.folders = folders};

    return plugin_find_has(kind, name, &search);
}

/* ---- all -------------------------------------------------------------- */

static void
plugin_find_each_of(enum plugin_kind kind, struct plugin_search *search,
                    void (*fn)(enum plugin_kind kind, const char *name,
                               const char *path, void *arg),
                    void *arg)
{
    const struct names *names = plugin_find_names(search, kind);

    for (size_t i = 0; i < names->count; i++) {
        char *path = plugin_find_file(kind, names->list[i], search);

        if (path)
            fn(kind, names->list[i], path, arg);
        free(path);
    }
}

void plugin_each(struct plugin_search *search,
                 void (*fn)(enum plugin_kind kind, const char *name,
                            const char *path, void *arg),
                 void *arg)
{
    plugin_find_each_of(PLUGIN_TRANSPORT, search, fn, arg);
    plugin_find_each_of(PLUGIN_HANDLER, search, fn, arg);
}
