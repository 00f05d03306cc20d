/*
 * result_parts - the JSON that a result is, for those who make and finish one.
 */
#ifndef RESULT_PARTS_H
#define RESULT_PARTS_H

#include <stdarg.h>

#include <jansson.h>

#include "compare/lab/experiment.h"

/* The result of an experiment that has not run; a new reference. */
json_t *result_create(const struct experiment *experiment);
/* json_object_set_new() and the like, which fail only without memory. */
void result_set(json_t *object, const char *key, json_t *value);
void result_append(json_t *array, json_t *value);
/* A string for people; what a server or a peer wrote may be in it. */
json_t *result_text(const char *format, va_list arguments);
/* The array of that name, made when it is not there. */
json_t *result_list(json_t *object, const char *key);

#endif
