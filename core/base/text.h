/*
 * text - showing people what stands in a file, whatever stands there.
 *
 * Control characters and bytes that are no UTF-8 are shown as \xNN, so that a
 * hostile config cannot write to the terminal.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/* One character as it may be shown. */
struct text_cell {
    char shown[12]; /* ends with NUL */
    unsigned width; /* columns on a terminal */
    size_t bytes;   /* how many of the text it stands for; at least 1 */
};

/* The character at `at`, of which `left` bytes (at least 1) are there. */
struct text_cell text_cell(const char *at, size_t left);

/* A copy in which everything may be shown; the caller frees it. */
char *text_clean(const char *text);

#define TEXT_QUOTE_BYTES 96

/* The value in quotes, cut when it is long; returns `out`. */
const char *text_quote(const char *value, char out[TEXT_QUOTE_BYTES]);

#endif
