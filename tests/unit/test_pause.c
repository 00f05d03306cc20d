/* What an entry keeps comes again when it resumes, in whatever order it paused,
   kept and resumed, and when the input has ended too. Chains, orders, cuts and
   times are drawn; a seed that fails is repeated with PLAYGROUND_SEED. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS      300
#define SEEDS_LONG 30000
#define INPUT_MAX  24
#define STEPS_MOST 3
#define LONG_MS    1000000

/* A part of a record is kept in a pause only: the last one is for streams. */
static const char *const orders[] = {"pause-keep", "at-once", "twice",
                                     "keep-pause"};

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % below;
}

/* `["stepwise", ..., "echo"]`, behind `lines` or not. A handler behind a
   framing layer keeps nothing for the end of the input. */
static void draw_chain(char *text, size_t size, bool is_framed, int steps)
{
    size_t len =
        (size_t)snprintf(text, size, "[%s", is_framed ? "\"lines\", " : "");

    for (int i = 0; i < steps; i++)
        len += (size_t)snprintf(
            text + len, size - len,
            "{\"plugin\": \"stepwise\", \"name\": \"step%d\", \"ms\": %u,"
            " \"order\": \"%s\", \"at_end\": %s}, ",
            i, draw(3) ? draw(200) : 0, orders[draw(is_framed ? 3 : 4)],
            !is_framed && draw(4) == 0 ? "true" : "false");
    snprintf(text + len, size - len, "\"echo\"]");
}

/* Each byte comes back; behind `lines`, as a line of its own. */
static void expected(const char *input, bool is_framed, char *output)
{
    for (; *input; input++) {
        if (is_framed && *input == '\n')
            continue;
        *output++ = *input;
        if (is_framed)
            *output++ = '\n';
    }
    *output = '\0';
}

static void draw_input(char *input)
{
    size_t len = 1 + draw(INPUT_MAX);

    for (size_t i = 0; i < len; i++) /* no line is empty */
        input[i] = i && input[i - 1] != '\n' && draw(5) == 0
                       ? '\n'
                       : (char)('a' + draw(26));
    input[len] = '\0';
}

/* It comes in pieces, and time passes, or not. */
static void push_cut(struct harness *h, int peer, const char *input)
{
    bool is_blocked = false;

    while (*input) {
        size_t len = 1 + draw((uint32_t)strlen(input));

        harness_push(h, peer, pg_bytes(input, len));
        input += len;
        if (draw(4) == 0)
            harness_block(h, peer, is_blocked ^= true);
        if (draw(2))
            harness_advance(h, draw(300));
    }
    harness_block(h, peer, false);
}

static void run(uint32_t seed)
{
    char chain[1024], input[INPUT_MAX + 1], output[2 * INPUT_MAX + 1], name[16];
    bool is_framed;
    struct harness *h;
    int peer, steps;

    random_state = seed;
    is_framed = draw(3) == 0;
    steps = 1 + (int)draw(STEPS_MOST);
    draw_chain(chain, sizeof(chain), is_framed, steps);
    draw_input(input);
    expected(input, is_framed, output);
    print_message("seed %u: %s\n", seed, chain);
    h = harness_create(PG_STREAM, chain);
    peer = harness_connect(h);
    push_cut(h, peer, input);
    harness_end(h, peer);
    harness_advance(h, LONG_MS);

    assert_bytes(harness_out(h, peer), output);
    assert_true(harness_is_closed(h, peer));
    assert_string_equal(harness_close_reason(h, peer), "end of input");
    for (int i = 0; i < steps; i++) {
        snprintf(name, sizeof(name), "step%d", i);
        assert_int_equal(harness_counter(h, name, "after the end"), 0);
        assert_int_equal(
            harness_counter(h, name, "dropped: unfinished message"), 0);
    }
    harness_destroy(h);
}

static void test_pause_loses_nothing_that_is_kept(void **state)
{
    const char *only = getenv("PLAYGROUND_SEED");
    uint32_t seeds = getenv("PLAYGROUND_LONG") ? SEEDS_LONG : SEEDS;

    (void)state;
    if (only)
        run((uint32_t)atol(only));
    else
        for (uint32_t seed = 1; seed <= seeds; seed++)
            run(seed);
}

/* While it is paused, a datagram more is dropped; the one in hand is not. */
static void test_pause_keeps_the_rest_of_a_record(void **state)
{
    struct harness *h = harness_create(PG_RECORDS, "[\"stepwise\", \"echo\"]");
    int peer = harness_connect(h);

    (void)state;
    harness_push_text(h, peer, "");
    harness_push_text(h, peer, "abcd");
    harness_push_text(h, peer, "x");
    harness_advance(h, 1000);

    assert_int_equal(harness_record_count(h, peer), 4);
    assert_bytes(harness_record(h, peer, 3), "d");
    assert_int_equal(harness_counter(h, NULL, "dropped: session is paused"), 1);
    harness_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pause_loses_nothing_that_is_kept),
        cmocka_unit_test(test_pause_keeps_the_rest_of_a_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
