/*
 * problems - what is wrong with a config, each with its place.
 *
 * Printed as `FILE:LINE:COLUMN: what is wrong; what to do`, then the source
 * line and a caret under the column.
 */
#ifndef PROBLEMS_H
#define PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <playground/handler.h>

#define PROBLEMS_MAX 20

struct position_map;
struct problems;

/* Memory for problems of one file; never NULL (out of memory ends the
   program with a message: nothing has been accepted yet). The JSON that is
   read from here on has the same kind of memory. */
struct problems *problems_create(const char *path);
/* Accepts NULL. */
void problems_destroy(struct problems *problems);

/* The text the places refer to, copied. */
void problems_set_text(struct problems *problems, const char *text, size_t len);
/* Where its keys and values are; NULL before there is a text. */
const struct position_map *problems_map(const struct problems *problems);

/* A problem at a place in the JSON: `path` as in "/handlers/1/max_bytes"; the
   caret stands under the value, or under the key with `at_key`. Of a value
   that is not in the text, the one around it is shown. An empty path is the
   whole file. */
void problems_add(struct problems *problems, const char *path, bool at_key,
                  const char *format, ...) PG_PRINTF(4, 5);
void problems_vadd(struct problems *problems, const char *path, bool at_key,
                   const char *format, va_list arguments) PG_PRINTF(4, 0);
/* A problem at PATH/KEY. */
void problems_add_key(struct problems *problems, const char *path,
                      const char *key, bool at_key, const char *format, ...)
    PG_PRINTF(5, 6);
/* A problem between two places: the second is shown below the first, if it is
   in the text. */
void problems_add_pair(struct problems *problems, const char *path,
                       const char *other, const char *format, ...)
    PG_PRINTF(4, 5);
void problems_vadd_pair(struct problems *problems, const char *path,
                        const char *other, const char *format,
                        va_list arguments) PG_PRINTF(4, 0);
/* A problem at a byte offset of the text (syntax errors). */
void problems_add_at(struct problems *problems, size_t offset,
                     const char *format, ...) PG_PRINTF(3, 4);
/* True when one more would only be counted: nobody needs to find its words. */
bool problems_is_full(const struct problems *problems);
/* One more problem, of which only the number is told. */
void problems_add_unseen(struct problems *problems);
/* Line and column of an offset in the text, from 1. */
void problems_line(const struct problems *problems, size_t offset, size_t *line,
                   size_t *column);
/* Like problems_add(), but nothing is refused for it. */
void problems_warn(struct problems *problems, const char *path, bool at_key,
                   const char *format, ...) PG_PRINTF(4, 5);

/* Warnings do not count as problems. */
size_t problems_count(const struct problems *problems);
/* How often one was added: grows also when the same had been said before. */
size_t problems_said(const struct problems *problems);
size_t problems_warnings(const struct problems *problems);
/* In the order of their places, warnings too; says how many more there were. */
void problems_print(const struct problems *problems, FILE *out);

/* One problem for a program to read. */
struct problem_report {
    const char *file;
    size_t line, column;             /* from 1; 0: the whole file */
    size_t other_line, other_column; /* of a pair; 0: there is none */
    bool is_warning;
    const char *text;
};

/* The beginning of a message about that place, "FILE:LINE:COLUMN" or "FILE";
   the caller frees it. */
char *problems_place(const struct problems *problems, const char *path);

/* Calls fn for each that problems_print() prints, in the same order. */
void problems_each(const struct problems *problems,
                   void (*fn)(const struct problem_report *report, void *arg),
                   void *arg);

#endif
