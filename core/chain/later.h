/*
 * later - bytes on their way, handed on after a delay: pg_later().
 */
#ifndef LATER_H
#define LATER_H

#include "chain/chain.h"

/* A heap block, linked from the arena's header; the bytes follow. */
struct later {
    uint64_t number; /* of the session */
    uint64_t due_ms;
    uint32_t next, previous;
    uint32_t next_due; /* of its session, while it waits for a turn */
    uint32_t slot, len;
    uint16_t place, direction;
    uint16_t entry; /* its id */
};

/* -ENOBUFS: no room; -ECANCELED: inward, and nothing more is handed on. */
int later_add(const struct pg_ctx *ctx, uint32_t ms, struct pg_bytes bytes);
/* Delivers what pg_later() kept in this block of the heap, or lets it wait for
   its session's next turn. */
void later_deliver(uint32_t block);
/* Delivers what waits for a turn, as far as the session's budget goes. */
void later_resume(struct pg_session *session);
/* Sets the timers of all that are in the arena: after core_attach(). */
int later_rearm(void);

#endif
