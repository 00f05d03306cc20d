#include "wire/link/impairment.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PACKETS 10000
#define MS      1000000u

static struct impairment with(struct wire_direction how, uint64_t seed)
{
    struct impairment impairment;

    impairment_init(&impairment, &how, seed, WIRE_LEFT);
    return impairment;
}

/* Which of the packets are lost: a byte each. */
static unsigned losses(struct impairment *impairment, char lost[PACKETS])
{
    unsigned count = 0;

    for (unsigned i = 0; i < PACKETS; i++) {
        struct link_fate fate = impairment_decide(impairment, 100, true, i);

        lost[i] = fate.is_lost;
        count += lost[i];
    }
    return count;
}

static void assert_share(double share, uint64_t seed)
{
    static char lost[PACKETS];
    struct impairment impairment =
        with((struct wire_direction){.loss = share}, seed);
    double sigma = sqrt(PACKETS * share * (1 - share));
    double off = losses(&impairment, lost) - PACKETS * share;

    if (fabs(off) > 3 * sigma)
        fail_msg("seed %u, %g%%: %+g packets, a sigma is %g", (unsigned)seed,
                 share * 100, off, sigma);
}

static void test_impairment_loses_as_many_as_asked_for(void **state)
{
    static const double shares[] = {0, 0.01, 0.05, 0.3, 1};

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++)
        for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++)
            assert_share(shares[i], seed);
}

static void test_impairment_loses_without_a_pattern(void **state)
{
    static char lost[PACKETS];
    struct impairment impairment =
        with((struct wire_direction){.loss = 0.5}, 1);
    unsigned pairs = 0;

    (void)state;
    losses(&impairment, lost);
    for (unsigned i = 1; i < PACKETS; i++)
        pairs += lost[i - 1] && lost[i];
    assert_true(fabs(pairs - PACKETS / 4.0) < 3 * sqrt(PACKETS * 5 / 16.0));
}

static void test_impairment_repeats_a_seed(void **state)
{
    static char first[PACKETS], second[PACKETS];
    struct impairment a = with((struct wire_direction){.loss = 0.05}, 7);
    struct impairment b = with((struct wire_direction){.loss = 0.05}, 7);

    (void)state;
    losses(&a, first);
    losses(&b, second);
    assert_memory_equal(first, second, PACKETS);
}

static void test_impairment_loses_others_for_another_seed(void **state)
{
    static char first[PACKETS], second[PACKETS];
    struct impairment a = with((struct wire_direction){.loss = 0.05}, 7);
    struct impairment b = with((struct wire_direction){.loss = 0.05}, 8);

    (void)state;
    losses(&a, first);
    losses(&b, second);
    assert_memory_not_equal(first, second, PACKETS);
}

static void test_impairment_loses_others_in_each_direction(void **state)
{
    static char first[PACKETS], second[PACKETS];
    struct wire_direction how = {.loss = 0.05};
    struct impairment a, b;

    (void)state;
    impairment_init(&a, &how, 7, WIRE_LEFT);
    impairment_init(&b, &how, 7, WIRE_RIGHT);
    losses(&a, first);
    losses(&b, second);
    assert_memory_not_equal(first, second, PACKETS);
}

/* Everything else that is asked for, and the clock, leave the set as it is. */
static void test_impairment_decides_on_loss_by_number_alone(void **state)
{
    static char first[PACKETS];
    struct impairment a = with((struct wire_direction){.loss = 0.05}, 7);
    struct impairment b = with((struct wire_direction){.loss = 0.05,
                                                       .reorder = 0.5,
                                                       .duplicate = 0.5,
                                                       .delay_ms = 10,
                                                       .jitter_ms = 5},
                               7);

    (void)state;
    losses(&a, first);
    for (unsigned i = 0; i < PACKETS; i++) {
        struct link_fate fate =
            impairment_decide(&b, 60 + i % 1400, i % 3 == 0, i * 777ull);

        assert_int_equal(fate.is_lost, first[i]);
    }
}

/* Nor does a packet that found the queue full shift the others' numbers. */
static void test_impairment_counts_what_the_queue_drops(void **state)
{
    static char first[PACKETS];
    struct impairment a = with((struct wire_direction){.loss = 0.05}, 7);
    struct impairment b = with((struct wire_direction){.loss = 0.05,
                                                       .rate_mbit = 0.8,
                                                       .queue_bytes = 3000},
                               7);
    unsigned dropped = 0;

    (void)state;
    losses(&a, first);
    for (unsigned i = 0; i < PACKETS; i++) {
        struct link_fate fate =
            impairment_decide(&b, 1000, true, i * 7ull * MS);

        if (fate.is_refused)
            dropped++;
        else
            assert_int_equal(fate.is_lost, first[i]);
    }
    assert_true(dropped > 0);
}

/* ---- drops by number -------------------------------------------------- */

