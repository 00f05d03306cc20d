/* Who takes nothing, or says nothing, for too long: on a virtual clock, peers
   that do a little of both at times that a seed draws. A seed that fails is
   repeated with PLAYGROUND_SEED. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#define SEEDS      20
#define SEEDS_LONG 2000
#define PEERS      12
#define STEPS      200
#define UNREAD_MS  10000
#define STEP_MS    (UNREAD_MS / 4) /* it is looked so often */
#define IDLE_MS    7000

#define LIMITS "{\"unread_s\": 10, \"linger_ms\": 0}"
#define UNREAD "has read nothing for limits.unread_s"

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % below;
}

/* ---- limits.unread_s --------------------------------------------------- */

static void test_look_ends_who_takes_nothing(void **state)
{
    struct harness *h = harness_create_limits(PG_STREAM, "[\"echo\"]", LIMITS);
    int peer = harness_connect(h), other = harness_connect(h);

    (void)state;
    harness_block(h, peer, true);
    harness_block(h, other, true); /* but nothing waits for it */
    harness_advance(h, 100000);
    harness_push_text(h, peer, "hello");
    harness_advance(h, UNREAD_MS - 1);
    assert_false(harness_is_closed(h, peer));
    harness_advance(h, 2 * STEP_MS + 1);

    assert_true(harness_is_closed(h, peer));
    assert_int_equal(harness_close_why(h, peer), PG_WHY_LIMIT);
    assert_string_equal(harness_close_reason(h, peer), UNREAD);
    assert_int_equal(harness_counter(h, NULL, UNREAD), 1);
    assert_false(harness_is_closed(h, other));
    harness_destroy(h);
}

/* Its own goodbye is no reason to keep it, nor is a pause. */
static void test_look_ends_who_takes_nothing_after_its_end(void **state)
{
    struct harness *h = harness_create_limits(PG_STREAM, "[\"echo\"]", LIMITS);
    int peer = harness_connect(h);

    (void)state;
    harness_block(h, peer, true);
    harness_push_text(h, peer, "hello");
    harness_end(h, peer);
    harness_advance(h, UNREAD_MS + 2 * STEP_MS);
    assert_true(harness_is_closed(h, peer));
    assert_string_equal(harness_close_reason(h, peer), UNREAD);
    harness_destroy(h);
}

/* When we have said goodbye it has linger_ms, counted from what it takes: the
   socket says nothing before it has room. */
static void test_look_lets_a_slow_reader_finish(void **state)
{
    struct harness *h = harness_create_limits(
        PG_STREAM, "[\"lines\", \"chat-broadcast\"]", "{\"linger_ms\": 1000}");
    int peer = harness_connect(h);

    (void)state;
    harness_block(h, peer, true);
    harness_clear(h, peer);
    harness_push_text(h, peer, "/who\n/quit\n");
    for (int i = 0; i < 20; i++) {
        harness_acknowledge(h, peer, 1 + draw(9));
        harness_advance(h, 500 + draw(500));
    }
    harness_block(h, peer, false);
    assert_true(harness_out(h, peer).len > 0);
    harness_destroy(h);
}

static void test_look_ends_nobody_when_told_not_to(void **state)
{
    struct harness *h =
        harness_create_limits(PG_STREAM, "[\"echo\"]", "{\"unread_s\": 0}");
    int peer = harness_connect(h);

    (void)state;
    harness_block(h, peer, true);
    harness_push_text(h, peer, "hello");
    harness_advance(h, 1000000);
    assert_false(harness_is_closed(h, peer));
    harness_destroy(h);
}

/* After our goodbye a peer has linger_ms from what it took last, also of what
   our system holds; who goes on talking has no more. */
static void test_look_lingers_while_something_is_taken(void **state)
{
    struct harness *h = harness_create_limits(
        PG_STREAM, "[{\"plugin\": \"lines\", \"max_bytes\": 9}, \"echo\"]",
        "{\"linger_ms\": 1000}");
    int steady = harness_connect(h), silent = harness_connect(h);
    int talking = harness_connect(h);

    (void)state;
    harness_push_text(h, steady, "a line\nwhich is too long");
    harness_push_text(h, silent, "a line\nwhich is too long");
    harness_push_text(h, talking, "a line\nwhich is too long");
    assert_true(harness_is_closed(h, steady));
    for (int i = 0; i < 20; i++) {
        harness_advance(h, 900);
        assert_false(harness_is_gone(h, steady));
        assert_int_equal(harness_is_gone(h, silent), i > 0);
        assert_int_equal(harness_is_gone(h, talking), i > 0);
        if (!harness_is_gone(h, talking))
            harness_push_text(h, talking, "x");
        harness_acknowledge(h, steady, 1);
    }
    harness_advance(h, 2000);
    assert_true(harness_is_gone(h, steady));
    harness_destroy(h);
}

/* `waits_ms`: how long something has waited for a blocked peer. */
struct reader {
    bool is_blocked, has_waiting;
    uint64_t waits_ms;
};

static void check_reader(struct harness *h, int peer,
                         const struct reader *reader)
{
    if (reader->waits_ms < UNREAD_MS)
        assert_false(harness_is_closed(h, peer));
    if (reader->waits_ms >= UNREAD_MS + 2 * STEP_MS)
        assert_true(harness_is_closed(h, peer));
    if (harness_is_closed(h, peer))
        assert_string_equal(harness_close_reason(h, peer), UNREAD);
}

