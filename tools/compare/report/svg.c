/* The frame of a picture: axes, labels, legend. */

#include "compare/report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/columns.h"
#include "compare/lab/shown.h"
#include "compare/report/html.h"
#include "compare/report/svg_parts.h"

static const char *svg_text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* ---- looks ------------------------------------------------------------ */

struct look svg_look(const json_t *plot, size_t series)
{
    static const struct look looks[3][3] = {
        {{"tcp", "#0b5cad", "none", false},
         {"tcp", "#3b86d6", "5 4", true},
         {"tcp", "#062f5c", "12 3 2 3", false}},
        {{"udp", "#b3470b", "6 4", true},
         {"udp", "#d9691a", "2 3", false},
         {"udp", "#6e2a05", "9 3 2 3", true}},
        {{"other", "#2f6b2a", "1 4", false},
         {"other", "#7a3f9d", "8 2", true},
         {"other", "#4d4d4d", "3 2", false}},
    };
    json_t *list = json_object_get(plot, "series");
    const char *of = svg_text_of(json_array_get(list, series), "of");
    size_t side = !strcmp(of, "tcp") ? 0 : !strcmp(of, "udp") ? 1 : 2;
    size_t shade = 0;

    for (size_t i = 0; i < series; i++)
        shade += !strcmp(of, svg_text_of(json_array_get(list, i), "of"));
    return looks[side][shade % 3];
}

void svg_mark(const struct svg *svg, struct look look, double x, double y,
              double radius)
{
    if (!strcmp(look.of, "tcp"))
        fprintf(svg->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"", x, y,
                radius);
    else if (!strcmp(look.of, "udp"))
        fprintf(svg->out,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"",
                x - radius, y - radius, 2 * radius, 2 * radius);
    else
        fprintf(svg->out, "<path d=\"M%.1f %.1fl%.1f %.1fh%.1fz\"", x,
                y - radius, radius, 2 * radius, -2 * radius);
    fprintf(svg->out, " fill=\"%s\" stroke=\"%s\" stroke-width=\"%d\"/>\n",
            look.is_hollow ? "#fff" : look.colour, look.colour,
            look.is_hollow ? 2 : 0);
}

/* ---- places ----------------------------------------------------------- */

double svg_x(const struct svg *svg, double value)
{
    return SVG_LEFT + axis_place(&svg->x, value) * (SVG_RIGHT - SVG_LEFT);
}

double svg_y(const struct svg *svg, double value)
{
    return svg->bottom - axis_place(&svg->y, value) * (svg->bottom - svg->top);
}

/* The values of a point; false for those a logarithmic axis cannot show. */
static bool svg_values_of(const json_t *plot, const json_t *point, double *x,
                          double *y)
{
    *x = json_number_value(json_array_get(point, 0));
    *y = json_number_value(json_array_get(point, 1));
    return (*x > 0 || !json_object_get(plot, "log_x")) &&
           (*y > 0 || !json_object_get(plot, "log_y"));
}

bool svg_place(const struct svg *svg, const json_t *point, double *x, double *y)
{
    if (!svg_values_of(svg->plot, point, x, y))
        return false;
    *x = svg_x(svg, *x);
    *y = svg_y(svg, *y);
    return true;
}

/* ---- the axes --------------------------------------------------------- */

static void svg_widen(double range[2], double value)
{
    range[0] = fmin(range[0], value);
    range[1] = fmax(range[1], value);
}

