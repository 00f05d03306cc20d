/* raw: each read is a record, which is the lesson. */
#include "harness.h"

static void test_raw_makes_a_record_of_each_read(void **state)
{
    struct harness *harness = harness_create(
        PG_STREAM,
        "[\"raw\", {\"plugin\": \"chat-broadcast\", \"names\": false}]");
    int ana = harness_connect(harness), rui = harness_connect(harness);

    (void)state;
    harness_push_text(harness, ana, "one\ntwo");
    harness_push_text(harness, ana, "\n");

    assert_bytes(harness_out(harness, rui), "one\ntwo\n");
    harness_destroy(harness);
}

/* ping behind raw answers only when a read happens to be the message. */
static void test_raw_shows_merged_and_broken_messages(void **state)
{
    struct harness *harness = harness_create(PG_STREAM, "[\"raw\", \"ping\"]");
    int peer = harness_connect(harness);

    (void)state;
    harness_push_text(harness, peer, "ping");
    harness_push_text(harness, peer, "pingping");
    harness_push_text(harness, peer, "pi");
    harness_push_text(harness, peer, "ng");

    assert_bytes(harness_out(harness, peer), "pong");
    assert_int_equal(harness_counter(harness, NULL, "unanswered"), 3);
    harness_destroy(harness);
}

static void test_raw_changes_nothing_on_records(void **state)
{
    struct harness *harness =
        harness_create(PG_RECORDS, "[\"raw\", \"ping\", \"echo\"]");
    int peer = harness_connect(harness);

    (void)state;
    harness_push_text(harness, peer, "ping");
    harness_push_text(harness, peer, "");

    assert_int_equal(harness_record_count(harness, peer), 2);
    assert_bytes(harness_record(harness, peer, 0), "pong");
    assert_bytes(harness_record(harness, peer, 1), "");
    harness_destroy(harness);
}

/* No record is longer than limits.frame_bytes, so shout behind it may always
   ask for memory. */
static void test_raw_splits_a_read_over_frame_bytes(void **state)
{
    struct harness *harness = harness_create_limits(
        PG_STREAM, "[\"raw\", \"shout\", \"echo\"]", "{\"frame_bytes\": 1024}");
    int peer = harness_connect(harness);
    static uint8_t bytes[10000];
    struct pg_bytes out;

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    harness_push(harness, peer, pg_bytes(bytes, sizeof(bytes)));
    memset(bytes, 'X', sizeof(bytes));
    out = harness_out(harness, peer);

    assert_int_equal(out.len, sizeof(bytes));
    assert_memory_equal(out.data, bytes, sizeof(bytes));
    assert_false(harness_is_closed(harness, peer));
    harness_destroy(harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raw_makes_a_record_of_each_read),
        cmocka_unit_test(test_raw_shows_merged_and_broken_messages),
        cmocka_unit_test(test_raw_changes_nothing_on_records),
        cmocka_unit_test(test_raw_splits_a_read_over_frame_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
