/* The line about what is being waited for. */

#include "compare/lab/progress.h"

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

/* In place of what it said before; one line, since only one is taken away. */
static void progress_show_in_place(const struct progress *progress, double ms)
{
    char *text = must_printf("%zu of %zu: %s, %.0f s%s%s", progress->number,
                             progress->count, progress->name, ms / 1e3,
                             *progress->where ? ": " : "", progress->where);
    size_t next, len = columns_break(text, WIDTH, &next);

    fprintf(stderr, "\r\033[K%.*s", (int)len, text);
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
        fprintf(stderr, "%zu of %zu: %s takes a few seconds\n",
                progress->number, progress->count, progress->name);
}

void progress_end(struct progress *progress)
{
    if (progress->is_shown && progress->is_terminal)
        fputs("\r\033[K", stderr);
    progress->is_shown = false;
}
