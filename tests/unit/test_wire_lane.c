#include "wire/link/lane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS 1000000u

/* A UDP datagram of one byte of data. */
static void put(struct lane *lane, uint8_t mark, uint64_t now_ns)
{
    uint8_t packet[29] = {0x45, [9] = 17};

    packet[28] = mark;
    assert_true(lane_send(lane, packet, sizeof(packet), now_ns));
}

/* The marks of all that has arrived. */
static const char *taken(struct lane *lane, uint64_t now_ns)
{
    static char marks[4096];
    struct lane_packet *packet;
    size_t count = 0;

    while ((packet = lane_take(lane, now_ns)) && count < sizeof(marks) - 1) {
        marks[count++] = (char)packet->bytes[28];
        lane_delivered(lane, packet, true, now_ns);
    }
    marks[count] = 0;
    return marks;
}

static struct lane *lane_with(struct wire_direction how)
{
    static struct lane lane;

    lane_init(&lane, &how, 1, WIRE_LEFT);
    return &lane;
}

static void assert_balance(const struct lane *lane, unsigned under_way)
{
    const struct wire_counts *counts = &lane->counts;

    assert_int_equal(counts->packets + counts->duplicated,
                     counts->delivered + counts->lost + counts->queue_dropped +
                         counts->overrun + under_way);
}

static void test_lane_hands_on_at_once(void **state)
{
    struct lane *lane = lane_with((struct wire_direction){0});

    (void)state;
    put(lane, 'a', 5);
    assert_int_equal(lane_next_ns(lane), 5);
    assert_string_equal(taken(lane, 5), "a");
    assert_int_equal(lane_next_ns(lane), UINT64_MAX);
    assert_int_equal(lane->counts.payload_packets, 1);
    assert_int_equal(lane->counts.payload_bytes, 1);
    assert_int_equal(lane->counts.delivered_payload_bytes, 1);
    lane_finish(lane);
}

static void test_lane_holds_until_the_delay_is_over(void **state)
{
    struct lane *lane = lane_with((struct wire_direction){.delay_ms = 10});
    const struct wire_counts *counts = &lane->counts;

    (void)state;
    put(lane, 'a', 0);
    put(lane, 'b', 4 * MS);
    assert_string_equal(taken(lane, 10 * MS - 1), "");
    assert_string_equal(taken(lane, 10 * MS), "a");
    assert_int_equal(lane_next_ns(lane), 14 * MS);
    assert_balance(lane, 1);
    assert_string_equal(taken(lane, 99 * MS), "b");
    assert_int_equal(counts->late_max_ns, 85 * MS);
    assert_int_equal(counts->last_ns - counts->first_ns, 14 * MS);
    assert_int_equal(lane->bytes, 0);
    lane_finish(lane);
}

static void change(struct lane *lane, struct wire_direction how)
{
    impairment_change(&lane->impairment, &how);
}

static void test_lane_lets_others_overtake(void **state)
{
    struct lane *lane =
        lane_with((struct wire_direction){.reorder = 1, .reorder_ms = 10});

    (void)state;
    put(lane, 'a', 0);
    put(lane, 'b', 1);
    change(lane, (struct wire_direction){0});
    put(lane, 'c', 2);
    put(lane, 'd', 10 * MS);
    put(lane, 'e', 10 * MS + 1);
    put(lane, 'f', 10 * MS + 1);
    assert_int_equal(lane_next_ns(lane), 2);
    assert_string_equal(taken(lane, 10 * MS - 1), "c");
    /* At one time the one that was sent first. */
    assert_string_equal(taken(lane, 10 * MS), "ad");
    assert_string_equal(taken(lane, 10 * MS + 1), "bef");
    assert_int_equal(lane->counts.reordered, 2);
    assert_int_equal(lane->counts.late_max_ns, 10 * MS - 3);
    assert_balance(lane, 0);
    lane_finish(lane);
}

static void test_lane_counts_only_what_was_overtaken(void **state)
{
    struct lane *lane =
        lane_with((struct wire_direction){.reorder = 1, .reorder_ms = 10});

    (void)state;
    put(lane, 'a', 0);
    put(lane, 'b', 1);
    assert_int_equal(lane_next_ns(lane), 10 * MS);
    assert_string_equal(taken(lane, 10 * MS), "a");
    assert_string_equal(taken(lane, 10 * MS + 1), "b");
    assert_int_equal(lane->counts.reordered, 0);
    assert_int_equal(lane->counts.late_max_ns, 0);
    lane_finish(lane);
}