static void svg_find_axes(struct svg *svg)
{
    double x_range[2] = {INFINITY, -INFINITY}, y_range[2];
    bool is_log_x = json_object_get(svg->plot, "log_x") != NULL;
    bool is_log_y = json_object_get(svg->plot, "log_y") != NULL;
    json_t *series, *point, *mark;
    size_t i, k;
    double x, y;

    memcpy(y_range, x_range, sizeof(y_range));
    json_array_foreach (json_object_get(svg->plot, "series"), i, series)
        json_array_foreach (json_object_get(series, "points"), k, point)
            if (svg_values_of(svg->plot, point, &x, &y)) {
                svg_widen(x_range, x);
                svg_widen(y_range, y);
            }
    json_array_foreach (json_object_get(svg->plot, "marks"), i, mark) {
        x = json_number_value(json_object_get(mark, "x"));
        if (x > 0 || !is_log_x)
            svg_widen(x_range, x);
    }
    if (x_range[0] > x_range[1]) /* nothing to show */
        x_range[0] = x_range[1] = 1;
    if (y_range[0] > y_range[1])
        y_range[0] = y_range[1] = 1;
    if (!is_log_y)
        svg_widen(y_range, 0);
    if (svg->is_bars)
        y_range[1] *= 1.1; /* their numbers stand above them */
    axis_init(&svg->x, x_range[0], x_range[1], is_log_x);
    axis_init(&svg->y, y_range[0], y_range[1], is_log_y);
}

