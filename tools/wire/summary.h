/* summary - what went over the wire, for people and for programs. */
#ifndef WIRE_SUMMARY_H
#define WIRE_SUMMARY_H

#include <stdio.h>

#include "wire/link/wire.h"

struct summary {
    const char *kind;
    const struct wire_options *options;
    struct wire_counts counts[2]; /* by the side that sent */
    double seconds;
};

/* Prints a table. */
void summary_print(const struct summary *summary, FILE *out);
/* Prints one line of JSON. */
void summary_print_json(const struct summary *summary, FILE *out);

#endif
