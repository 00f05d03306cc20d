#include "cli/columns.h"
#include "compare/lab/shown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ----------------------------------------------------------- */

static void assert_number(double number, const char *expected)
{
    char *text = shown_number(number);

    assert_string_equal(text, expected);
    free(text);
}

static void test_shown_number_keeps_three_digits(void **state)
{
    (void)state;

    assert_number(0, "0");
    assert_number(0.0123456, "0.0123");
    assert_number(0.9996, "1.00");
    assert_number(1.5, "1.50");
    assert_number(44.04, "44.0");
    assert_number(99.96, "100");
    assert_number(1234567.8, "1,234,568");
    assert_number(-1234.5, "-1,234");
    assert_number(1e-30, "0.000000000");
}

/* Of {"value": ...}, since a document of its own must be a list or object. */
static void assert_value(const char *json, const char *unit,
                         const char *expected)
{
    json_t *object = json_loads(json, 0, NULL);
    char *text = shown_value(json_object_get(object, "value"), unit);

    assert_string_equal(text, expected);
    free(text);
    json_decref(object);
}

static void test_shown_value_shows_each_type(void **state)
{
    (void)state;

    assert_value("{\"value\": 65507}", "bytes", "65,507 bytes");
    assert_value("{\"value\": -12}", "", "-12");
    assert_value("{\"value\": 0.5}", "ms", "0.500 ms");
    assert_value("{\"value\": true}", "ms", "yes");
    assert_value("{\"value\": false}", "", "no");
    assert_value("{\"value\": null}", "bytes", "\u2013");
    assert_value("{\"value\": [5, 5, 1000]}", "bytes", "5, 5, 1,000 bytes");
    assert_value("{\"value\": []}", "", "");
    assert_value("{\"value\": \"it\\u001b[2J\"}", "ms", "it\\x1b[2J");
}

static void test_shown_text_groups_lone_numbers(void **state)
{
    static const char *const cases[][2] = {
        {"3000 messages, 1000 a second.", "3,000 messages, 1,000 a second."},
        {"(of 1234567)", "(of 1,234,567)"},
        {"999, 2,000 and 1.25", "999, 2,000 and 1.25"},
        {"1234.5 ms", "1,234.5 ms"},
        {"127.0.0.1:5000, port 5000", "127.0.0.1:5000, port 5000"},
        {"guest1234 /tmp/1234.json", "guest1234 /tmp/1234.json"},
        {"", ""},
    };

    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *text = shown_text(cases[i][0]);

        assert_string_equal(text, cases[i][1]);
        free(text);
    }
}

static void test_shown_tick_is_short(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},        {5000, "5,000"}, {20000, "20k"},
                 {1.5e6, "1.5M"}, {0.01, "0.01"},  {3e9, "3G"}};

    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *text = shown_tick(cases[i].value);

        assert_string_equal(text, cases[i].text);
        free(text);
    }
}

/* ---- columns ---------------------------------------------------------- */

/* What is printed, into a buffer that the next call uses again. */
static char printed[1024];

static FILE *open_printed(void)
{
    FILE *out;

    memset(printed, 0, sizeof(printed));
    out = fmemopen(printed, sizeof(printed), "w");
    assert_non_null(out);
    return out;
}

static void test_columns_width_counts_what_is_seen(void **state)
{
    (void)state;

    assert_int_equal(columns_width(""), 0);
    assert_int_equal(columns_width("abc"), 3);
    assert_int_equal(columns_width("\u00b5s"), 2);
    assert_int_equal(columns_width("\u65e5\u672c"), 4);
}

static void test_columns_break_at_spaces(void **state)
{
    size_t next;

    (void)state;

    assert_int_equal(columns_break("one two", 10, &next), 7);
    assert_int_equal(next, 7);
    assert_int_equal(columns_break("one two", 5, &next), 3);
    assert_int_equal(next, 4);
    assert_int_equal(columns_break("one two", 3, &next), 3);
    assert_int_equal(next, 4);
    assert_int_equal(columns_break("unbreakable", 4, &next), 4);
    assert_int_equal(next, 4);
    assert_int_equal(columns_break("\u65e5\u672c", 1, &next), 3);
    assert_int_equal(next, 3);
}

static void test_columns_paragraph_indents_what_follows(void **state)
{
    FILE *out = open_printed();

    (void)state;

    columns_paragraph(out, "Why: ", "a stream has no bounds", 16);

    fclose(out);
    assert_string_equal(printed, "Why: a stream\n     has no\n     bounds\n");
}

static void test_columns_row_wraps_each_cell_in_its_column(void **state)
{
    static const char *const cells[] = {"the first", "\u00b5s", "last one"};
    static const size_t widths[] = {5, 3, 4};
    FILE *out = open_printed();

    (void)state;

    columns_row(out, 1, cells, widths, 3);

    fclose(out);
    assert_string_equal(printed, " the    \u00b5s   last\n"
                                 " first       one\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shown_number_keeps_three_digits),
        cmocka_unit_test(test_shown_value_shows_each_type),
        cmocka_unit_test(test_shown_text_groups_lone_numbers),
        cmocka_unit_test(test_shown_tick_is_short),
        cmocka_unit_test(test_columns_width_counts_what_is_seen),
        cmocka_unit_test(test_columns_break_at_spaces),
        cmocka_unit_test(test_columns_paragraph_indents_what_follows),
        cmocka_unit_test(test_columns_row_wraps_each_cell_in_its_column),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
