/* echo: everything comes back, on a stream and on records. */
#include "harness.h"

static void test_echo_sends_records_back_one_by_one(void **state)
{
    struct harness *harness = harness_create(PG_RECORDS, "[\"echo\"]");
    int peer = harness_connect(harness);

    (void)state;
    harness_push_text(harness, peer, "one");
    harness_push_text(harness, peer, "");
    harness_push_text(harness, peer, "two");

    assert_int_equal(harness_record_count(harness, peer), 3);
    assert_bytes(harness_record(harness, peer, 0), "one");
    assert_bytes(harness_record(harness, peer, 1), "");
    assert_bytes(harness_record(harness, peer, 2), "two");
    harness_destroy(harness);
}

static void test_echo_gives_the_same_however_a_stream_is_cut(void **state)
{
    static uint8_t bytes[256];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    harness_cut_everywhere("[\"echo\"]", pg_bytes(bytes, sizeof(bytes)));
}

static void test_echo_answers_only_who_asked(void **state)
{
    struct harness *harness = harness_create(PG_STREAM, "[\"echo\"]");
    int one = harness_connect(harness), two = harness_connect(harness);

    (void)state;
    harness_push_text(harness, one, "for one");

    assert_bytes(harness_out(harness, one), "for one");
    assert_bytes(harness_out(harness, two), "");
    harness_destroy(harness);
}

static void test_echo_answers_before_it_closes_at_end_of_input(void **state)
{
    struct harness *harness = harness_create(PG_STREAM, "[\"echo\"]");
    int peer = harness_connect(harness);

    (void)state;
    harness_push_text(harness, peer, "last words");
    harness_end(harness, peer);

    assert_bytes(harness_out(harness, peer), "last words");
    assert_true(harness_is_closed(harness, peer));
    assert_int_equal(harness_close_why(harness, peer), PG_WHY_EOF);
    harness_destroy(harness);
}

/* A peer that sends and does not read is not read from, and loses nothing. */
static void test_echo_makes_a_peer_wait_that_does_not_read(void **state)
{
    struct harness *harness = harness_create(PG_STREAM, "[\"echo\"]");
    int peer = harness_connect(harness), other = harness_connect(harness);
    static uint8_t chunk[32 * 1024];
    size_t sent = 0;

    (void)state;
    memset(chunk, 'x', sizeof(chunk));
    harness_block(harness, peer, true);
    while (harness_is_read(harness, peer)) {
        harness_push(harness, peer, pg_bytes(chunk, sizeof(chunk)));
        sent += sizeof(chunk);
        assert_true(sent <= 4 << 20);
    }
    assert_true(harness_is_read(harness, other));
    harness_block(harness, peer, false);

    assert_int_equal(harness_out(harness, peer).len, sent);
    assert_true(harness_is_read(harness, peer));
    assert_false(harness_is_closed(harness, peer));
    harness_destroy(harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo_sends_records_back_one_by_one),
        cmocka_unit_test(test_echo_gives_the_same_however_a_stream_is_cut),
        cmocka_unit_test(test_echo_answers_only_who_asked),
        cmocka_unit_test(test_echo_answers_before_it_closes_at_end_of_input),
        cmocka_unit_test(test_echo_makes_a_peer_wait_that_does_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
