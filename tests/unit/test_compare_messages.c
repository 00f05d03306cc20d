#include "compare/load/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- files ------------------------------------------------------------ */

static struct messages parsed(const char *text, bool is_hex)
{
    struct messages messages;
    char error[256] = "";

    if (!messages_parse(&messages, pg_text(text), "file", is_hex, error,
                        sizeof(error)))
        fail_msg("%s", error);
    return messages;
}

static void assert_message(struct messages *messages, uint64_t number,
                           const char *data, size_t len)
{
    struct pg_bytes message = messages_get(messages, number);

    assert_int_equal(message.len, len);
    assert_memory_equal(message.data, data, len);
}

static void assert_refused(const char *text, bool is_hex, const char *expected)
{
    struct messages messages;
    char error[256] = "";

    assert_false(messages_parse(&messages, pg_text(text), "file", is_hex, error,
                                sizeof(error)));
    assert_string_equal(error, expected);
    assert_null(messages.list);
}

static void test_messages_are_the_lines_of_a_file(void **state)
{
    struct messages messages = parsed("one\ntwo words\r\nthree", false);

    (void)state;
    assert_int_equal(messages.count, 3);
    assert_message(&messages, 0, "one", 3);
    assert_message(&messages, 1, "two words", 9);
    assert_message(&messages, 2, "three", 5);
    assert_message(&messages, 3, "one", 3);
    assert_message(&messages, UINT64_C(3000000001), "two words", 9);
    messages_finish(&messages);
}

static void test_messages_have_escapes(void **state)
{
    struct messages messages =
        parsed("a\\nb\\r\\t\\0\\\\ \\x41\\xfF\n\\x00\n", false);

    (void)state;
    assert_int_equal(messages.count, 2);
    assert_message(&messages, 0, "a\nb\r\t\0\\ A\xff", 10);
    assert_message(&messages, 1, "\0", 1);
    messages_finish(&messages);
}

static void test_messages_refuse_what_is_no_escape(void **state)
{
    static const char advice[] =
        "no such escape; write \\\\ for a backslash, or \\n \\r \\t \\0 \\xHH";
    static const char *const broken[] = {"ab\\q", "ab\\", "ab\\x4", "ab\\xg1"};
    char expected[256];

    (void)state;
    snprintf(expected, sizeof(expected), "file:2:3: %s", advice);
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        char text[64];

        snprintf(text, sizeof(text), "fine\n%s\n", broken[i]);
        assert_refused(text, false, expected);
    }
}

static void test_messages_are_read_in_hex(void **state)
{
    struct messages messages = parsed("68656a\n 00 ff\t0A \n", true);

    (void)state;
    assert_int_equal(messages.count, 2);
    assert_message(&messages, 0, "hej", 3);
    assert_message(&messages, 1, "\0\xff\n", 3);
    messages_finish(&messages);
    assert_refused("68\n6 8\n", true,
                   "file:2:1: no hex digits; write two hex digits for each "
                   "byte, as in 68 65 6a");
    assert_refused("680", true,
                   "file:1:3: no hex digits; write two hex digits for each "
                   "byte, as in 68 65 6a");
}

static void test_messages_refuse_what_cannot_be_one(void **state)
{
    char *text = calloc(MESSAGES_MOST_BYTES + 2, 1);

    (void)state;
    assert_refused("", false, "file: no message in it; write one a line");
    assert_refused("one\n\ntwo\n", false,
                   "file:2:1: an empty message, which a stream cannot show; "
                   "delete the line");
    memset(text, 'x', MESSAGES_MOST_BYTES + 1);
    assert_refused(text, false,
                   "file:1:1: 65508 bytes do not fit into a datagram; 65507 "
                   "are the most");
    free(text);
}

static void test_messages_say_why_a_file_cannot_be_read(void **state)
{
    struct messages messages = {.count = 0};
    char error[256];

    (void)state;
    assert_false(messages_read(&messages, "/nowhere/at/all", false, error,
                               sizeof(error)));
    assert_string_equal(error, "/nowhere/at/all: No such file or directory; "
                               "there is no folder /nowhere: correct the path");
    assert_false(messages_read(&messages, "/", false, error, sizeof(error)));
    assert_string_equal(error,
                        "/: Is a directory; give a file with one message "
                        "a line");
}

/* ---- tokens ----------------------------------------------------------- */

static void assert_tokens(struct token_scan *scan, struct pg_bytes in,
                          const uint64_t *expected, size_t count)
{
    uint64_t number;

    for (size_t i = 0; i < count; i++) {
        assert_true(token_next(scan, &in, &number));
        assert_int_equal(number, expected[i]);
    }
    assert_false(token_next(scan, &in, &number));
}

static void test_messages_know_whether_two_are_the_same(void **state)
{
    struct messages messages = parsed("a\nb\nab\na\n", false);
    struct messages tokens = {0};

    (void)state;
    assert_false(messages_repeat(&messages, 3));
    assert_true(messages_repeat(&messages, 4));
    assert_true(messages_repeat(&messages, 5)); /* from the first line on */
    assert_false(messages_repeat(&tokens, 1000));
    messages_finish(&messages);
}

static void test_messages_end_with_their_token(void **state)
{
    struct messages messages = {.count = 0};
    struct token_scan scan = {0};
    uint64_t number;

    (void)state;
    for (uint64_t i = 0; i < 3000; i = 3 * i + 1) {
        struct pg_bytes message = messages_get(&messages, i);

        assert_int_equal(message.len, MESSAGES_DEFAULT_BYTES);
        assert_true(token_next(&scan, &message, &number));
        assert_int_equal(number, i);
        assert_int_equal(message.len, 0);
    }
}

static void test_messages_are_found_however_they_are_cut(void **state)
{
    static const char text[] =
        "guest1: PG0000000007\nguest2: PPG0000000012GPG00000pg9999999999";
    const uint64_t expected[] = {7, 12, UINT64_C(9999999999)};

    (void)state;
    for (size_t cut = 0; cut < sizeof(text); cut++) {
        struct token_scan scan = {0};
        struct pg_bytes first = pg_bytes(text, cut);
        size_t found = 0;
        uint64_t number;

        while (token_next(&scan, &first, &number))
            assert_int_equal(number, expected[found++]);
        assert_tokens(&scan, pg_bytes(text + cut, sizeof(text) - 1 - cut),
                      expected + found, 3 - found);
    }
}

static void test_messages_need_all_ten_digits(void **state)
{
    struct token_scan scan = {0};

    (void)state;
    assert_tokens(&scan, pg_text("PG000000001 PG00000000x1 P G0000000001"),
                  NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_are_the_lines_of_a_file),
        cmocka_unit_test(test_messages_have_escapes),
        cmocka_unit_test(test_messages_refuse_what_is_no_escape),
        cmocka_unit_test(test_messages_are_read_in_hex),
        cmocka_unit_test(test_messages_refuse_what_cannot_be_one),
        cmocka_unit_test(test_messages_say_why_a_file_cannot_be_read),
        cmocka_unit_test(test_messages_know_whether_two_are_the_same),
        cmocka_unit_test(test_messages_end_with_their_token),
        cmocka_unit_test(test_messages_are_found_however_they_are_cut),
        cmocka_unit_test(test_messages_need_all_ten_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
