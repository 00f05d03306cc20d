/* wire_command_line - what `playground wire` was asked for. */
#ifndef WIRE_COMMAND_LINE_H
#define WIRE_COMMAND_LINE_H

#include "wire/link/wire.h"

struct wire_command_line {
    struct wire_options options;
    unsigned directions; /* that the next option is about: 1 << who sends */
    unsigned drops[2][WIRE_DROPS]; /* by the side that sends */
    unsigned drop_counts[2];
    double wait_ms;     /* for the right command to listen */
    double linger_ms;   /* of silence before the right command is stopped */
    const char *log;    /* a file for what the right command prints; or NULL */
    const char *config; /* served at the right end; or NULL, and then: */
    char **left;        /* NULL: the client */
    char **right;
    bool is_json, is_check;
};

/* -1: go on; else the exit status: --help was given, or what is wrong has been
   said. */
int wire_command_line_read(struct wire_command_line *line, int argc,
                           char **argv);

#endif
