/*
 * heap - blocks of memory inside the arena: a buddy allocator.
 *
 * A reference is the number of the block's first 64-byte granule, counted
 * from 1; 0 is no block. Blocks are powers of two from 64 bytes to the top
 * size; free neighbours join again, and heap_trim() gives the pages of large
 * free blocks back to the kernel.
 */
#ifndef HEAP_H
#define HEAP_H

#include "memory/arena.h"

#define HEAP_GRANULE 64u

void heap_init(struct arena *arena);
/* How many bytes the heap of a plan takes. */
uint64_t heap_rounded(const struct arena_plan *plan);

/* A block of at least `size` bytes, not zeroed. 0: the heap is full, or size
   is over the plan's `biggest`. */
uint32_t heap_alloc(struct arena *arena, size_t size);
void heap_free(struct arena *arena, uint32_t block);
/* Gives the end of a block back, so that `size` bytes remain. */
void heap_shrink(struct arena *arena, uint32_t block, size_t size);
size_t heap_size(const struct arena *arena, uint32_t block);

/* Gives the pages of free blocks back; returns how many bytes. */
uint64_t heap_trim(struct arena *arena);

static inline uint8_t *heap_at(const struct arena *arena, uint32_t block)
{
    return arena->base + arena->header->heap_at +
           (uint64_t)(block - 1) * HEAP_GRANULE;
}

#endif
