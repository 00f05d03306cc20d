/* The unfinished end of what came, until the rest comes. */

#include "chain/keep.h"

#include <string.h>

#include "memory/heap.h"
#include "state/share.h"

#define KEEP_NO_ROOM "no room for an unfinished message"

static uint8_t *keep_kept_data(const struct ctx_slot *slot)
{
    return heap_at(&core->arena, slot->kept) + slot->kept_at;
}

/* ---- its block --------------------------------------------------------- */

static uint32_t keep_alloc(struct pg_session *session, size_t size)
{
    uint32_t block = heap_alloc(&core->arena, size);

    if (block)
        share_keep(session, (int64_t)heap_size(&core->arena, block));
    return block;
}

static void keep_free(struct pg_session *session, struct ctx_slot *slot)
{
    if (!slot->kept)
        return;
    share_keep(session, -(int64_t)heap_size(&core->arena, slot->kept));
    heap_free(&core->arena, slot->kept);
    slot->kept = slot->kept_at = 0;
}

/* Heap bytes that a block for so much needs beyond the one that is there. */
static size_t keep_more(const struct ctx_slot *slot, size_t len)
{
    size_t size = slot->kept ? heap_size(&core->arena, slot->kept) : 0;

    return len > size ? len - size : 0;
}

/* ---- asking, dropping -------------------------------------------------- */

struct pg_bytes keep_get(const struct pg_session *session, unsigned place)
{
    const struct ctx_slot *slot = session_ctx(session, place);

    if (!slot->kept)
        return pg_bytes(NULL, 0);
    return pg_bytes(keep_kept_data(slot), slot->kept_len);
}

void keep_drop(struct pg_session *session, unsigned place)
{
    struct ctx_slot *slot = session_ctx(session, place);

    if (!slot->kept)
        return;
    keep_free(session, slot);
    slot->kept_len = 0;
    slot->is_held = false;
    session->keeping &= ~(1ull << place);
}

/* ---- what is kept and what comes, in one piece -------------------------- */

/* A block with room for `size`, with the kept bytes at its start. */
static bool keep_move(struct pg_session *session, struct ctx_slot *slot,
                      size_t size)
{
    uint32_t block = keep_alloc(session, size);

    if (!block)
        return false;
    if (slot->kept)
        memcpy(heap_at(&core->arena, block), keep_kept_data(slot),
               slot->kept_len);
    keep_free(session, slot);
    slot->kept = block;
    return true;
}

/* Twice what is needed, so that what comes byte by byte is not moved each
   time; if there is no room for that, just what is needed. */
static bool keep_grow(struct pg_session *session, struct ctx_slot *slot,
                      size_t size)
{
    if (share_has_room_to_keep(session, keep_more(slot, 2 * size)))
        size *= 2;
    return share_has_room_to_keep(session, keep_more(slot, size)) &&
           keep_move(session, slot, size);
}

static bool keep_make_room(struct pg_session *session, struct ctx_slot *slot,
                           size_t more)
{
    size_t size = heap_size(&core->arena, slot->kept);

    if (slot->kept_at + slot->kept_len + more <= size)
        return true;
    if (slot->kept_len + more > size || slot->kept_at < slot->kept_len)
        return keep_grow(session, slot, slot->kept_len + more);
    memmove(heap_at(&core->arena, slot->kept), keep_kept_data(slot),
            slot->kept_len);
    slot->kept_at = 0;
    return true;
}

/* Before the first entry the read buffer has room in front: few kept bytes
   go there instead of many new ones to them. */
static bool keep_fits_in_front(const struct ctx_slot *slot, unsigned place,
                               const struct pg_bytes *in)
{
    return place == 0 && in->data == arena_read_buffer(&core->arena) &&
           slot->kept_len <= in->len && slot->kept_len <= ARENA_HEADROOM;
}

const char *keep_join(struct pg_session *session, unsigned place,
                      struct pg_bytes *in)
{
    struct ctx_slot *slot = session_ctx(session, place);

    if (!slot->kept)
        return NULL;
    if (keep_fits_in_front(slot, place, in)) {
        uint8_t *start = (uint8_t *)(uintptr_t)in->data - slot->kept_len;

        memcpy(start, keep_kept_data(slot), slot->kept_len);
        *in = pg_bytes(start, slot->kept_len + in->len);
        return NULL;
    }
    if (!keep_make_room(session, slot, in->len))
        return KEEP_NO_ROOM;
    if (in->len)
        memcpy(keep_kept_data(slot) + slot->kept_len, in->data, in->len);
    slot->kept_len += (uint32_t)in->len;
    *in = pg_bytes(keep_kept_data(slot), slot->kept_len);
    return NULL;
}

static bool keep_is_inside(const struct ctx_slot *slot, const uint8_t *data)
{
    const uint8_t *block;

    if (!slot->kept)
        return false;
    block = heap_at(&core->arena, slot->kept);
    return data >= block && data < block + heap_size(&core->arena, slot->kept);
}

/* A little of a large block moves to a small one. */
static void keep_trim(struct pg_session *session, struct ctx_slot *slot)
{
    size_t size = heap_size(&core->arena, slot->kept);

    if (size > ARENA_PAGE && slot->kept_len < size / 8)
        keep_move(session, slot, slot->kept_len);
}

static bool keep_copy_in(struct pg_session *session, struct ctx_slot *slot,
                         struct pg_bytes tail)
{
    if (keep_more(slot, tail.len))
        keep_free(session, slot);
    if (!slot->kept)
        slot->kept = keep_alloc(session, tail.len);
    slot->kept_at = slot->kept_len = 0;
    if (!slot->kept)
        return false;
    slot->kept_len = (uint32_t)tail.len;
    memcpy(heap_at(&core->arena, slot->kept), tail.data, tail.len);
    return true;
}

size_t keep_most(void)
{
    return (size_t)core->config->limits.frame_bytes + core->read_most;
}

const char *keep_set(struct pg_session *session, unsigned place,
                     struct pg_bytes tail)
{
    struct ctx_slot *slot = session_ctx(session, place);

    if (tail.len == 0) {
        keep_drop(session, place);
        return NULL;
    }
    if (tail.len > keep_most() ||
        !share_has_room_to_keep(session, keep_more(slot, tail.len)))
        return "too much unfinished input";
    if (keep_is_inside(slot, tail.data)) {
        slot->kept_at =
            (uint32_t)(tail.data - heap_at(&core->arena, slot->kept));
        slot->kept_len = (uint32_t)tail.len;
    } else {
        session->keeping |= 1ull << place;
        if (!keep_copy_in(session, slot, tail))
            return KEEP_NO_ROOM;
    }
    keep_trim(session, slot);
    return NULL;
}
