/*
 * commons_layout - how the files of this folder see the shared memory.
 */
#ifndef COMMONS_LAYOUT_H
#define COMMONS_LAYOUT_H

#include <pthread.h>

#include "workers/commons.h"

#define COMMONS_MAGIC    0x326e6d436d6f4350ull /* "PComCmn2" */
#define RING_BYTES_LEAST (1u << 20)

struct claim {
    struct claim_owner owner;
    uint32_t next;         /* in its bucket, or on the free list; place + 1 */
    uint32_t older, newer; /* all claims in the order they were made */
    char key[PG_KEY_BYTES + 1], shown[PG_KEY_BYTES + 1];
    bool is_taken;
};

/* What one listener of one worker has of a group. A group's parts are in one
   bucket; one without members is free. */
struct group_part {
    uint32_t next;           /* in its bucket, or on the free list; place + 1 */
    uint32_t oldest, newest; /* members in the order they joined; place + 1 */
    uint32_t count;
    uint16_t entry, worker, listener;
    char name[PG_KEY_BYTES + 1];
};

struct member {
    uint64_t number;       /* the session's */
    uint64_t joined;       /* counts up: who joined before whom */
    uint32_t slot;         /* the session's */
    uint32_t claim;        /* its key; place + 1, 0: none */
    uint32_t part;         /* place */
    uint32_t older, newer; /* in that part; place + 1 */
    uint32_t next;         /* in its session's bucket, or on the free list */
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
    uint32_t member_count; /* and of parts of groups */
    uint64_t buckets_at, claims_at, rings_at;
    uint64_t group_buckets_at, session_buckets_at, parts_at, members_at;
    _Atomic uint64_t numbers;
    _Atomic uint64_t absent;   /* workers that have died, a bit each */
    _Atomic uint64_t steps[2]; /* by enum commons_step, a bit a worker */
    _Atomic int64_t sessions[WORKERS_MAX];
    _Atomic int64_t peers[WORKERS_MAX];     /* whose place others may have */
    _Atomic int64_t displaced[WORKERS_MAX]; /* how many of them are to go */
    struct turns turns[WORKERS_MAX];

    /* Under the lock: claim.c, member.c */
    pthread_mutex_t lock;
    uint32_t free_claim, used_claims, oldest, newest;
    uint32_t free_part, used_parts, free_member, used_members;
    uint64_t joins; /* so far */
};

struct commons {
    uint8_t *base;
    struct commons_header *header;
    int fd;
};

/* Nobody reads what is in the rings to a worker. */
void ring_drain(struct commons *commons, unsigned to);

/* ---- the lock, commons_lock.c ------------------------------------------- */

/* 0 or an errno. */
int commons_lock_init(struct commons *commons);
void commons_lock(struct commons *commons);
void commons_unlock(struct commons *commons);

/* ---- under the lock ----------------------------------------------------- */

/* A worker that died with the lock was between two lines: at worst something is
   linked in one list and not in the other. Links all anew. */
void claim_rebuild(struct commons *commons);
void member_rebuild(struct commons *commons);
/* Takes away all of a worker's. */
void claim_purge(struct commons *commons, unsigned worker);
void member_purge(struct commons *commons, unsigned worker);
/* The claim at a place, if that session has it; else NULL. */
const struct claim *claim_of(const struct commons *commons, uint32_t place,
                             uint64_t number);
/* Copies a text with its NUL to `out` + `offset` unless `out` is NULL; returns
   how many bytes it takes. */
size_t claim_copy(char *out, size_t offset, const char *text);

#endif
