/* Values as people read them. */

#include "compare/lab/shown.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "compare/lab/settings.h"

#define DASH "\u2013"

/* Commas between groups of three, for the digits before a point. */
static char *shown_group(const char *digits)
{
    size_t sign = *digits == '-', whole = strcspn(digits, ".");
    char *grouped = must_calloc(2 * strlen(digits) + 1, 1), *out = grouped;

    for (size_t i = 0; digits[i]; i++) {
        if (i > sign && i < whole && (whole - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    return grouped;
}

char *shown_count(json_int_t count)
{
    char digits[32];

    snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, count);
    return shown_group(digits);
}

char *shown_number(double number)
{
    char digits[400];
    double size;
    int decimals;

    if (fabs(number) < 100) { /* 99.96 is 100 and has no decimals then */
        snprintf(digits, sizeof(digits), "%.2e", number);
        number = strtod(digits, NULL);
    }
    size = fabs(number);
    decimals = size >= 100 || size == 0 ? 0 : 2 - (int)floor(log10(size));
    snprintf(digits, sizeof(digits), "%.*f", decimals < 9 ? decimals : 9,
             number);
    return shown_group(digits);
}

/* A number by itself, not a part of a name, an address or a version. */
static bool shown_is_lone(const char *text, size_t at, size_t len)
{
    static const char before[] = " (\"", after[] = " .,;:)\"%";
    char last = at > 0 ? text[at - 1] : ' ';
    char next = text[at + len];
    bool is_port = at >= 5 && !strncmp(text + at - 5, "port ", 5);

    return strchr(before, last) && strchr(after, next) && !is_port;
}

char *shown_text(const char *text)
{
    char *shown = must_calloc(2 * strlen(text) + 1, 1), *out = shown;

    for (size_t at = 0, len; text[at]; at += len) {
        len = strspn(text + at, "0123456789");
        if (len > 3 && shown_is_lone(text, at, len)) {
            char *digits = must_printf("%.*s", (int)len, text + at);
            char *grouped = shown_group(digits);

            out = stpcpy(out, grouped);
            free(grouped);
            free(digits);
            continue;
        }
        len = len > 0 ? len : 1;
        memcpy(out, text + at, len);
        out += len;
    }
    return shown;
}

char *shown_tick(double number)
{
    static const struct {
        double size;
        const char *suffix;
    } units[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
    double size = fabs(number);

    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (size >= units[i].size && size >= 1e4)
            return must_printf("%.4g%s", number / units[i].size,
                               units[i].suffix);
    return size < 1e3 ? must_printf("%.3g", number)
                      : shown_count(llround(number));
}

static char *shown_list(const json_t *list)
{
    char *text = must_copy("");
    json_t *value;
    size_t i;

    json_array_foreach (list, i, value) {
        char *one = shown_value(value, "");
        char *longer = must_printf("%s%s%s", text, i > 0 ? ", " : "", one);

        free(text);
        free(one);
        text = longer;
    }
    return text;
}

char *shown_value(const json_t *value, const char *unit)
{
    char *text;

    if (json_is_string(value))
        return text_clean(json_string_value(value));
    if (json_is_boolean(value))
        return must_copy(json_is_true(value) ? "yes" : "no");
    if (json_is_integer(value))
        text = shown_count(json_integer_value(value));
    else if (json_is_real(value))
        text = shown_number(json_real_value(value));
    else if (json_is_array(value))
        text = shown_list(value);
    else
        return must_copy(DASH);

    char *whole = must_printf("%s%s%s", text, *unit ? " " : "", unit);

    free(text);
    return whole;
}

char *shown_busy(const json_t *result)
{
    char *ms =
        shown_number(json_number_value(json_object_get(result, "late_ms")));
    char *text = must_printf("This machine was too busy: the loop came %s ms "
                             "late. Run it again while nothing else runs.",
                             ms);

    free(ms);
    return text;
}

char *shown_settings(const json_t *settings)
{
    char *text = must_copy("");
    const char *name;
    json_t *value;

    json_object_foreach ((json_t *)(uintptr_t)settings, name, value) {
        bool is_free = !strcmp(name, "rate") && json_number_value(value) == 0;
        char *one = is_free ? must_copy("without limit")
                            : shown_value(value, settings_unit(name));
        char *longer =
            must_printf("%s%s%s %s", text, *text ? ", " : "", name, one);

        free(text);
        free(one);
        text = longer;
    }
    return text;
}
