/*
 * lab_parts - the inside of a lab, for the files that make up lab.h and
 * result.h.
 */
#ifndef LAB_PARTS_H
#define LAB_PARTS_H

#include "compare/lab/lab.h"

struct lab {
    const struct experiment *experiment;
    const struct settings *settings;
    const char *folder;
    json_t *result;
    int out; /* where the parent reads: one JSON object a line */
    uint64_t random;
    unsigned servers;      /* how many were started */
    struct server *newest; /* the one started last */
};

void lab_init(struct lab *lab, const struct experiment *experiment,
              const struct settings *settings, const char *folder, int out);
/* What a server has said on stderr of its end or of a crash; false:
   nothing. */
bool server_last_words(const struct lab *lab, char *words, size_t size);

/* Hands the result to the parent. */
void lab_report(struct lab *lab);

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
