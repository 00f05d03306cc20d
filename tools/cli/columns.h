/*
 * columns - text in columns of a terminal, whatever alphabet it is in.
 */
#ifndef COLUMNS_H
#define COLUMNS_H

#include <stddef.h>
#include <stdio.h>

/* Counts the columns that the text takes. */
size_t columns_width(const char *text);

/* How many bytes of the text go into a line of `width` columns, broken at a
   space where there is one; in `next` where the next line begins. */
size_t columns_break(const char *text, size_t width, size_t *next);

/* A paragraph: `first` before its first line, as many spaces before others. */
void columns_paragraph(FILE *out, const char *first, const char *text,
                       size_t width);

/* Cells side by side, wrapped in their columns, with two spaces between. */
void columns_row(FILE *out, size_t indent, const char *const *cells,
                 const size_t *widths, size_t count);

/* The width of the terminal, within 80 and 100; 80 where there is none. */
size_t columns_of_terminal(int fd);

#endif
