/* The experiments, in the order in which they are listed and run. */

#include "compare/registry.h"

#include <stddef.h>
#include <string.h>

/* X(name) stands for the struct experiment_name, which name.c defines. */
/* clang-format off */
#define EXPERIMENTS \
    X(boundaries) \
    X(truncation) \
    X(empty) \
    X(largest) \
    X(nobody) \
    X(backpressure) \
    X(halfclose) \
    X(abort) \
    X(restart) \
    X(nagle) \
    X(fanout) \
    X(slow) \
    X(loss) \
    X(headofline) \
    X(order) \
    X(handshake) \
    X(congestion) \
    X(vanish) \
    X(latency)
/* clang-format on */

#define X(name) extern const struct experiment experiment_##name;
EXPERIMENTS
#undef X

const struct experiment *const experiments[] = {
#define X(name) &experiment_##name,
    EXPERIMENTS
#undef X
        NULL,
};

const struct experiment *experiment_find(const char *name)
{
    for (size_t i = 0; experiments[i]; i++)
        if (!strcmp(experiments[i]->name, name))
            return experiments[i];
    return NULL;
}

const char *experiment_renamed(const char *name)
{
    return strcmp(name, "blocking") ? NULL : "headofline";
}
