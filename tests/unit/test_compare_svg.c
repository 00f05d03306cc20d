#include "compare/report/axis.h"
#include "compare/report/html.h"
#include "compare/report/page.h"
#include "compare/report/svg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- axes ------------------------------------------------------------- */

static void assert_axis(double min, double max, bool is_log, double first,
                        double last, int ticks)
{
    struct axis axis;

    axis_init(&axis, min, max, is_log);

    assert_int_equal(axis.tick_count, ticks);
    assert_float_equal(axis.ticks[0], first, 1e-9 * last);
    assert_float_equal(axis.ticks[ticks - 1], last, 1e-9 * last);
    assert_float_equal(axis_place(&axis, axis.min), 0, 1e-9);
    assert_float_equal(axis_place(&axis, axis.max), 1, 1e-9);
    assert_true(axis_place(&axis, min) >= -1e-9);
    assert_true(axis_place(&axis, max) <= 1 + 1e-9);
}

static void test_axis_has_round_ticks(void **state)
{
    (void)state;

    assert_axis(0, 25, false, 0, 25, 6);
    assert_axis(0, 4182, false, 0, 5000, 6);
    assert_axis(3, 97, false, 0, 100, 6);
    assert_axis(0, 0.31, false, 0, 0.4, 5);
    assert_axis(-4, 4, false, -4, 4, 5);
}

static void test_axis_copes_with_a_single_value(void **state)
{
    (void)state;

    assert_axis(0, 0, false, 0, 1, 6);
    assert_axis(7, 7, false, 6, 14, 5);
    assert_axis(10, 10, true, 10, 100, 4);
}

static void test_axis_log_has_powers_of_ten(void **state)
{
    (void)state;

    assert_axis(0.004, 80, true, 0.001, 100, 6);
    assert_axis(1, 9, true, 1, 10, 4);
    assert_axis(1e-6, 1e9, true, 1e-6, 1e8, 8);
}

/* ---- pictures --------------------------------------------------------- */

/* The caller frees it. */
static char *draw(const char *json)
{
    json_t *plot = json_loads(json, 0, NULL);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(plot);
    assert_non_null(out);
    svg_print(out, plot, "p1");
    fclose(out);
    json_decref(plot);
    return text;
}

static size_t count(const char *text, const char *part)
{
    size_t found = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        found++;
    return found;
}

#define PLOT(kind, series)                                                     \
    "{\"kind\": \"" kind "\", \"title\": \"T\", \"description\": \"D\", "      \
    "\"x\": \"time (ms)\", \"y\": \"bytes\", \"series\": [" series "]}"

#define SERIES(of, points)                                                     \
    "{\"of\": \"" of "\", \"name\": \"" of "\", \"points\": [" points "]}"

static void test_svg_tells_sides_apart_without_colour(void **state)
{
    char *text = draw(PLOT("lines", SERIES("tcp", "[0, 1], [1, 2]") ", " SERIES(
                                        "udp", "[0, 2], [1, 1]")));

    (void)state;

    assert_int_equal(count(text, "<circle"), 3); /* two and the legend's */
    assert_int_equal(count(text, "<rect"), 3);
    assert_int_equal(count(text, "stroke-dasharray=\"6 4\""), 2);
    assert_int_equal(count(text, "stroke-dasharray=\"none\""), 2);
    assert_non_null(strstr(text, "<title id=\"p1-title\">T</title>"));
    assert_non_null(strstr(text, "<desc id=\"p1-desc\">D</desc>"));
    free(text);
}

static void test_svg_tells_series_of_a_side_apart(void **state)
{
    char *text = draw(
        PLOT("points", SERIES("tcp", "[0, 1]") ", " SERIES("tcp", "[0, 2]")));

    (void)state;

    assert_int_equal(count(text, "fill=\"#0b5cad\""), 2);
    assert_int_equal(count(text, "fill=\"#fff\" stroke=\"#3b86d6\""), 2);
    free(text);
}

/* Of the last "<text" with these words; its place, -1 where there is none. */
static double place_of(const char *text, const char *words, const char *key)
{
    const char *end = strstr(text, words), *at = text;
    double place = -1;

    assert_non_null(end);
    while ((at = strstr(at, "<text ")) && at < end) {
        const char *value = strstr(at, key);

        if (value)
            place = strtod(value + strlen(key), NULL);
        at++;
    }
    return place;
}

#define WIDEST_LETTER 9.5

static void test_svg_has_room_for_the_last_label(void **state)
{
    char *text = draw("{\"kind\": \"lines\", \"log_x\": true, \"series\": ["
                      "{\"of\": \"tcp\", \"name\": \"\", \"points\": "
                      "[[1, 1], [1000, 2]]}]}");

    (void)state;

    assert_true(place_of(text, ">1,000</text>", " x=\"") +
                    5 * WIDEST_LETTER / 2 <=
                480);
    free(text);
}

static void test_svg_marks_stand_above_the_curves(void **state)
{
    char *text = draw("{\"kind\": \"lines\", \"y\": \"Mbit\", "
                      "\"marks\": [{\"x\": 1, \"label\": \"flood\"}], "
                      "\"series\": [{\"of\": \"tcp\", \"name\": \"\", "
                      "\"points\": [[0, 5], [2, 5]]}]}");
    double mark = place_of(text, ">flood</text>", " y=\"");

    (void)state;

    /* The label of the uppermost tick is 5 lower than its line. */
    assert_true(mark > place_of(text, ">Mbit</text>", " y=\"") + 14);
    assert_true(mark + 4 < place_of(text, ">5</text>", " y=\"") - 5);
    free(text);
}

