/* The buddy allocator of the arena: blocks never overlap, and what is given
   back becomes whole again. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "memory/arena.h"
#include "memory/heap.h"

#define BIGGEST (64u * 1024)
#define BLOCKS  300

struct owned {
    uint32_t block;
    size_t size;
    uint8_t mark;
};

static struct arena make_arena(unsigned tops)
{
    struct arena arena;
    struct arena_plan plan = {.sessions = 1,
                              .stride = 64,
                              .heap = (uint64_t)tops * BIGGEST,
                              .biggest = BIGGEST};

    assert_int_equal(arena_create(&arena, -1, &plan), 0);
    return arena;
}

static uint32_t next_random(void)
{
    static uint32_t value = 1;

    value = value * 1664525 + 1013904223;
    return value >> 8;
}

static void fill(struct arena *arena, const struct owned *owned)
{
    memset(heap_at(arena, owned->block), owned->mark, owned->size);
}

/* Whoever else wrote there would have changed it. */
static void check(struct arena *arena, const struct owned *owned)
{
    const uint8_t *data = heap_at(arena, owned->block);

    assert_true(heap_size(arena, owned->block) >= owned->size);
    for (size_t i = 0; i < owned->size; i++)
        assert_int_equal(data[i], owned->mark);
}

static void take(struct arena *arena, struct owned *owned)
{
    owned->size = next_random() % (next_random() % 4 ? 700 : BIGGEST) + 1;
    owned->block = heap_alloc(arena, owned->size);
    owned->mark = (uint8_t)next_random();
    if (owned->block)
        fill(arena, owned);
}

static void shrink(struct arena *arena, struct owned *owned)
{
    owned->size = next_random() % owned->size + 1;
    heap_shrink(arena, owned->block, owned->size);
}

static void give(struct arena *arena, struct owned *owned)
{
    check(arena, owned);
    heap_free(arena, owned->block);
    owned->block = 0;
}

static void do_something(struct arena *arena, struct owned *owned)
{
    if (!owned->block)
        take(arena, owned);
    else if (next_random() % 3 == 0)
        shrink(arena, owned);
    else
        give(arena, owned);
}

/* Everything can be had in the largest pieces again. */
static void assert_whole(struct arena *arena, unsigned tops)
{
    uint32_t blocks[64];

    assert_int_equal(arena->header->heap_used, 0);
    for (unsigned i = 0; i < tops; i++) {
        blocks[i] = heap_alloc(arena, BIGGEST);
        assert_int_not_equal(blocks[i], 0);
    }
    assert_int_equal(heap_alloc(arena, 1), 0);
    for (unsigned i = 0; i < tops; i++)
        heap_free(arena, blocks[i]);
}

static void test_heap_becomes_whole_again(void **state)
{
    struct arena arena = make_arena(32);
    struct owned owned[BLOCKS] = {0};
    unsigned rounds = getenv("PLAYGROUND_LONG") ? 2000 : 20;

    (void)state;
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < 2000; i++)
            do_something(&arena, &owned[next_random() % BLOCKS]);
        for (unsigned i = 0; i < BLOCKS; i++)
            if (owned[i].block)
                give(&arena, &owned[i]);
        assert_whole(&arena, 32);
        heap_trim(&arena);
    }
    arena_finish(&arena);
}

static void test_heap_refuses_what_it_has_not(void **state)
{
    struct arena arena = make_arena(1);
    uint32_t block;

    (void)state;
    assert_int_equal(heap_alloc(&arena, BIGGEST + 1), 0);
    assert_int_equal(heap_alloc(&arena, SIZE_MAX / 2), 0);
    block = heap_alloc(&arena, BIGGEST / 2 + 1);
    assert_int_not_equal(block, 0);
    assert_int_equal(heap_alloc(&arena, 1), 0);
    heap_shrink(&arena, block, 1);
    assert_int_equal(heap_size(&arena, block), HEAP_GRANULE);
    assert_int_not_equal(heap_alloc(&arena, BIGGEST / 2), 0);
    arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heap_becomes_whole_again),
        cmocka_unit_test(test_heap_refuses_what_it_has_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
