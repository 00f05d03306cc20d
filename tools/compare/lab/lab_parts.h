/*
 * lab_parts - the inside of a lab, for the files that make up lab.h and
 * result.h.
 */
#ifndef LAB_PARTS_H
#define LAB_PARTS_H

#include "compare/lab/lab.h"
#include "compare/lab/lateness.h"
#include "compare/lab/result_parts.h"

struct lab {
    const struct experiment *experiment;
    const struct settings *settings;
    const char *folder;
    json_t *result;
    int out; /* where the parent reads: one JSON object a line */
    uint64_t random;
    struct lateness *lateness;
    struct wire *wire;     /* the link that was made last; NULL: none */
    bool is_busy;          /* a check was lost in the machine's load */
    unsigned servers;      /* how many were started */
    struct server *newest; /* the one started last */
};

void lab_init(struct lab *lab, const struct experiment *experiment,
              const struct settings *settings, const char *folder, int out);
/* Copies the last words of a server on stderr about its end or a crash; false:
   it said none. */
bool server_last_words(const struct lab *lab, char *words, size_t size);

/* Hands the result to the parent. */
void lab_report(struct lab *lab);

#endif
