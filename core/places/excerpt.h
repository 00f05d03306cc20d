/*
 * excerpt - one line of a text with a caret below a place in it.
 *
 *     5 |         "prot": 5000
 *       |         ^
 */
#ifndef EXCERPT_H
#define EXCERPT_H

#include <stddef.h>
#include <stdio.h>

/* Tabs become spaces, wide characters count as two columns, and a long line
   is cut around the place, so that the caret always stands right. */
void excerpt_print(const char *text, size_t len, size_t offset, size_t number,
                   FILE *out);

#endif
