/*
 * registry - the experiments there are, by name.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "compare/lab/experiment.h"

/* In the order in which they are listed and run; ends with NULL. To add one,
   write its file and add its line to registry.c. */
extern const struct experiment *const experiments[];

/* NULL: there is none of that name. */
const struct experiment *experiment_find(const char *name);

/* The name of today of an experiment that had another one; NULL: none had
   that. */
const char *experiment_renamed(const char *name);

#endif
