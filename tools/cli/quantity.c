/* A number of the command line: reads it, its unit, and checks its range. */

#include "cli/quantity.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

struct unit {
    const char *name; /* NULL ends a list */
    long double factor;
};

/* How a unit is shown, and those that may be typed for it. */
struct unit_family {
    const char *text;
    struct unit units[6];
};

static const struct unit_family unit_families[] = {
    [QUANTITY_COUNT] = {"", {{0}}},
    [QUANTITY_PER_SECOND] = {"a second", {{0}}},
    [QUANTITY_PERCENT] = {"%", {{"%", 1}}},
    [QUANTITY_MS] = {"ms", {{"us", 1e-3L}, {"ms", 1}, {"s", 1e3L}}},
    [QUANTITY_SECONDS] = {"s", {{"us", 1e-6L}, {"ms", 1e-3L}, {"s", 1}}},
    [QUANTITY_MBIT] = {"Mbit/s",
                       {{"kbit", 1e-3L}, {"mbit", 1}, {"gbit", 1e3L}}},
    [QUANTITY_BYTES] = {"bytes",
                        {{"B", 1},
                         {"kB", 1e3L},
                         {"MB", 1e6L},
                         {"KiB", 1024},
                         {"MiB", 1024 * 1024}}},
};

/* strtold() alone would take "inf", "0x1p3", a sign and leading space. Returns
   what stands behind the number, NULL if there is none. */
static const char *quantity_read_number(const char *text, long double *value)
{
    char *end;

    if (!isdigit((unsigned char)*text) && *text != '.')
        return NULL;
    *value = strtold(text, &end);
    return end == text || memchr(text, 'x', (size_t)(end - text)) ||
                   memchr(text, 'X', (size_t)(end - text))
               ? NULL
               : end;
}

static bool quantity_read_unit(const struct quantity *quantity,
                               const char *name, long double *value)
{
    const struct unit *unit = unit_families[quantity->unit].units;

    if (!*name)
        return !quantity->needs_unit;
    while (unit->name && strcasecmp(unit->name, name) != 0)
        unit++;
    *value *= unit->factor;
    return unit->name != NULL;
}

bool quantity_read(const struct quantity *quantity, const char *text,
                   long double *value, char *error, size_t size)
{
    const char *unit = quantity_unit_text(quantity->unit);
    const char *rest = quantity_read_number(text, value);
    char wrong[TEXT_QUOTE_BYTES];

    if (rest && quantity_read_unit(quantity, rest, value) &&
        *value >= quantity->least && *value <= quantity->most &&
        (!quantity->is_whole || *value == floorl(*value)))
        return true;
    snprintf(error, size,
             "takes a %snumber%s from %.19Lg to %.19Lg%s%s, not %s",
             quantity->is_whole ? "whole " : "",
             quantity->needs_unit ? " with its unit," : "", quantity->least,
             quantity->most, *unit ? " " : "", unit, text_quote(text, wrong));
    return false;
}

const char *quantity_unit_text(enum quantity_unit unit)
{
    return unit_families[unit].text;
}
