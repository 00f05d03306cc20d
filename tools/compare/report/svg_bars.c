/* Bars of a picture: a group for each label, a bar in it for each series. */

#include "compare/report/svg_parts.h"

#include <stdlib.h>
#include <string.h>

#include "cli/columns.h"
#include "compare/lab/shown.h"
#include "compare/report/html.h"

#define NUMBERED    12 /* bars that get their number above them */
#define LABEL_LINES 3

/* Returns the number of a label; how many there are when it is not among
   them. */
static size_t svg_bars_find_label(const struct svg *svg, const char *label)
{
    for (size_t i = 0; i < svg->label_count; i++)
        if (!strcmp(svg->labels[i], label))
            return i;
    return svg->label_count;
}

/* The labels of all series, in the order in which they come. */
static void svg_bars_collect_labels(struct svg *svg)
{
    json_t *series, *point;
    size_t i, k;

    json_array_foreach (json_object_get(svg->plot, "series"), i, series)
        json_array_foreach (json_object_get(series, "points"), k, point) {
            const char *label = json_string_value(json_array_get(point, 0));

            if (label && svg->label_count < SVG_LABELS &&
                svg_bars_find_label(svg, label) == svg->label_count)
                svg->labels[svg->label_count++] = label;
        }
}

static double svg_bars_group_width(const struct svg *svg)
{
    return (double)(SVG_RIGHT - SVG_LEFT) /
           (double)(svg->label_count ? svg->label_count : 1);
}

/* Wrapped into the width of its group; returns how many lines that took. Only
   that when `is_drawn` is false. */
static int svg_bars_draw_label(const struct svg *svg, size_t group,
                               bool is_drawn)
{
    double x = SVG_LEFT + ((double)group + 0.5) * svg_bars_group_width(svg);
    size_t letters = (size_t)(svg_bars_group_width(svg) / SVG_LETTER), next;
    const char *text = svg->labels[group];
    int line;

    for (line = 0; *text && line < LABEL_LINES; line++) {
        size_t len = columns_break(text, letters > 1 ? letters : 1, &next);
        char part[64];

        snprintf(part, sizeof(part), "%.*s", (int)len, text);
        text += next;
        if (!is_drawn)
            continue;
        fprintf(svg->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
                x, svg->bottom + 1 + SVG_LINE * (line + 1));
        html_text(svg->out, part);
        fputs("</text>\n", svg->out);
    }
    return line;
}

int svg_find_labels(struct svg *svg)
{
    int lines = 1;

    svg_bars_collect_labels(svg);
    for (size_t i = 0; i < svg->label_count; i++) {
        int its = svg_bars_draw_label(svg, i, false);

        lines = its > lines ? its : lines;
    }
    return lines;
}

static void svg_bars_draw_number(const struct svg *svg, double x, double y,
                                 double value)
{
    char *text = shown_tick(value);

    fprintf(svg->out,
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" "
            "class=\"name\">%s</text>\n",
            x, y - 4, text);
    free(text);
}

static void svg_bars_draw_bar(const struct svg *svg, struct look look, double x,
                              double width, double value)
{
    double top = svg_y(svg, value);

    for (int layer = 0; layer < 2; layer++) {
        fprintf(svg->out,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" ",
                x, top, width, svg->bottom - top);
        if (layer == 0)
            fprintf(svg->out, "fill=\"%s\"/>\n", look.colour);
        else
            fprintf(svg->out, "fill=\"url(#%s-%s)\" stroke=\"%s\"/>\n", svg->id,
                    look.of, look.colour);
    }
}

/* The bar of a series in a group; NULL where it has none. */
static const json_t *svg_bars_find_bar(const struct svg *svg, size_t series,
                                       size_t group)
{
    json_t *list = json_object_get(svg->plot, "series"), *point;
    size_t i;

    json_array_foreach (json_object_get(json_array_get(list, series), "points"),
                        i, point)
        if (json_is_string(json_array_get(point, 0)) &&
            svg_bars_find_label(
                svg, json_string_value(json_array_get(point, 0))) == group)
            return json_array_get(point, 1);
    return NULL;
}

/* Side by side, as many as there are in it. */
static void svg_bars_draw_group(const struct svg *svg, size_t group,
                                bool is_numbered)
{
    size_t count = json_array_size(json_object_get(svg->plot, "series"));
    size_t bars = 0;
    double left = SVG_LEFT + (double)group * svg_bars_group_width(svg), width;

    for (size_t i = 0; i < count; i++)
        bars += svg_bars_find_bar(svg, i, group) != NULL;
    width = 0.8 * svg_bars_group_width(svg) / (double)count;
    left += (svg_bars_group_width(svg) - width * (double)bars) / 2;
    for (size_t i = 0; i < count; i++) {
        const json_t *bar = svg_bars_find_bar(svg, i, group);
        double value = json_number_value(bar);

        if (!bar)
            continue;
        if (value > 0 || !svg->y.is_log)
            svg_bars_draw_bar(svg, svg_look(svg->plot, i), left + 1, width - 2,
                              value);
        if (is_numbered && (value > 0 || !svg->y.is_log))
            svg_bars_draw_number(svg, left + width / 2, svg_y(svg, value),
                                 value);
        left += width;
    }
}

void svg_draw_bars(const struct svg *svg)
{
    size_t count = json_array_size(json_object_get(svg->plot, "series"));

    for (size_t i = 0; i < svg->label_count; i++) {
        svg_bars_draw_group(svg, i, count * svg->label_count <= NUMBERED);
        svg_bars_draw_label(svg, i, true);
    }
}
