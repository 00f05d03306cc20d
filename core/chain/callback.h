/*
 * callback - one call of a handler, and what is around it: who runs is noted
 * in the arena, what it takes of pg_scratch() is given back, and its verdict
 * is looked at.
 */
#ifndef CALLBACK_H
#define CALLBACK_H

#include "chain/chain.h"

/* Undone when a callback returns. */
struct frame {
    size_t scratch;
    uint32_t running;
};

static inline struct frame frame_save(void)
{
    return (struct frame){core->scratch_used, core->arena.header->running};
}

static inline void frame_restore(struct frame frame)
{
    core->scratch_used = frame.scratch;
    core->arena.header->running = frame.running;
}

static inline struct frame frame_enter(const struct pg_entry *entry)
{
    struct frame frame = frame_save();

    core->arena.header->running = entry->running;
    return frame;
}

/* The ctx of an entry that is called for an event, not for bytes. */
static inline struct pg_ctx callback_ctx(struct pg_session *session,
                                         unsigned place)
{
    struct pg_listener *listener = session_listener(session);

    return (struct pg_ctx){
        .session = session,
        .listener = listener,
        .entry = listener->chain.entries[place],
        .place = place,
        .direction = CHAIN_IN,
        .callback = CHAIN_EVENT,
    };
}

/* PG_PASS and PG_STOP need nothing more. The others come with a reason;
   without one, or with something else, the handler has a mistake. */
void callback_judge(const struct pg_ctx *ctx, enum pg_verdict verdict);

/* Something that the entry sent went beyond what a stranger may have: says so,
   once. */
void callback_unverified(struct pg_entry *entry,
                         const struct pg_listener *listener);

#endif
