/* pg_read_file(): the files that options of an entry name. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "base/remedy.h"
#include "config/config_parts.h"
#include "options/options.h"

#define FIRST_BYTES 4096 /* of a file that does not say its size */

/* What was read once stays as long as the entry: init() sees what check() has
   seen. */
struct config_read {
    struct config_read *next;
    const char *key; /* the option's name */
    uint8_t *data;   /* with a NUL behind it */
    size_t len;
};

/* A file while it is read. */
struct config_reading {
    struct pg_entry *entry;
    const char *key, *text; /* the option and its value */
    char *path;             /* from where the program runs */
    size_t most;
    uint8_t *data;
    size_t len, size; /* there is room for one byte more than `size` */
};

/* ---- what may be wrong ------------------------------------------------ */

static void config_read_refuse(const struct config_reading *reading, int error)
{
    char said[REMEDY_BYTES];

    if (error == -EFBIG)
        pg_fail(reading->entry, reading->key,
                "%s has more than %zu bytes; shorten it, or name another file",
                reading->text, reading->most);
    else
        pg_fail(reading->entry, reading->key, "cannot read %s: %s",
                reading->text,
                remedy_file(REMEDY_READ, reading->path, -error,
                            "name another file", said, sizeof(said)));
}

static bool config_read_is_plain(const struct config_reading *reading,
                                 mode_t mode)
{
    if (S_ISREG(mode))
        return true;
    pg_fail(reading->entry, reading->key,
            "%s is %s, not a regular file; name one", reading->text,
            S_ISDIR(mode)    ? "a folder"
            : S_ISFIFO(mode) ? "a pipe"
            : S_ISSOCK(mode) ? "a socket"
                             : "a device");
    return false;
}

/* ---- reading ---------------------------------------------------------- */

/* One byte behind `most` tells that the file is longer. */
static bool config_read_grow(struct config_reading *reading)
{
    size_t size = reading->data ? 2 * reading->size : reading->size;
    uint8_t *data;

    if (size > reading->most)
        size = reading->most + 1;
    data = realloc(reading->data, size + 1);
    if (!data)
        return false;
    reading->data = data;
    reading->size = size;
    return true;
}

/* The file may grow or shrink meanwhile, and some in /proc and /sys do not tell
   the truth: the size is where to begin, and no more. 0 or -errno; -EFBIG:
   there is more than `most`. */
static int config_read_bytes(struct config_reading *reading, int fd)
{
    ssize_t got;

    do {
        if ((!reading->data || reading->len == reading->size) &&
            !config_read_grow(reading))
            return -ENOMEM;
        got = read(fd, reading->data + reading->len,
                   reading->size - reading->len);
        if (got < 0 && errno != EINTR)
            return -errno;
        reading->len += got > 0 ? (size_t)got : 0;
    } while (got != 0 && reading->len <= reading->most);
    reading->data[reading->len] = '\0';
    return reading->len <= reading->most ? 0 : -EFBIG;
}

/* A pipe or a device is not even opened: that alone may be heard at its other
   end. O_NONBLOCK, because another file may take its place meanwhile. */
static bool config_read_from(struct config_reading *reading)
{
    struct stat status;
    int error = stat(reading->path, &status) ? -errno : 0, fd;

    if (!error && !config_read_is_plain(reading, status.st_mode))
        return false;
    if (!error) {
        fd = open(reading->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        reading->size =
            status.st_size > 0 ? (size_t)status.st_size + 1 : FIRST_BYTES;
        error = fd < 0 ? -errno : config_read_bytes(reading, fd);
        if (fd >= 0)
            close(fd);
    }
    if (error)
        config_read_refuse(reading, error);
    return !error;
}

/* ---- the entry's files ------------------------------------------------ */

static struct config_read *config_read_find(const struct pg_entry *entry,
                                            const char *key)
{
    struct config_read *file = entry->files;

    while (file && strcmp(file->key, key) != 0)
        file = file->next;
    return file;
}

static struct config_read *config_read_add(struct config_reading *reading)
{
    struct config_read *file = must_calloc(1, sizeof(*file));

    file->next = reading->entry->files;
    file->key = reading->key;
    file->data = reading->data;
    file->len = reading->len;
    reading->entry->files = file;
    return file;
}

void config_read_forget(struct pg_entry *entry)
{
    struct config_read *file;

    while ((file = entry->files)) {
        entry->files = file->next;
        free(file->data);
        free(file);
    }
}

static struct config_read *config_read_anew(struct config_reading *reading)
{
    struct config_read *file = NULL;

    reading->path = config_path_of(reading->entry->config, reading->text);
    if (config_read_from(reading))
        file = config_read_add(reading);
    else
        free(reading->data);
    free(reading->path);
    return file;
}

/* The option, which has a value; NULL after adding a problem. */
static const struct pg_option *config_read_option(struct pg_entry *entry,
                                                  const char *key)
{
    const struct pg_option *option = options_find(entry->handler->options, key);
    const char *text;

    if (!option || option->type != PG_STRING) {
        pg_fail(entry, NULL,
                "pg_read_file() is given \"%s\", which is no PG_STRING of this "
                "plugin's options; give the name of one",
                key);
        return NULL;
    }
    text = options_get_string(option, entry->options);
    if (text && *text)
        return option;
    pg_fail(entry, key, "\"%s\" names no file; write \"%s\": \"FILE\"", key,
            key);
    return NULL;
}

struct pg_bytes pg_read_file(struct pg_entry *entry, const char *key,
                             size_t most)
{
    struct config_reading reading = {.entry = entry};
    const struct pg_option *option;
    struct config_read *file;

    reading.most = most < SIZE_MAX / 4 ? most : SIZE_MAX / 4;
    option = config_read_option(entry, key);
    if (!option)
        return pg_bytes(NULL, 0);
    reading.key = option->name;
    reading.text = options_get_string(option, entry->options);
    file = config_read_find(entry, key);
    if (!file)
        file = config_read_anew(&reading);
    if (file && file->len > reading.most) {
        config_read_refuse(&reading, -EFBIG);
        file = NULL;
    }
    return file ? pg_bytes(file->data, file->len) : pg_bytes(NULL, 0);
}
