/*
 * progress - a line on stderr about what is being waited for, once that takes
 * more than two seconds: rewritten in place on a terminal, said once elsewhere.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
    const char *name;     /* of the experiment */
    size_t number, count; /* the third of 19 */
    double begin_ms;
    char where[80]; /* what it said last */
    bool is_terminal, is_shown;
};

void progress_begin(struct progress *progress, const char *name, size_t number,
                    size_t count);
void progress_say(struct progress *progress, const char *where);
/* Called a few times a second. */
void progress_tick(struct progress *progress);
/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
