/* Reads values into the struct of a plugin, as its option table says. */

#include "options/options.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/text.h"
#include "places/position.h"
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
    case PG_STRINGS:
        options_set_list(option, value, out);
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
    case PG_STRINGS:
        return json_is_array(value);
    }
    return false;
}

/* A number, or how many texts there are. Compared as long double, which holds
   every int64_t and double exactly. */
static bool options_is_in_range(const struct pg_option *option,
                                const json_t *value)
{
    long double number = json_is_array(value) ? json_array_size(value)
                         : json_is_integer(value)
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
    if (option->type == PG_STRINGS)
        return must_printf("write \"%s\": [\"...\"]", option->name);
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

static bool options_is_allowed(const struct pg_option *option,
                               const json_t *value)
{
    if (json_is_number(value) || json_is_array(value))
        return options_is_in_range(option, value);
    return !json_is_string(value) || !option->choices ||
           options_is_choice(option->choices, json_string_value(value));
}

static char *options_range_problem(const struct pg_option *option,
                                   const json_t *value)
{
    char text[TEXT_QUOTE_BYTES], *range = options_range_text(option);
    size_t count = json_array_size(value);
    char *problem =
        json_is_array(value)
            ? must_printf("\"%s\" has %zu text%s; give %s", option->name, count,
                          count == 1 ? "" : "s", range)
            : must_printf("\"%s\" is %s; choose %s%s%s", option->name,
                          options_value_text(value, text), range,
                          option->unit ? " " : "",
                          option->unit ? option->unit : "");

    free(range);
    return problem;
}

/* NULL, or what is wrong with the value; the texts of a list are not looked at.
 */
static char *options_check_value(const struct pg_option *option,
                                 const json_t *value)
{
    if (!options_has_type(option, value))
        return options_type_problem(option, value);
    return options_is_allowed(option, value)
               ? NULL
               : options_range_problem(option, value);
}

static char *options_check_item(const struct pg_option *item,
                                const json_t *value)
{
    bool has_end = json_is_number(value) || json_is_boolean(value);
    char text[TEXT_QUOTE_BYTES];

    if (json_is_string(value))
        return options_check_value(item, value);
    return must_printf(
        "\"%s\" is %s, not %s; %s", item->name, options_value_text(value, text),
        options_type_text(PG_STRING),
        has_end ? "put quotes around it" : "write \"...\" in its place");
}

/* What is wrong with the first wrong text of a list from `*at` on, where it
   stands; NULL: nothing, or it is no list. */
static char *options_check_items(const struct pg_option *option,
                                 const json_t *list, size_t *at)
{
    char *problem = NULL;

    for (; *at < json_array_size(list); ++*at) {
        char *name = must_printf("%s[%zu]", option->name, *at);
        const struct pg_option item = {
            .name = name, .type = PG_STRING, .choices = option->choices};

        problem = options_check_item(&item, json_array_get(list, *at));
        free(name);
        if (problem)
            break;
    }
    return problem;
}

/* ---- filling ---------------------------------------------------------- */

void options_set_defaults(const struct pg_option *table, void *out)
{
    for (; table && table->name; table++) {
        memset(options_field(table, out), 0, table->size);
        if (table->type == PG_STRINGS)
            options_set_list(table, NULL, out);
        if (table->initial)
            free(options_set_text(table, table->initial, out));
    }
}

/* A problem for each wrong text of a list, at its own place. */
static bool options_fill_items(const struct pg_option *option,
                               const json_t *list, const char *path,
                               struct problems *problems)
{
    char *place = position_path_key(path, option->name), *problem;
    bool is_fine = true;

    for (size_t i = 0; (problem = options_check_items(option, list, &i)); i++) {
        char *item = must_printf("%s/%zu", place, i);

        problems_add(problems, item, false, "%s", problem);
        free(item);
        free(problem);
        is_fine = false;
    }
    free(place);
    return is_fine;
}

static bool options_fill_one(const struct pg_option *option,
                             const json_t *value, void *out, const char *path,
                             struct problems *problems)
{
    char *problem = options_check_value(option, value);

    if (problem) {
        problems_add_key(problems, path, option->name, false, "%s", problem);
        free(problem);
        return false;
    }
    if (!options_fill_items(option, value, path, problems))
        return false;
    options_set_value(option, value, out);
    return true;
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
    json_t *value = is_string ? json_string(text)
                    : option->type == PG_STRINGS
                        ? options_words(text)
                        : json_loads(text, JSON_DECODE_ANY, NULL);
    size_t at = 0;

    if (!value)
        value = json_string(text); /* then it has the wrong type */

    char *problem = value ? options_check_value(option, value)
                          : must_copy("the text is not UTF-8; write it so");

    if (!problem)
        problem = options_check_items(option, value, &at);
    if (!problem && is_string)
        memcpy(options_field(option, out), &text, sizeof(text));
    else if (!problem)
        options_set_value(option, value, out);
    json_decref(value);
    return problem;
}
