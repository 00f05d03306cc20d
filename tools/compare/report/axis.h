/*
 * axis - one axis of a plot: from values to places, with round numbers at
 * its ticks.
 */
#ifndef AXIS_H
#define AXIS_H

#include <stdbool.h>

#define AXIS_TICKS 16

struct axis {
    double min, max;
    bool is_log;
    double ticks[AXIS_TICKS];
    int tick_count;
};

/* For values between min and max, which may be equal. A logarithmic axis takes
   values above 0 alone. */
void axis_init(struct axis *axis, double min, double max, bool is_log);

/* Between 0 (min) and 1 (max). */
double axis_place(const struct axis *axis, double value);

#endif
