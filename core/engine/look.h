/*
 * look - streams are looked at now and then: whether their peers take what
 * they are sent, and whether they are there at all.
 */
#ifndef LOOK_H
#define LOOK_H

#include "state/mark.h"

/* A stream came: it is looked at from now on, and ends when its listener's idle
   time has passed in silence. */
void look_begin(struct pg_session *session);
/* Whether the peer has taken something since this was asked last. False if its
   transport cannot tell. */
bool look_has_taken(struct pg_session *session);
/* The time to look has come. */
void look_run(void);

#endif
