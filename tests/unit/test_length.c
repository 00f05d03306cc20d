/* length: each message carries its length in front. */
#include "harness.h"

#include <stdlib.h>

#include "capture.h"

#define PLAIN "[\"length\", \"echo\"]"

static struct pg_bytes of(const char *bytes, size_t len)
{
    return pg_bytes(bytes, len);
}

#define BYTES(literal) of(literal, sizeof(literal) - 1)

static void assert_same(struct pg_bytes got, struct pg_bytes expected)
{
    assert_int_equal(got.len, expected.len);
    if (got.len)
        assert_memory_equal(got.data, expected.data, got.len);
}

/* Echo answers with the same header, so what comes back is what was sent. */
static void expect_echo(const char *handlers, struct pg_bytes frames)
{
    static const enum pg_kind kinds[] = {PG_STREAM, PG_RECORDS};

    for (int i = 0; i < 2; i++) {
        struct harness *harness = harness_create(kinds[i], handlers);
        int peer = harness_connect(harness);

        harness_push(harness, peer, frames);
        assert_same(harness_out(harness, peer), frames);
        harness_destroy(harness);
    }
    harness_cut_everywhere(handlers, frames);
}

static void expect_out(enum pg_kind kind, const char *handlers,
                       struct pg_bytes in, struct pg_bytes out)
{
    struct harness *harness = harness_create(kind, handlers);
    int peer = harness_connect(harness);

    harness_push(harness, peer, in);
    assert_same(harness_out(harness, peer), out);
    harness_destroy(harness);
}

/* ---- forms ------------------------------------------------------------ */

static void test_length_frames_any_bytes(void **state)
{
    (void)state;
    expect_echo(PLAIN, BYTES("\0\0\0\5hello\0\0\0\0\0\0\0\3a\nb\0\0\0\1\0"));
}

static void test_length_knows_widths_and_orders(void **state)
{
    (void)state;
    expect_echo("[{\"plugin\": \"length\", \"size\": 1}, \"echo\"]",
                BYTES("\2ab\0\1c"));
    expect_echo("[{\"plugin\": \"length\", \"size\": 2}, \"echo\"]",
                BYTES("\0\2ab\0\0\0\1c"));
    expect_echo("[{\"plugin\": \"length\", \"size\": 2,"
                " \"order\": \"little\"}, \"echo\"]",
                BYTES("\2\0ab\0\0\1\0c"));
    expect_echo("[{\"plugin\": \"length\", \"size\": 8}, \"echo\"]",
                BYTES("\0\0\0\0\0\0\0\2ab"));
    expect_echo("[{\"plugin\": \"length\", \"size\": 8,"
                " \"order\": \"little\"}, \"echo\"]",
                BYTES("\2\0\0\0\0\0\0\0ab"));
}

static void test_length_may_count_its_header(void **state)
{
    (void)state;
    expect_echo("[{\"plugin\": \"length\", \"size\": 2, \"offset\": 3,"
                " \"includes\": \"header\"}, \"echo\"]",
                BYTES("\0\0\0\0\7ab\0\0\0\0\5"));
}

static void test_length_strips_the_header_and_makes_a_new_one(void **state)
{
    static const enum pg_kind kinds[] = {PG_STREAM, PG_RECORDS};

    (void)state;
    for (int i = 0; i < 2; i++)
        expect_out(kinds[i],
                   "[{\"plugin\": \"length\", \"size\": 2, \"offset\": 3},"
                   " \"shout\", \"echo\"]",
                   BYTES("xyz\0\2ab"), BYTES("\0\0\0\0\2AB"));
}

static void test_length_may_leave_the_header_on(void **state)
{
    static const char handlers[] =
        "[{\"plugin\": \"length\", \"size\": 2, \"offset\": 3,"
        " \"strip\": false}, \"shout\", \"echo\"]";
    static const enum pg_kind kinds[] = {PG_STREAM, PG_RECORDS};

    (void)state;
    for (int i = 0; i < 2; i++)
        expect_out(kinds[i], handlers, BYTES("xyz\0\2abuvw\0\0"),
                   BYTES("XYZ\0\2ABUVW\0\0"));
    harness_cut_everywhere(handlers, BYTES("xyz\0\2abuvw\0\0"));
}

/* ... and then only the number in an outgoing one is filled in. */
static void test_length_fills_in_the_number_of_an_outgoing_header(void **state)
{
    (void)state;
    expect_out(PG_RECORDS,
               "[{\"plugin\": \"length\", \"size\": 1, \"offset\": 2,"
               " \"strip\": false},"
               " {\"plugin\": \"say\", \"text\": \"hd?text\"}]",
               BYTES("hd\0"), BYTES("hd\4text"));
    expect_out(PG_RECORDS,
               "[{\"plugin\": \"length\", \"size\": 1, \"offset\": 2,"
               " \"strip\": false, \"includes\": \"header\"},"
               " {\"plugin\": \"say\", \"text\": \"hd?text\"}]",
               BYTES("hd\3"), BYTES("hd\7text"));
}

