/*
 * request - what the command line of `playground compare` asks for.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stddef.h>

#include "compare/registry.h"
#include "compare/swap/swap.h"

struct request {
    struct settings settings;
    bool is_json, predicts;
    const char *page;         /* --html FILE; NULL: none */
    struct swap_request swap; /* --swap, if it names a pair */
    const struct experiment **chosen;
    size_t count;  /* 0: list them */
    char *command; /* which repeats it, fit for a shell */
};

/* Says on stderr (or, for --help, stdout) what there is to say. Returns -1 to
   go on, else the exit status. */
int request_parse(struct request *request, int argc, char **argv);
void request_finish(struct request *request);

#endif
