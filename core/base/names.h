/*
 * names - a list of names that exist, and the one somebody meant.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct names_item;

/* Zeroed, it is empty. */
struct names {
    char **list;
    size_t count;
    struct names_item *items; /* a hash table of the same names */
};

/* Copies the name; one that is there already is not added again. */
void names_add(struct names *names, const char *name);
/* Adds NAME or, if that is taken, the first of NAME-2, NAME-3, ... that is
   not. Returns what was added; it belongs to `names`. */
const char *names_add_unique(struct names *names, const char *name);
void names_sort(struct names *names);
void names_finish(struct names *names);
bool names_has(const struct names *names, const char *name);

/* The name most like `word`, NULL if none is. */
const char *names_near(const struct names *names, const char *word);

/* `did you mean "port"?` or, when nothing is near, INTRO and the names, as in
   `tcp has: host, port`. The caller frees it. */
char *names_advice(const struct names *names, const char *word,
                   const char *intro);

/* "lines", "length" or "raw"; the caller frees it. */
char *names_join(const struct names *names, const char *last);

#endif
