/* meter: lost, late, reordered and duplicated are four different things. */
#include "harness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture.h"

static struct harness *metered(void)
{
    struct harness *harness = harness_create(PG_RECORDS, "[\"meter\"]");

    harness_connect(harness);
    return harness;
}

static void push_number(struct harness *harness, uint64_t number)
{
    char text[64];

    snprintf(text, sizeof(text), "#%" PRIu64 " x", number);
    harness_push_text(harness, 0, text);
}

/* Pushes these numbers, a millisecond apart, and compares the report. */
static void expect_report(const char *numbers, const char *report)
{
    struct harness *harness = metered();

    for (const char *at = numbers; *at;) {
        char *end;

        push_number(harness, strtoull(at, &end, 10));
        harness_advance(harness, 1);
        at = end;
    }
    harness_push_text(harness, 0, "meter?");
    assert_bytes(harness_out(harness, 0), report);
    harness_destroy(harness);
}

static void test_meter_tells_four_things_apart(void **state)
{
    (void)state;
    expect_report("1 2 3", "3 of 3 came, 0 lost, 0 reordered, 0 late, 0 "
                           "duplicated");
    expect_report("1 2 4 5", "4 of 5 came, 1 lost, 0 reordered, 0 late, 0 "
                             "duplicated");
    expect_report("1 3 2 4", "4 of 4 came, 0 lost, 1 reordered, 0 late, 0 "
                             "duplicated");
    expect_report("1 2 2 3 3 3", "3 of 3 came, 0 lost, 0 reordered, 0 late, 3 "
                                 "duplicated");
    expect_report("1 3 2 2", "3 of 3 came, 0 lost, 1 reordered, 0 late, 1 "
                             "duplicated");
    expect_report("3 1", "2 of 3 came, 1 lost, 1 reordered, 0 late, 0 "
                         "duplicated");
}

/* 2 is overtaken by 3, and comes 100 or 101 ms after it. */
static void test_meter_late_is_not_reordered(void **state)
{
    (void)state;
    for (unsigned ms = 100; ms <= 101; ms++) {
        struct harness *harness = metered();

        push_number(harness, 1);
        push_number(harness, 3);
        harness_advance(harness, ms);
        push_number(harness, 2);
        assert_int_equal(harness_counter(harness, "meter", "reordered"),
                         ms == 100);
        assert_int_equal(harness_counter(harness, "meter", "late"), ms == 101);
        assert_int_equal(harness_counter(harness, "meter", "lost"), 0);
        harness_destroy(harness);
    }
}

/* What is missing for 1,024 numbers is lost; after that nobody can tell. */
static void test_meter_forgets_in_bounded_memory(void **state)
{
    struct harness *harness = metered();

    (void)state;
    push_number(harness, 1);
    push_number(harness, 3);
    for (uint64_t i = 4; i < 2 + 1024; i++)
        push_number(harness, i);
    assert_int_equal(harness_counter(harness, "meter", "lost"), 0);
    push_number(harness, 2 + 1024);
    assert_int_equal(harness_counter(harness, "meter", "lost"), 1);
    push_number(harness, 2);
    assert_int_equal(harness_counter(harness, "meter", "too old to tell"), 1);

    /* A jump over more than is remembered: 1027 to 9999 never came, though
       the last 1,023 of them still may. */
    push_number(harness, 10000);
    assert_int_equal(harness_counter(harness, "meter", "lost"),
                     1 + 10000 - 1027 - 1023);
    push_number(harness, 9999);
    assert_int_equal(harness_counter(harness, "meter", "reordered"), 1);
    harness_destroy(harness);
}

static void test_meter_joins_a_peer_in_the_middle(void **state)
{
    struct harness *harness = metered();

    (void)state;
    push_number(harness, 5000);
    push_number(harness, 5001);
    push_number(harness, 4999);
    assert_int_equal(harness_counter(harness, "meter", "in order"), 2);
    assert_int_equal(harness_counter(harness, "meter", "too old to tell"), 1);
    harness_destroy(harness);
}

static void test_meter_survives_any_number(void **state)
{
    static const char *const texts[] = {
        "#999999999999999999 @999999999999999999 x",
        "#1 @1 x",
        "#999999999999999998 @1 x",
        "#500000000000000000 @999999999999999999 x",
    };
    struct harness *harness = metered();

    (void)state;
    for (int round = 0; round < 20; round++)
        for (size_t i = 0; i < 4; i++)
            harness_push_text(harness, 0, texts[i]);
    harness_push_text(harness, 0, "meter?");
    assert_int_equal(harness_record_count(harness, 0), 1);
    harness_destroy(harness);
}

