/*
 * fuzz_stream - one stream given to a chain whole and cut, through the
 * harness: what comes back must be the same.
 */
#ifndef FUZZ_STREAM_H
#define FUZZ_STREAM_H

#include "fuzz.h"
#include "harness.h"

#include "engine/core.h"
#include "memory/heap.h"

/* Each byte of the heap is in a block handed out or on a list, see heap.c. */
static inline void stream_check_heap(void)
{
    const struct arena *arena = &core->arena;
    const struct arena_header *header = arena->header;
    uint64_t bytes = header->heap_used;

    for (unsigned order = 0; order <= header->top_order; order++) {
        uint32_t block = header->free_block[order];

        for (; block; block = *(const uint32_t *)heap_at(arena, block))
            bytes += (uint64_t)HEAP_GRANULE << order;
    }
    MUST(bytes ==
         header->top_used * ((uint64_t)HEAP_GRANULE << header->top_order));
}

/* Enough to fill the queue of a peer that is blocked. */
#define STREAM_BYTES 3000

/* Pushes it in pieces whose lengths follow from `seed`: 0 in one piece. A
   blocked peer's socket takes nothing until all has been pushed. */
static inline int stream_push(struct harness *h, struct pg_bytes in,
                              uint8_t seed, bool is_blocked)
{
    int peer = harness_connect(h);
    uint32_t random = seed;

    harness_block(h, peer, is_blocked);
    while (in.len) {
        size_t len = in.len;

        random = random * 1664525 + 1013904223;
        if (seed && len > 1 + (random >> 24) % seed)
            len = 1 + (random >> 24) % seed;
        harness_push(h, peer, pg_bytes(in.data, len));
        in = pg_bytes(in.data + len, in.len - len);
        stream_check_heap();
    }
    harness_block(h, peer, false);
    harness_end(h, peer);
    stream_check_heap();
    return peer;
}

static inline void stream_compare(struct harness *h, int a, int b)
{
    struct pg_bytes one = harness_out(h, a), other = harness_out(h, b);

    MUST(harness_is_closed(h, a) && harness_is_closed(h, b));
    if (one.len != other.len)
        fprintf(stderr, "%zu bytes (%s) and %zu (%s)\n", one.len,
                harness_close_reason(h, a), other.len,
                harness_close_reason(h, b));
    MUST(one.len == other.len && !memcmp(one.data, other.data, one.len));
    MUST(harness_close_why(h, a) == harness_close_why(h, b));
    MUST(!strcmp(harness_close_reason(h, a), harness_close_reason(h, b)));
}

/* Returns the peer that was given all at once. */
static inline int stream_check_cuts(struct harness *h, struct pg_bytes in,
                                    uint8_t seed)
{
    int whole = stream_push(h, in, 0, false);

    if (in.len <= STREAM_BYTES / 4)
        stream_compare(h, whole, stream_push(h, in, 1, false));
    stream_compare(h, whole, stream_push(h, in, (uint8_t)(seed | 2), false));
    stream_compare(h, whole, stream_push(h, in, (uint8_t)(seed | 2), true));
    stream_compare(h, whole, stream_push(h, in, 0, true));
    return whole;
}

/* Longer than any timer runs, and so short that the clock, 64 bits of
   nanoseconds, lasts for ten million inputs. */
#define STREAM_REST_MS (30 * 60 * 1000)

/* Between two inputs nothing may be left in the arena. */
static inline void stream_forget(struct harness *h)
{
    harness_forget(h);
    harness_advance(h, STREAM_REST_MS);
    MUST(core->live_count == 0);
    MUST(core->arena.header->kept == 0);
    MUST(core->arena.header->queued == 0);
    MUST(core->timers.count == 0);
    stream_check_heap();
}

#endif
