/* The words for what an experiment needs of the system. */

#include "compare/lab/experiment.h"

const char *experiment_needs(const struct experiment *experiment)
{
    static const char *const words[] = {
        [NEED_NOTHING] = "nothing",
        [NEED_MULTICAST] = "multicast",
        [NEED_LINK] = "a link",
    };

    return words[experiment->need];
}
