/*
 * experiment - what `playground compare` can show; one file for each.
 *
 * An experiment runs in a process of its own, started for it and ended with
 * everything it started: it may crash, hang, change limits or move into a
 * namespace, and harms nothing. What it may use stands in lab.h; what it has
 * to say it says through result.h.
 */
#ifndef EXPERIMENT_H
#define EXPERIMENT_H

#include <stdbool.h>

#include "compare/lab/settings.h"

struct lab;

/* The needs of an experiment beyond sockets on the loopback interface. */
enum need {
    NEED_NOTHING,
    NEED_MULTICAST, /* groups on the loopback interface */
    NEED_LINK,      /* an impaired link, which takes namespaces */
};

#define GUESS_ANSWERS 6

/* A question asked before the experiment (`--predict`): the experiment says
   by result_answer() which of the answers came out. */
struct guess {
    const char *question;
    const char *answers[GUESS_ANSWERS]; /* at least two; NULL: no more */
};

struct experiment {
    const char *name;     /* as typed: "boundaries" */
    const char *title;    /* "Message boundaries" */
    const char *question; /* "Does one send() arrive as one message?" */
    bool is_first;        /* one of the six for a first class */
    enum need need;
    unsigned settings; /* SETTING(...) of those it uses, or-ed together */
    struct guess guess;
    int limit_s; /* it is ended after so long; 0: 60 */
    void (*run)(struct lab *lab);
};

/* "nothing", "multicast", "a link" */
const char *experiment_needs(const struct experiment *experiment);

#endif
