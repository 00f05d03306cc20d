#include "cli/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* A field of each type. */
struct request {
    bool is_quiet;
    unsigned side, mtu;
    const char *file, *port;
    uint64_t seed, wait_ms;
    size_t bytes;
    double delay_ms, loss;
};

#define FIELD(kind, field) .type = kind, ARGUMENT_FIELD(struct request, field)

static const struct argument table[] = {
    {.help = "A heading."},
    {"quiet", NULL, "", FIELD(ARGUMENT_FLAG, is_quiet)},
    {"left", NULL, "", FIELD(ARGUMENT_CONSTANT, side), .constant = 3},
    {"file", "FILE", "", FIELD(ARGUMENT_TEXT, file)},
    {"port", "N", "", FIELD(ARGUMENT_TEXT, port),
     .range = {QUANTITY_COUNT, 0, 65535, .is_whole = true}},
    {"mtu", "N", "", FIELD(ARGUMENT_WHOLE, mtu),
     .range = {QUANTITY_COUNT, 68, 65535, .is_whole = true}},
    {"seed", "N", "", FIELD(ARGUMENT_WHOLE, seed),
     .range = {QUANTITY_COUNT, 0, UINT64_MAX, .is_whole = true}},
    {"bytes", "N", "", FIELD(ARGUMENT_WHOLE, bytes),
     .range = {QUANTITY_BYTES, 1, .most = 1000000}},
    {"wait", "1s", "", FIELD(ARGUMENT_MS, wait_ms),
     .range = {QUANTITY_SECONDS, 0, .most = 100}},
    {"delay", "1ms", "", FIELD(ARGUMENT_REAL, delay_ms),
     .range = {QUANTITY_MS, 0, 10000, .needs_unit = true}},
    {"loss", "1%", "", FIELD(ARGUMENT_SHARE, loss),
     .range = {QUANTITY_PERCENT, 0, .most = 100}},
    {0}};

static struct arguments arguments = {
    .command = "test", .head = "", .table = table, .tail = ""};

/* Reads words with one blank between them. Returns the status. */
static int read_text(struct request *request, const char *text)
{
    static char copy[256];
    static char *words[32];
    char *rest = copy, **word = words;

    *request = (struct request){0};
    snprintf(copy, sizeof(copy), "test %s", text);
    while ((*word = strsep(&rest, " ")))
        word++;
    return arguments_read(&arguments, (int)(word - words), words, request);
}

static void assert_taken(const char *text)
{
    struct request request;

    if (read_text(&request, text) != -1)
        fail_msg("%s is refused", text);
}

static void assert_refused(const char *text)
{
    struct request request;

    if (read_text(&request, text) != 2)
        fail_msg("%s is taken", text);
}

static void test_arguments_set_a_field_of_each_type(void **state)
{
    struct request request;

    (void)state;
    assert_int_equal(read_text(&request,
                               "--quiet --left --file x --port 080 --mtu 1400 "
                               "--seed 18446744073709551615 --bytes 64KiB "
                               "--wait 1.5 --delay 0.5s --loss 25"),
                     -1);
    assert_true(request.is_quiet);
    assert_int_equal(request.side, 3);
    assert_string_equal(request.file, "x");
    assert_string_equal(request.port, "080");
    assert_int_equal(request.mtu, 1400);
    assert_true(request.seed == UINT64_MAX);
    assert_int_equal(request.bytes, 65536);
    assert_int_equal(request.wait_ms, 1500);
    assert_true(request.delay_ms == 500);
    assert_true(request.loss == 0.25);
}

static void test_arguments_keep_what_is_not_given(void **state)
{
    struct request request;

    (void)state;
    assert_int_equal(read_text(&request, "--file x word"), -1);
    assert_false(request.is_quiet);
    assert_int_equal(request.mtu, 0);
}

static void test_arguments_refuse_what_is_no_number_of_the_range(void **state)
{
    static const char *const texts[] = {
        "--mtu 67",     "--mtu 65536", "--mtu 1e9",
        "--mtu 100.5",  "--mtu +100",  "--mtu -100",
        "--mtu 0x64",   "--mtu=",      "--mtu 100x",
        "--mtu nan",    "--mtu inf",   "--seed 18446744073709551616",
        "--port 65536", "--port x",    "--loss 1ms",
        "--loss 100.1", "--loss 1e",   "--loss .",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        assert_refused(texts[i]);
}

static void test_arguments_need_a_unit_only_where_it_is_unclear(void **state)
{
    (void)state;
    assert_taken("--loss 1%");
    assert_taken("--loss 1");
    assert_taken("--wait 200ms");
    assert_taken("--bytes 1e3");
    assert_taken("--delay 1MS");
    assert_refused("--delay 1");
}

static void test_arguments_refuse_unknown_options(void **state)
{
    (void)state;
    assert_refused("--quit");
    assert_refused("-q");
    assert_refused("--quiet=1");
    assert_refused("word --file");
}

static void test_arguments_end_where_the_words_begin(void **state)
{
    struct request request;

    (void)state;
    arguments.is_ordered = false;
    assert_int_equal(read_text(&request, "word --quiet"), -1);
    assert_true(request.is_quiet);
    assert_int_equal(optind, 2);

    arguments.is_ordered = true;
    assert_int_equal(read_text(&request, "word --quiet"), -1);
    assert_false(request.is_quiet);
    assert_int_equal(optind, 1);
    arguments.is_ordered = false;
}

static void test_arguments_say_what_is_wrong(void **state)
{
    struct request request;
    char error[256];

    (void)state;
    for (const struct argument *one = table; one->help; one++)
        if (one->name && !strcmp(one->name, "delay"))
            assert_false(
                arguments_take(one, "1", &request, error, sizeof(error)));
    assert_string_equal(
        error, "takes a number with its unit, from 0 to 10000 ms, not \"1\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments_set_a_field_of_each_type),
        cmocka_unit_test(test_arguments_keep_what_is_not_given),
        cmocka_unit_test(test_arguments_refuse_what_is_no_number_of_the_range),
        cmocka_unit_test(test_arguments_need_a_unit_only_where_it_is_unclear),
        cmocka_unit_test(test_arguments_refuse_unknown_options),
        cmocka_unit_test(test_arguments_end_where_the_words_begin),
        cmocka_unit_test(test_arguments_say_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
