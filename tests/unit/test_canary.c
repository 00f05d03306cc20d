/* A handler that writes behind the end of its state is named once, and the
   session in which it does ends: no other. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "capture.h"
#include "spellings.h"

#define STATE_BYTES  13 /* of the fixture `large` */
#define CANARY_BYTES 8
#define PEERS        60 /* as many as the harness takes, about */
#define CHAIN        "[\"lines\", \"large\", \"probe\"]"
#define REASON       "large wrote behind the end of its state"
#define SAID                                                                   \
    "large: writes behind the end of its state of 13 bytes, where other "      \
    "sessions' data is; let .session_size be the sizeof of the struct that "   \
    "pg_state() is taken for\n"

static bool is_behind(unsigned place)
{
    return place >= STATE_BYTES;
}

static void write_to(char line[32], unsigned place)
{
    snprintf(line, 32, "write %u\n", place);
}

static void expect_end(struct harness *h, int peer, bool has_ended)
{
    assert_int_equal(harness_is_closed(h, peer), has_ended);
    if (!has_ended)
        return;
    assert_int_equal(harness_close_why(h, peer), PG_WHY_HANDLER);
    assert_string_equal(harness_close_reason(h, peer), REASON);
}

/* The harness looks at gaps too, and would fail the test. */
static void finish(struct harness *h)
{
    harness_take_overrun(h);
    harness_destroy(h);
}

static void test_canary_ends_the_sessions_that_write(void **state)
{
    struct capture capture = capture_begin();
    struct harness *h = harness_create_both(CHAIN, "{}");
    uint64_t seed = 5;
    char *said;

    (void)state;
    for (int peer = 0; peer < PEERS; peer++) {
        unsigned writes = 1 + spelling_draw(&seed, 4);
        bool has_ended = false;

        harness_connect_by(h, peer % 2 ? PG_STREAM : PG_RECORDS);
        while (writes-- > 0 && !has_ended) {
            unsigned place = spelling_draw(&seed, STATE_BYTES + CANARY_BYTES);
            char line[32];

            write_to(line, place);
            harness_push_text(h, peer, line);
            has_ended = is_behind(place);
            expect_end(h, peer, has_ended);
        }
    }
    said = capture_text(&capture);
    capture_end(&capture);
    assert_string_equal(said, SAID);
    free(said);
    finish(h);
}

/* Many sessions in one turn. */
static void test_canary_looks_at_all_of_a_turn(void **state)
{
    struct capture capture = capture_begin();
    struct harness *h = harness_create(PG_RECORDS, CHAIN);
    uint64_t seed = 6;
    static bool has_ended[PEERS];

    (void)state;
    for (int peer = 0; peer < PEERS; peer++)
        harness_connect(h);
    for (int peer = 0; peer < PEERS; peer++) {
        unsigned place = spelling_draw(&seed, 4) ? 0 : STATE_BYTES;
        char line[32];

        has_ended[peer] = is_behind(place);
        write_to(line, place);
        harness_push_within(h, peer, line);
    }
    harness_connect(h); /* and the turn is over */
    capture_end(&capture);
    for (int peer = 0; peer < PEERS; peer++)
        expect_end(h, peer, has_ended[peer]);
    finish(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canary_ends_the_sessions_that_write),
        cmocka_unit_test(test_canary_looks_at_all_of_a_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
