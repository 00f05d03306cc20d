#include "wire/wire_command_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of words with one blank between them. */
static struct wire_command_line *read_line(const char *text)
{
    static struct wire_command_line line;
    static char copy[512];
    static char *words[64];
    char *rest = copy, **word = words;

    snprintf(copy, sizeof(copy), "%s", text);
    while ((*word = strsep(&rest, " ")))
        word++;
    assert_int_equal(wire_command_line_read(&line, (int)(word - words), words),
                     -1);
    return &line;
}

/* "a b": the command's words again. */
static void assert_command(char **argv, const char *expected)
{
    char text[256] = "";

    assert_non_null(argv);
    for (; *argv; argv++) {
        strcat(text, text[0] ? " " : "");
        strcat(text, *argv);
    }
    assert_string_equal(text, expected);
}

static void assert_near(double value, double expected)
{
    if (fabs(value - expected) > 1e-12)
        fail_msg("%g instead of %g", value, expected);
}

static void test_command_line_defaults(void **state)
{
    struct wire_command_line *line = read_line("wire config.json");

    (void)state;
    assert_string_equal(line->config, "config.json");
    assert_null(line->left);
    assert_int_equal(line->options.seed, 1);
    assert_near(line->options.to_right.loss, 0);
    assert_near(line->wait_ms, 1000);
    assert_near(line->linger_ms, 500);
}

static void test_command_line_reads_quantities(void **state)
{
    struct wire_command_line *line = read_line(
        "wire --loss 1% --reorder 0.5% --duplicate 100% --delay 1.5s --jitter "
        "250us --rate 500kbit --queue 64KiB --seed 9223372036854775807 --mtu "
        "576 --pcap x.pcap --wait 3s --linger 0ms --link veth --json c.json");
    struct wire_direction *ways[] = {&line->options.to_right,
                                     &line->options.to_left};

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_near(ways[i]->loss, 0.01);
        assert_near(ways[i]->reorder, 0.005);
        assert_near(ways[i]->duplicate, 1);
        assert_near(ways[i]->delay_ms, 1500);
        assert_near(ways[i]->jitter_ms, 0.25);
        assert_near(ways[i]->rate_mbit, 0.5);
        assert_int_equal(ways[i]->queue_bytes, 65536);
    }
    assert_true(line->options.seed == INT64_MAX);
    assert_int_equal(line->options.mtu, 576);
    assert_int_equal(line->options.kind, WIRE_VETH);
    assert_string_equal(line->options.pcap, "x.pcap");
    assert_near(line->wait_ms, 3000);
    assert_near(line->linger_ms, 0);
    assert_true(line->is_json);
}

static void test_command_line_reads_each_direction(void **state)
{
    struct wire_command_line *line =
        read_line("wire --delay 10ms --to-right --loss 1% --drop 3,5 --to-left "
                  "--loss 2% --both --rate 1gbit c.json");

    (void)state;
    assert_near(line->options.to_right.delay_ms, 10);
    assert_near(line->options.to_left.delay_ms, 10);
    assert_near(line->options.to_right.loss, 0.01);
    assert_near(line->options.to_left.loss, 0.02);
    assert_near(line->options.to_right.rate_mbit, 1000);
    assert_near(line->options.to_left.rate_mbit, 1000);
    assert_int_equal(line->drop_counts[WIRE_LEFT], 2);
    assert_int_equal(line->drops[WIRE_LEFT][0], 3);
    assert_int_equal(line->drops[WIRE_LEFT][1], 5);
    assert_int_equal(line->drop_counts[WIRE_RIGHT], 0);
}

static void test_command_line_splits_the_commands(void **state)
{
    struct wire_command_line *line;

    (void)state;
    line = read_line("wire --loss 1% -- nc -v 10.77.0.2 -- nc -l 9");
    assert_null(line->config);
    assert_command(line->left, "nc -v 10.77.0.2");
    assert_command(line->right, "nc -l 9");

    line = read_line("wire c.json -- sh -c x");
    assert_string_equal(line->config, "c.json");
    assert_command(line->left, "sh -c x");
    assert_null(line->right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command_line_defaults),
        cmocka_unit_test(test_command_line_reads_quantities),
        cmocka_unit_test(test_command_line_reads_each_direction),
        cmocka_unit_test(test_command_line_splits_the_commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