static void test_impairment_drops_the_nth_with_payload(void **state)
{
    struct impairment impairment = with((struct wire_direction){0}, 1);
    char fates[13] = "";

    (void)state;
    impairment_decide(&impairment, 100, true, 0); /* before it was asked */
    assert_true(impairment_drop(&impairment, 2));
    assert_true(impairment_drop(&impairment, 4));
    for (unsigned i = 0; i < 12; i++)
        fates[i] =
            impairment_decide(&impairment, 100, i % 2, 0).is_lost ? 'x' : '.';

    assert_string_equal(fates, "...x...x....");
}

static void test_impairment_takes_no_more_drops_than_it_can(void **state)
{
    struct impairment impairment = with((struct wire_direction){0}, 1);

    (void)state;
    for (unsigned i = 1; i <= WIRE_DROPS; i++)
        assert_true(impairment_drop(&impairment, i));
    assert_true(impairment_drop(&impairment, 1)); /* it waits already */
    assert_false(impairment_drop(&impairment, WIRE_DROPS + 1));
    impairment_decide(&impairment, 100, true, 0);
    assert_true(impairment_drop(&impairment, WIRE_DROPS + 1));
}

/* ---- time ------------------------------------------------------------- */

static void test_impairment_delays(void **state)
{
    struct impairment impairment =
        with((struct wire_direction){.delay_ms = 2.5}, 1);
    struct link_fate fate = impairment_decide(&impairment, 100, true, 7 * MS);

    (void)state;
    assert_int_equal(fate.due_ns, 9500000);
}

static void test_impairment_jitters_evenly_and_in_order(void **state)
{
    struct impairment impairment =
        with((struct wire_direction){.delay_ms = 10, .jitter_ms = 3}, 1);
    double sum = 0;

    (void)state;
    /* So far apart that none waits for the one before it. */
    for (uint64_t i = 0; i < PACKETS; i++) {
        uint64_t now = i * 20 * MS;
        uint64_t took =
            impairment_decide(&impairment, 100, true, now).due_ns - now;

        assert_in_range(took, 7 * MS, 13 * MS);
        sum += (double)took;
    }
    assert_true(fabs(sum / PACKETS - 10e6) < 3 * 3e6 / sqrt(3 * PACKETS));
}

static void test_impairment_keeps_the_order_of_a_burst(void **state)
{
    struct impairment impairment =
        with((struct wire_direction){.delay_ms = 10, .jitter_ms = 10}, 1);
    uint64_t before = 0;

    (void)state;
    for (uint64_t i = 0; i < PACKETS; i++) {
        uint64_t at =
            impairment_decide(&impairment, 100, true, i * 1000).due_ns;

        assert_true(at >= before);
        before = at;
    }
}

static void test_impairment_draws_reorder_and_duplicate(void **state)
{
    struct impairment impairment =
        with((struct wire_direction){.reorder = 0.1, .duplicate = 0.1}, 3);
    unsigned held_back = 0, duplicated = 0, both = 0;

    (void)state;
    for (unsigned i = 0; i < PACKETS; i++) {
        struct link_fate fate = impairment_decide(&impairment, 100, true, 0);

        held_back += fate.is_held_back;
        duplicated += fate.is_duplicated;
        both += fate.is_held_back && fate.is_duplicated;
    }
    assert_in_range(held_back, 910, 1090); /* three sigmas */
    assert_in_range(duplicated, 910, 1090);
    assert_in_range(both, 70, 130);
}

/* A packet that is held back comes so much later, and delays nobody. */
static void test_impairment_holds_back_for_a_time(void **state)
{
    struct wire_direction how = {.delay_ms = 5, .reorder = 1};
    struct impairment impairment = with(how, 1);

    (void)state;
    assert_int_equal(impairment_decide(&impairment, 100, true, 0).due_ns,
                     (5 + WIRE_REORDER_MS) * MS);
    how.reorder_ms = 0.5;
    impairment_change(&impairment, &how);
    assert_int_equal(impairment_decide(&impairment, 100, true, 0).due_ns,
                     5.5 * MS);
    how.reorder = 0;
    impairment_change(&impairment, &how);
    assert_int_equal(impairment_decide(&impairment, 100, true, 1).due_ns,
                     5 * MS + 1);
}

/* `impair`, `sim` and the wire draw from one model: the wire's options are
   nothing but another way to write its terms. */
