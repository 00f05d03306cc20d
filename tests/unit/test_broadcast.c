/* Broadcasts: what is gathered in a turn arrives as if each message had been
   queued by itself. */
#include "harness.h"

#include <string.h>

#include "engine/core.h"

#define PROBE "[\"lines\", \"probe\"]"

/* Three peers; "bob" is the second one's key. */
static struct harness *room_with(enum pg_kind provides, const char *handlers,
                                 const char *limits)
{
    struct harness *h = harness_create_limits(provides, handlers, limits);

    for (int peer = 0; peer < 3; peer++) {
        assert_int_equal(harness_connect(h), peer);
        harness_push_text(h, peer, "drop\n"); /* records: heard from twice */
        harness_push_text(h, peer, peer == 1 ? "claim bob\n" : "drop\n");
        harness_clear(h, peer);
    }
    return h;
}

static struct harness *room(enum pg_kind provides)
{
    return room_with(provides, PROBE, "{}");
}

static void order_is_kept(enum pg_kind provides)
{
    struct harness *h = room(provides);

    harness_push_text(h, 0, "all one\nwhom bob two\nall three\nsend four\n");
    assert_bytes(harness_out(h, 0), "whom 0\nfour\n");
    assert_bytes(harness_out(h, 1), "one\ntwo\nthree\n");
    assert_bytes(harness_out(h, 2), "one\nthree\n");
    harness_destroy(h);
}

static void test_broadcast_and_a_message_of_ones_own_keep_their_order(void **s)
{
    (void)s;
    order_is_kept(PG_STREAM);
    order_is_kept(PG_RECORDS);
}

static void test_broadcast_keeps_records_apart(void **state)
{
    static const char *const texts[] = {"aaa\n", "bbb\n", "c\n",   "dddd\n",
                                        "ee\n",  "ff\n",  "ggg\n", "\n"};
    struct harness *h = room(PG_RECORDS);

    (void)state;
    harness_push_text(h, 0,
                      "all aaa\nall bbb\nall c\nall dddd\nall ee\nall ff\n"
                      "all ggg\nall \n");
    assert_int_equal(harness_record_count(h, 2), 8);
    for (size_t i = 0; i < 8; i++)
        assert_bytes(harness_record(h, 2, i), texts[i]);
    harness_destroy(h);
}

/* Two senders, so that they are gathered apart; but they lie one behind the
   other in memory. */
static void test_broadcast_of_small_records_behind_a_large_one(void **state)
{
    static const char *const texts[] = {"AAAAAAAAA\n", "b\n", "c\n", "d\n"};
    struct harness *h = room(PG_RECORDS);

    (void)state;
    harness_push_within(h, 0, "all AAAAAAAAA\n");
    harness_push_text(h, 1, "all b\nall c\nall d\n");
    assert_int_equal(harness_record_count(h, 2), 4);
    for (size_t i = 0; i < 4; i++)
        assert_bytes(harness_record(h, 2, i), texts[i]);
    assert_int_equal(core->arena.header->queued, 0);
    harness_destroy(h);
}

static void test_broadcast_that_is_too_long_is_refused_alone(void **state)
{
    static char text[80000];
    struct harness *h =
        room_with(PG_RECORDS,
                  "[{\"plugin\": \"lines\", \"max_bytes\": 100000}, \"probe\"]",
                  "{\"frame_bytes\": 200000}");

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "all ", 4);
    strcpy(text + 70000, "\nall hi\n");
    harness_push_text(h, 0, text);
    assert_bytes(harness_out(h, 2), "hi\n");
    assert_int_equal(
        harness_counter(h, NULL, "dropped: too long for one record"), 2);
    harness_destroy(h);
}

static void test_broadcast_is_heard_by_one_who_leaves_after_it(void **state)
{
    struct harness *h = room(PG_RECORDS);

    (void)state;
    harness_push_within(h, 0, "all one\n");
    harness_push_text(h, 1, "close\n");
    assert_bytes(harness_out(h, 1), "one\n");
    harness_destroy(h);
}

/* Nothing else happens in the turn in which the sender is read on. */
static void test_broadcast_of_one_who_had_to_wait(void **state)
{
    struct harness *h =
        room_with(PG_STREAM, PROBE,
                  "{\"session_queue_bytes\": 8192, \"frame_bytes\": 3072}");
    char text[6000];

    (void)state;
    harness_block(h, 0, true);
    memset(text, 'x', sizeof(text));
    memcpy(text, "send ", 5);
    memcpy(text + 2500, "\nsend ", 6);
    strcpy(text + 5000, "\nall hello\n");
    harness_push_text(h, 0, text);
    assert_bytes(harness_out(h, 1), "");
    harness_block(h, 0, false);
    assert_bytes(harness_out(h, 1), "hello\n");
    harness_destroy(h);
}

