/*
 * keep - the unfinished end of what came, until the rest comes.
 */
#ifndef KEEP_H
#define KEEP_H

#include "state/mark.h"

/* Both return NULL, or why the session is to end. */

/* The kept bytes with `in` behind them, in one piece. */
const char *keep_join(struct pg_session *session, unsigned place,
                      struct pg_bytes *in);
/* Keeps `tail` instead of what was kept: an unfinished message, or whatever has
   to wait. */
const char *keep_set(struct pg_session *session, unsigned place,
                     struct pg_bytes tail);
struct pg_bytes keep_get(const struct pg_session *session, unsigned place);
/* The most that one entry may keep. */
size_t keep_most(void);
void keep_drop(struct pg_session *session, unsigned place);

#endif
