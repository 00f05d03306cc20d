/* The line about what is being waited for. */

#include "compare/lab/progress.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "cli/columns.h"
#include "compare/lab/lab.h"

#define QUIET_MS 2000
#define WIDTH    79

void progress_begin(struct progress *progress, const char *name, size_t number,
                    size_t count)
{
    *progress = (struct progress){
        .name = name,
        .number = number,
        .count = count,
        .begin_ms = lab_now_ms(),
        .is_terminal = isatty(STDERR_FILENO),
    };
}

void progress_say(struct progress *progress, const char *where)
{
    snprintf(progress->where, sizeof(progress->where), "%s", where);
}

static void progress_put(const char *format, ...) PG_PRINTF(1, 2);

/* Waits for nobody, because signals are blocked while it is called. Where the
   reader has gone it is written all the same: SIGPIPE tells. */
static void progress_put(const char *format, ...)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    va_list arguments;

    if (poll(&out, 1, 0) != 1)
        return;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
}

/* In place of what it said before; one line, since only one is taken away. */
static void progress_show_in_place(const struct progress *progress, double ms)
{
    char *text = must_printf("%zu of %zu: %s, %.0f s%s%s", progress->number,
                             progress->count, progress->name, ms / 1e3,
                             *progress->where ? ": " : "", progress->where);
    size_t next, len = columns_break(text, WIDTH, &next);

    progress_put("\r\033[K%.*s", (int)len, text);
    free(text);
}

void progress_tick(struct progress *progress)
{
    double ms = lab_now_ms() - progress->begin_ms;

    if (ms < QUIET_MS || (progress->is_shown && !progress->is_terminal))
        return;
    progress->is_shown = true;
    if (progress->is_terminal)
        progress_show_in_place(progress, ms);
    else
        progress_put("%zu of %zu: %s takes a few seconds\n", progress->number,
                     progress->count, progress->name);
}

void progress_end(struct progress *progress)
{
    if (progress->is_shown && progress->is_terminal)
        progress_put("\r\033[K");
    progress->is_shown = false;
}
