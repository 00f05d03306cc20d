/* Reads values into the struct of a plugin, as its option table says. */

#include "options/options.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/text.h"
#include "places/problems.h"

/* ---- fields ----------------------------------------------------------- */

static void *options_field(const struct pg_option *option, void *out)
{
    return (char *)out + option->offset;
}

int64_t options_get_int(const struct pg_option *option, const void *options)
{
    const char *field = (const char *)options + option->offset;
    int64_t wide;
    int narrow;

    if (option->size == sizeof(wide)) {
        memcpy(&wide, field, sizeof(wide));
        return wide;
    }
    memcpy(&narrow, field, sizeof(narrow));
    return narrow;
}

void options_set_int(const struct pg_option *option, int64_t value,
                     void *options)
{
    int narrow = (int)value;

    if (option->size == sizeof(value))
        memcpy(options_field(option, options), &value, sizeof(value));
    else
        memcpy(options_field(option, options), &narrow, sizeof(narrow));
}

const char *options_get_string(const struct pg_option *option,
                               const void *options)
{
    const char *text;

    memcpy(&text, (const char *)options + option->offset, sizeof(text));
    return text;
}

/* The value has been checked. */
static void options_set_value(const struct pg_option *option,
                              const json_t *value, void *out)
{
    const char *text = json_string_value(value);
    bool is_true = json_is_true(value);
    double number = json_number_value(value);

    switch (option->type) {
    case PG_BOOL:
        memcpy(options_field(option, out), &is_true, sizeof(is_true));
        break;
    case PG_INT:
        options_set_int(option, json_integer_value(value), out);
        break;
    case PG_NUMBER:
        memcpy(options_field(option, out), &number, sizeof(number));
        break;
    case PG_STRING:
        memcpy(options_field(option, out), &text, sizeof(text));
        break;
    }
}

/* ---- checks ----------------------------------------------------------- */

static bool options_has_type(const struct pg_option *option,
                             const json_t *value)
{
    switch (option->type) {
    case PG_BOOL:
        return json_is_boolean(value);
    case PG_INT:
        return json_is_integer(value);
    case PG_NUMBER:
        return json_is_number(value);
    case PG_STRING:
        return json_is_string(value);
    }
    return false;
}

/* Compared as long double, which holds every int64_t and double exactly. */
static bool options_is_in_range(const struct pg_option *option,
                                const json_t *value)
{
    long double number = json_is_integer(value)
                             ? (long double)json_integer_value(value)
                             : (long double)json_real_value(value);

    if (option->type == PG_INT && option->size == sizeof(int) &&
        (number < INT_MIN || number > INT_MAX))
        return false;
    if (option->min == 0 && option->max == 0)
        return true;
    return number >= option->min && number <= option->max;
}

static bool options_is_choice(const char *choices, const char *value)
{
    size_t len = strlen(value);

    while (*choices) {
        size_t word = strcspn(choices, " ");

        if (word == len && len > 0 && !strncmp(choices, value, len))
            return true;
        choices += word + strspn(choices + word, " ");
    }
    return false;
}

/* Shows a wrong value as a message does. */
static const char *options_value_text(const json_t *value,
                                      char out[TEXT_QUOTE_BYTES])
{
    if (json_is_string(value))
        return text_quote(json_string_value(value), out);
    if (json_is_array(value))
        return "a list";
    if (json_is_object(value))
        return "an object";

    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    snprintf(out, TEXT_QUOTE_BYTES, "%s", text ? text : "?");
    free(text);
    return out;
}

/* True if `text` is a value of the wanted type with quotes around it. */
static bool options_is_quoted(const struct pg_option *option, const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    bool fits =
        value && option->type != PG_STRING && options_has_type(option, value);

    json_decref(value);
    return fits;
}

static char *options_type_advice(const struct pg_option *option,
                                 const json_t *value)
{
    double number = json_real_value(value);

    if (json_is_null(value))
        return must_copy("delete the key to take the default");
    if (json_is_string(value) &&
        options_is_quoted(option, json_string_value(value)))
        return must_copy("delete the quotes");
    if (option->type == PG_STRING && json_is_number(value))
        return must_copy("put quotes around it");
    if (option->type == PG_INT && json_is_real(value) && fabs(number) < 1e15 &&
        number == floor(number))
        return must_printf("write %" PRId64, (int64_t)number);

    json_t *initial = options_default(option);
    char *text = json_dumps(initial, JSON_ENCODE_ANY);
    char *advice = json_is_null(initial)
                       ? must_printf("write \"%s\": \"...\"", option->name)
                       : must_printf("write for example \"%s\": %s",
                                     option->name, text ? text : "?");

    free(text);
    json_decref(initial);
    return advice;
}

static char *options_type_problem(const struct pg_option *option,
                                  const json_t *value)
{
    char text[TEXT_QUOTE_BYTES], *advice = options_type_advice(option, value);
    char *problem = must_printf("\"%s\" is %s, not %s; %s", option->name,
                                options_value_text(value, text),
                                options_type_text(option->type), advice);

    free(advice);
    return problem;
}

/* NULL, or what is wrong with the value. */
static char *options_check_value(const struct pg_option *option,
                                 const json_t *value)
{
    char text[TEXT_QUOTE_BYTES];

    if (!options_has_type(option, value))
        return options_type_problem(option, value);
    if (json_is_number(value) ? options_is_in_range(option, value)
        : json_is_string(value) && option->choices
            ? options_is_choice(option->choices, json_string_value(value))
            : true)
        return NULL;

    char *range = options_range_text(option);
    char *problem =
        must_printf("\"%s\" is %s; choose %s%s%s", option->name,
                    options_value_text(value, text), range,
                    option->unit ? " " : "", option->unit ? option->unit : "");

    free(range);
    return problem;
}

/* ---- filling ---------------------------------------------------------- */

void options_set_defaults(const struct pg_option *table, void *out)
{
    for (; table && table->name; table++) {
        if (!table->initial)
            memset(options_field(table, out), 0, table->size);
        else
            free(options_set_text(table, table->initial, out));
    }
}

static bool options_fill_one(const struct pg_option *option,
                             const json_t *value, void *out, const char *path,
                             struct problems *problems)
{
    char *problem = options_check_value(option, value);

    if (!problem) {
        options_set_value(option, value, out);
        return true;
    }

    problems_add_key(problems, path, option->name, false, "%s", problem);
    free(problem);
    return false;
}

bool options_fill(const struct pg_option *table, const json_t *object,
                  void *out, const char *path, struct problems *problems)
{
    bool is_fine = true;

    for (; table && table->name; table++) {
        const json_t *value = json_object_get(object, table->name);

        if (value && !options_fill_one(table, value, out, path, problems))
            is_fine = false;
    }
    return is_fine;
}

/* jansson reads the number, so that it is read the same in every locale. */
char *options_set_text(const struct pg_option *option, const char *text,
                       void *out)
{
    bool is_string = option->type == PG_STRING;
    json_t *value =
        is_string ? json_string(text) : json_loads(text, JSON_DECODE_ANY, NULL);

    if (!value)
        value = json_string(text); /* then it has the wrong type */

    char *problem = value ? options_check_value(option, value)
                          : must_copy("the text is not UTF-8; write it so");

    if (!problem && is_string)
        memcpy(options_field(option, out), &text, sizeof(text));
    else if (!problem)
        options_set_value(option, value, out);
    json_decref(value);
    return problem;
}