static void test_length_delivers_each_frame_as_a_message(void **state)
{
    static const enum pg_kind kinds[] = {PG_STREAM, PG_RECORDS};

    (void)state;
    for (int i = 0; i < 2; i++)
        expect_out(kinds[i],
                   "[{\"plugin\": \"length\", \"size\": 1}, \"ping\"]",
                   BYTES("\4ping\5ping\n\4ping"), BYTES("\4pong\4pong"));
}

/* ---- what cannot be true ---------------------------------------------- */

static void expect_close(const char *handlers, struct pg_bytes in,
                         const char *reason)
{
    for (size_t step = 1; step <= in.len; step += in.len - 1) {
        struct harness *harness = harness_create(PG_STREAM, handlers);
        int peer = harness_connect(harness);

        for (size_t at = 0; at < in.len; at += step)
            harness_push(harness, peer, pg_bytes(in.data + at, step));
        assert_true(harness_is_closed(harness, peer));
        assert_int_equal(harness_close_why(harness, peer), PG_WHY_HANDLER);
        assert_string_equal(harness_close_reason(harness, peer), reason);
        harness_destroy(harness);
    }
}

static void test_length_ends_a_stream_with_too_long_a_frame(void **state)
{
    (void)state;
    expect_close(PLAIN, BYTES("\0\1\x11\x70"),
                 "frame 70000 bytes > max_bytes 65536");
    expect_close("[{\"plugin\": \"length\", \"size\": 1, \"max_bytes\": 4},"
                 " \"echo\"]",
                 BYTES("\4abcd\5"), "frame 5 bytes > max_bytes 4");
    expect_close("[{\"plugin\": \"length\", \"size\": 8}, \"echo\"]",
                 BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"),
                 "frame 18446744073709551615 bytes > max_bytes 65536");
}

/* A peer that chooses the numbers does not choose the counters. */
static void test_length_counts_all_too_long_frames_as_one(void **state)
{
    struct harness *harness = harness_create(PG_STREAM, PLAIN);
    uint8_t header[] = {0, 1, 0x11, 0};

    (void)state;
    for (int i = 0; i < 20; i++) {
        int peer = harness_connect(harness);

        header[3] = (uint8_t)i;
        harness_push(harness, peer, pg_bytes(header, sizeof(header)));
        assert_true(harness_is_closed(harness, peer));
    }
    assert_int_equal(
        harness_counter(harness, NULL, "frame N bytes > max_bytes N"), 20);
    harness_destroy(harness);
}

static void
test_length_ends_a_stream_with_a_length_below_its_header(void **state)
{
    (void)state;
    expect_close("[{\"plugin\": \"length\", \"size\": 2, \"offset\": 3,"
                 " \"includes\": \"header\"}, \"echo\"]",
                 BYTES("abc\0\4"), "length 4 < its own header of 5 bytes");
}

static void test_length_answers_what_came_before_the_mistake(void **state)
{
    (void)state;
    expect_out(PG_STREAM,
               "[{\"plugin\": \"length\", \"size\": 1, \"max_bytes\": 4},"
               " \"echo\"]",
               BYTES("\1a\2bc\5defgh\1i"), BYTES("\1a\2bc"));
}

static void test_length_takes_a_frame_of_max_bytes(void **state)
{
    struct harness *harness = harness_create(PG_STREAM, PLAIN);
    int peer = harness_connect(harness);
    static uint8_t payload[65536];

    (void)state;
    harness_push(harness, peer, BYTES("\0\1\0\0"));
    for (size_t at = 0; at < sizeof(payload); at += 4096)
        harness_push(harness, peer, pg_bytes(payload + at, 4096));

    assert_int_equal(harness_out(harness, peer).len, 65540);
    assert_false(harness_is_closed(harness, peer));
    harness_destroy(harness);
}

static void expect_drop(struct pg_bytes record, const char *counter)
{
    struct harness *harness = harness_create(PG_RECORDS, PLAIN);
    int peer = harness_connect(harness);

    harness_push(harness, peer, record);
    assert_int_equal(harness_record_count(harness, peer), 0);
    assert_int_equal(harness_counter(harness, "length", counter), 1);
    assert_false(harness_is_closed(harness, peer));

    /* The next record stands for itself. */
    harness_push(harness, peer, BYTES("\0\0\0\1a"));
    assert_same(harness_out(harness, peer), BYTES("\0\0\0\1a"));
    harness_destroy(harness);
}

static void test_length_drops_records_that_are_not_whole_frames(void **state)
{
    (void)state;
    expect_drop(BYTES(""), "record without a frame");
    expect_drop(BYTES("\0\0\0"), "record ends inside a frame");
    expect_drop(BYTES("\0\0\0\2a"), "record ends inside a frame");
    expect_drop(BYTES("\0\0\0\1ab"), "record ends inside a frame");
    expect_drop(BYTES("\0\0\0\1a\0\0\0\2b"), "record ends inside a frame");
    expect_drop(BYTES("\0\0\0\1a\0\1\x11\x70"),
                "record with a length that cannot be true");
}

/* ---- the end of input ------------------------------------------------- */

