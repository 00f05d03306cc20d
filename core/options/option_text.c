/* Describes options in words. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/names.h"
#include "options/options.h"

const char *options_type_text(enum pg_option_type type)
{
    switch (type) {
    case PG_BOOL:
        return "true or false";
    case PG_INT:
        return "a whole number";
    case PG_NUMBER:
        return "a number";
    case PG_STRING:
        return "a text in quotes";
    case PG_STRINGS:
        return "a list of texts";
    }
    return "";
}

static char *option_text_choices_text(const char *choices)
{
    struct names names = {0};
    char *copy = must_copy(choices), *rest = copy, *word;

    while ((word = strsep(&rest, " "))) {
        if (*word)
            names_add(&names, word);
    }

    char *text = names_join(&names, "or");

    names_finish(&names);
    free(copy);
    return text;
}

/* 65536, not 6.5536e+04. */
static char *option_text_number_text(double number)
{
    if (fabs(number) < 1e15 && number == floor(number))
        return must_printf("%lld", (long long)number);
    return must_printf("%g", number);
}

static char *option_text_limits_text(const struct pg_option *option)
{
    char *min = option_text_number_text(option->min),
         *max = option_text_number_text(option->max);
    char *text = isinf(option->max)   ? must_printf("at least %s", min)
                 : isinf(option->min) ? must_printf("at most %s", max)
                                      : must_printf("%s to %s", min, max);

    free(min);
    free(max);
    return text;
}

char *options_range_text(const struct pg_option *option)
{
    bool has_limits = option->min != 0 || option->max != 0;

    if (!option->choices)
        return has_limits ? option_text_limits_text(option) : must_copy("");

    char *choices = option_text_choices_text(option->choices);

    if (!has_limits)
        return choices;

    char *limits = option_text_limits_text(option);
    char *text = must_printf("%s of %s", limits, choices);

    free(limits);
    free(choices);
    return text;
}

json_t *options_number(double number)
{
    bool is_whole = fabs(number) < 1e15 && number == floor(number);

    return is_whole ? json_integer((json_int_t)number) : json_real(number);
}

json_t *options_default(const struct pg_option *option)
{
    const char *initial = option->initial;

    switch (option->type) {
    case PG_STRING:
        return initial ? json_string(initial) : json_null();
    case PG_STRINGS:
        return initial ? options_words(initial) : json_null();
    case PG_BOOL:
        return json_loads(initial ? initial : "false", JSON_DECODE_ANY, NULL);
    case PG_INT:
    case PG_NUMBER:
        return json_loads(initial ? initial : "0", JSON_DECODE_ANY, NULL);
    }
    return json_null();
}
