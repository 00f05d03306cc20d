/*
 * fanout - what the two halves of the experiment share: through a server, and
 * to a multicast group.
 */
#ifndef FANOUT_H
#define FANOUT_H

#include "compare/lab/lab.h"

#define FANOUT_SIZE 64 /* bytes of a message, its line end included */

struct audience {
    int *fds;
    int count;
};

struct outcome {
    long long sends, received; /* calls of the sender, messages of all */
    double cpu_us;             /* of who makes the copies, for one message */
    double median_ms;          /* until the last receiver has it */
};

/* The message of that number. */
void fanout_line(char line[FANOUT_SIZE], int number);

/* Fills in the sockets of the audience. False, with a note, where groups are
   not to be had. */
bool multicast_measure(struct lab *lab, struct audience *audience, int messages,
                       struct outcome *outcome);

#endif
