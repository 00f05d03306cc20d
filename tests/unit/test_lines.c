/* lines: one line is one message, on every transport. */
#include "harness.h"

#include <stdlib.h>

#include "capture.h"

static void test_lines_gives_the_same_however_a_stream_is_cut(void **state)
{
    (void)state;
    harness_cut_everywhere("[\"lines\", \"echo\"]",
                           pg_text("um\ndois\r\n\n\r\n\r\rtr\xc3\xaas\nlast"));
    harness_cut_everywhere("[\"lines\", \"ping\"]",
                           pg_text("ping\nping\r\npi\nng\nping"));
    harness_cut_everywhere("[\"lines\", \"echo\"]", pg_bytes("\0\n\xff\n", 4));
}

static void test_lines_cuts_a_stream_at_line_ends(void **state)
{
    struct harness *harness =
        harness_create(PG_STREAM, "[\"lines\", \"echo\"]");
    int peer = harness_connect(harness);

    (void)state;
    harness_push_text(harness, peer, "um\ndo");
    assert_bytes(harness_out(harness, peer), "um\n");
    harness_push_text(harness, peer, "is\r\n\r\n\n");
    assert_bytes(harness_out(harness, peer), "um\ndois\n\n\n");
    harness_push_text(harness, peer, "a\rb\r\r\n");

    /* Only the "\r" next to the line end belongs to it. */
    assert_bytes(harness_out(harness, peer), "um\ndois\n\n\na\rb\r\n");
    harness_destroy(harness);
}

static void test_lines_delivers_an_unfinished_last_line(void **state)
{
    struct harness *harness =
        harness_create(PG_STREAM, "[\"lines\", \"echo\"]");
    int peer = harness_connect(harness);

    (void)state;
    harness_push_text(harness, peer, "a\nb");
    harness_end(harness, peer);

    assert_bytes(harness_out(harness, peer), "a\nb\n");
    assert_true(harness_is_closed(harness, peer));
    assert_int_equal(harness_close_why(harness, peer), PG_WHY_EOF);
    assert_int_equal(
        harness_counter(harness, "lines", "dropped: unfinished message"), 0);
    harness_destroy(harness);
}

static void test_lines_adds_nothing_at_the_end_of_whole_lines(void **state)
{
    struct harness *harness =
        harness_create(PG_STREAM, "[\"lines\", \"echo\"]");
    int peer = harness_connect(harness);

    (void)state;
    harness_push_text(harness, peer, "a\n");
    harness_end(harness, peer);

    assert_bytes(harness_out(harness, peer), "a\n");
    harness_destroy(harness);
}

/* ---- records ---------------------------------------------------------- */

static void expect_records(const char *sent, const char *const *expected,
                           size_t count)
{
    struct harness *harness =
        harness_create(PG_RECORDS, "[\"lines\", \"echo\"]");
    int peer = harness_connect(harness);

    harness_push_text(harness, peer, sent);
    assert_int_equal(harness_record_count(harness, peer), count);
    for (size_t i = 0; i < count; i++)
        assert_bytes(harness_record(harness, peer, i), expected[i]);
    harness_destroy(harness);
}

#define EXPECT_RECORDS(sent, ...)                                              \
    expect_records(sent, (const char *const[]){__VA_ARGS__},                   \
                   sizeof((const char *const[]){__VA_ARGS__}) /                \
                       sizeof(const char *))

static void test_lines_takes_one_line_end_off_a_record(void **state)
{
    (void)state;
    EXPECT_RECORDS("um", "um\n");
    EXPECT_RECORDS("um\n", "um\n");
    EXPECT_RECORDS("um\r\n", "um\n");
    EXPECT_RECORDS("", "\n");
    EXPECT_RECORDS("\n", "\n");
}

static void test_lines_splits_a_record_that_holds_more(void **state)
{
    (void)state;
    EXPECT_RECORDS("um\nguest1: forged", "um\n", "guest1: forged\n");
    EXPECT_RECORDS("um\n\n", "um\n", "\n");
    EXPECT_RECORDS("\num\r\ndois\n", "\n", "um\n", "dois\n");
}

/* ---- outward ---------------------------------------------------------- */

static void expect_sent(const char *text, const char *expected)
{
    static const enum pg_kind kinds[] = {PG_STREAM, PG_RECORDS};
    char handlers[128];

    snprintf(handlers, sizeof(handlers),
             "[\"lines\", {\"plugin\": \"say\", \"text\": \"%s\"}]", text);
    for (int i = 0; i < 2; i++) {
        struct harness *harness = harness_create(kinds[i], handlers);
        int peer = harness_connect(harness);

        harness_push_text(harness, peer, "?\n");
        assert_int_equal(harness_record_count(harness, peer), 1);
        assert_bytes(harness_record(harness, peer, 0), expected);
        harness_destroy(harness);
    }
}

