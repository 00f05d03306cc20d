/*
 * print_text - results as text for a terminal.
 */
#ifndef PRINT_TEXT_H
#define PRINT_TEXT_H

#include <stdio.h>

#include <jansson.h>

#include "compare/lab/experiment.h"

/* Prints one experiment, `width` columns wide. */
void print_text(FILE *out, const json_t *result, size_t width);

/* Prints a list of experiments that ends with NULL, with what each needs. */
void print_text_list(FILE *out, const struct experiment *const *experiments,
                     size_t width);

#endif
