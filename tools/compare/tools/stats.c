/* Percentiles, and what theory foretells. */

#include "compare/tools/stats.h"

#include <math.h>
#include <stdlib.h>

static int stats_compare_doubles(const void *left, const void *right)
{
    double one = *(const double *)left, other = *(const double *)right;

    return (one > other) - (one < other);
}

void stats_sort(double *values, size_t count)
{
    if (count > 0)
        qsort(values, count, sizeof(*values), stats_compare_doubles);
}

double stats_percentile(const double *sorted, size_t count, double percent)
{
    /* 99.9 % of 1000 is 999, whatever binary fractions make of it. */
    double rank = ceil(percent * (double)count / 100 - 1e-9);

    if (count == 0)
        return 0;
    if (rank < 1)
        return sorted[0];
    return rank > (double)count ? sorted[count - 1] : sorted[(size_t)rank - 1];
}

double stats_expected(size_t count, double probability)
{
    return (double)count * probability;
}

double stats_three_sigma(size_t count, double probability)
{
    return 3 * sqrt((double)count * probability * (1 - probability));
}

bool stats_is_fair(size_t lost, size_t count, double probability)
{
    return fabs((double)lost - stats_expected(count, probability)) <=
           stats_three_sigma(count, probability);
}

double stats_mathis(double mss_bytes, double rtt_s, double probability)
{
    return 8 * mss_bytes / rtt_s * sqrt(1.5) / sqrt(probability);
}

bool stats_within_factor(double one, double other, double factor)
{
    return one > 0 && other > 0 && one <= factor * other &&
           other <= factor * one;
}
