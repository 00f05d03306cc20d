/*
 * shown - the values of a result as people read them.
 */
#ifndef SHOWN_H
#define SHOWN_H

#include <jansson.h>

/* "1,234", "0.0123", "12.3": three digits that count, thousands with commas;
   whole numbers with all their digits. The caller frees it. */
char *shown_number(double number);
char *shown_count(json_int_t count);

/* Words with the numbers among them as shown_count() has them: "3000 lines"
   becomes "3,000 lines". The caller frees it. */
char *shown_text(const char *text);

/* A cell: a number with its unit, text, yes or no, a dash, or several with
   commas between them. Fit to be shown whatever it contains; the caller frees
   it. */
char *shown_value(const json_t *value, const char *unit);

/* "delay 20 ms, loss 1 %, load 1,000 a second"; the caller frees it. */
char *shown_settings(const json_t *settings);

/* The words for a result that a busy machine has spoilt; the caller frees
   them. */
char *shown_busy(const json_t *result);

/* A number beside an axis: "5,000", "20k"; the caller frees it. */
char *shown_tick(double number);

#endif
