/*
 * options - reads the options of a plugin, as its table describes them, out
 * of a JSON object into the plugin's own struct.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <jansson.h>

#include <playground/handler.h>

struct problems;

/* ---- the table itself (option_table.c) -------------------------------- */

/* Checks a plugin's table: types and sizes match, defaults parse and are in
   range, no name twice. `size` is that of the struct. False: `error` has a
   text. */
bool options_check_table(const struct pg_option *table, size_t size,
                         char *error, size_t error_size);

/* The element called `name`, or NULL. The table may be NULL. */
const struct pg_option *options_find(const struct pg_option *table,
                                     const char *name);

/* True for the keys that the host keeps for itself: plugin, name, ... */
bool options_is_reserved(const char *key);

/* ---- values (options.c) ----------------------------------------------- */

/* Writes every default into the struct. */
void options_set_defaults(const struct pg_option *table, void *out);

/*
 * Writes the values that `object` (may be NULL) has for options of the table;
 * other keys are left alone. Strings belong to `object` or to the plugin. False
 * after adding a problem for each value that is wrong; `path` is the object's.
 */
bool options_fill(const struct pg_option *table, const json_t *object,
                  void *out, const char *path, struct problems *problems);

/* Writes one value given as text, such as `--port 6000`; a string is not
   copied. NULL, or what is wrong with it, which the caller frees. */
char *options_set_text(const struct pg_option *option, const char *text,
                       void *out);

/* The numbers behind a PG_INT field of either size. */
int64_t options_get_int(const struct pg_option *option, const void *options);
void options_set_int(const struct pg_option *option, int64_t value,
                     void *options);
const char *options_get_string(const struct pg_option *option,
                               const void *options);

/* ---- in words (option_text.c) ----------------------------------------- */

/* "whole number", "true or false", ... */
const char *options_type_text(enum pg_option_type type);
/* "0 to 65535", "at least 1", "\"big\" or \"little\"", "" without a range;
   the caller frees it. */
char *options_range_text(const struct pg_option *option);
/* A limit of a range as JSON; an infinite one, which JSON has no word for, is
   NULL. A new reference. */
json_t *options_number(double number);
/* The default as JSON; null for a string that is not set. A new reference. */
json_t *options_default(const struct pg_option *option);

#endif