static void test_lines_sends_each_message_as_one_line(void **state)
{
    (void)state;
    expect_sent("a", "a\n");
    expect_sent("", "\n");
    expect_sent("a\\n", "a\n");
    expect_sent("a\\nb", "a b\n");
    expect_sent("\\na\\n\\nb\\n", " a  b\n");
    expect_sent("\\n", "\n");
}

/* ---- limits ----------------------------------------------------------- */

#define SHORT "[{\"plugin\": \"lines\", \"max_bytes\": 4}, \"echo\"]"

static void test_lines_takes_a_line_of_max_bytes(void **state)
{
    (void)state;
    harness_cut_everywhere(SHORT, pg_text("1234\n1234\r\n123\n1234"));
}

static void expect_too_long(const char *const *reads, size_t count)
{
    struct harness *harness = harness_create(PG_STREAM, SHORT);
    int peer = harness_connect(harness);

    for (size_t i = 0; i < count; i++)
        harness_push_text(harness, peer, reads[i]);

    assert_true(harness_is_closed(harness, peer));
    assert_int_equal(harness_close_why(harness, peer), PG_WHY_HANDLER);
    assert_string_equal(harness_close_reason(harness, peer),
                        "line of 5 bytes or more > max_bytes 4");
    assert_bytes(harness_out(harness, peer), "ok\n");
    harness_destroy(harness);
}

#define EXPECT_TOO_LONG(...)                                                   \
    expect_too_long((const char *const[]){__VA_ARGS__},                        \
                    sizeof((const char *const[]){__VA_ARGS__}) /               \
                        sizeof(const char *))

static void test_lines_ends_a_stream_with_a_longer_line(void **state)
{
    (void)state;
    EXPECT_TOO_LONG("ok\n12345\nafter\n");
    EXPECT_TOO_LONG("ok\n12345");
    EXPECT_TOO_LONG("ok\n", "1", "2", "3", "4", "5");
    EXPECT_TOO_LONG("ok\n", "1234\r", "x");
    EXPECT_TOO_LONG("ok\n", "12345\r\n");
}

static void test_lines_drops_a_record_with_a_longer_line(void **state)
{
    struct harness *harness = harness_create(PG_RECORDS, SHORT);
    int peer = harness_connect(harness);

    (void)state;
    harness_push_text(harness, peer, "12345");
    harness_push_text(harness, peer, "ok\n12345\n");
    harness_push_text(harness, peer, "1234\r\n");

    assert_int_equal(harness_record_count(harness, peer), 1);
    assert_bytes(harness_record(harness, peer, 0), "1234\n");
    assert_int_equal(
        harness_counter(harness, "lines", "line longer than max_bytes"), 2);
    assert_false(harness_is_closed(harness, peer));
    harness_destroy(harness);
}

static void test_lines_follows_a_smaller_frame_bytes(void **state)
{
    struct harness *harness = harness_create_limits(
        PG_STREAM, "[\"lines\", \"echo\"]", "{\"frame_bytes\": 1024}");
    int peer = harness_connect(harness);
    static uint8_t line[1025];

    (void)state;
    memset(line, 'x', sizeof(line));
    harness_push(harness, peer, pg_bytes(line, 1024));
    harness_push_text(harness, peer, "\n");
    assert_int_equal(harness_out(harness, peer).len, 1025);
    harness_push(harness, peer, pg_bytes(line, 1025));

    assert_true(harness_is_closed(harness, peer));
    assert_string_equal(harness_close_reason(harness, peer),
                        "line of 1025 bytes or more > max_bytes 1024");
    harness_destroy(harness);
}

static void test_lines_refuses_a_limit_that_cannot_be_kept(void **state)
{
    char *said = harness_refusal(
        PG_STREAM, "[{\"plugin\": \"lines\", \"max_bytes\": 65537}, \"echo\"]");

    (void)state;
    assert_non_null(strstr(said, "65537, more than limits.frame_bytes "
                                 "65536"));
    free(said);
}

/* A long line that comes byte by byte: with a new look at all of it for each
   byte this would be two thousand million steps. */
static void test_lines_takes_a_long_line_byte_by_byte(void **state)
{
    struct harness *harness =
        harness_create(PG_STREAM, "[\"lines\", \"echo\"]");
    int peer = harness_connect(harness);

    (void)state;
    for (int i = 0; i < 65536; i++)
        harness_push_text(harness, peer, "x");
    assert_bytes(harness_out(harness, peer), "");
    harness_push_text(harness, peer, "\n");

    assert_int_equal(harness_out(harness, peer).len, 65537);
    harness_destroy(harness);
}

/* ---- pressure --------------------------------------------------------- */

/* Lines that wait in one read while the peer does not take the answers come
   again when it does, none twice and none lost. */
