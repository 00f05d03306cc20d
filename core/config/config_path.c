/* Paths in a config, and "plugin_path": where its plugins are sought. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/must.h"
#include "base/remedy.h"
#include "config/config_parts.h"
#include "places/position.h"

char *config_path_of(const struct config *config, const char *path)
{
    return path[0] == '/' ? must_copy(path)
                          : must_printf("%s/%s", config->folder, path);
}

/* A folder that is missing may come yet; most often it is misspelt. */
static void config_path_warn_missing(struct config *config, const char *folder,
                                     const char *path)
{
    char text[REMEDY_BYTES];
    struct stat status;
    int error = stat(folder, &status) ? errno : 0;

    if (!error && !S_ISDIR(status.st_mode))
        error = ENOTDIR;
    if (error == ENOENT)
        problems_warn(config->problems, path, false,
                      "there is no folder %s; make it, or correct the path (it "
                      "counts from the config's folder)",
                      folder);
    else if (error)
        problems_warn(config->problems, path, false, "%s: %s", folder,
                      remedy_file(REMEDY_SEARCH, folder, error, "name a folder",
                                  text, sizeof(text)));
}

static bool config_path_add(struct config *config, const json_t *value,
                            const char *path)
{
    struct config_internals *internals = config->internals;
    const char *folder = json_string_value(value);
    unsigned count = 0;

    while (internals->folders[count])
        count++;
    if (!folder || count > CONFIG_PATHS_MAX)
        return false;
    internals->folders[count] = config_path_of(config, folder);
    config_path_warn_missing(config, internals->folders[count], path);
    return true;
}

/* The config's own folder, then plugin_path, then the built-in one. */
void config_read_plugin_path(struct config *config, const json_t *value)
{
    struct config_internals *internals = config->internals;
    bool is_good = true;
    unsigned count = 0;
    json_t *item;
    size_t i;

    internals->folders[0] = must_copy(config->folder);
    if (json_is_array(value)) {
        json_array_foreach (value, i, item) {
            struct position_path path = position_path_index("/plugin_path", i);

            is_good &= config_path_add(config, item, path.text);
        }
    } else if (value) {
        is_good = config_path_add(config, value, "/plugin_path");
    }
    if (!is_good)
        problems_add(config->problems, "/plugin_path", false,
                     "\"plugin_path\" takes a folder or a list of up to 15; "
                     "write \"plugin_path\": [\"my-plugins\"]");
    while (internals->folders[count])
        count++;
    internals->folders[count] = must_copy(plugin_builtin_folder());
    internals->search.folders = (const char *const *)internals->folders;
}