/* What has no number passes as it is; what has one passes without it. */
static void test_meter_takes_off_only_its_own(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"hello", "hello"},
        {"", ""},
        {"#", "#"},
        {"#x", "#x"},
        {"#0 x", "#0 x"},
        {"#1x", "#1x"},
        {"#1", ""},
        {"#2 ", ""},
        {"#3  x", " x"},
        {"#4 @x", "@x"},
        {"#5 @7x", "@7x"},
        {"#6 @7", ""},
        {"#7 @7 x", "x"},
        {"#8 @7 @7 x", "@7 x"},
        {"#1234567890123456789 x", "#1234567890123456789 x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct harness *harness =
            harness_create(PG_RECORDS, "[\"meter\", \"echo\"]");
        struct pg_bytes out;
        char text[128];

        harness_connect(harness);
        harness_push_text(harness, 0, cases[i].in);
        out = harness_record(harness, 0, 0);
        snprintf(text, sizeof(text), "%.*s", (int)out.len, out.data);
        assert_int_equal(strncmp(text, "#1 @", 4), 0);
        assert_string_equal(strchr(text + 4, ' ') + 1, cases[i].out);
        harness_destroy(harness);
    }
}

/* A record that comes back bears the time it left at: the clock is virtual. */
static void test_meter_measures_the_delay(void **state)
{
    struct harness *harness = metered();

    (void)state;
    harness_push_text(harness, 0, "#1 @900000 x"); /* it is 1 s there */
    harness_push_text(harness, 0, "#2 @980000 x");
    harness_push_text(harness, 0, "meter?");
    assert_bytes(harness_out(harness, 0),
                 "2 of 2 came, 0 lost, 0 reordered, 0 late, 0 duplicated; "
                 "delay 20.000 to 100.000 ms, mean 60.000, jitter 5.000");
    harness_destroy(harness);
}

static void test_meter_reports_at_the_end(void **state)
{
    struct capture capture = capture_begin();
    struct harness *harness = metered();
    char *text;

    (void)state;
    harness_connect(harness); /* this one says nothing: no report */
    push_number(harness, 1);
    push_number(harness, 4);
    harness_destroy(harness);
    text = capture_text(&capture);
    capture_end(&capture);

    assert_string_equal(text, "meter harness-records peer 0: 2 of 4 came, 2 "
                              "lost, 0 reordered, 0 late, 0 duplicated\n");
    free(text);
}

/* Through a bad link: what the meter says is what the link did. */
static void test_meter_agrees_with_impair(void **state)
{
    struct harness *harness = harness_create(
        PG_RECORDS,
        "[{\"plugin\": \"impair\", \"loss_percent\": 5, \"reorder_percent\": "
        "5, \"reorder_ms\": 3, \"duplicate_percent\": 5, \"direction\": "
        "\"in\", \"seed\": 4}, \"meter\"]");
    int came, sent, lost, reordered, late, duplicated, held_back;

    (void)state;
    harness_connect(harness);
    for (uint64_t i = 1; i <= 5000; i++) {
        push_number(harness, i);
        harness_advance(harness, 1);
    }
    harness_advance(harness, 100);
    harness_push_text(harness, 0, "meter?");
    harness_advance(harness, 100);

    assert_int_equal(
        sscanf((const char *)harness_record(harness, 0, 0).data,
               "%d of %d came, %d lost, %d reordered, %d late, %d duplicated",
               &came, &sent, &lost, &reordered, &late, &duplicated),
        6);
    assert_in_range(lost, 200, 300);
    assert_int_equal(lost, harness_counter(harness, "impair", "in: lost"));
    assert_int_equal(duplicated,
                     harness_counter(harness, "impair", "in: duplicated"));
    /* Held back together with all that follows is not overtaken. */
    held_back = (int)harness_counter(harness, "impair", "in: held back");
    assert_in_range(reordered, held_back - 10, held_back);
    assert_int_equal(late, 0);
    assert_int_equal(came + lost, sent);
    harness_destroy(harness);
}

static void test_meter_needs_records(void **state)
{
    struct capture capture = capture_begin(); /* many reports */
    char *said = harness_refusal(PG_STREAM, "[\"meter\"]");

    (void)state;
    assert_non_null(strstr(said, "meter needs records"));
    free(said);
    harness_cut_everywhere("[\"lines\", \"meter\", \"ping\"]",
                           pg_text("#1 ping\n#2 ping\n#2 ping\n"));
    capture_end(&capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meter_tells_four_things_apart),
        cmocka_unit_test(test_meter_late_is_not_reordered),
        cmocka_unit_test(test_meter_forgets_in_bounded_memory),
        cmocka_unit_test(test_meter_joins_a_peer_in_the_middle),
        cmocka_unit_test(test_meter_survives_any_number),
        cmocka_unit_test(test_meter_takes_off_only_its_own),
        cmocka_unit_test(test_meter_measures_the_delay),
        cmocka_unit_test(test_meter_reports_at_the_end),
        cmocka_unit_test(test_meter_agrees_with_impair),
        cmocka_unit_test(test_meter_needs_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