/* With jitter one that was held back later may come earlier. */
static void test_lane_takes_what_is_held_back_by_time(void **state)
{
    struct lane *lane = lane_with((struct wire_direction){
        .reorder = 1, .reorder_ms = 1, .delay_ms = 10, .jitter_ms = 10});
    uint64_t before = 0;

    (void)state;
    for (unsigned i = 0; i < 200; i++)
        put(lane, 'x', i * 1000);
    for (unsigned i = 0; i < 200; i++) {
        uint64_t next_ns = lane_next_ns(lane);
        struct lane_packet *packet = lane_take(lane, next_ns);

        assert_true(next_ns >= before);
        assert_non_null(packet);
        before = next_ns;
        lane_delivered(lane, packet, true, next_ns);
    }
    assert_int_equal(lane_next_ns(lane), UINT64_MAX);
    assert_true(lane->counts.reordered > 50);
    lane_finish(lane);
}

static void test_lane_duplicates(void **state)
{
    struct lane *lane = lane_with((struct wire_direction){.duplicate = 1});

    (void)state;
    put(lane, 'a', 0);
    put(lane, 'b', 0);
    assert_string_equal(taken(lane, 0), "aabb");
    assert_int_equal(lane->counts.duplicated, 2);
    assert_balance(lane, 0);
    lane_finish(lane);
}

static void test_lane_duplicates_what_is_held_back(void **state)
{
    struct lane *lane =
        lane_with((struct wire_direction){.duplicate = 1, .reorder = 1});

    (void)state;
    put(lane, 'a', 0);
    change(lane, (struct wire_direction){0});
    put(lane, 'b', 0);
    assert_string_equal(taken(lane, 0), "b");
    assert_string_equal(taken(lane, WIRE_REORDER_MS * MS), "aa");
    assert_int_equal(lane->counts.reordered, 2);
    assert_balance(lane, 0);
    lane_finish(lane);
}

static void test_lane_keeps_all_and_their_order_without_reorder(void **state)
{
    struct lane *lane =
        lane_with((struct wire_direction){.delay_ms = 5, .jitter_ms = 5});
    char expected[201] = "";

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        expected[i] = (char)('0' + i % 64);
        put(lane, (uint8_t)expected[i], i * 1000);
    }
    assert_string_equal(taken(lane, 20 * MS), expected);
    lane_finish(lane);
}

static void test_lane_bounds_what_is_under_way(void **state)
{
    struct lane *lane = lane_with((struct wire_direction){.delay_ms = 1000});
    static uint8_t packet[65535] = {0x45, [9] = 17};
    unsigned fitting = LANE_BYTES / sizeof(packet);

    (void)state;
    for (unsigned i = 0; i < fitting + 3; i++)
        lane_send(lane, packet, sizeof(packet), i);
    assert_int_equal(lane->counts.queue_dropped, 3);
    assert_true(lane->bytes <= LANE_BYTES);
    assert_balance(lane, fitting);
    lane_finish(lane);
}

static void test_lane_counts_what_the_end_does_not_take(void **state)
{
    struct lane *lane = lane_with((struct wire_direction){0});

    (void)state;
    put(lane, 'a', 0);
    lane_delivered(lane, lane_take(lane, 0), false, 0);
    assert_int_equal(lane->counts.overrun, 1);
    assert_int_equal(lane->counts.delivered, 0);
    assert_balance(lane, 0);
    lane_finish(lane);
}

static void test_lane_leaves_chatter_out(void **state)
{
    struct lane *lane = lane_with((struct wire_direction){0});
    const uint8_t igmp[24] = {0x46, [9] = 2};

    (void)state;
    assert_false(lane_send(lane, igmp, sizeof(igmp), 0));
    assert_int_equal(lane->counts.packets, 0);
    assert_int_equal(lane->impairment.way.records, 0);
    lane_finish(lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lane_hands_on_at_once),
        cmocka_unit_test(test_lane_holds_until_the_delay_is_over),
        cmocka_unit_test(test_lane_lets_others_overtake),
        cmocka_unit_test(test_lane_counts_only_what_was_overtaken),
        cmocka_unit_test(test_lane_takes_what_is_held_back_by_time),
        cmocka_unit_test(test_lane_duplicates),
        cmocka_unit_test(test_lane_duplicates_what_is_held_back),
        cmocka_unit_test(test_lane_keeps_all_and_their_order_without_reorder),
        cmocka_unit_test(test_lane_bounds_what_is_under_way),
        cmocka_unit_test(test_lane_counts_what_the_end_does_not_take),
        cmocka_unit_test(test_lane_leaves_chatter_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
