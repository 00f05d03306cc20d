/* Handlers tell people something: pg_log() and files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/output.h"
#include "base/remedy.h"
#include "config/config.h"

void pg_log(struct pg_ctx *ctx, const char *format, ...)
{
    char text[OUTPUT_LINE_BYTES + 1];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    output_line(output_stderr(), "%s %s: %s", pg_entry_name(pg_entry(ctx)),
                pg_peer(ctx), text);
}

struct pg_file *pg_open_file(struct pg_entry *entry, const char *path)
{
    struct pg_file *file;
    char *whole = NULL;

    if (!strcmp(path, "-"))
        return output_stderr();
    if (path[0] != '/' && entry->config->folder &&
        asprintf(&whole, "%s/%s", entry->config->folder, path) < 0) {
        errno = ENOMEM;
        return NULL;
    }
    file = output_open(whole ? whole : path);
    if (file)
        output_set_owner(file, entry);
    else
        remedy_note(REMEDY_WRITE, whole ? whole : path, errno);
    free(whole);
    return file;
}

int pg_write_file(struct pg_file *file, struct pg_bytes bytes)
{
    return output_write(file, bytes);
}

const char *pg_file_error(void)
{
    return remedy_noted();
}
