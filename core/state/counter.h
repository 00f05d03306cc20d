/*
 * counter - named numbers in the arena: nothing is dropped in silence.
 */
#ifndef COUNTER_H
#define COUNTER_H

#include <stdio.h>

#include "state/state.h"

#define COUNTER_LISTENER 0x8000

/* The owner that stands for a listener; an entry's is its id. */
static inline uint16_t counter_of_listener(unsigned id)
{
    return (uint16_t)(COUNTER_LISTENER | id);
}

/* Adds to the counter `name` of an owner. With the table full it goes to
   "other". */
void counter_add(uint16_t owner, const char *name, uint64_t value);
/* Adds 1 to the counter of a reason. Numbers in it are "N": a peer that
   chooses them must not fill the table. */
void counter_add_reason(uint16_t owner, const char *reason);
uint64_t counter_value(uint16_t owner, const char *name);
/* Calls fn for each: the entries' in their order, then the listeners'. */
void counter_each(void (*fn)(uint16_t owner, const char *name, uint64_t value,
                             void *arg),
                  void *arg);
/* The name of an owner in words: the entry's or listener's name. */
const char *counter_owner_name(uint16_t owner);

#endif
