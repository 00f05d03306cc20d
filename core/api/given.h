/*
 * given - what a plugin gives to a function of handler.h, looked at before it
 * is used.
 */
#ifndef GIVEN_H
#define GIVEN_H

#include "config/config_model.h"

void given_say_nowhere(struct pg_entry *entry, size_t len);

/* Bytes at NULL: whoever looked at them would crash, and get the blame. */
static inline bool given_is_nowhere(struct pg_entry *entry,
                                    struct pg_bytes bytes)
{
    if (bytes.data || bytes.len == 0)
        return false;
    given_say_nowhere(entry, bytes.len);
    return true;
}

/* Can it be a key, a name to be shown, or a group? */
bool given_is_key(const char *text);

#endif
