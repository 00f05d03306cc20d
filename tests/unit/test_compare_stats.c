#include "compare/tools/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_near(double value, double expected, double within)
{
    if (fabs(value - expected) > within)
        fail_msg("%g is not %g", value, expected);
}

static void test_stats_percentile_is_one_of_the_values(void **state)
{
    const double values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

    (void)state;
    assert_near(stats_percentile(values, 10, 0), 1, 0);
    assert_near(stats_percentile(values, 10, 50), 5, 0);
    assert_near(stats_percentile(values, 10, 51), 6, 0);
    assert_near(stats_percentile(values, 10, 90), 9, 0);
    assert_near(stats_percentile(values, 10, 99), 10, 0);
    assert_near(stats_percentile(values, 10, 100), 10, 0);
    assert_near(stats_percentile(values, 1, 50), 1, 0);
    assert_near(stats_percentile(values, 0, 50), 0, 0);
}

static void test_stats_percentile_is_not_off_by_a_fraction(void **state)
{
    double values[1000];

    (void)state;
    for (int i = 0; i < 1000; i++)
        values[i] = i + 1;
    for (int per_mille = 1; per_mille <= 1000; per_mille++)
        assert_near(stats_percentile(values, 1000, per_mille / 10.0), per_mille,
                    0);
}

static void test_stats_sorts(void **state)
{
    double values[] = {3, -1, 2.5, 0, 2.5};

    (void)state;
    stats_sort(values, 5);
    for (int i = 1; i < 5; i++)
        assert_true(values[i - 1] <= values[i]);
    assert_near(values[0], -1, 0);
    stats_sort(NULL, 0);
}

/* 10,000 at 1 %: 100 with a standard deviation of 9.95. */
static void test_stats_knows_a_fair_draw(void **state)
{
    (void)state;
    assert_near(stats_expected(10000, 0.01), 100, 1e-9);
    assert_near(stats_three_sigma(10000, 0.01), 29.85, 0.01);
    assert_true(stats_is_fair(71, 10000, 0.01));
    assert_true(stats_is_fair(129, 10000, 0.01));
    assert_false(stats_is_fair(70, 10000, 0.01));
    assert_false(stats_is_fair(130, 10000, 0.01));
}

static void test_stats_without_chance_allows_nothing(void **state)
{
    (void)state;
    assert_true(stats_is_fair(0, 10000, 0));
    assert_false(stats_is_fair(1, 10000, 0));
    assert_true(stats_is_fair(10000, 10000, 1));
    assert_false(stats_is_fair(9999, 10000, 1));
}

/* 1448 bytes, 20 ms, 1 %: 7.09 Mbit/s. */
static void test_stats_mathis(void **state)
{
    (void)state;
    assert_near(stats_mathis(1448, 0.02, 0.01) / 1e6, 7.0937, 0.001);
    assert_near(stats_mathis(1448, 0.04, 0.01) / stats_mathis(1448, 0.02, 0.01),
                0.5, 1e-9);
    assert_near(stats_mathis(1448, 0.02, 0.04) / stats_mathis(1448, 0.02, 0.01),
                0.5, 1e-9);
}

static void test_stats_within_a_factor_either_way(void **state)
{
    (void)state;
    assert_true(stats_within_factor(5, 10, 2));
    assert_true(stats_within_factor(10, 5, 2));
    assert_false(stats_within_factor(4.9, 10, 2));
    assert_false(stats_within_factor(10, 4.9, 2));
    assert_false(stats_within_factor(0, 0, 2));
    assert_false(stats_within_factor(0, 1, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_percentile_is_one_of_the_values),
        cmocka_unit_test(test_stats_percentile_is_not_off_by_a_fraction),
        cmocka_unit_test(test_stats_sorts),
        cmocka_unit_test(test_stats_knows_a_fair_draw),
        cmocka_unit_test(test_stats_without_chance_allows_nothing),
        cmocka_unit_test(test_stats_mathis),
        cmocka_unit_test(test_stats_within_a_factor_either_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
