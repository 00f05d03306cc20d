/* json_out - JSON for other programs, which people look at, too. */
#ifndef JSON_OUT_H
#define JSON_OUT_H

#include <stdio.h>

#include <jansson.h>

/* Writes the value and a line end; what base/text.h does not show as it is
   stands as \uNNNN. -1: no memory, or `out` took not all of it. */
int json_out(const json_t *value, size_t flags, FILE *out);

#endif
