/* The gaps between the blocks of a slot: who writes there has a bug. */

#include "state/slot.h"

#include <string.h>

#include "state/canary.h"

#define GAP_BYTE 0xa5

uint32_t slot_gap = ARENA_GAP;

/* A slot's blocks: what the core and the transport keep, then the states. */
enum { BLOCK_CTX, BLOCK_DATA, BLOCK_STATES };

/* Nobody's memory behind a block. */
struct gap {
    uint8_t *start;
    size_t len;
};

static unsigned slot_gap_block_count(const struct pg_session *session)
{
    return BLOCK_STATES + session_listener(session)->chain.count;
}

static struct pg_bytes slot_gap_block_of(const struct pg_session *session,
                                         unsigned block)
{
    const struct pg_listener *listener = session_listener(session);
    const struct chain *chain = &listener->chain;

    if (block == BLOCK_CTX)
        return pg_bytes(session_ctx(session, 0),
                        chain->count * sizeof(struct ctx_slot));
    if (block == BLOCK_DATA)
        return pg_bytes(session_data(session),
                        listener->transport->session_size);
    block -= BLOCK_STATES;
    return pg_bytes(session_state(session, block),
                    chain->entries[block]->handler->session_size);
}

static struct gap slot_gap_behind(const struct pg_session *session,
                                  unsigned block)
{
    struct pg_bytes bytes = slot_gap_block_of(session, block);
    uint8_t *start = (uint8_t *)(uintptr_t)bytes.data + bytes.len;
    const uint8_t *end =
        block + 1 < slot_gap_block_count(session)
            ? slot_gap_block_of(session, block + 1).data
            : (const uint8_t *)session + core->arena.header->plan.stride;

    return (struct gap){start, (size_t)(end - start)};
}

/* Without gaps there are the canaries, which are the first bytes of a gap where
   there is one. In a sanitizer build a write there ends the program at once;
   the harness finds it by slot_overrun(). */
void slot_fill_gaps(const struct pg_session *session)
{
    if (!slot_gap) {
        canary_fill(session);
        return;
    }
    for (unsigned i = 0; i < slot_gap_block_count(session); i++) {
        struct gap gap = slot_gap_behind(session, i);

        arena_unpoison(gap.start, gap.len);
        memset(gap.start, GAP_BYTE, gap.len);
        arena_poison(gap.start, gap.len);
    }
}

static const char *slot_gap_block_name(const struct pg_session *session,
                                       unsigned block)
{
    const struct pg_listener *listener = session_listener(session);

    return block < BLOCK_STATES
               ? listener->name
               : listener->chain.entries[block - BLOCK_STATES]->name;
}

const char *slot_overrun(const struct pg_session *session)
{
    if (!slot_gap || ARENA_GAP > 0) /* ASan would have said so */
        return NULL;
    for (unsigned i = 0; i < slot_gap_block_count(session); i++) {
        struct gap gap = slot_gap_behind(session, i);

        for (size_t j = 0; j < gap.len; j++)
            if (gap.start[j] != GAP_BYTE)
                return slot_gap_block_name(session, i);
    }
    return NULL;
}
