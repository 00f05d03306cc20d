/*
 * syntax - says in plain words what jansson does not like about a text.
 *
 * jansson judges; here its verdict only gets a better place and some advice.
 */
#ifndef SYNTAX_H
#define SYNTAX_H

#include <jansson.h>

struct problems;

/* Adds one problem. `problems` has the same text. */
void syntax_explain(struct problems *problems, const char *text, size_t len,
                    const json_error_t *error);

#endif