static void test_impairment_is_the_common_link(void **state)
{
    struct wire_direction how = {.loss = 0.1,
                                 .reorder = 0.2,
                                 .duplicate = 0.3,
                                 .delay_ms = 3,
                                 .jitter_ms = 2,
                                 .rate_mbit = 5};
    struct link_terms terms = {.loss = link_share(0.1),
                               .reorder = link_share(0.2),
                               .duplicate = link_share(0.3),
                               .delay_ns = 3 * MS,
                               .jitter_ns = 2 * MS,
                               .reorder_ns = 20 * MS,
                               .rate_bit_s = 5000000,
                               .queue_bytes = 62500};
    struct impairment impairment = with(how, 7);
    struct link_way way = {.key = link_key(7, 0, WIRE_LEFT)};

    (void)state;
    for (unsigned i = 0; i < PACKETS; i++) {
        struct link_fate is = impairment_decide(&impairment, 900, true, i * MS);
        struct link_fate should = link_pass(&way, &terms, 900, i * MS);

        assert_int_equal(is.due_ns, should.due_ns);
        assert_int_equal(is.is_refused, should.is_refused);
        assert_int_equal(is.is_lost, should.is_lost);
        assert_int_equal(is.is_duplicated, should.is_duplicated);
        assert_int_equal(is.is_held_back, should.is_held_back);
    }
}

/* ---- rate and queue --------------------------------------------------- */

/* 8 Mbit/s: a microsecond for each byte. */
static void test_impairment_sends_one_after_the_other(void **state)
{
    struct impairment impairment =
        with((struct wire_direction){.rate_mbit = 8, .delay_ms = 1}, 1);

    (void)state;
    assert_int_equal(impairment_decide(&impairment, 1000, true, 0).due_ns,
                     1 * MS + MS);
    assert_int_equal(impairment_decide(&impairment, 500, true, 0).due_ns,
                     1.5 * MS + MS);
    assert_int_equal(impairment_decide(&impairment, 1000, true, 10 * MS).due_ns,
                     11 * MS + MS);
}

static void test_impairment_drops_what_the_queue_has_no_room_for(void **state)
{
    struct impairment impairment =
        with((struct wire_direction){.rate_mbit = 8, .queue_bytes = 3000}, 1);
    char fates[7] = "";

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        fates[i] = impairment_decide(&impairment, 1000, true, 0).is_refused
                       ? 'x'
                       : '.';
    assert_string_equal(fates, "...x");
    /* After a millisecond a thousand bytes have left, and no more. */
    assert_false(impairment_decide(&impairment, 1000, true, MS).is_refused);
    assert_true(impairment_decide(&impairment, 100, true, MS).is_refused);
}

static void test_impairment_takes_any_packet_into_an_empty_queue(void **state)
{
    struct impairment impairment =
        with((struct wire_direction){.rate_mbit = 8, .queue_bytes = 100}, 1);

    (void)state;
    assert_false(impairment_decide(&impairment, 1500, true, 0).is_refused);
    assert_true(impairment_decide(&impairment, 1500, true, 0).is_refused);
}

static void test_impairment_queues_what_takes_100_ms_by_default(void **state)
{
    struct impairment impairment =
        with((struct wire_direction){.rate_mbit = 8}, 1);
    unsigned taken = 0;

    (void)state;
    while (!impairment_decide(&impairment, 1000, true, 0).is_refused)
        taken++;
    assert_int_equal(taken, 100);
}

static void test_impairment_follows_a_change_of_rate(void **state)
{
    struct impairment impairment =
        with((struct wire_direction){.rate_mbit = 8}, 1);
    struct wire_direction none = {0};

    (void)state;
    impairment_decide(&impairment, 1000, true, 0);
    impairment_change(&impairment, &none);
    assert_int_equal(impairment_decide(&impairment, 1000, true, 0).due_ns,
                     1 * MS); /* not before the one before it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_impairment_loses_as_many_as_asked_for),
        cmocka_unit_test(test_impairment_loses_without_a_pattern),
        cmocka_unit_test(test_impairment_repeats_a_seed),
        cmocka_unit_test(test_impairment_loses_others_for_another_seed),
        cmocka_unit_test(test_impairment_loses_others_in_each_direction),
        cmocka_unit_test(test_impairment_decides_on_loss_by_number_alone),
        cmocka_unit_test(test_impairment_counts_what_the_queue_drops),
        cmocka_unit_test(test_impairment_drops_the_nth_with_payload),
        cmocka_unit_test(test_impairment_takes_no_more_drops_than_it_can),
        cmocka_unit_test(test_impairment_delays),
        cmocka_unit_test(test_impairment_jitters_evenly_and_in_order),
        cmocka_unit_test(test_impairment_keeps_the_order_of_a_burst),
        cmocka_unit_test(test_impairment_draws_reorder_and_duplicate),
        cmocka_unit_test(test_impairment_holds_back_for_a_time),
        cmocka_unit_test(test_impairment_is_the_common_link),
        cmocka_unit_test(test_impairment_sends_one_after_the_other),
        cmocka_unit_test(test_impairment_drops_what_the_queue_has_no_room_for),
        cmocka_unit_test(test_impairment_takes_any_packet_into_an_empty_queue),
        cmocka_unit_test(test_impairment_queues_what_takes_100_ms_by_default),
        cmocka_unit_test(test_impairment_follows_a_change_of_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
