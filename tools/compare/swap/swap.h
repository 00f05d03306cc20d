/*
 * swap - `playground compare CONFIG --swap tcp,udp`: the user's own config,
 * run once over each transport.
 *
 *   swap.c         what was asked for, and one run over one transport
 *   swap_config.c  the config with another transport
 *   swap_show.c    the result
 *   load.h         the clients
 *   syscalls.h, processes.h  what the server costs
 */
#ifndef SWAP_H
#define SWAP_H

#include "compare/lab/experiment.h"

/* The settings of the command line that a swap uses, SETTING(...) or-ed
   together. */
#define SWAP_SETTINGS                                                          \
    (SETTING(SETTING_LOSS) | SETTING(SETTING_DELAY) |                          \
     SETTING(SETTING_JITTER) | SETTING(SETTING_RATE) |                         \
     SETTING(SETTING_REORDER) | SETTING(SETTING_DUPLICATE) |                   \
     SETTING(SETTING_CLIENTS) | SETTING(SETTING_LOAD) | SETTING(SETTING_FOR))

struct swap_request {
    const char *config; /* its path */
    const char *pair;   /* "tcp,udp" */
    const char *send;   /* a file with messages; NULL: the default ones */
    bool is_hex;        /* it holds hex digits */
};

/*
 * Looks at all of it before anything runs. NULL after saying on stderr what is
 * wrong; then the exit status is 2. What it returns, and what the request
 * points to, must stay.
 */
const struct experiment *swap_prepare(const struct swap_request *request);

#endif