static void test_broadcast_of_one_who_leaves_is_heard(void **state)
{
    struct harness *h = room(PG_STREAM);

    (void)state;
    harness_push_text(h, 0, "all bye\nclose\n");
    assert_true(harness_is_closed(h, 0));
    assert_bytes(harness_out(h, 1), "bye\nleft: told to close\n");
    harness_destroy(h);
}

static void test_broadcast_reaches_one_who_hears_for_the_first_time(void **s)
{
    struct harness *h = harness_create(PG_RECORDS, PROBE);

    (void)s;
    harness_connect(h);
    harness_connect(h);
    harness_push_text(h, 0, "all a\nall b\nall c\n");
    assert_int_equal(harness_record_count(h, 1), 3);
    harness_destroy(h);
}

static void fill_lines(char *text, const char *line, int many)
{
    for (*text = '\0'; many > 0; many--)
        text = stpcpy(text, line);
}

/* A reader with room for some of a burst gets those, and the others count. */
static void burst_for_a_slow_reader(enum pg_kind provides)
{
    const char line[] = "0123456789012345678901234567890123456789\n";
    struct harness *h = harness_create_limits(
        provides,
        "[\"lines\", {\"plugin\": \"chat-broadcast\", \"names\": false, "
        "\"slow\": \"drop\"}]",
        "{\"session_queue_bytes\": 4096, \"frame_bytes\": 1024}");
    char text[300 * sizeof(line)];
    uint64_t dropped, came;

    for (int peer = 0; peer < 2; peer++) {
        harness_connect(h);
        harness_push_text(h, peer, line);
        harness_push_text(h, peer, line);
    }
    harness_clear(h, 1);
    harness_block(h, 1, true);
    fill_lines(text, line, 300);
    harness_push_text(h, 0, text);
    harness_block(h, 1, false);
    dropped = harness_counter(h, NULL, "dropped: reads too slowly");
    came = harness_out(h, 1).len / strlen(line);
    assert_int_equal(harness_out(h, 1).len % strlen(line), 0);
    assert_true(came > 10);
    assert_int_equal(came + dropped, 300);
    assert_int_equal(core->arena.header->queued, 0);
    harness_destroy(h);
}

static void test_broadcast_drops_message_by_message(void **state)
{
    (void)state;
    burst_for_a_slow_reader(PG_STREAM);
    burst_for_a_slow_reader(PG_RECORDS);
}

/* Bursts larger than what is gathered at once, or than a stage. */
static void test_broadcast_of_much_arrives_whole(void **state)
{
    enum { LINES = 5000 };
    const char line[] = "all 0123456789012345678901234567\n";
    static char text[LINES * sizeof(line)];

    (void)state;
    fill_lines(text, line, LINES);
    for (enum pg_kind kind = PG_STREAM; kind <= PG_RECORDS; kind++) {
        struct harness *h = room(kind);

        for (size_t at = 0; text[at]; at += 1000 * strlen(line))
            harness_push(h, 0, pg_bytes(text + at, 1000 * strlen(line)));
        assert_int_equal(harness_out(h, 1).len, LINES * (strlen(line) - 4));
        if (kind == PG_RECORDS)
            assert_int_equal(harness_record_count(h, 2), LINES);
        assert_int_equal(core->arena.header->queued, 0);
        harness_destroy(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_broadcast_and_a_message_of_ones_own_keep_their_order),
        cmocka_unit_test(test_broadcast_keeps_records_apart),
        cmocka_unit_test(test_broadcast_of_small_records_behind_a_large_one),
        cmocka_unit_test(test_broadcast_that_is_too_long_is_refused_alone),
        cmocka_unit_test(test_broadcast_is_heard_by_one_who_leaves_after_it),
        cmocka_unit_test(test_broadcast_of_one_who_had_to_wait),
        cmocka_unit_test(test_broadcast_of_one_who_leaves_is_heard),
        cmocka_unit_test(
            test_broadcast_reaches_one_who_hears_for_the_first_time),
        cmocka_unit_test(test_broadcast_drops_message_by_message),
        cmocka_unit_test(test_broadcast_of_much_arrives_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
