#include "cli/quantity.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct unit {
    const char *name;
    double factor;
};

struct kind {
    const char *what, *example;
    const struct unit *units; /* up to one without a name */
    double least, most;       /* after the factor */
    const char *range;
};

static const struct kind share_kind = {
    .what = "percentage",
    .example = "1%",
    .units = (const struct unit[]){{"%", 0.01}, {0}},
    .least = 0,
    .most = 1,
    .range = "0% to 100%",
};

static const struct kind time_kind = {
    .what = "time",
    .example = "10ms",
    .units = (const struct unit[]){{"us", 1e-3}, {"ms", 1}, {"s", 1e3}, {0}},
    .least = 0,
    .most = 60000,
    .range = "0ms to 60s",
};

static const struct kind rate_kind = {
    .what = "rate",
    .example = "10mbit",
    .units =
        (const struct unit[]){{"kbit", 1e-3}, {"mbit", 1}, {"gbit", 1e3}, {0}},
    .least = 0.001,
    .most = 100000,
    .range = "1kbit to 100gbit",
};

static const struct kind bytes_kind = {
    .what = "number of bytes",
    .example = "64KiB",
    .units = (const struct unit[]){{"", 1},
                                   {"B", 1},
                                   {"kB", 1e3},
                                   {"MB", 1e6},
                                   {"KiB", 1024},
                                   {"MiB", 1024 * 1024},
                                   {0}},
    .least = 100,
    .most = 1e9,
    .range = "100 to 1000MB",
};

/* strtod() alone would take "inf", "0x1p3" and leading space. */
static bool quantity_read_number(const char *text, double *value,
                                 const char **rest)
{
    const char *at = text;
    char *end;

    while (isdigit((unsigned char)*at) || *at == '.')
        at++;
    *value = strtod(text, &end);
    *rest = end;
    return at > text && end == at;
}

static bool quantity_read_quantity(const struct kind *kind, const char *text,
                                   double *value, char *error, size_t size)
{
    const struct unit *unit = kind->units;
    const char *rest;
    bool is_number = quantity_read_number(text, value, &rest);

    while (is_number && unit->name && strcasecmp(unit->name, rest) != 0)
        unit++;
    if (!is_number || !unit->name) {
        snprintf(error, size, "\"%s\" is no %s; write for example %s", text,
                 kind->what, kind->example);
        return false;
    }
    *value *= unit->factor;
    if (*value >= kind->least && *value <= kind->most)
        return true;
    snprintf(error, size, "\"%s\" is out of range; it goes from %s", text,
             kind->range);
    return false;
}

bool quantity_share(const char *text, double *share, char *error, size_t size)
{
    return quantity_read_quantity(&share_kind, text, share, error, size);
}

bool quantity_time(const char *text, double *ms, char *error, size_t size)
{
    return quantity_read_quantity(&time_kind, text, ms, error, size);
}

bool quantity_rate(const char *text, double *mbit, char *error, size_t size)
{
    return quantity_read_quantity(&rate_kind, text, mbit, error, size);
}

bool quantity_bytes(const char *text, size_t *bytes, char *error, size_t size)
{
    double value;

    if (!quantity_read_quantity(&bytes_kind, text, &value, error, size))
        return false;
    *bytes = (size_t)value;
    return true;
}

bool quantity_number(const char *text, uint64_t least, uint64_t most,
                     uint64_t *number, char *error, size_t size)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 10);
    if (isdigit((unsigned char)*text) && !*end && !errno && *number >= least &&
        *number <= most)
        return true;
    snprintf(error, size,
             "\"%s\" is no whole number from %" PRIu64 " to %" PRIu64
             "; write one",
             text, least, most);
    return false;
}