static void step_of(struct harness *h, int peer, struct reader *reader)
{
    if (draw(8) == 0 || (reader->is_blocked && draw(20) == 0)) {
        reader->is_blocked = !reader->is_blocked;
        harness_block(h, peer, reader->is_blocked);
        if (!reader->is_blocked)
            *reader = (struct reader){0};
    }
    if (draw(2)) {
        harness_push_text(h, peer, "hello");
        reader->has_waiting = reader->is_blocked;
    }
}

static void run_readers(uint32_t seed)
{
    struct harness *h = harness_create_limits(PG_STREAM, "[\"echo\"]", LIMITS);
    struct reader readers[PEERS] = {{0}};

    random_state = seed;
    print_message("seed %u\n", seed);
    for (int peer = 0; peer < PEERS; peer++)
        harness_connect(h);
    for (int i = 0; i < STEPS; i++) {
        uint32_t ms = draw(2000);

        for (int peer = 0; peer < PEERS; peer++)
            if (!harness_is_closed(h, peer))
                step_of(h, peer, &readers[peer]);
        harness_advance(h, ms);
        for (int peer = 0; peer < PEERS; peer++) {
            if (readers[peer].has_waiting)
                readers[peer].waits_ms += ms;
            check_reader(h, peer, &readers[peer]);
        }
    }
    harness_destroy(h);
}

/* ---- idle time --------------------------------------------------------- */

struct talker {
    uint64_t silent_ms;
    bool has_ended;
};

static void talk(struct harness *h, int peer, struct talker *talker)
{
    if (draw(12) == 0 && !talker->has_ended) {
        harness_push_text(h, peer, "x\n");
        talker->silent_ms = 0;
    }
}

/* A stream ends when its idle time has passed, whatever it was sent. */
static void run_talkers(uint32_t seed)
{
    struct harness *h = harness_create(
        PG_STREAM,
        "[\"lines\", {\"plugin\": \"chat-broadcast\", \"names\": false}]");
    struct talker talkers[PEERS] = {{0}};

    random_state = seed;
    print_message("seed %u\n", seed);
    harness_idle(h, IDLE_MS);
    for (int peer = 0; peer < PEERS; peer++)
        harness_connect(h);
    for (int i = 0; i < STEPS; i++) {
        uint32_t ms = draw(1000);

        for (int peer = 0; peer < PEERS; peer++)
            if (!harness_is_closed(h, peer))
                talk(h, peer, &talkers[peer]);
        harness_advance(h, ms);
        for (int peer = 0; peer < PEERS; peer++) {
            talkers[peer].silent_ms += ms;
            assert_int_equal(harness_is_closed(h, peer),
                             talkers[peer].silent_ms >= IDLE_MS);
            if (harness_is_closed(h, peer)) {
                assert_int_equal(harness_close_why(h, peer), PG_WHY_IDLE);
                talkers[peer].silent_ms = IDLE_MS; /* for good */
            }
        }
    }
    harness_destroy(h);
}

/* Nobody hears what it says, and it may say nothing. */
static void test_look_idle_time_waits_for_who_is_not_read_from(void **state)
{
    struct harness *h = harness_create_limits(
        PG_STREAM, "[\"lines\", \"probe\"]", "{\"unread_s\": 0}");
    int paused, ended;

    (void)state;
    harness_idle(h, IDLE_MS);
    paused = harness_connect(h);
    ended = harness_connect(h);
    harness_push_text(h, paused, "pause 100000\n");
    harness_push_text(h, ended, "later 50000 hello\n");
    harness_end(h, ended);
    harness_advance(h, 49999);
    assert_false(harness_is_closed(h, paused));
    assert_false(harness_is_closed(h, ended));
    harness_advance(h, 1);
    assert_true(harness_is_closed(h, ended));
    assert_int_equal(harness_close_why(h, ended), PG_WHY_EOF);
    harness_advance(h, 50000 + 2 * IDLE_MS);
    assert_true(harness_is_closed(h, paused));
    assert_int_equal(harness_close_why(h, paused), PG_WHY_IDLE);
    harness_destroy(h);
}

/* ---- seeds ------------------------------------------------------------- */

static void each_seed(void (*run)(uint32_t seed))
{
    const char *only = getenv("PLAYGROUND_SEED");
    uint32_t seeds = getenv("PLAYGROUND_LONG") ? SEEDS_LONG : SEEDS;

    if (only)
        run((uint32_t)atol(only));
    else
        for (uint32_t seed = 1; seed <= seeds; seed++)
            run(seed);
}

static void test_look_is_fair_to_readers(void **state)
{
    (void)state;
    each_seed(run_readers);
}

static void test_look_knows_who_talks(void **state)
{
    (void)state;
    each_seed(run_talkers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_look_ends_who_takes_nothing),
        cmocka_unit_test(test_look_ends_who_takes_nothing_after_its_end),
        cmocka_unit_test(test_look_lets_a_slow_reader_finish),
        cmocka_unit_test(test_look_ends_nobody_when_told_not_to),
        cmocka_unit_test(test_look_lingers_while_something_is_taken),
        cmocka_unit_test(test_look_is_fair_to_readers),
        cmocka_unit_test(test_look_knows_who_talks),
        cmocka_unit_test(test_look_idle_time_waits_for_who_is_not_read_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
