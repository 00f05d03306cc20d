/* The functions that plugins call about themselves: names, options, problems.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/anew.h"
#include "base/must.h"
#include "base/own_file.h"
#include "base/remedy.h"
#include "config/config_parts.h"
#include "places/position.h"

const void *pg_entry_options(const struct pg_entry *entry)
{
    return entry->options;
}

void *pg_entry_private(struct pg_entry *entry)
{
    return entry->private;
}

const char *pg_entry_name(const struct pg_entry *entry)
{
    return entry->name;
}

size_t pg_entry_frame_bytes(const struct pg_entry *entry)
{
    return (size_t)entry->config->limits.frame_bytes;
}

const void *pg_listener_options(const struct pg_listener *listener)
{
    return listener->options;
}

void *pg_listener_private(struct pg_listener *listener)
{
    return listener->private;
}

/* A folder can be opened, but not read: that is found out here. */
static int config_api_not_a_file(FILE *file, const char *mode)
{
    struct stat status;

    return mode[0] == 'r' && fstat(fileno(file), &status) == 0 &&
                   S_ISDIR(status.st_mode)
               ? EISDIR
               : 0;
}

FILE *pg_listener_file(struct pg_listener *listener, const char *path,
                       const char *mode)
{
    char *whole = config_path_of(listener->config, path);
    FILE *file = mode[0] == 'w' ? anew_stream(whole) : fopen(whole, mode);
    int error = file ? config_api_not_a_file(file, mode) : errno;

    if (error) {
        remedy_note(mode[0] == 'r' ? REMEDY_READ : REMEDY_WRITE, whole, error);
        if (file)
            fclose(file);
        file = NULL;
    }
    free(whole);
    errno = error;
    return file;
}

size_t pg_listener_path(const struct pg_listener *listener, const char *path,
                        char *text, size_t size)
{
    const char *folder = listener->config->folder;
    bool is_whole = path[0] == '/' || !strcmp(folder, ".");

    return (size_t)snprintf(text, size, "%s%s%s", is_whole ? "" : folder,
                            is_whole ? "" : "/", path);
}

int pg_listener_own_file(struct pg_listener *listener, const char *path)
{
    (void)listener;
    return own_file_add(path);
}

static void config_api_fail(struct problems *problems, const char *path,
                            const char *key, const char *format,
                            va_list arguments)
{
    char *place = key ? position_path_key(path, key) : must_copy(path);

    problems_vadd(problems, place, false, format, arguments);
    free(place);
}

int pg_fail(struct pg_entry *entry, const char *key, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    config_api_fail(entry->config->problems, entry->path, key, format,
                    arguments);
    va_end(arguments);
    return -EINVAL;
}

int pg_fail_pair(struct pg_entry *entry, const char *key, const char *other,
                 const char *format, ...)
{
    char *place = position_path_key(entry->path, key);
    char *second = position_path_key(entry->path, other);
    va_list arguments;

    va_start(arguments, format);
    problems_vadd_pair(entry->config->problems, place, second, format,
                       arguments);
    va_end(arguments);
    free(second);
    free(place);
    return -EINVAL;
}

/* An option that the command line has laid over the config has no place in
   it. */
int pg_listen_fail(struct pg_listener *listener, const char *key,
                   const char *format, ...)
{
    struct config *config = listener->config;
    va_list arguments;

    va_start(arguments, format);
    if (key && config_override(config, key)) {
        char *text = must_vprintf(format, arguments);

        problems_add(config->problems, "", false,
                     "--%s on the command line: %s", key, text);
        free(text);
    } else {
        config_api_fail(config->problems, listener->path, key, format,
                        arguments);
    }
    va_end(arguments);
    return -EINVAL;
}
