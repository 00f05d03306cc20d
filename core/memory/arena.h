/*
 * arena - the memory of one worker that outlives its process.
 *
 * A memfd, mapped shared: header, counters, read buffer, session table, heap.
 * It holds offsets and indices, never pointers, so that another process can
 * map it at another address and go on. The address space is mapped whole at
 * the start and nothing ever moves; the kernel makes pages as they are
 * touched. What can be rebuilt (libuv handles, hash tables) lives outside.
 */
#ifndef ARENA_H
#define ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_MAGIC    0x32616e6572416750ull /* "PgArena2" */
#define ARENA_ORDERS   26 /* heap blocks of 64 B << order; see frame_bytes */
#define ARENA_COUNTERS 1024

#define ARENA_PAGE      4096u
#define ARENA_HEADROOM  (64u * 1024)               /* before the read buffer */
#define ARENA_READ_SIZE (4u * 1024 * 1024 + 65536) /* the read buffer */

/* One read of a stream takes so much of the read buffer. */
#define ARENA_READ_BYTES (64u * 1024)

/* The needs that an arena is made for. */
struct arena_plan {
    uint32_t sessions; /* slots in the table */
    uint32_t stride;   /* bytes a slot: session, ctx slots, states */
    uint64_t heap;     /* bytes */
    uint32_t biggest;  /* the largest heap block that will be asked for */
};

struct counter {
    uint64_t value;
    uint16_t owner; /* an entry's id, or COUNTER_LISTENER | listener's id */
    char name[54];  /* "" while unused */
};

#define ARENA_LISTENERS 64

/* A broadcast that is not in the queues yet, see broadcast.c. */
struct gathered {
    uint64_t except;      /* the sender's session */
    uint32_t stage;       /* the block that the listener's broadcasts go to */
    uint32_t block;       /* 0: nothing is gathered */
    uint32_t offset, len; /* in the block */
    uint32_t size;        /* of a message */
    uint16_t slow, place; /* enum pg_slow; the sending entry's, in the chain */
    uint32_t part;        /* of a group, + 1; 0: for all */
};

struct arena_header {
    uint64_t magic;
    uint64_t size; /* of the whole file */
    struct arena_plan plan;
    uint64_t counters_at, read_at, sessions_at, map_at, heap_at;

    uint32_t counters_used; /* counter.c */

    /* session.c */
    uint32_t free_slot;  /* slot + 1, linked through next_free; 0: none */
    uint32_t used_slots; /* slots ever used: those above are zero */
    uint32_t count;      /* sessions now */

    /* heap.c; references count 64-byte granules from 1, 0 is none */
    uint32_t free_block[ARENA_ORDERS];
    uint32_t top_order; /* of the largest blocks */
    uint32_t top_used;  /* how many of those were ever made */
    uint64_t heap_used; /* bytes in blocks handed out */

    /* queue.c */
    uint32_t free_piece;
    uint32_t stage;        /* the block that output is staged in; 0: none */
    uint64_t queued;       /* bytes waiting for all peers */
    uint64_t queue_blocks; /* bytes of the heap blocks in which they wait */
    struct gathered gathered[ARENA_LISTENERS]; /* by listener */
    uint64_t kept; /* bytes of the heap blocks of pg_keep() and pg_later() */

    uint32_t first_later; /* later.c */

    /* The entry that runs now, its id + 1: read by the guard that finds us
     * dead.
     */
    uint32_t running;
};

struct arena {
    struct arena_header *header;
    uint8_t *base;
    int fd;
};

/* Lays out a new arena in `fd` (a memfd; -1: makes one). 0 or -errno. */
int arena_create(struct arena *arena, int fd, const struct arena_plan *plan);
/* Maps one that exists. -EINVAL: it is none. */
int arena_attach(struct arena *arena, int fd);
/* Unmaps it; the memfd is closed. */
void arena_finish(struct arena *arena);

static inline uint8_t *arena_read_buffer(const struct arena *arena)
{
    return arena->base + arena->header->read_at + ARENA_HEADROOM;
}

static inline void *arena_slot(const struct arena *arena, uint32_t slot)
{
    return arena->base + arena->header->sessions_at +
           (uint64_t)slot * arena->header->plan.stride;
}

/* In sanitizer builds memory that is nobody's is poisoned. */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define arena_poison(address, len)   ASAN_POISON_MEMORY_REGION(address, len)
#define arena_unpoison(address, len) ASAN_UNPOISON_MEMORY_REGION(address, len)
#define ARENA_GAP                    16 /* bytes around each state block */
#else
#define arena_poison(address, len)   ((void)(address), (void)(len))
#define arena_unpoison(address, len) ((void)(address), (void)(len))
#define ARENA_GAP                    0
#endif

#endif
