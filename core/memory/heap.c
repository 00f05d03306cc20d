/* A buddy allocator inside the arena. */

#include "memory/heap.h"

#include <fcntl.h>

/* A granule's byte in the map, where a block starts: its order and whether it
   is free, and then whether its pages were given back. */
#define ORDER_MASK 0x1f
#define IS_USED    0x20
#define IS_FREE    0x40
#define IS_CLEAN   0x80

#define TRIM_ORDER 10 /* 64 KiB: smaller free blocks keep their pages */

/* Free blocks of one order are a list; this is the start of each. */
struct free_block {
    uint32_t next, previous;
};

static uint8_t *heap_map_at(const struct arena *arena, uint32_t block)
{
    return arena->base + arena->header->map_at + (block - 1);
}

static struct free_block *heap_links(const struct arena *arena, uint32_t block)
{
    return (struct free_block *)heap_at(arena, block);
}

static unsigned heap_order_for(size_t size)
{
    unsigned order = 0;

    while (((size_t)HEAP_GRANULE << order) < size)
        order++;
    return order;
}

uint64_t heap_rounded(const struct arena_plan *plan)
{
    uint64_t top = (uint64_t)HEAP_GRANULE << heap_order_for(plan->biggest);

    return (plan->heap + top - 1) / top * top;
}

/* The next block of the largest size, which nobody has yet, is always poisoned,
   and those behind it are not: a sanitizer needs memory of its own to poison a
   whole arena, and a second to write it. */
static void heap_poison_next_top(struct arena *arena)
{
    const struct arena_header *header = arena->header;
    uint64_t size = (uint64_t)HEAP_GRANULE << header->top_order;
    uint64_t next = header->top_used * size;

    if (next < header->plan.heap)
        arena_poison(arena->base + header->heap_at + next, size);
}

void heap_init(struct arena *arena)
{
    struct arena_header *header = arena->header;

    header->top_order = heap_order_for(header->plan.biggest);
    heap_poison_next_top(arena);
}

static void heap_list_add(struct arena *arena, uint32_t block, unsigned order,
                          uint8_t clean)
{
    uint32_t *head = &arena->header->free_block[order];

    arena_unpoison(heap_links(arena, block), sizeof(struct free_block));
    *heap_links(arena, block) = (struct free_block){.next = *head};
    if (*head)
        heap_links(arena, *head)->previous = block;
    *head = block;
    *heap_map_at(arena, block) = (uint8_t)(IS_FREE | clean | order);
}

static void heap_list_remove(struct arena *arena, uint32_t block,
                             unsigned order)
{
    struct free_block links = *heap_links(arena, block);

    if (links.previous)
        heap_links(arena, links.previous)->next = links.next;
    else
        arena->header->free_block[order] = links.next;
    if (links.next)
        heap_links(arena, links.next)->previous = links.previous;
    *heap_map_at(arena, block) = 0;
}

/* The next block of the largest size that nobody has had yet. */
static uint32_t heap_take_top(struct arena *arena)
{
    struct arena_header *header = arena->header;
    uint64_t size = (uint64_t)HEAP_GRANULE << header->top_order;
    uint32_t granules = 1u << header->top_order;

    if ((header->top_used + 1) * size > header->plan.heap)
        return 0;
    header->top_used++;
    heap_poison_next_top(arena);
    return (header->top_used - 1) * granules + 1;
}

uint32_t heap_alloc(struct arena *arena, size_t size)
{
    struct arena_header *header = arena->header;
    unsigned wanted = heap_order_for(size), order = wanted;
    uint32_t block;

    if (wanted > header->top_order)
        return 0;
    while (order < header->top_order && !header->free_block[order])
        order++;
    block = header->free_block[order];
    if (block)
        heap_list_remove(arena, block, order);
    else if (!(block = heap_take_top(arena)))
        return 0;
    for (; order > wanted; order--)
        heap_list_add(arena, block + (1u << (order - 1)), order - 1, 0);
    *heap_map_at(arena, block) = (uint8_t)(IS_USED | wanted);
    header->heap_used += (uint64_t)HEAP_GRANULE << wanted;
    arena_unpoison(heap_at(arena, block), (size_t)HEAP_GRANULE << wanted);
    return block;
}

static uint32_t heap_buddy_of(uint32_t block, unsigned order)
{
    return ((block - 1) ^ (1u << order)) + 1;
}

/* Puts a block on its list, joined with its free neighbours. */
static void heap_give_back(struct arena *arena, uint32_t block, unsigned order)
{
    arena_poison(heap_at(arena, block), (size_t)HEAP_GRANULE << order);
    *heap_map_at(arena, block) = 0;
    for (; order < arena->header->top_order; order++) {
        uint32_t buddy = heap_buddy_of(block, order);

        if ((*heap_map_at(arena, buddy) & ~IS_CLEAN) != (IS_FREE | order))
            break;
        heap_list_remove(arena, buddy, order);
        arena_poison(heap_links(arena, buddy), sizeof(struct free_block));
        if (buddy < block)
            block = buddy;
    }
    heap_list_add(arena, block, order, 0);
}

void heap_free(struct arena *arena, uint32_t block)
{
    unsigned order = *heap_map_at(arena, block) & ORDER_MASK;

    arena->header->heap_used -= (uint64_t)HEAP_GRANULE << order;
    heap_give_back(arena, block, order);
}

void heap_shrink(struct arena *arena, uint32_t block, size_t size)
{
    unsigned order = *heap_map_at(arena, block) & ORDER_MASK;
    unsigned wanted = heap_order_for(size);

    while (order > wanted) {
        order--;
        arena->header->heap_used -= (uint64_t)HEAP_GRANULE << order;
        *heap_map_at(arena, block) = (uint8_t)(IS_USED | order);
        heap_give_back(arena, block + (1u << order), order);
    }
}

size_t heap_size(const struct arena *arena, uint32_t block)
{
    return (size_t)HEAP_GRANULE << (*heap_map_at(arena, block) & ORDER_MASK);
}

/* All pages but the first, which holds the list's links. */
static uint64_t heap_punch(struct arena *arena, uint32_t block, unsigned order)
{
    uint64_t offset = (uint64_t)(heap_at(arena, block) - arena->base);
    uint64_t len = ((uint64_t)HEAP_GRANULE << order) - ARENA_PAGE;

    if (fallocate(arena->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  (off_t)(offset + ARENA_PAGE), (off_t)len))
        return 0;
    *heap_map_at(arena, block) |= IS_CLEAN;
    return len;
}

uint64_t heap_trim(struct arena *arena)
{
    uint64_t bytes = 0;

    for (unsigned order = TRIM_ORDER; order <= arena->header->top_order;
         order++) {
        uint32_t block = arena->header->free_block[order];

        for (; block; block = heap_links(arena, block)->next)
            if (!(*heap_map_at(arena, block) & IS_CLEAN))
                bytes += heap_punch(arena, block, order);
    }
    return bytes;
}
