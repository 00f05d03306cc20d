/* shout: changes what passes, and nothing else. */
#include "harness.h"

static void test_shout_makes_letters_capitals(void **state)
{
    struct harness *harness =
        harness_create(PG_RECORDS, "[\"shout\", \"echo\"]");
    int peer = harness_connect(harness);

    (void)state;
    harness_push_text(harness, peer, "Ol\xc3\xa1, mundo 1!");

    assert_bytes(harness_record(harness, peer, 0), "OL\xc3\xa1, MUNDO 1!");
    harness_destroy(harness);
}

static void test_shout_passes_empty_and_binary_records(void **state)
{
    struct harness *harness =
        harness_create(PG_RECORDS, "[\"shout\", \"echo\"]");
    int peer = harness_connect(harness);
    struct pg_bytes bytes;

    (void)state;
    harness_push_text(harness, peer, "");
    harness_push(harness, peer, pg_bytes("\0a\xff", 3));

    assert_int_equal(harness_record_count(harness, peer), 2);
    assert_int_equal(harness_record(harness, peer, 0).len, 0);
    bytes = harness_record(harness, peer, 1);
    assert_int_equal(bytes.len, 3);
    assert_memory_equal(bytes.data, "\0A\xff", 3);
    harness_destroy(harness);
}

static void test_shout_makes_a_loud_chat(void **state)
{
    struct harness *harness = harness_create(
        PG_STREAM, "[\"lines\", \"shout\","
                   " {\"plugin\": \"chat-broadcast\", \"names\": false}]");
    int ana = harness_connect(harness), rui = harness_connect(harness);

    (void)state;
    harness_push_text(harness, ana, "hello\nworld\n");

    assert_bytes(harness_out(harness, rui), "HELLO\nWORLD\n");
    assert_bytes(harness_out(harness, ana), "");
    harness_destroy(harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shout_makes_letters_capitals),
        cmocka_unit_test(test_shout_passes_empty_and_binary_records),
        cmocka_unit_test(test_shout_makes_a_loud_chat),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
