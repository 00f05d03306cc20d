/*
 * batch - records of many sessions of a listener, sent with few calls.
 */
#ifndef BATCH_H
#define BATCH_H

#include "out/queue.h"

#define BATCH_MAX 256 /* pg_records in one batch */

struct batch {
    struct pg_listener *listener;
    int count;
    struct pg_record records[BATCH_MAX]; /* some of them runs */
};

/* Adds the session's records. The batch goes out whenever it is full or another
   listener's turn comes, and what was taken is off the queue then. */
void batch_add(struct batch *batch, struct pg_session *session);
/* Sends what the listener's socket takes; the rest stays in the queues. */
void batch_send(struct batch *batch);

#endif
