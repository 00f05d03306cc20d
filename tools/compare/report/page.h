/*
 * page - a report as one HTML page that needs nothing else: no network, no
 * script; for a projector, for paper and for a telephone.
 */
#ifndef PAGE_H
#define PAGE_H

#include <stdio.h>

#include <jansson.h>

void page_print(FILE *out, const json_t *report);

#endif
