/*
 * report - all that one command found, and what it takes to find it again.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>

#include <jansson.h>

/* The command that repeats it, seed, version, date and machine; "experiments"
   is empty. A new reference. */
json_t *report_create(const char *command, double seed);

/* Whether each experiment could be run and came out as theory says. */
bool report_is_fine(const json_t *report);

#endif
