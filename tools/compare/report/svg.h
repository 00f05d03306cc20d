/*
 * svg - a plot (result.h) as a picture inside an HTML page.
 */
#ifndef SVG_H
#define SVG_H

#include <stdio.h>

#include <jansson.h>

/* `id`: letters and digits that no other picture of the page has. */
void svg_print(FILE *out, const json_t *plot, const char *id);

#endif
