/* Messages from one worker to another, in shared memory. */

#include "workers/commons_layout.h"

#define WRAP UINT32_MAX /* in a message's len: go on at the start */

static struct ring *ring_at(const struct commons *commons, unsigned from,
                            unsigned to)
{
    const struct commons_header *header = commons->header;
    uint64_t pair = (uint64_t)from * header->workers + to;

    return (struct ring *)(commons->base + header->rings_at +
                           pair * (sizeof(struct ring) + header->ring_bytes));
}

static uint8_t *ring_data_of(struct ring *ring)
{
    return (uint8_t *)(ring + 1);
}

static uint64_t ring_room_for(uint32_t len)
{
    return (sizeof(struct message) + len + 7) / 8 * 8;
}

size_t ring_most(const struct commons *commons)
{
    return commons->header->ring_bytes / 2 - sizeof(struct message);
}

/* Finds the start of a message of `need` bytes, after a wrap if it must.
   UINT64_MAX: there is no room. */
static uint64_t ring_start_for(const struct commons *commons, struct ring *ring,
                               uint64_t head, uint64_t need)
{
    uint64_t size = commons->header->ring_bytes;
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    uint64_t offset = head % size;
    uint64_t skip = size - offset < need ? size - offset : 0;

    if (head + skip + need - tail > size)
        return UINT64_MAX;
    if (skip)
        *(uint32_t *)(ring_data_of(ring) + offset) = WRAP;
    return head + skip;
}

static bool ring_try(struct commons *commons, struct ring *ring,
                     const struct message *message, const uint8_t *bytes)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint64_t need = ring_room_for(message->len);
    uint64_t start = ring_start_for(commons, ring, head, need);
    uint8_t *to;

    if (start == UINT64_MAX)
        return false;
    to = ring_data_of(ring) + start % commons->header->ring_bytes;
    memcpy(to, message, sizeof(*message));
    if (message->len)
        memcpy(to + sizeof(*message), bytes, message->len);
    atomic_store_explicit(&ring->head, start + need, memory_order_release);
    return true;
}

bool ring_put(struct commons *commons, unsigned from, unsigned to,
              const struct message *message, const uint8_t *bytes)
{
    struct ring *ring = ring_at(commons, from, to);

    if (atomic_load(&commons->header->absent) & 1ull << to)
        return true; /* it has no sessions */
    if (ring_try(commons, ring, message, bytes))
        return true;
    /* Say that we wait, then look once more: the reader may just have made
       room before it could see that. */
    atomic_store(&ring->writer_waits, 1);
    return ring_try(commons, ring, message, bytes);
}

const struct message *ring_peek(struct commons *commons, unsigned from,
                                unsigned to)
{
    struct ring *ring = ring_at(commons, from, to);
    uint64_t size = commons->header->ring_bytes;
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    const struct message *message;

    if (tail == head)
        return NULL;
    message = (const struct message *)(ring_data_of(ring) + tail % size);
    if (message->len != WRAP)
        return message;
    tail += size - tail % size;
    atomic_store_explicit(&ring->tail, tail, memory_order_release);
    return tail == head
               ? NULL
               : (const struct message *)(ring_data_of(ring) + tail % size);
}

bool ring_next(struct commons *commons, unsigned from, unsigned to)
{
    struct ring *ring = ring_at(commons, from, to);
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    const struct message *message =
        (const struct message *)(ring_data_of(ring) +
                                 tail % commons->header->ring_bytes);

    atomic_store(&ring->tail, tail + ring_room_for(message->len));
    return atomic_exchange(&ring->writer_waits, 0);
}

void ring_drain(struct commons *commons, unsigned to)
{
    for (unsigned from = 0; from < commons->header->workers; from++) {
        struct ring *ring = ring_at(commons, from, to);

        atomic_store(&ring->tail, atomic_load(&ring->head));
        atomic_store(&ring->writer_waits, 0);
    }
}
