/*
 * train - numbered messages in a row to a server that sends them back, and
 * what became of each.
 */
#ifndef TRAIN_H
#define TRAIN_H

#include "compare/lab/lab.h"

#define TRAIN_BYTES 64

struct train_plan {
    size_t count;
    double interval_ms; /* message n is due at n times this; 0: by window */
    size_t window;    /* at most so many are out: n waits for n - window or one
                         after it to come back */
    double settle_ms; /* silence after which nothing more is waited for */
};

struct train {
    size_t count;
    double *latency_ms; /* by number, from when it was due; -1: never came */
    unsigned *copies;   /* by number: how often it came */
    size_t lost, duplicates;
    size_t overtaken; /* came after one with a higher number, see RFC 4737 */
};

/* Over one connected socket, which is made non-blocking. */
struct train train_run(struct lab *lab, int fd, enum side side,
                       const struct train_plan *plan);
void train_finish(struct train *train);

/* The latencies of those that came; sorted, and freed by the caller. */
double *train_latencies(const struct train *train, size_t *count);

/* A number for the set of those that are lost: the same set, the same one. */
unsigned train_fingerprint(const struct train *train);
/* The numbers of the first few that are lost, as a value for a row. */
json_t *train_first_lost(const struct train *train);

/* The row of messages lost, of the two trains by enum side. */
void train_show_lost(struct lab *lab, const struct train trains[2]);
/* A point for each message that came. */
void train_draw(const struct train *train, json_t *series);

#endif
