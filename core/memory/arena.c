/* The memory of a worker, which outlives its process. */

#include "memory/arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory/heap.h"

static uint64_t arena_put(uint64_t *end, uint64_t bytes)
{
    uint64_t here = *end;

    *end += (bytes + ARENA_PAGE - 1) / ARENA_PAGE * ARENA_PAGE;
    return here;
}

static void arena_lay_out(struct arena_header *header,
                          const struct arena_plan *plan)
{
    uint64_t end = 0;

    header->plan = *plan;
    header->plan.heap = heap_rounded(plan);
    arena_put(&end, sizeof(*header));
    header->counters_at =
        arena_put(&end, ARENA_COUNTERS * sizeof(struct counter));
    header->read_at = arena_put(&end, ARENA_HEADROOM + ARENA_READ_SIZE);
    header->sessions_at =
        arena_put(&end, (uint64_t)plan->sessions * plan->stride);
    header->map_at = arena_put(&end, header->plan.heap / HEAP_GRANULE);
    header->heap_at = arena_put(&end, header->plan.heap);
    header->size = end;
}

static int arena_map(struct arena *arena, int fd, uint64_t size)
{
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_NORESERVE, fd, 0);

    if (base == MAP_FAILED)
        return -errno;
    /* A child that a handler made and forgot to end must not serve too. */
    madvise(base, size, MADV_DONTFORK);
    arena->base = base;
    arena->header = base;
    arena->fd = fd;
    return 0;
}

int arena_create(struct arena *arena, int fd, const struct arena_plan *plan)
{
    struct arena_header header = {.magic = ARENA_MAGIC};
    bool is_ours = fd < 0;
    int error;

    arena_lay_out(&header, plan);
    if (is_ours)
        fd = memfd_create("playground-arena", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    /* To zero and up again: whatever was in there is gone. */
    if (ftruncate(fd, 0) || ftruncate(fd, (off_t)header.size))
        error = -errno;
    else
        error = arena_map(arena, fd, header.size);
    if (error) {
        if (is_ours)
            close(fd);
        return error;
    }
    *arena->header = header;
    heap_init(arena);
    return 0;
}

int arena_attach(struct arena *arena, int fd)
{
    struct arena_header header;
    struct stat status;

    if (fstat(fd, &status))
        return -errno;
    if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
        header.magic != ARENA_MAGIC || header.size != (uint64_t)status.st_size)
        return -EINVAL;
    return arena_map(arena, fd, header.size);
}

void arena_finish(struct arena *arena)
{
    if (!arena->base)
        return;
    arena_unpoison(arena->base, arena->header->size);
    munmap(arena->base, arena->header->size);
    close(arena->fd);
    memset(arena, 0, sizeof(*arena));
}
