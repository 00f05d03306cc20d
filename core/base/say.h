/*
 * say - a line on stderr, now or never, for those who must not wait: a signal
 * handler, the guard, a process that ends. A terminal that is stopped costs the
 * words, not the time of who has to act.
 *
 * All of it may be called in a signal handler.
 */
#ifndef SAY_H
#define SAY_H

#include <stdbool.h>
#include <stddef.h>

/* A line in the making; zeroed it is empty. What does not fit is cut. */
struct say_line {
    char text[1024];
    size_t len;
};

/* Appends the text, cleaned as base/text.h says. */
void say_add(struct say_line *line, const char *text);
/* Writes the line and its end in one piece. */
void say_now(struct say_line *line);

#endif
