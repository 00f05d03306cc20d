/* The arena: a second, exec'd process maps it at another address and goes on
   where the first one was. */

#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/core.h"
#include "engine/turn.h"
#include "memory/heap.h"
#include "state/slot.h"
#include "workers/commons.h"

#define CHAIN "[\"lines\", \"chat-broadcast\"]"

static int other_process; /* the arena's descriptor, in the second process */

/* ---- the heap --------------------------------------------------------- */

static struct arena make_arena(void)
{
    const struct arena_plan plan = {
        .sessions = 4, .stride = 256, .heap = 1 << 20, .biggest = 1 << 16};
    struct arena arena = {0};

    assert_int_equal(arena_create(&arena, -1, &plan), 0);
    return arena;
}

static void test_heap_joins_free_neighbours(void **state)
{
    struct arena arena = make_arena();
    uint32_t blocks[16384], count = 0, block;

    (void)state;
    while ((block = heap_alloc(&arena, 64)))
        blocks[count++] = block;
    assert_int_equal(count, (1 << 20) / 64);
    for (uint32_t i = 0; i < count; i++)
        heap_free(&arena, blocks[i]);

    assert_int_equal(arena.header->heap_used, 0);
    for (int i = 0; i < 16; i++)
        assert_int_not_equal(heap_alloc(&arena, 1 << 16), 0);
    arena_finish(&arena);
}

static void test_heap_refuses_what_is_too_large(void **state)
{
    struct arena arena = make_arena();

    (void)state;
    assert_int_equal(heap_alloc(&arena, (1 << 16) + 1), 0);
    arena_finish(&arena);
}

static void test_heap_shrinks_in_place(void **state)
{
    struct arena arena = make_arena();
    uint32_t block = heap_alloc(&arena, 1 << 16);

    (void)state;
    heap_at(&arena, block)[99] = 7;
    heap_shrink(&arena, block, 100);

    assert_int_equal(heap_size(&arena, block), 128);
    assert_int_equal(heap_at(&arena, block)[99], 7);
    assert_int_equal(arena.header->heap_used, 128);
    arena_finish(&arena);
}

/* Blocks of random sizes, each filled with its number: none ever overlaps
   another. */
static void test_heap_blocks_do_not_overlap(void **state)
{
    struct arena arena = make_arena();
    struct {
        uint32_t block;
        size_t size;
    } held[64] = {{0, 0}};
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        unsigned i = (seed = seed * 1103515245u + 12345u) >> 16 & 63;

        for (size_t at = 0; held[i].block && at < held[i].size; at++)
            assert_int_equal(heap_at(&arena, held[i].block)[at], i);
        if (held[i].block)
            heap_free(&arena, held[i].block);
        held[i].size = (seed >> 8) % 3000 + 1;
        held[i].block = heap_alloc(&arena, held[i].size);
        if (held[i].block)
            memset(heap_at(&arena, held[i].block), (int)i, held[i].size);
    }
    arena_finish(&arena);
}

static void test_heap_gives_pages_back(void **state)
{
    struct arena arena = make_arena();
    uint32_t block = heap_alloc(&arena, 1 << 16);

    (void)state;
    memset(heap_at(&arena, block), 1, 1 << 16);
    heap_free(&arena, block);

    assert_true(heap_trim(&arena) >= (1 << 16) - 4096);
    assert_int_equal(heap_trim(&arena), 0);
    arena_finish(&arena);
}

static void test_arena_refuses_what_is_none(void **state)
{
    struct arena arena = {0};
    int fd = memfd_create("no-arena", MFD_CLOEXEC);

    (void)state;
    assert_int_equal(ftruncate(fd, 8192), 0);
    assert_true(arena_attach(&arena, fd) < 0);
    close(fd);
}

/* ---- the second process ----------------------------------------------- */

/* Peer 0 has half a line kept, peer 1 output that its socket did not take. */
static struct harness *leave_something(void)
{
    struct harness *h = harness_create(PG_STREAM, CHAIN);

    harness_connect(h);
    harness_connect(h);
    harness_clear(h, 0);
    harness_clear(h, 1);
    harness_block(h, 1, true);
    harness_push_text(h, 0, "um\ndo");
    return h;
}

static void run_other_process(int arena_fd, const void *base)
{
    char fd_text[16], base_text[32];
    pid_t pid;
    int status;

    snprintf(fd_text, sizeof(fd_text), "%d", arena_fd);
    snprintf(base_text, sizeof(base_text), "%p", base);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        fcntl(arena_fd, F_SETFD, 0);
        execl("/proc/self/exe", "test_arena", fd_text, base_text, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_another_process_goes_on(void **state)
{
    struct harness *h = leave_something();

    (void)state;
    run_other_process(harness_arena_fd(h), core->arena.base);
    /* What the other process changed is seen here: it is the same memory. */
    assert_int_equal(session_at(0)->keeping, 0);
    _exit(0); /* the arena's sessions are the other's now */
}

/* Runs the above in a process of its own, because it ends without cleaning. */
static void test_second_process_finds_everything(void **state)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        test_another_process_goes_on(state);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_attached_arena_goes_on(void **state)
{
    struct harness *h = harness_attach(PG_STREAM, CHAIN, other_process, 2);

    (void)state;
    assert_int_equal(core->live_count, 2);
    assert_ptr_not_equal(core->arena.base, *(void **)*state);
    assert_false(commons_session_add(core->commons, 0, 2)); /* both count */
    turn_end();

    harness_push_text(h, 0, "is\n");
    assert_bytes(harness_out(h, 1), "guest1: um\nguest1: dois\n");
    harness_destroy(h);
}

/* Keeps the first process's address from being used again. */
static void *occupy(const char *text)
{
    void *base = (void *)strtoull(text, NULL, 16);

    mmap(base, 4096, PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    return base;
}

/* In a process of its own, which a sanitizer ends: 42 is for the harness. */
static void run_overrun(const char *word)
{
    struct harness *harness =
        harness_create(PG_RECORDS, "[\"probe\", \"echo\"]");
    int peer = harness_connect(harness);

    fclose(stderr);
    harness_push_text(harness, peer, word);
    _exit(!strcmp(harness_take_overrun(harness), "probe") ? 42 : 0);
}

static int status_of_overrun(const char *word)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        run_overrun(word);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_a_write_behind_the_state_is_found(void **state)
{
    (void)state;
    assert_int_equal(status_of_overrun("pass"), 0);
    if (ARENA_GAP)
        assert_int_not_equal(status_of_overrun("overrun"), 0);
    else
        assert_int_equal(status_of_overrun("overrun"), 42);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest first[] = {
        cmocka_unit_test(test_heap_joins_free_neighbours),
        cmocka_unit_test(test_heap_refuses_what_is_too_large),
        cmocka_unit_test(test_heap_shrinks_in_place),
        cmocka_unit_test(test_heap_blocks_do_not_overlap),
        cmocka_unit_test(test_heap_gives_pages_back),
        cmocka_unit_test(test_arena_refuses_what_is_none),
        cmocka_unit_test(test_second_process_finds_everything),
        cmocka_unit_test(test_a_write_behind_the_state_is_found),
    };
    static void *base;

    if (argc == 3) {
        const struct CMUnitTest second[] = {
            cmocka_unit_test_prestate(test_attached_arena_goes_on, &base),
        };

        other_process = atoi(argv[1]);
        base = occupy(argv[2]);
        return cmocka_run_group_tests(second, NULL, NULL);
    }
    return cmocka_run_group_tests(first, NULL, NULL);
}
