/*
 * text - text from elsewhere, made fit to be looked at: in a message, in a
 * log, on a terminal.
 *
 * Whoever writes a config, a file's name or a message may be hostile, and what
 * a terminal obeys or an eye cannot see would let them forge what stands there.
 * So only these are shown as they are: characters that have a shape and those
 * that are put onto one, in UTF-8. Shown in ASCII is everything else:
 *
 *   \n \r \t        line end, carriage return, tab
 *   \xNN            other ASCII control characters; bytes that are no UTF-8
 *   \uNNNN          characters that nobody sees or that change how others are
 *   \UNNNNNNNN      read: C1 controls, direction marks, zero-width characters,
 *                   variation selectors, fillers, line separators, private
 *                   and unassigned ones
 *
 * Widths, categories and what is ignorable are libunistring's, so they do not
 * depend on the user's locale.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdio.h>

#include <playground/utf8.h>

/* Columns on a terminal, 0 to 2; -1: the character is not shown as it is. */
int text_width(uint32_t character);

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

/* One line to `out`: what printf() would write, cleaned, line ends within it
   too. A last "\n" stays. */
void text_print(FILE *out, const char *format, ...) PG_PRINTF(2, 3);
void text_vprint(FILE *out, const char *format, va_list arguments)
    PG_PRINTF(2, 0);

/* Copies as pg_utf8_show() does; in a signal handler, too. */
size_t text_show(char *out, size_t size, struct pg_bytes in,
                 enum pg_utf8_form form, size_t *used);

#define TEXT_QUOTE_BYTES 96

/* The value in quotes, cut when it is long; returns `out`. */
const char *text_quote(const char *value, char out[TEXT_QUOTE_BYTES]);

#endif
