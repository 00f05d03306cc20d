/*
 * budget - how much one session may do in one turn: so many records, or so much
 * time. Then the others have theirs, and it goes on in the next turn.
 *
 * The clock is looked at once in many records. On a virtual clock no time
 * passes within a turn: there records alone count, so that a seed repeats.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include "memory/arena.h"

#define BUDGET_RECORDS 512  /* of one session, in one turn */
#define BUDGET_US      1000 /* likewise */
#define BUDGET_LOOK    16   /* records from one look at the clock to the next */

/* Zeroed: nothing is spent. */
struct budget {
    uint32_t turn;     /* the turn that the rest is about */
    uint32_t spent;    /* records */
    uint32_t began_us; /* at the first look at the clock */
};

/* Spends one record. */
void budget_take(struct budget *budget);
/* True: the others are to have their turn. */
bool budget_is_spent(const struct budget *budget);

/* All sessions that go on in one turn together take no longer than this: what
   is new waits so long at most. */
#define PASS_US 10000

struct pass {
    uint64_t until_ns;
};

struct pass pass_begin(void);
bool pass_is_over(const struct pass *pass);

#endif
