#include "load.h"

#include <string.h>

/* 64 steps for each power of two: within 1.6 % of the true value. */
#define STEPS  64
#define POWERS 58

static uint64_t counts[POWERS * STEPS];
static uint64_t total;

static size_t index_of(uint64_t ns)
{
    unsigned power;

    if (ns < STEPS)
        return ns;
    power = 63u - (unsigned)__builtin_clzll(ns) - 6; /* ns >> power: 64..127 */
    return (power + 1) * (size_t)STEPS + (ns >> power) - STEPS;
}

static double value_of(size_t index)
{
    size_t power = index / STEPS;

    if (power == 0)
        return (double)index;
    return ((double)(STEPS + index % STEPS) + 0.5) *
           (double)((uint64_t)1 << (power - 1));
}

void histogram_add(uint64_t ns, uint64_t times)
{
    size_t index = index_of(ns);

    counts[index < POWERS * STEPS ? index : POWERS * STEPS - 1] += times;
    total += times;
}

void histogram_clear(void)
{
    memset(counts, 0, sizeof(counts));
    total = 0;
}

double histogram_us(double share)
{
    uint64_t wanted = (uint64_t)((double)total * share), seen = 0;
    size_t i = 0;

    if (total == 0)
        return 0;
    if (wanted >= total)
        wanted = total - 1;

    while (i < POWERS * STEPS - 1 && (seen += counts[i]) <= wanted)
        i++;
    return value_of(i) / 1000;
}
