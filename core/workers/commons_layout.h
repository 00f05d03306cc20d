/*
 * commons_layout - how commons.c, claim.c and ring.c see the shared memory.
 */
#ifndef COMMONS_LAYOUT_H
#define COMMONS_LAYOUT_H

#include <pthread.h>

#include "workers/commons.h"

#define COMMONS_MAGIC    0x316e6d436d6f4350ull /* "PComCmn1" */
#define RING_BYTES_LEAST (1u << 20)

struct claim {
    struct claim_owner owner;
    uint32_t next;         /* in its bucket, or on the free list; place + 1 */
    uint32_t older, newer; /* all claims in the order they were made */
    char key[PG_KEY_BYTES + 1], shown[PG_KEY_BYTES + 1];
    bool is_taken;
};

struct ring {
    _Atomic uint64_t head; /* bytes ever written; the writer's */
    char pad1[56];
    _Atomic uint64_t tail; /* bytes ever read; the reader's */
    char pad2[56];
    _Atomic uint32_t writer_waits;
    char pad3[60];
};

/* A cache line each, because it is written in every turn. */
struct turns {
    _Atomic uint32_t count;
    char pad[60];
};

struct commons_header {
    uint64_t magic, size;
    uint32_t workers, claim_count, bucket_count;
    uint64_t ring_bytes;
    uint64_t buckets_at, claims_at, rings_at;
    _Atomic uint64_t numbers;
    _Atomic uint64_t absent;   /* workers that have died, a bit each */
    _Atomic uint64_t steps[2]; /* by enum commons_step, a bit a worker */
    _Atomic int64_t sessions[WORKERS_MAX];
    _Atomic int64_t peers[WORKERS_MAX];     /* whose place others may have */
    _Atomic int64_t displaced[WORKERS_MAX]; /* how many of them are to go */
    struct turns turns[WORKERS_MAX];

    /* claim.c; under the lock */
    pthread_mutex_t lock;
    uint32_t free_claim, used_claims, oldest, newest;
};

struct commons {
    uint8_t *base;
    struct commons_header *header;
    int fd;
};

/* Nobody reads what is in the rings to a worker. */
void ring_drain(struct commons *commons, unsigned to);
/* Releases all claims of a worker. */
void claim_purge(struct commons *commons, unsigned worker);

#endif