static void svg_draw_y_axis(const struct svg *svg)
{
    for (int i = 0; i < svg->y.tick_count; i++) {
        double y = svg_y(svg, svg->y.ticks[i]);
        char *label = shown_tick(svg->y.ticks[i]);

        fprintf(svg->out,
                "<path class=\"grid\" d=\"M%d %.1fH%d\"/>\n"
                "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                SVG_LEFT, y, SVG_RIGHT, SVG_LEFT - 6, y + 5, label);
        free(label);
    }
    fprintf(svg->out, "<text x=\"4\" y=\"%.1f\">", svg->head);
    html_text(svg->out, svg_text_of(svg->plot, "y"));
    fputs("</text>\n", svg->out);
}

static void svg_draw_x_axis(const struct svg *svg)
{
    fprintf(svg->out, "<path class=\"axis\" d=\"M%d %.1fV%.1fH%d\"/>\n",
            SVG_LEFT, svg->top, svg->bottom, SVG_RIGHT);
    for (int i = 0; !svg->is_bars && i < svg->x.tick_count; i++) {
        double x = svg_x(svg, svg->x.ticks[i]);
        char *label = shown_tick(svg->x.ticks[i]);

        fprintf(
            svg->out,
            "<path class=\"axis\" d=\"M%.1f %.1fv5\"/>\n"
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
            x, svg->bottom, x, svg->bottom + 20, label);
        free(label);
    }
    fprintf(svg->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
            (SVG_LEFT + SVG_RIGHT) / 2, SVG_HEIGHT - 6);
    html_text(svg->out, svg_text_of(svg->plot, "x"));
    fputs("</text>\n", svg->out);
}

/* ---- around it -------------------------------------------------------- */

/* The sample of a series in the legend. */
static void svg_draw_sample(const struct svg *svg, struct look look, double x,
                            double y)
{
    if (svg->is_bars) {
        fprintf(svg->out,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"22\" height=\"12\" "
                "fill=\"%s\"/>\n"
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"22\" height=\"12\" "
                "fill=\"url(#%s-%s)\" stroke=\"%s\"/>\n",
                x, y - 6, look.colour, x, y - 6, svg->id, look.of, look.colour);
        return;
    }
    if (strcmp(svg_text_of(svg->plot, "kind"), "points") != 0)
        fprintf(svg->out,
                "<path d=\"M%.1f %.1fh26\" stroke=\"%s\" stroke-width=\"3\" "
                "stroke-dasharray=\"%s\"/>\n",
                x, y, look.colour, look.dashes);
    svg_mark(svg, look, x + 13, y, 4.5);
}

/* In as many lines as it takes; returns where the last one is. Only where it
   is when `is_drawn` is false. */
static double svg_draw_legend(const struct svg *svg, bool is_drawn)
{
    double x = 4, y = 12;
    json_t *series;
    size_t i;

    json_array_foreach (json_object_get(svg->plot, "series"), i, series) {
        const char *name = svg_text_of(series, "name");
        double width = 31 + SVG_BOLD * (double)columns_width(name);

        if (x > 4 && x + width > SVG_WIDTH) {
            x = 4;
            y += SVG_LINE + 2;
        }
        if (is_drawn) {
            svg_draw_sample(svg, svg_look(svg->plot, i), x, y);
            fprintf(svg->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"name\">",
                    x + 31, y + 5);
            html_text(svg->out, name);
            fputs("</text>\n", svg->out);
        }
        x += width + 12;
    }
    return y;
}

/* The words of marks stand above the curves, a line each. */
static void svg_draw_marks(const struct svg *svg)
{
    json_t *mark;
    size_t i;

    json_array_foreach (json_object_get(svg->plot, "marks"), i, mark) {
        double at = json_number_value(json_object_get(mark, "x")), x, y;
        bool is_left; /* its words */

        if (at <= 0 && svg->x.is_log)
            continue;
        x = svg_x(svg, at);
        y = svg->head + (SVG_LINE + 2) * ((double)i + 1);
        is_left = x > (SVG_LEFT + SVG_RIGHT) / 2.0;
        fprintf(svg->out,
                "<path class=\"mark\" d=\"M%.1f %.1fV%.1f\"/>\n"
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">",
                x, y - 11, svg->bottom, x + (is_left ? -5 : 5), y,
                is_left ? "end" : "start");
        html_text(svg->out, svg_text_of(mark, "label"));
        fputs("</text>\n", svg->out);
    }
}

/* White lines over the colour of bars: TCP plain, UDP slanting, others
   crossed. */
static void svg_define_patterns(const struct svg *svg)
{
    static const struct {
        const char *of, *path;
    } patterns[] = {
        {"tcp", ""},
        {"udp", "M-2 2L2 -2M0 8L8 0M6 10L10 6"},
        {"other", "M0 4H8M4 0V8"},
    };

    fputs("<defs>\n", svg->out);
    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
        fprintf(svg->out,
                "<pattern id=\"%s-%s\" width=\"8\" height=\"8\" "
                "patternUnits=\"userSpaceOnUse\"><path d=\"%s\" "
                "stroke=\"#fff\" stroke-width=\"2.5\"/></pattern>\n",
                svg->id, patterns[i].of, patterns[i].path);
    fputs("</defs>\n", svg->out);
}

static void svg_begin(const struct svg *svg)
{
    fprintf(svg->out,
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-labelledby=\"%s-title %s-desc\">\n<title id=\"%s-title\">",
            SVG_WIDTH, SVG_HEIGHT, svg->id, svg->id, svg->id);
    html_text(svg->out, svg_text_of(svg->plot, "title"));
    fprintf(svg->out, "</title>\n<desc id=\"%s-desc\">", svg->id);
    html_text(svg->out, svg_text_of(svg->plot, "description"));
    fputs("</desc>\n", svg->out);
}

void svg_print(FILE *out, const json_t *plot, const char *id)
{
    struct svg svg = {.out = out, .plot = plot, .id = id};
    int label_lines = 1;

    svg.is_bars = !strcmp(svg_text_of(plot, "kind"), "bars");
    if (svg.is_bars)
        label_lines = svg_find_labels(&svg);
    svg.head = svg_draw_legend(&svg, false) + 30;
    svg.top = svg.head + 14 +
              (SVG_LINE + 2) *
                  (double)json_array_size(json_object_get(plot, "marks"));
    svg.bottom = SVG_HEIGHT - 30 - SVG_LINE * label_lines;
    svg_find_axes(&svg);
    svg_begin(&svg);
    if (svg.is_bars)
        svg_define_patterns(&svg);
    svg_draw_legend(&svg, true);
    svg_draw_y_axis(&svg);
    if (svg.is_bars)
        svg_draw_bars(&svg);
    else
        svg_draw_lines(&svg);
    svg_draw_marks(&svg);
    svg_draw_x_axis(&svg);
    fputs("</svg>\n", out);
}
