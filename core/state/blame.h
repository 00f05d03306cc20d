/*
 * blame - mistakes of handlers that are said on stderr, each once an entry: one
 * that is made for every message must not fill the log.
 */
#ifndef BLAME_H
#define BLAME_H

#include "config/config.h"

enum blame {
    BLAME_DROP = 1 << 0,       /* PG_DROP without pg_drop() */
    BLAME_CLOSE = 1 << 1,      /* PG_CLOSE without pg_close() */
    BLAME_VERDICT = 1 << 2,    /* returns what is no verdict */
    BLAME_NOWHERE = 1 << 3,    /* gives bytes at NULL */
    BLAME_OVERRUN = 1 << 4,    /* writes behind the end of its state */
    BLAME_UNVERIFIED = 1 << 5, /* sends a stranger more than it may have */
    BLAME_KEEP = 1 << 6,       /* keeps a part of a record for the next */
    BLAME_STOP = 1 << 7,       /* PG_STOP from open() without pg_ready() */
};

/* True if it was not said of this entry before. */
static inline bool blame_is_new(struct pg_entry *entry, enum blame mistake)
{
    bool is_new = !(entry->blamed & mistake);

    entry->blamed |= mistake;
    return is_new;
}

#endif
