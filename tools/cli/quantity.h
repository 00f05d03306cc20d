/*
 * quantity - a number of the command line, its unit and its range.
 */
#ifndef QUANTITY_H
#define QUANTITY_H

#include <stdbool.h>
#include <stddef.h>

enum quantity_unit {
    QUANTITY_COUNT,
    QUANTITY_PER_SECOND, /* how many a second; typed without a unit */
    QUANTITY_PERCENT,
    QUANTITY_MS,      /* us, ms and s may be typed */
    QUANTITY_SECONDS, /* the same */
    QUANTITY_MBIT,    /* a second; kbit, mbit and gbit may be typed */
    QUANTITY_BYTES,   /* B, kB, MB, KiB and MiB may be typed */
};

/* A long double holds each whole number of 64 bits. */
struct quantity {
    enum quantity_unit unit; /* of the limits, and of a number alone */
    long double least, most;
    bool is_whole;
    bool needs_unit; /* a number alone is refused */
};

/* "1.5s" -> 1500, where the unit is QUANTITY_MS. False after writing into
   `error` the rest of a sentence that begins with the option's name:
   `takes a number from 0 to 60000 ms, not "much"`. */
bool quantity_read(const struct quantity *quantity, const char *text,
                   long double *value, char *error, size_t size);

/* As it is shown behind a number: "%", "ms", "a second"; "" for a count. */
const char *quantity_unit_text(enum quantity_unit unit);

#endif
