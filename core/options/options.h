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

/* Writes every default into the struct, which holds nothing yet. */
void options_set_defaults(const struct pg_option *table, void *out);

/*
 * Writes the values that `object` (may be NULL) has for options of the table;
 * other keys are left alone. Strings belong to `object` or to the plugin, lists
 * of them to the struct, see options_free(). False after adding a problem for
 * each value that is wrong; `path` is the object's.
 */
bool options_fill(const struct pg_option *table, const json_t *object,
                  void *out, const char *path, struct problems *problems);

/* Writes one value given as text, such as `--port 6000`; a string is not
   copied, and a list has a text for each word. NULL, or what is wrong with it,
   which the caller frees. */
char *options_set_text(const struct pg_option *option, const char *text,
                       void *out);

/* The numbers behind a PG_INT field of either size. */
int64_t options_get_int(const struct pg_option *option, const void *options);
void options_set_int(const struct pg_option *option, int64_t value,
                     void *options);
const char *options_get_string(const struct pg_option *option,
                               const void *options);

/* ---- lists of texts (option_list.c) ----------------------------------- */

/* A list of the words of a text; NULL: it is not UTF-8. A new reference. */
json_t *options_words(const char *text);
/* Writes the list, NULL for an empty one, in place of the one that is there. */
void options_set_list(const struct pg_option *option, const json_t *list,
                      void *out);
/* Frees the lists of a struct that has had its defaults. */
void options_free(const struct pg_option *table, void *out);

/* ---- in words (option_text.c) ----------------------------------------- */

/* "whole number", "true or false", ... */
const char *options_type_text(enum pg_option_type type);
/* "0 to 65535", "at least 1", "\"big\" or \"little\"", of a list "1 to 2 of
   \"big\" or \"little\"", "" without a range; the caller frees it. */
char *options_range_text(const struct pg_option *option);
/* A limit of a range as JSON; an infinite one, which JSON has no word for, is
   NULL. A new reference. */
json_t *options_number(double number);
/* The default as JSON; null for a string or a list that is not set. A new
   reference. */
json_t *options_default(const struct pg_option *option);

#endif