static void test_lines_waits_for_a_peer_that_does_not_read(void **state)
{
    struct harness *harness = harness_create_limits(
        PG_STREAM, "[\"lines\", \"echo\"]",
        "{\"session_queue_bytes\": 32768, \"frame_bytes\": 8192}");
    int peer = harness_connect(harness);
    static char chunk[60000 + 1], all[4 * 60000];
    const size_t len = sizeof(chunk) - 1;
    size_t sent = 0;

    (void)state;
    harness_block(harness, peer, true);
    while (harness_is_read(harness, peer) && sent < sizeof(all)) {
        for (size_t i = 0; i < len; i += 10)
            snprintf(chunk + i, 11, "%09zu\n", sent + i);
        memcpy(all + sent, chunk, len);
        harness_push(harness, peer, pg_bytes(chunk, len));
        sent += len;
    }
    assert_false(harness_is_read(harness, peer));
    harness_block(harness, peer, false);

    assert_int_equal(harness_out(harness, peer).len, sent);
    assert_memory_equal(harness_out(harness, peer).data, all, sent);
    assert_true(harness_is_read(harness, peer));
    harness_destroy(harness);
}

/* ---- the hint --------------------------------------------------------- */

static char *said_after(const char *handlers, const char *const *reads,
                        uint64_t ms_between)
{
    struct capture capture = capture_begin();
    struct harness *harness = harness_create(PG_STREAM, handlers);
    int peer = harness_connect(harness);
    char *said;

    for (; *reads; reads++) {
        harness_push_text(harness, peer, *reads);
        harness_advance(harness, ms_between);
    }
    harness_destroy(harness);
    said = capture_text(&capture);
    capture_end(&capture);
    return said;
}

static int count_of(const char *text, const char *part)
{
    int count = 0;

    for (; (text = strstr(text, part)); text++)
        count++;
    return count;
}

static void expect_hints(const char *handlers, const char *const *reads,
                         uint64_t ms_between, int expected)
{
    char *said = said_after(handlers, reads, ms_between);

    assert_int_equal(count_of(said, "for a line end"), expected);
    free(said);
}

static void test_lines_says_once_that_no_line_end_comes(void **state)
{
    static const char *const reads[] = {"um", "dois", "tres", NULL};
    char *said = said_after("[\"lines\", \"echo\"]", reads, 3000);

    (void)state;
    assert_non_null(strstr(said, "2 bytes have waited 3 s for a line end"));
    assert_int_equal(count_of(said, "for a line end"), 1);
    free(said);
}

static void test_lines_says_nothing_when_line_ends_come(void **state)
{
    static const char *const in_time[] = {"um", "\n", "dois", NULL};
    static const char *const known[] = {"um\ndois", "", NULL};
    static const char *const once[] = {"um", NULL};

    (void)state;
    expect_hints("[\"lines\", \"echo\"]", in_time, 2999, 0);
    expect_hints("[\"lines\", \"echo\"]", known, 60000, 0);
    expect_hints("[{\"plugin\": \"lines\", \"hint_s\": 0}, \"echo\"]", once,
                 60000, 0);
    expect_hints("[{\"plugin\": \"lines\", \"hint_s\": 10}, \"echo\"]", once,
                 9999, 0);
    expect_hints("[{\"plugin\": \"lines\", \"hint_s\": 10}, \"echo\"]", once,
                 10000, 1);
}

/* The deadline of the hint does not keep a session open. */
static void test_lines_closes_at_end_of_input_while_it_waits(void **state)
{
    struct harness *harness =
        harness_create(PG_STREAM, "[\"lines\", \"echo\"]");
    int peer = harness_connect(harness);

    (void)state;
    harness_push_text(harness, peer, "um");
    harness_end(harness, peer);

    assert_true(harness_is_closed(harness, peer));
    assert_bytes(harness_out(harness, peer), "um\n");
    harness_destroy(harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_gives_the_same_however_a_stream_is_cut),
        cmocka_unit_test(test_lines_cuts_a_stream_at_line_ends),
        cmocka_unit_test(test_lines_delivers_an_unfinished_last_line),
        cmocka_unit_test(test_lines_adds_nothing_at_the_end_of_whole_lines),
        cmocka_unit_test(test_lines_takes_one_line_end_off_a_record),
        cmocka_unit_test(test_lines_splits_a_record_that_holds_more),
        cmocka_unit_test(test_lines_sends_each_message_as_one_line),
        cmocka_unit_test(test_lines_takes_a_line_of_max_bytes),
        cmocka_unit_test(test_lines_ends_a_stream_with_a_longer_line),
        cmocka_unit_test(test_lines_drops_a_record_with_a_longer_line),
        cmocka_unit_test(test_lines_follows_a_smaller_frame_bytes),
        cmocka_unit_test(test_lines_refuses_a_limit_that_cannot_be_kept),
        cmocka_unit_test(test_lines_takes_a_long_line_byte_by_byte),
        cmocka_unit_test(test_lines_waits_for_a_peer_that_does_not_read),
        cmocka_unit_test(test_lines_says_once_that_no_line_end_comes),
        cmocka_unit_test(test_lines_says_nothing_when_line_ends_come),
        cmocka_unit_test(test_lines_closes_at_end_of_input_while_it_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