static void test_svg_steps_hold_a_value(void **state)
{
    char *text = draw(PLOT("steps", SERIES("tcp", "[0, 0], [10, 10]")));

    (void)state;

    /* Along the time axis first, then up. */
    assert_non_null(strstr(text, "d=\"M58.0 284.0H454.0L454.0 56.0\""));
    free(text);
}

static void test_svg_bars_share_their_labels(void **state)
{
    char *text = draw(
        PLOT("bars", SERIES("tcp", "[\"sent\", 4], [\"got\", 4]") ", " SERIES(
                         "udp", "[\"sent\", 9]")));

    (void)state;

    assert_int_equal(count(text, ">sent</text>"), 1);
    assert_int_equal(count(text, ">got</text>"), 1);
    assert_int_equal(count(text, "url(#p1-tcp)"), 3);
    assert_int_equal(count(text, "url(#p1-udp)"), 2);
    free(text);
}

static void test_svg_shows_nothing_where_there_is_nothing(void **state)
{
    static const char *const plots[] = {
        PLOT("lines", ""),
        PLOT("bars", ""),
        PLOT("points", SERIES("tcp", "")),
        PLOT("steps", SERIES("udp", "[0, 0]")),
        PLOT("bars", SERIES("other", "[\"\", 0]")),
        "{\"kind\": \"lines\", \"log_x\": true, \"log_y\": true, "
        "\"series\": [" SERIES(
            "tcp",
            "[0, 0], [-1, 5]") "], "
                               "\"marks\": [{\"x\": 0, \"label\": \"never\"}]}",
        "{}",
    };

    (void)state;

    for (size_t i = 0; i < sizeof(plots) / sizeof(*plots); i++) {
        char *text = draw(plots[i]);

        assert_null(strstr(text, "nan"));
        assert_null(strstr(text, "inf"));
        assert_null(strstr(text, "never"));
        assert_int_equal(count(text, "</svg>"), 1);
        free(text);
    }
}

static void test_svg_leaves_out_what_a_log_axis_cannot_show(void **state)
{
    char *text =
        draw("{\"kind\": \"points\", \"log_y\": true, \"series\": [" SERIES(
            "tcp", "[1, 0], [2, 10], [3, 100]") "]}");

    (void)state;

    assert_int_equal(count(text, "<circle"), 3); /* two and the legend's */
    free(text);
}

/* ---- escaping --------------------------------------------------------- */

static void test_html_text_is_never_markup(void **state)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;

    html_text(out, "<b a='1' c=\"2\">&\033\xff\u00b5");

    fclose(out);
    assert_string_equal(text, "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;"
                              "\\x1b\\xff\u00b5");
    free(text);
}

static void test_page_escapes_all_of_a_report(void **state)
{
#define EVIL_LIST "[" EVIL_TEXT "]"
#define EVIL_TEXT "\"<script>alert(1)</script>'\""
    static const char report[] =
        "{\"command\": " EVIL_TEXT ", \"date\": " EVIL_TEXT
        ", \"version\": " EVIL_TEXT ", \"machine\": {\"kernel\": " EVIL_TEXT
        "}, \"experiments\": [{\"name\": " EVIL_TEXT ", \"title\": " EVIL_TEXT
        ", \"question\": " EVIL_TEXT ", \"error\": " EVIL_TEXT
        ", \"did\": " EVIL_LIST ", \"why\": " EVIL_LIST
        ", \"notes\": " EVIL_LIST ", \"rows\": [{\"measure\": " EVIL_TEXT
        ", \"unit\": " EVIL_TEXT ", \"tcp\": " EVIL_TEXT
        ", \"udp\": 5}], \"checks\": [{\"claim\": " EVIL_TEXT
        "}], \"guess\": {\"question\": " EVIL_TEXT ", \"answers\": " EVIL_LIST
        "}, \"plots\": [{\"kind\": \"bars\", \"title\": " EVIL_TEXT
        ", \"description\": " EVIL_TEXT ", \"x\": " EVIL_TEXT
        ", \"y\": " EVIL_TEXT ", \"series\": [{\"name\": " EVIL_TEXT
        ", \"points\": [[" EVIL_TEXT ", 1]]}], \"marks\": [{\"x\": 1, "
        "\"label\": " EVIL_TEXT "}]}]}]}";
    json_t *json = json_loads(report, 0, NULL);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;

    assert_non_null(json);
    page_print(out, json);

    fclose(out);
    assert_null(strstr(text, "<script"));
    assert_true(count(text, "&lt;script&gt;") > 20);
    free(text);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_axis_has_round_ticks),
        cmocka_unit_test(test_axis_copes_with_a_single_value),
        cmocka_unit_test(test_axis_log_has_powers_of_ten),
        cmocka_unit_test(test_svg_tells_sides_apart_without_colour),
        cmocka_unit_test(test_svg_tells_series_of_a_side_apart),
        cmocka_unit_test(test_svg_has_room_for_the_last_label),
        cmocka_unit_test(test_svg_marks_stand_above_the_curves),
        cmocka_unit_test(test_svg_steps_hold_a_value),
        cmocka_unit_test(test_svg_bars_share_their_labels),
        cmocka_unit_test(test_svg_shows_nothing_where_there_is_nothing),
        cmocka_unit_test(test_svg_leaves_out_what_a_log_axis_cannot_show),
        cmocka_unit_test(test_html_text_is_never_markup),
        cmocka_unit_test(test_page_escapes_all_of_a_report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
