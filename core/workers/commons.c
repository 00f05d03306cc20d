/* The memory that the workers of a server share. */

#include "workers/commons.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory/arena.h"
#include "workers/commons_layout.h"

/* Sets `count` things of `bytes` apart, on pages of their own: where they
   begin. */
static uint64_t commons_put(uint64_t *end, uint64_t count, size_t bytes)
{
    uint64_t here = *end;

    *end += (count * bytes + ARENA_PAGE - 1) / ARENA_PAGE * ARENA_PAGE;
    return here;
}

static struct commons *commons_map(int fd, uint64_t size)
{
    struct commons *commons = calloc(1, sizeof(*commons));
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_NORESERVE, fd, 0);

    if (!commons || base == MAP_FAILED) {
        if (base != MAP_FAILED)
            munmap(base, size);
        free(commons);
        errno = ENOMEM;
        return NULL;
    }
    commons->base = base;
    commons->header = base;
    commons->fd = fd;
    return commons;
}

static void commons_set_counts(struct commons_header *header,
                               const struct commons_plan *plan)
{
    header->workers = plan->workers;
    header->claim_count = plan->claims;
    header->member_count = plan->members;
    header->bucket_count = 64;
    while (header->bucket_count < plan->claims)
        header->bucket_count *= 2;
    header->ring_bytes = RING_BYTES_LEAST;
    while (header->ring_bytes < 4 * plan->message_bytes)
        header->ring_bytes *= 2;
}

/* Address space: only what is used takes memory. */
static struct commons_header commons_lay_out(const struct commons_plan *plan)
{
    struct commons_header header = {.magic = COMMONS_MAGIC};
    uint64_t end = 0, pairs = (uint64_t)plan->workers * plan->workers;

    commons_set_counts(&header, plan);
    commons_put(&end, 1, sizeof(header));
    header.buckets_at =
        commons_put(&end, header.bucket_count, sizeof(uint32_t));
    header.group_buckets_at =
        commons_put(&end, header.bucket_count, sizeof(uint32_t));
    header.session_buckets_at =
        commons_put(&end, header.bucket_count, sizeof(uint32_t));
    header.claims_at = commons_put(&end, plan->claims, sizeof(struct claim));
    header.parts_at =
        commons_put(&end, plan->members, sizeof(struct group_part));
    header.members_at = commons_put(&end, plan->members, sizeof(struct member));
    header.rings_at =
        commons_put(&end, pairs, sizeof(struct ring) + header.ring_bytes);
    header.size = end;
    return header;
}

struct commons *commons_create(int fd, const struct commons_plan *plan)
{
    struct commons_header header = commons_lay_out(plan);
    struct commons *commons;
    bool is_ours = fd < 0;

    if (is_ours)
        fd = memfd_create("playground-commons", MFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (ftruncate(fd, (off_t)header.size) ||
        !(commons = commons_map(fd, header.size))) {
        if (is_ours)
            close(fd);
        return NULL;
    }
    *commons->header = header;
    errno = commons_lock_init(commons);
    if (errno) {
        commons_destroy(commons);
        return NULL;
    }
    return commons;
}

struct commons *commons_attach(int fd)
{
    struct commons_header header;
    struct stat status;

    if (fstat(fd, &status))
        return NULL;
    if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
        header.magic != COMMONS_MAGIC ||
        header.size != (uint64_t)status.st_size) {
        errno = EINVAL;
        return NULL;
    }
    return commons_map(fd, header.size);
}

void commons_destroy(struct commons *commons)
{
    if (!commons)
        return;
    close(commons->fd);
    munmap(commons->base, commons->header->size);
    free(commons);
}

int commons_fd(const struct commons *commons)
{
    return commons->fd;
}

unsigned commons_workers(const struct commons *commons)
{
    return commons->header->workers;
}

uint64_t commons_next_number(struct commons *commons)
{
    return 1 + atomic_fetch_add_explicit(&commons->header->numbers, 1,
                                         memory_order_relaxed);
}

bool commons_session_add(struct commons *commons, unsigned worker, int64_t most)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < commons->header->workers; i++)
        sum += atomic_load_explicit(&commons->header->sessions[i],
                                    memory_order_relaxed);
    if (sum >= most)
        return false;
    atomic_fetch_add_explicit(&commons->header->sessions[worker], 1,
                              memory_order_relaxed);
    return true;
}

void commons_session_remove(struct commons *commons, unsigned worker)
{
    atomic_fetch_sub_explicit(&commons->header->sessions[worker], 1,
                              memory_order_relaxed);
}

bool commons_is_ahead(const struct commons *commons, unsigned worker)
{
    const struct commons_header *header = commons->header;
    int64_t own =
        atomic_load_explicit(&header->sessions[worker], memory_order_relaxed);
    int64_t least = own;
    uint64_t absent = atomic_load(&header->absent);

    for (unsigned i = 0; i < header->workers; i++) {
        int64_t one =
            atomic_load_explicit(&header->sessions[i], memory_order_relaxed);

        if (!(absent >> i & 1) && one < least)
            least = one;
    }
    return own > least + least / 8;
}

void commons_peer_add(struct commons *commons, unsigned worker)
{
    atomic_fetch_add_explicit(&commons->header->peers[worker], 1,
                              memory_order_relaxed);
}

void commons_peer_remove(struct commons *commons, unsigned worker)
{
    atomic_fetch_sub_explicit(&commons->header->peers[worker], 1,
                              memory_order_relaxed);
}

int commons_session_displace(struct commons *commons, unsigned worker)
{
    struct commons_header *header = commons->header;

    for (unsigned i = 0; i < header->workers; i++) {
        if (i == worker || atomic_load(&header->displaced[i]) >=
                               atomic_load(&header->peers[i]))
            continue;
        atomic_fetch_add(&header->displaced[i], 1);
        atomic_fetch_add_explicit(&header->sessions[worker], 1,
                                  memory_order_relaxed);
        return (int)i;
    }
    return -1;
}

int64_t commons_take_displaced(struct commons *commons, unsigned worker)
{
    return atomic_exchange(&commons->header->displaced[worker], 0);
}

void commons_worker_died(struct commons *commons, unsigned worker)
{
    atomic_fetch_or(&commons->header->absent, 1ull << worker);
    ring_drain(commons, worker);
}

void commons_forget_sessions(struct commons *commons, unsigned worker)
{
    atomic_store_explicit(&commons->header->sessions[worker], 0,
                          memory_order_relaxed);
    atomic_store(&commons->header->peers[worker], 0);
    atomic_store(&commons->header->displaced[worker], 0);
}

void commons_reset_worker(struct commons *commons, unsigned worker)
{
    commons_forget_sessions(commons, worker);
    commons_lock(commons);
    claim_purge(commons, worker);
    member_purge(commons, worker);
    commons_unlock(commons);
    ring_drain(commons, worker);
    for (unsigned step = COMMONS_QUIET; step <= COMMONS_OVER; step++)
        atomic_fetch_and(&commons->header->steps[step], ~(1ull << worker));
    atomic_fetch_and(&commons->header->absent, ~(1ull << worker));
}

_Atomic uint32_t *commons_turns(struct commons *commons, unsigned worker)
{
    return &commons->header->turns[worker].count;
}

void commons_set_step(struct commons *commons, unsigned worker,
                      enum commons_step step)
{
    atomic_fetch_or(&commons->header->steps[step], 1ull << worker);
}

uint64_t commons_at_step(const struct commons *commons, enum commons_step step)
{
    return atomic_load(&commons->header->steps[step]);
}

uint64_t commons_absent(const struct commons *commons)
{
    return atomic_load(&commons->header->absent);
}