static void test_length_says_that_input_ended_inside_a_frame(void **state)
{
    struct capture capture = capture_begin();
    struct harness *harness = harness_create(PG_STREAM, PLAIN);
    int peer = harness_connect(harness);
    uint64_t dropped;
    bool is_closed;
    char *said;

    (void)state;
    harness_push(harness, peer, BYTES("\0\0\0\1a\0\0\0\5hel"));
    harness_end(harness, peer);
    said = capture_text(&capture);
    capture_end(&capture);
    dropped = harness_counter(harness, "length", "dropped: unfinished message");
    is_closed = harness_is_closed(harness, peer);

    assert_non_null(strstr(said, "input ended inside a frame: its first 7 "
                                 "bytes are lost"));
    assert_int_equal(dropped, 1);
    assert_true(is_closed);
    assert_same(harness_out(harness, peer), BYTES("\0\0\0\1a"));
    free(said);
    harness_destroy(harness);
}

static void test_length_says_nothing_after_whole_frames(void **state)
{
    struct capture capture = capture_begin();
    struct harness *harness = harness_create(PG_STREAM, PLAIN);
    int peer = harness_connect(harness);
    char *said;

    (void)state;
    harness_push(harness, peer, BYTES("\0\0\0\1a"));
    harness_end(harness, peer);
    said = capture_text(&capture);
    capture_end(&capture);

    assert_string_equal(said, "");
    assert_int_equal(harness_close_why(harness, peer), PG_WHY_EOF);
    free(said);
    harness_destroy(harness);
}

/* ---- outward ---------------------------------------------------------- */

static void test_length_refuses_what_its_number_cannot_say(void **state)
{
    static char handlers[512], text[257];
    struct harness *harness;
    int peer;

    (void)state;
    memset(text, 'x', 256);
    snprintf(handlers, sizeof(handlers),
             "[{\"plugin\": \"length\", \"size\": 1},"
             " {\"plugin\": \"say\", \"text\": \"%s\"}]",
             text);
    harness = harness_create(PG_STREAM, handlers);
    peer = harness_connect(harness);
    harness_push(harness, peer, BYTES("\0"));

    assert_int_equal(harness_out(harness, peer).len, 0);
    assert_int_equal(harness_counter(harness, "length",
                                     "message too long for its length field"),
                     1);
    assert_false(harness_is_closed(harness, peer));
    harness_destroy(harness);
}

static void test_length_refuses_a_message_shorter_than_its_header(void **state)
{
    struct harness *harness =
        harness_create(PG_STREAM, "[{\"plugin\": \"length\", \"strip\": false},"
                                  " {\"plugin\": \"say\", \"text\": \"abc\"}]");
    int peer = harness_connect(harness);

    (void)state;
    harness_push(harness, peer, BYTES("\0\0\0\0"));

    assert_int_equal(harness_out(harness, peer).len, 0);
    assert_int_equal(
        harness_counter(harness, "length", "message shorter than its header"),
        1);
    harness_destroy(harness);
}

/* ---- options ---------------------------------------------------------- */

static void expect_refusal(const char *handlers, const char *part)
{
    char *said = harness_refusal(PG_STREAM, handlers);

    if (!strstr(said, part))
        fail_msg("\"%s\" does not say \"%s\"", said, part);
    free(said);
}

static void test_length_refuses_impossible_options(void **state)
{
    (void)state;
    expect_refusal("[{\"plugin\": \"length\", \"size\": 3}, \"echo\"]",
                   "\"size\" is 3; choose 1, 2, 4 or 8");
    expect_refusal("[{\"plugin\": \"length\", \"max_bytes\": 65537}, \"echo\"]",
                   "65537, more than limits.frame_bytes 65536");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_length_frames_any_bytes),
        cmocka_unit_test(test_length_knows_widths_and_orders),
        cmocka_unit_test(test_length_may_count_its_header),
        cmocka_unit_test(test_length_strips_the_header_and_makes_a_new_one),
        cmocka_unit_test(test_length_may_leave_the_header_on),
        cmocka_unit_test(test_length_fills_in_the_number_of_an_outgoing_header),
        cmocka_unit_test(test_length_delivers_each_frame_as_a_message),
        cmocka_unit_test(test_length_ends_a_stream_with_too_long_a_frame),
        cmocka_unit_test(test_length_counts_all_too_long_frames_as_one),
        cmocka_unit_test(
            test_length_ends_a_stream_with_a_length_below_its_header),
        cmocka_unit_test(test_length_answers_what_came_before_the_mistake),
        cmocka_unit_test(test_length_takes_a_frame_of_max_bytes),
        cmocka_unit_test(test_length_drops_records_that_are_not_whole_frames),
        cmocka_unit_test(test_length_says_that_input_ended_inside_a_frame),
        cmocka_unit_test(test_length_says_nothing_after_whole_frames),
        cmocka_unit_test(test_length_refuses_what_its_number_cannot_say),
        cmocka_unit_test(test_length_refuses_a_message_shorter_than_its_header),
        cmocka_unit_test(test_length_refuses_impossible_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
