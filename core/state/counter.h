/*
 * counter - named numbers in the arena: nothing is dropped in silence.
 */
#ifndef COUNTER_H
#define COUNTER_H

#include <stdio.h>

#include "engine/core.h"

#define COUNTER_LISTENER 0x8000

/* Adds to the counter `name` of an entry (its id) or of a listener
   (COUNTER_LISTENER | id). With the table full it goes to "other". */
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
