/* What waits to be sent: how much room it takes, and that it does go out. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "engine/core.h"
#include "outside/virtual.h"
#include "state/listener.h"
#include "state/slot.h"

#define PROBE "[\"lines\", \"probe\"]"

/* One who talks, "bob", who does not read. */
static struct harness *talker_and_bob(enum pg_kind provides)
{
    struct harness *h = harness_create(provides, PROBE);

    for (int peer = 0; peer < 2; peer++) {
        harness_connect(h);
        harness_push_text(h, peer, "drop\n"); /* records: heard from twice */
        harness_push_text(h, peer, peer ? "claim bob\n" : "drop\n");
    }
    harness_clear(h, 1);
    harness_block(h, 1, true);
    return h;
}

/* ---- room ------------------------------------------------------------- */

/* The heap has four times what may be queued, see core_arena_plan(). */
static void assert_room_is_in_proportion(uint64_t heap_before)
{
    const struct arena_header *header = core->arena.header;

    assert_true(header->queued > 0);
    assert_true(header->heap_used - heap_before <
                4 * header->queued + 100 * 1024);
}

static void small_messages_one_by_one(enum pg_kind provides)
{
    struct harness *h = talker_and_bob(provides);
    uint64_t before = core->arena.header->heap_used;
    static char expected[10000];

    memset(expected, 'x', sizeof(expected));
    for (size_t i = 0; i < sizeof(expected); i += 2) {
        expected[i + 1] = '\n';
        harness_push_text(h, 0, "all x\n");
    }
    assert_room_is_in_proportion(before);
    harness_block(h, 1, false);
    assert_int_equal(harness_out(h, 1).len, sizeof(expected));
    assert_memory_equal(harness_out(h, 1).data, expected, sizeof(expected));
    assert_int_equal(core->arena.header->queued, 0);
    harness_destroy(h);
}

static void test_queue_of_small_messages_takes_little_room(void **state)
{
    (void)state;
    small_messages_one_by_one(PG_STREAM);
    small_messages_one_by_one(PG_RECORDS);
}

/* Each turn more than a stage holds goes to one who reads, and little to one
   who does not. */
static void test_queue_does_not_keep_much_for_a_little(void **state)
{
    struct harness *h = talker_and_bob(PG_STREAM);
    uint64_t before = core->arena.header->heap_used;
    char text[8000] = "whom bob x\n", *end = strchr(text, 0);

    (void)state;
    harness_push_text(h, 0,
                      "claim a-key-of-the-greatest-length-there-is-for-keys\n");
    for (int i = 0; i < 1500; i++)
        end = stpcpy(end, "who\n");
    for (int i = 0; i < 50; i++) {
        harness_push_text(h, 0, text);
        assert_true(harness_out(h, 0).len > 64 * 1024);
        harness_clear(h, 0);
    }
    assert_room_is_in_proportion(before);
    harness_destroy(h);
}

/* ---- what a listener is watched for ----------------------------------- */

static struct core_io noting;
static int watched;

static void note(struct pg_listener *listener, int events)
{
    (void)listener;
    watched = events;
}

static void test_queue_of_a_listener_that_is_paused_goes_out(void **state)
{
    struct harness *h = talker_and_bob(PG_RECORDS);
    struct pg_listener *listener = core->config->listeners[0];

    (void)state;
    noting = virtual_io;
    noting.watch_listener = note;
    core->io = &noting;

    harness_push_text(h, 0, "all x\n");
    assert_int_equal(watched, CORE_READ | CORE_WRITE);

    listener->run->is_paused = true;
    listener_watch(listener);
    assert_int_equal(watched, CORE_WRITE);

    listener->run->is_paused = false;
    listener->run->is_held = true;
    listener_watch(listener);
    assert_int_equal(watched, CORE_WRITE);

    harness_block(h, 1, false);
    assert_int_equal(watched, 0);
    assert_bytes(harness_out(h, 1), "x\n");

    listener->run->is_held = false;
    listener_watch(listener);
    assert_int_equal(watched, CORE_READ);
    core->io = &virtual_io;
    harness_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_of_small_messages_takes_little_room),
        cmocka_unit_test(test_queue_does_not_keep_much_for_a_little),
        cmocka_unit_test(test_queue_of_a_listener_that_is_paused_goes_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
