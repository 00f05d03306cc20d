/* Lines, points and steps of a picture. */

#include "compare/report/svg_parts.h"

#include <string.h>

#define ALL_MARKED 40 /* points on a line that get a mark each */
#define SOME_MARKS 8  /* of a longer line */

static void svg_lines_draw_path(const struct svg *svg, const json_t *points,
                                struct look look, bool is_steps)
{
    const char *command = "M";
    json_t *point;
    size_t i;

    fprintf(svg->out,
            "<path fill=\"none\" stroke=\"%s\" stroke-width=\"3\" "
            "stroke-dasharray=\"%s\" stroke-linejoin=\"round\" d=\"",
            look.colour, look.dashes);
    json_array_foreach (points, i, point) {
        double x, y;

        if (!svg_place(svg, point, &x, &y))
            continue;
        if (is_steps && *command == 'L')
            fprintf(svg->out, "H%.1f", x);
        fprintf(svg->out, "%s%.1f %.1f", command, x, y);
        command = "L";
    }
    fputs("\"/>\n", svg->out);
}

static void svg_lines_draw_marks(const struct svg *svg, const json_t *points,
                                 struct look look, bool is_points)
{
    size_t count = json_array_size(points), every = 1, i;
    double radius = !is_points ? 4.5 : count > 200 ? 2 : 3.5;
    json_t *point;

    if (!is_points && count > ALL_MARKED)
        every = count / SOME_MARKS;
    json_array_foreach (points, i, point) {
        double x, y;

        if (i % every == every / 2 && svg_place(svg, point, &x, &y))
            svg_mark(svg, look, x, y, radius);
    }
}

void svg_draw_lines(const struct svg *svg)
{
    const char *kind = json_string_value(json_object_get(svg->plot, "kind"));
    bool is_points = kind && !strcmp(kind, "points");
    bool is_steps = kind && !strcmp(kind, "steps");
    json_t *series;
    size_t i;

    json_array_foreach (json_object_get(svg->plot, "series"), i, series) {
        json_t *points = json_object_get(series, "points");
        struct look look = svg_look(svg->plot, i);

        if (!is_points)
            svg_lines_draw_path(svg, points, look, is_steps);
        svg_lines_draw_marks(svg, points, look, is_points);
    }
}
