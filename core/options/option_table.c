/* Checks the option table of a plugin. */

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "options/options.h"

#define MOST 64 /* options of one plugin; more means the end is missing */

struct checked {
    const struct pg_option *option;
    char *error;
    size_t error_size;
};

static bool option_table_fail(const struct checked *checked, const char *format,
                              ...) PG_PRINTF(2, 3);

static bool option_table_fail(const struct checked *checked, const char *format,
                              ...)
{
    va_list arguments;
    int used = snprintf(checked->error, checked->error_size,
                        "option \"%s\": ", checked->option->name);

    va_start(arguments, format);
    if (used > 0 && (size_t)used < checked->error_size)
        vsnprintf(checked->error + used, checked->error_size - (size_t)used,
                  format, arguments);
    va_end(arguments);
    return false;
}

bool options_is_reserved(const char *key)
{
    return !strcmp(key, "plugin") || !strcmp(key, "name") ||
           !strcmp(key, "handlers") || !strcmp(key, "on_crash");
}

const struct pg_option *options_find(const struct pg_option *table,
                                     const char *name)
{
    for (; table && table->name; table++) {
        if (!strcmp(table->name, name))
            return table;
    }
    return NULL;
}

static bool option_table_check_name(const struct checked *checked)
{
    const char *name = checked->option->name;
    const char *allowed = "abcdefghijklmnopqrstuvwxyz0123456789_";

    if (!*name || name[strspn(name, allowed)])
        return option_table_fail(
            checked, "its name may hold small letters, digits and _; "
                     "choose another");
    if (options_is_reserved(name))
        return option_table_fail(checked,
                                 "this name is the host's own; choose another");
    return true;
}

static bool option_table_check_field(const struct checked *checked, size_t size)
{
    const struct pg_option *option = checked->option;
    bool fits = false;

    if (option->type < PG_BOOL || option->type > PG_STRINGS)
        return option_table_fail(
            checked, "it has no type; write PG_BOOL, PG_INT, PG_NUMBER, "
                     "PG_STRING or PG_STRINGS");
    if (option->size == 0)
        return option_table_fail(
            checked, "it has no field; write PG_FIELD(struct NAME, FIELD)");
    switch (option->type) {
    case PG_BOOL:
        fits = option->size == sizeof(bool);
        break;
    case PG_INT:
        fits = option->size == sizeof(int) || option->size == sizeof(int64_t);
        break;
    case PG_NUMBER:
        fits = option->size == sizeof(double);
        break;
    case PG_STRING:
        fits = option->size == sizeof(const char *);
        break;
    case PG_STRINGS:
        fits = option->size == sizeof(const char *const *);
        break;
    }
    if (!fits)
        return option_table_fail(
            checked,
            "its type does not fit a field of %zu bytes; PG_BOOL wants "
            "bool, PG_INT int or int64_t, PG_NUMBER double, PG_STRING "
            "const char *, PG_STRINGS const char *const *",
            option->size);
    if (option->offset > size || option->size > size - option->offset)
        return option_table_fail(checked,
                                 "its field is outside of the struct; set "
                                 ".options_size to the struct's sizeof");
    return true;
}

static bool option_table_check_range(const struct checked *checked)
{
    const struct pg_option *option = checked->option;
    bool has_range = option->type == PG_INT || option->type == PG_NUMBER ||
                     option->type == PG_STRINGS;

    if (!has_range && (option->min != 0 || option->max != 0))
        return option_table_fail(
            checked, "only numbers and lists have .min and .max; delete them");
    if (isnan(option->min) || isnan(option->max))
        return option_table_fail(checked,
                                 "its .min or .max is no number; write one");
    if (option->min > option->max)
        return option_table_fail(
            checked, "its .min is greater than its .max; swap them");
    if (option->type == PG_INT && option->size == sizeof(int) &&
        (option->min < INT_MIN || option->max > INT_MAX))
        return option_table_fail(checked,
                                 "its range is wider than int; use int64_t");
    if (option->type == PG_STRINGS &&
        (option->min < 0 || option->min != floor(option->min) ||
         option->max != floor(option->max)))
        return option_table_fail(checked,
                                 "its .min and .max say how many texts; write "
                                 "whole numbers from 0 on");
    if (option->choices && option->type != PG_STRING &&
        option->type != PG_STRINGS)
        return option_table_fail(checked, "only PG_STRING and PG_STRINGS have "
                                          ".choices; delete them");
    if (option->choices &&
        strspn(option->choices, " ") == strlen(option->choices))
        return option_table_fail(
            checked, "its .choices are empty; write them, or delete it");
    return true;
}

/* Without .initial a number is 0, which must be in range then; a string is
   NULL, which stands for "not given", and so does a list without texts. */
static bool option_table_check_initial(const struct checked *checked)
{
    const struct pg_option *option = checked->option;
    const char *initial = option->initial;
    int64_t room = 0; /* the largest of the fields, and aligned */
    struct pg_option alone[] = {*option, {0}};

    if (!initial && option->type != PG_INT && option->type != PG_NUMBER)
        return true;
    alone[0].offset = 0;

    char *problem = options_set_text(alone, initial ? initial : "0", &room);

    options_free(alone, &room);

    if (!problem)
        return true;
    option_table_fail(checked, "its .initial does not fit: %s", problem);
    free(problem);
    return false;
}

/* Against the options before it. */
static bool option_table_check_others(const struct checked *checked,
                                      const struct pg_option *table)
{
    const struct pg_option *option = checked->option;

    for (const struct pg_option *other = table; other < option; other++) {
        if (!strcmp(other->name, option->name))
            return option_table_fail(
                checked, "the table has it twice; delete one of them");
        if (other->offset < option->offset + option->size &&
            option->offset < other->offset + other->size)
            return option_table_fail(
                checked, "it has the field of \"%s\"; give it one of its own",
                other->name);
    }
    return true;
}

bool options_check_table(const struct pg_option *table, size_t size,
                         char *error, size_t error_size)
{
    for (const struct pg_option *option = table; option && option->name;
         option++) {
        struct checked checked = {option, error, error_size};

        if (option - table == MOST) {
            snprintf(
                error, error_size,
                "the option table has no end; let {0} be its last element");
            return false;
        }
        if (!option_table_check_name(&checked) ||
            !option_table_check_field(&checked, size) ||
            !option_table_check_range(&checked) ||
            !option_table_check_initial(&checked) ||
            !option_table_check_others(&checked, table))
            return false;
    }
    return true;
}
