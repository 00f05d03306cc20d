/* The gaps between the blocks of a slot, see session.h. */

#include "state/session.h"

#include <string.h>

#define GAP_BYTE 0xa5

uint32_t session_gap = ARENA_GAP;

/* A slot's blocks: what the core and the transport keep, then the states. */
enum { BLOCK_CTX, BLOCK_DATA, BLOCK_STATES };

/* Nobody's memory behind a block. */
struct gap {
    uint8_t *at;
    size_t len;
};

static unsigned session_gap_block_count(const struct pg_session *session)
{
    return BLOCK_STATES + session_listener(session)->chain.count;
}

static struct pg_bytes session_gap_block_of(const struct pg_session *session,
                                            unsigned at)
{
    const struct pg_listener *listener = session_listener(session);
    const struct chain *chain = &listener->chain;

    if (at == BLOCK_CTX)
        return pg_bytes(session_ctx(session, 0),
                        chain->count * sizeof(struct ctx_slot));
    if (at == BLOCK_DATA)
        return pg_bytes((const uint8_t *)session + listener->run->data_at,
                        listener->transport->session_size);
    at -= BLOCK_STATES;
    return pg_bytes(session_state(session, at),
                    chain->entries[at]->handler->session_size);
}

static struct gap session_gap_behind(const struct pg_session *session,
                                     unsigned at)
{
    struct pg_bytes block = session_gap_block_of(session, at);
    uint8_t *start = (uint8_t *)(uintptr_t)block.data + block.len;
    const uint8_t *end =
        at + 1 < session_gap_block_count(session)
            ? session_gap_block_of(session, at + 1).data
            : (const uint8_t *)session + core->arena.header->plan.stride;

    return (struct gap){start, (size_t)(end - start)};
}

/* A write there is a bug: ASan finds it at once, the harness soon. */
void session_fill_gaps(const struct pg_session *session)
{
    if (!session_gap)
        return;
    for (unsigned at = 0; at < session_gap_block_count(session); at++) {
        struct gap gap = session_gap_behind(session, at);

        arena_unpoison(gap.at, gap.len);
        memset(gap.at, GAP_BYTE, gap.len);
        arena_poison(gap.at, gap.len);
    }
}

static const char *session_gap_block_name(const struct pg_session *session,
                                          unsigned at)
{
    const struct pg_listener *listener = session_listener(session);

    return at < BLOCK_STATES ? listener->name
                             : listener->chain.entries[at - BLOCK_STATES]->name;
}

const char *session_overrun(const struct pg_session *session)
{
    if (!session_gap || ARENA_GAP > 0) /* ASan would have said so */
        return NULL;
    for (unsigned at = 0; at < session_gap_block_count(session); at++) {
        struct gap gap = session_gap_behind(session, at);

        for (size_t i = 0; i < gap.len; i++)
            if (gap.at[i] != GAP_BYTE)
                return session_gap_block_name(session, at);
    }
    return NULL;
}
