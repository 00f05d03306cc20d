/*
 * stats - the arithmetic of measuring: percentiles, and what theory says must
 * come out.
 */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stddef.h>

/* Smallest first; NaN must not be among them. */
void stats_sort(double *values, size_t count);

/*
 * The value that `percent` of them do not exceed (nearest rank: always one of
 * the values, so that p100 is the largest). `sorted` smallest first; 0 without
 * values.
 */
double stats_percentile(const double *sorted, size_t count, double percent);

/*
 * How many of `count` are lost on average at this probability, and how far a
 * fair draw strays from it: three standard deviations of the binomial
 * distribution, which it exceeds once in 370 times.
 */
double stats_expected(size_t count, double probability);
double stats_three_sigma(size_t count, double probability);
bool stats_is_fair(size_t lost, size_t count, double probability);

/* The speed that a TCP connection reaches when it halves its window at each
   loss (Mathis, Semke, Mahdavi and Ott 1997): MSS/RTT * sqrt(3/2) / sqrt(p), in
   bits per second. */
double stats_mathis(double mss_bytes, double rtt_s, double probability);

/* True when one is at most `factor` times the other, both above 0. */
bool stats_within_factor(double one, double other, double factor);

#endif
