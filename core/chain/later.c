#include "chain/later.h"

#include <errno.h>
#include <string.h>

#include "memory/heap.h"

struct later *later_at(uint32_t block)
{
    return (struct later *)heap_at(&core->arena, block);
}

struct pg_bytes later_bytes(const struct later *later)
{
    return pg_bytes(later + 1, later->len);
}

static bool later_is_over_total(size_t len)
{
    return core->arena.header->kept + len >
           (uint64_t)core->config->limits.kept_bytes_total / core->workers;
}

static void later_link_in(uint32_t block)
{
    uint32_t *first = &core->arena.header->first_later;

    later_at(block)->next = *first;
    if (*first)
        later_at(*first)->previous = block;
    *first = block;
}

static void later_link_out(uint32_t block)
{
    const struct later *later = later_at(block);

    if (later->previous)
        later_at(later->previous)->next = later->next;
    else
        core->arena.header->first_later = later->next;
    if (later->next)
        later_at(later->next)->previous = later->previous;
}

static int later_arm(uint32_t block)
{
    const struct later *later = later_at(block);

    return timer_add(later->due_ms, later->slot, later->number, TIMER_LATER,
                     block);
}

int later_add(const struct pg_ctx *ctx, uint32_t ms, struct pg_bytes bytes)
{
    struct pg_session *session = ctx->session;
    uint32_t block;

    if (later_is_over_total(bytes.len))
        return -ENOBUFS;
    block = heap_alloc(&core->arena, sizeof(struct later) + bytes.len);
    if (!block)
        return -ENOBUFS;
    *later_at(block) = (struct later){
        .number = session->number,
        .due_ms = core_now_ms() + ms,
        .slot = session->slot,
        .len = (uint32_t)bytes.len,
        .at = (uint16_t)ctx->at,
        .direction = (uint16_t)ctx->direction,
        .entry = (uint16_t)ctx->entry->id,
    };
    if (bytes.len)
        memcpy(later_at(block) + 1, bytes.data, bytes.len);
    core->arena.header->kept += bytes.len;
    later_link_in(block);
    if (later_arm(block)) {
        later_free(block);
        return -ENOBUFS;
    }
    session_later_begins(session, ctx->at, ctx->direction == CHAIN_OUT,
                         (uint32_t)bytes.len);
    return 0;
}

void later_free(uint32_t block)
{
    core->arena.header->kept -= later_at(block)->len;
    later_link_out(block);
    heap_free(&core->arena, block);
}

/* The list has the newest first; what is due at once comes in the order it
   was given, so the oldest is armed first. */
int later_rearm(void)
{
    uint32_t block = core->arena.header->first_later;

    while (block && later_at(block)->next)
        block = later_at(block)->next;
    for (; block; block = later_at(block)->previous)
        if (later_arm(block))
            return -ENOMEM;
    return 0;
}
