/*
 * svg_parts - the inside of a picture, for the files that draw it.
 */
#ifndef SVG_PARTS_H
#define SVG_PARTS_H

#include "compare/report/axis.h"
#include "compare/report/svg.h"

#define SVG_WIDTH  480
#define SVG_HEIGHT 330
#define SVG_LEFT   58  /* of the axes */
#define SVG_RIGHT  454 /* half of the last label stands beyond it */
#define SVG_LETTER 7.6 /* width of one, about */
#define SVG_BOLD   8.8
#define SVG_LINE   16 /* from one line of text to the next */

#define SVG_LABELS 24 /* of bars, at the most; more are left out */

/* How a series is drawn: sides by colour, line and mark, the second and
   further series of a side by another shade, dashes and filling. */
struct look {
    const char *of; /* tcp, udp, other */
    const char *colour, *dashes;
    bool is_hollow; /* its mark */
};

struct svg {
    FILE *out;
    const json_t *plot;
    const char *id;
    struct axis x, y;
    double head;        /* the first line below the legend */
    double top, bottom; /* of the axes: legend and labels take their part */
    bool is_bars;
    const char *labels[SVG_LABELS]; /* of the groups of bars */
    size_t label_count;
};

struct look svg_look(const json_t *plot, size_t series);

double svg_x(const struct svg *svg, double value);
double svg_y(const struct svg *svg, double value);
/* Whether the point is fit for the axes, and where it is. */
bool svg_place(const struct svg *svg, const json_t *point, double *x,
               double *y);

/* A circle, square or triangle. */
void svg_mark(const struct svg *svg, struct look look, double x, double y,
              double radius);

/* Finds the labels of bars; returns how many lines they take. */
int svg_find_labels(struct svg *svg);

/* Draws what is measured: lines, points and steps, or bars. */
void svg_draw_lines(const struct svg *svg);
void svg_draw_bars(const struct svg *svg);

#endif
