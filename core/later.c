#include "later.h"

#include <errno.h>
#include <string.h>

#include "heap.h"

struct later *later_at(uint32_t block)
{
    return (struct later *)heap_at(&core->arena, block);
}

struct pg_bytes later_bytes(const struct later *later)
{
    return pg_bytes(later + 1, later->len);
}

static bool is_over_total(size_t len)
{
    return core->arena.header->kept + len >
           (uint64_t)core->config->limits.kept_bytes_total / core->workers;
}

int later_add(const struct pg_ctx *ctx, uint32_t ms, struct pg_bytes bytes)
{
    struct pg_session *session = ctx->session;
    uint32_t block;

    if (is_over_total(bytes.len))
        return -ENOBUFS;
    block = heap_alloc(&core->arena, sizeof(struct later) + bytes.len);
    if (!block)
        return -ENOBUFS;
    *later_at(block) = (struct later){
        .number = session->number,
        .slot = session->slot,
        .len = (uint32_t)bytes.len,
        .at = (uint16_t)ctx->at,
        .direction = (uint16_t)ctx->direction,
    };
    if (bytes.len)
        memcpy(later_at(block) + 1, bytes.data, bytes.len);
    core->arena.header->kept += bytes.len;
    if (timer_add(core->now_ms + ms, session->slot, session->number,
                  TIMER_LATER, block)) {
        later_free(block);
        return -ENOBUFS;
    }
    session->timed++;
    return 0;
}

void later_free(uint32_t block)
{
    core->arena.header->kept -= later_at(block)->len;
    heap_free(&core->arena, block);
}
