/*
 * stage - where output is copied to: blocks of the heap, each shared by all
 * who are sent what is in it.
 */
#ifndef STAGE_H
#define STAGE_H

#include "memory/heap.h"
#include "state/state.h"

/* Some bytes in the arena: of a heap block, or of the read buffer when block is
   0. `offset` counts from the block's start. */
struct range {
    uint32_t block, offset, len;
};

/* A heap block, counted by the pieces (and the stage) that use it; data
   follows. */
struct block {
    uint32_t refs;
    uint32_t used;    /* bytes, with this header */
    uint32_t counted; /* heap bytes that share_queue() was told of */
};

static inline struct block *block_at(uint32_t block)
{
    return (struct block *)heap_at(&core->arena, block);
}

static inline const uint8_t *range_data(const struct range *range)
{
    if (range->block)
        return heap_at(&core->arena, range->block) + range->offset;
    return core->arena.base + core->arena.header->read_at + range->offset;
}

/* A block with room for so many bytes; 0: the heap is full. */
uint32_t block_make(size_t bytes);
/* From now on messages wait in this block: it counts until it is released. */
void block_count(uint32_t block);
void block_free(uint32_t block);
/* One use of a block less; 0: nothing. */
static inline void block_release(uint32_t block)
{
    if (block && --block_at(block)->refs == 0)
        block_free(block);
}

/* Copies bytes into a stage, behind what it has if there is room. False: the
   heap is full. */
bool stage_copy(uint32_t *stage, struct pg_bytes bytes, struct range *range);
/* The stages may be used again from their start, if nobody needs them. */
void stage_reuse_all(void);

#endif
