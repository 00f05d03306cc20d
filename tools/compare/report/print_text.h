/*
 * print_text - results as text for a terminal.
 */
#ifndef PRINT_TEXT_H
#define PRINT_TEXT_H

#include <stdio.h>

#include <jansson.h>

/* One experiment, `width` columns wide. */
void print_text(FILE *out, const json_t *result, size_t width);

/* All there are, with what each needs. */
void print_text_list(FILE *out, size_t width);

#endif
