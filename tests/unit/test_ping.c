/* ping: the first example, in the README and in every exercise. */
#include "harness.h"

#include <stdlib.h>

static void test_ping_answers_ping(void **state)
{
    struct harness *harness = harness_create(PG_RECORDS, "[\"ping\"]");
    int peer = harness_connect(harness);

    (void)state;
    harness_push_text(harness, peer, "ping");

    assert_int_equal(harness_record_count(harness, peer), 1);
    assert_bytes(harness_record(harness, peer, 0), "pong");
    harness_destroy(harness);
}

static void test_ping_lets_everything_else_pass(void **state)
{
    struct harness *harness =
        harness_create(PG_RECORDS, "[\"ping\", \"echo\"]");
    int peer = harness_connect(harness);

    (void)state;
    harness_push_text(harness, peer, "pin");
    harness_push_text(harness, peer, "pingp");
    harness_push_text(harness, peer, "");
    harness_push_text(harness, peer, "ping");

    assert_int_equal(harness_record_count(harness, peer), 4);
    assert_bytes(harness_record(harness, peer, 0), "pin");
    assert_bytes(harness_record(harness, peer, 1), "pingp");
    assert_bytes(harness_record(harness, peer, 2), "");
    assert_bytes(harness_record(harness, peer, 3), "pong");
    harness_destroy(harness);
}

static void test_ping_answers_through_the_framing_below_it(void **state)
{
    (void)state;
    harness_cut_everywhere("[\"lines\", \"ping\", \"echo\"]",
                           pg_text("ping\nping pong\nping\r\n\nping"));
}

static void test_ping_is_refused_on_a_bare_stream(void **state)
{
    char *said = harness_refusal(PG_STREAM, "[\"ping\"]");

    (void)state;
    assert_non_null(strstr(said, "ping"));
    assert_non_null(strstr(said, "lines"));
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ping_answers_ping),
        cmocka_unit_test(test_ping_lets_everything_else_pass),
        cmocka_unit_test(test_ping_answers_through_the_framing_below_it),
        cmocka_unit_test(test_ping_is_refused_on_a_bare_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
