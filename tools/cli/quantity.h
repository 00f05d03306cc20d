/*
 * quantity - the values of the command line: a number and its unit.
 *
 * Each returns false after writing into `error` what is wrong with `text` and,
 * after a semicolon, what to write.
 */
#ifndef QUANTITY_H
#define QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "1%", "0.5%" -> 0..1 */
bool quantity_share(const char *text, double *share, char *error, size_t size);
/* "10ms", "1.5s", "500us" -> milliseconds, at most a minute */
bool quantity_time(const char *text, double *ms, char *error, size_t size);
/* "10mbit", "500kbit", "1gbit" -> Mbit/s */
bool quantity_rate(const char *text, double *mbit, char *error, size_t size);
/* "64000", "64KiB", "1MiB" -> bytes */
bool quantity_bytes(const char *text, size_t *bytes, char *error, size_t size);
/* A whole number from least to most. */
bool quantity_number(const char *text, uint64_t least, uint64_t most,
                     uint64_t *number, char *error, size_t size);

#endif
