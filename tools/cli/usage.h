/* usage - the options of a command line that nobody has. */
#ifndef USAGE_H
#define USAGE_H

#include <getopt.h>

/*
 * Says what getopt_long() did not take: `answer` is its '?' or ':'. It was
 * called with opterr 0 and with letters that begin with ':' (behind a '+').
 * Returns the exit status, 2.
 */
int usage_refuse(const char *command, const struct option *options, int answer,
                 char **argv);

#endif
