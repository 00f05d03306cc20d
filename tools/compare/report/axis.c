/* Ticks of an axis. */

#include "compare/report/axis.h"

#include <math.h>

#define WANTED 5 /* ticks, about */

static void axis_add_tick(struct axis *axis, double value)
{
    if (axis->tick_count < AXIS_TICKS)
        axis->ticks[axis->tick_count++] = value;
}

/* 1, 2 or 5 times a power of ten. */
static double axis_round_step(double step)
{
    double power = pow(10, floor(log10(step))), digits = step / power;

    return power * (digits <= 1 ? 1 : digits <= 2 ? 2 : digits <= 5 ? 5 : 10);
}

static void axis_init_linear(struct axis *axis, double min, double max)
{
    double step;

    if (max - min <= 1e-12 * fabs(max))
        max = min + (min != 0 ? fabs(min) : 1);
    step = axis_round_step((max - min) / WANTED);
    axis->min = floor(min / step + 1e-9) * step;
    axis->max = ceil(max / step - 1e-9) * step;
    for (double i = round(axis->min / step); i * step <= axis->max + step / 2;
         i++)
        axis_add_tick(axis, i * step);
}

/* Whole powers of ten; of a short axis 2 and 5 as well, of a long one every
   second or third power. */
static void axis_init_log(struct axis *axis, double min, double max)
{
    double first = floor(log10(min) + 1e-9), last = ceil(log10(max) - 1e-9);
    double step;

    if (last <= first)
        last = first + 1;
    step = ceil((last - first) / 8);
    axis->min = pow(10, first);
    axis->max = pow(10, last);
    for (double i = first; i <= last; i += step) {
        axis_add_tick(axis, pow(10, i));
        if (last - first <= 2 && i < last) {
            axis_add_tick(axis, 2 * pow(10, i));
            axis_add_tick(axis, 5 * pow(10, i));
        }
    }
}

void axis_init(struct axis *axis, double min, double max, bool is_log)
{
    *axis = (struct axis){.is_log = is_log};
    if (is_log)
        axis_init_log(axis, min, max);
    else
        axis_init_linear(axis, min, max);
}

double axis_place(const struct axis *axis, double value)
{
    if (axis->is_log)
        return (log10(value) - log10(axis->min)) /
               (log10(axis->max) - log10(axis->min));
    return (value - axis->min) / (axis->max - axis->min);
}
