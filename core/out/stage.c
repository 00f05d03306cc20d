/* Blocks of the heap that output is copied to, once for all who get it. */

#include "out/stage.h"

#include <string.h>

#include "state/share.h"

#define STAGE_BYTES (64u * 1024)

/* ---- blocks ----------------------------------------------------------- */

void block_free(uint32_t block)
{
    uint32_t counted = block_at(block)->counted;

    heap_free(&core->arena, block);
    if (counted)
        share_queue(-(int64_t)counted);
}

void block_count(uint32_t block)
{
    uint32_t size = (uint32_t)heap_size(&core->arena, block);

    block_at(block)->counted = size;
    share_queue(size);
}

uint32_t block_make(size_t bytes)
{
    uint32_t block = heap_alloc(&core->arena, sizeof(struct block) + bytes);

    if (block)
        *block_at(block) =
            (struct block){.refs = 1, .used = sizeof(struct block)};
    return block;
}

/* The stage is given up to the pieces that use it. */
static void stage_retire(uint32_t *stage)
{
    if (!*stage)
        return;
    if (block_at(*stage)->refs > 1) {
        heap_shrink(&core->arena, *stage, block_at(*stage)->used);
        block_count(*stage);
    }
    block_release(*stage);
    *stage = 0;
}

/* The queues of peers that do not read cut the heap into pieces; then a smaller
   stage has to do. */
static uint32_t stage_make(size_t least)
{
    size_t size = STAGE_BYTES - sizeof(struct block);
    uint32_t block;

    if (size < least)
        size = least;
    while (!(block = block_make(size)) && size > least)
        size = size / 2 > least ? size / 2 : least;
    return block;
}

static bool stage_room(uint32_t *stage, size_t len)
{
    if (*stage &&
        heap_size(&core->arena, *stage) - block_at(*stage)->used >= len)
        return true;
    stage_retire(stage);
    *stage = stage_make(len);
    return *stage != 0;
}

bool stage_copy(uint32_t *stage, struct pg_bytes bytes, struct range *range)
{
    struct block *block;

    if (!stage_room(stage, bytes.len))
        return false;
    core->has_staged = true;
    block = block_at(*stage);
    *range = (struct range){
        .block = *stage, .offset = block->used, .len = (uint32_t)bytes.len};
    if (bytes.len)
        memcpy((uint8_t *)block + block->used, bytes.data, bytes.len);
    block->used += (uint32_t)bytes.len;
    return true;
}

static void stage_reuse(uint32_t *stage)
{
    if (block_at(*stage)->refs == 1)
        block_at(*stage)->used = sizeof(struct block);
    else
        stage_retire(stage);
}

void stage_reuse_all(void)
{
    struct arena_header *header = core->arena.header;
    unsigned count = core->config->listener_count;

    core->has_staged = false;
    if (header->stage)
        stage_reuse(&header->stage);
    for (unsigned i = 0; i < count; i++)
        if (header->gathered[i].stage)
            stage_reuse(&header->gathered[i].stage);
}
