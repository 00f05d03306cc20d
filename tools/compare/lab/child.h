/*
 * child - runs an experiment in a process of its own, and sees to it that
 * nothing of it is left, whatever it does and however we end.
 */
#ifndef CHILD_H
#define CHILD_H

#include <jansson.h>

#include "compare/lab/experiment.h"
#include "compare/lab/progress.h"

/*
 * The result, a new reference; with "error" when it could not be run.
 * On SIGINT and the other signals that end a process from outside the
 * experiment is ended and cleaned up, then the signal ends this process too.
 */
json_t *child_run(const struct experiment *experiment,
                  const struct settings *settings, struct progress *progress);

#endif
