#include "client/terminal/client_text.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>

/* ---- view ------------------------------------------------------------- */

/* Shows `text` cut at `cut`, and compares the text and the last column. */
static void assert_cut(const char *text, size_t cut, const char *expected,
                       unsigned column)
{
    struct client_view view = {.width = 20};
    struct client_buffer out = {0};

    client_view_add(&view, pg_bytes(text, cut), &out);
    client_view_add(&view, pg_bytes(text + cut, strlen(text) - cut), &out);
    client_view_flush(&view, &out);

    client_buffer_add(&out, "", 1);
    assert_string_equal(out.data, expected);
    assert_int_equal(view.column, column);
    client_buffer_finish(&out);
}

static void assert_shown(const char *text, const char *expected,
                         unsigned column)
{
    for (size_t cut = 0; cut <= strlen(text); cut++)
        assert_cut(text, cut, expected, column);
}

static void test_view_shows_text_as_it_is(void **state)
{
    (void)state;
    assert_shown("um, dois", "um, dois", 8);
    assert_shown("a\xc3\xa7\xc3\xa3o \\x", "a\xc3\xa7\xc3\xa3o \\x", 7);
    assert_shown("um\ndois\n", "um\ndois\n", 0);
}

static void test_view_takes_a_cr_before_a_line_end(void **state)
{
    (void)state;
    assert_shown("um\r\ndois", "um\ndois", 4);
    assert_shown("um\rdois", "um\\rdois", 8);
    assert_shown("um\r\r\n", "um\\r\n", 0);
    assert_shown("um\r", "um\\r", 4);
    assert_shown("\xc3\r\xa9", "\\xc3\\r\\xa9", 10);
}

static void test_view_lets_no_control_character_through(void **state)
{
    (void)state;
    assert_shown("\x1b[2J", "\\x1b[2J", 7);
    assert_shown("\a\b\x7f", "\\x07\\x08\\x7f", 12);
    /* CSI as one character of its own, and as a byte */
    assert_shown("\xc2\x9b"
                 "2J",
                 "\\u009b2J", 8);
    assert_shown("\x9b"
                 "2J",
                 "\\x9b2J", 6);
}

static void test_view_shows_what_is_no_utf8_as_bytes(void **state)
{
    (void)state;
    assert_shown("\xff", "\\xff", 4);
    assert_shown("\xc3", "\\xc3", 4);
    assert_shown("\xc3(", "\\xc3(", 5);
    assert_shown("\xe6\x97z", "\\xe6\\x97z", 9);
    assert_shown("\xc0\x80", "\\xc0\\x80", 8);           /* too long */
    assert_shown("\xed\xa0\x80", "\\xed\\xa0\\x80", 12); /* surrogate */
    assert_shown("\xf0\x9f\xc3\xa9", "\\xf0\\x9f\xc3\xa9", 9);
}

static void test_view_shows_what_turns_text_around(void **state)
{
    (void)state;
    assert_shown("a\xe2\x80\xae"
                 "b",
                 "a\\u202eb", 8);
    assert_shown("\xe2\x81\xa6", "\\u2066", 6);
}

static void test_view_counts_columns(void **state)
{
    (void)state;
    assert_shown("\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac", 4);
    assert_shown("e\xcc\x81", "e\xcc\x81", 1); /* an accent of its own */
    assert_shown("a\tb", "a       b", 9);
    assert_shown("12345678901234567890", "12345678901234567890", 20);
    assert_shown("123456789012345678901", "123456789012345678901", 1);
    /* a wide character does not fit into the last column */
    assert_shown("1234567890123456789\xe6\x97\xa5",
                 "1234567890123456789\xe6\x97\xa5", 2);
}

static void test_view_takes_a_nul(void **state)
{
    struct client_view view = {0};
    struct client_buffer out = {0};

    (void)state;
    client_view_add(&view, pg_bytes("a\0b", 3), &out);

    assert_int_equal(out.len, 6);
    assert_memory_equal(out.data, "a\\x00b", 6);
    client_buffer_finish(&out);
}

/* ---- hex -------------------------------------------------------------- */

static void assert_hex(bool is_sent, struct pg_bytes bytes, unsigned columns,
                       const char *expected)
{
    struct client_buffer out = {0};

    client_hex(&out, is_sent, bytes, columns);
    client_buffer_add(&out, "", 1);
    assert_string_equal(out.data, expected);
    client_buffer_finish(&out);
}

static void test_hex_has_offset_bytes_and_text(void **state)
{
    (void)state;
    assert_hex(
        false, pg_text("Hello, \x01mundo\n\xc3\xa9 z"), 80,
        "< 18 bytes received\n"
        "00000000  48 65 6c 6c 6f 2c 20 01  6d 75 6e 64 6f 0a c3 a9  |Hello, "
        ".mundo...|\n"
        "00000010  20 7a                                             | z|\n");
}

static void test_hex_tells_the_direction(void **state)
{
    (void)state;
    assert_hex(true, pg_text(""), 80, "> 0 bytes sent\n");
    assert_hex(true, pg_text("a"), 80,
               "> 1 byte sent\n"
               "00000000  61                                                |"
               "a|\n");
}

static void test_hex_fits_the_window(void **state)
{
    (void)state;
    assert_hex(false, pg_text("123456789"), 60,
               "< 9 bytes received\n"
               "00000000  31 32 33 34 35 36 37 38  |12345678|\n"
               "00000008  39                       |9|\n");
    assert_hex(false, pg_text("12345"), 40,
               "< 5 bytes received\n"
               "00000000  31 32 33 34  |1234|\n"
               "00000004  35           |5|\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_view_shows_text_as_it_is),
        cmocka_unit_test(test_view_takes_a_cr_before_a_line_end),
        cmocka_unit_test(test_view_lets_no_control_character_through),
        cmocka_unit_test(test_view_shows_what_is_no_utf8_as_bytes),
        cmocka_unit_test(test_view_shows_what_turns_text_around),
        cmocka_unit_test(test_view_counts_columns),
        cmocka_unit_test(test_view_takes_a_nul),
        cmocka_unit_test(test_hex_has_offset_bytes_and_text),
        cmocka_unit_test(test_hex_tells_the_direction),
        cmocka_unit_test(test_hex_fits_the_window),
    };

    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
