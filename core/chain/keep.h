/*
 * keep - the unfinished end of what came, until the rest comes.
 */
#ifndef KEEP_H
#define KEEP_H

#include "state/session.h"

/* The kept bytes with `in` behind them, in one piece. False: no memory, the
   session is closing. */
bool keep_join(struct pg_session *session, unsigned at, struct pg_bytes *in);
/* Keeps `tail` instead of what was kept. False: too much, session closing. */
bool keep_set(struct pg_session *session, unsigned at, struct pg_bytes tail);
struct pg_bytes keep_get(const struct pg_session *session, unsigned at);
void keep_drop(struct pg_session *session, unsigned at);

#endif
