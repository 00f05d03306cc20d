/* Results and the list of experiments on a terminal. */

#include "compare/report/print_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "cli/columns.h"
#include "compare/lab/experiment.h"
#include "compare/lab/shown.h"

#define INDENT 2
#define GAP    2

static const char *print_text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void print_text_paragraphs(FILE *out, const json_t *list,
                                  const char *first, size_t width)
{
    json_t *text;
    size_t i;

    json_array_foreach (list, i, text)
        columns_paragraph(out, first, json_string_value(text), width);
}

/* ---- the table -------------------------------------------------------- */

struct cells {
    const char *measure;
    char *tcp, *udp;
};

static struct cells print_text_cells_of(const json_t *row)
{
    const char *unit = print_text_of(row, "unit");

    return (struct cells){
        .measure = print_text_of(row, "measure"),
        .tcp = shown_value(json_object_get(row, "tcp"), unit),
        .udp = shown_value(json_object_get(row, "udp"), unit),
    };
}

static void print_text_cells_finish(struct cells *cells)
{
    free(cells->tcp);
    free(cells->udp);
}

static size_t print_text_larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* As wide as the text asks for; what does not fit is taken from the widest
   columns. */
static void print_text_find_widths(const json_t *rows, size_t width,
                                   size_t widths[3])
{
    size_t room = width - INDENT - 2 * GAP, i;
    json_t *row;

    widths[0] = widths[1] = widths[2] = 8;
    json_array_foreach (rows, i, row) {
        struct cells cells = print_text_cells_of(row);

        widths[0] = print_text_larger(widths[0], columns_width(cells.measure));
        widths[1] = print_text_larger(widths[1], columns_width(cells.tcp));
        widths[2] = print_text_larger(widths[2], columns_width(cells.udp));
        print_text_cells_finish(&cells);
    }
    while (widths[0] + widths[1] + widths[2] > room) {
        size_t *widest = &widths[0];

        for (i = 1; i < 3; i++)
            if (widths[i] > *widest)
                widest = &widths[i];
        --*widest;
    }
}

static void print_text_rows(FILE *out, const json_t *rows, size_t width)
{
    static const char *const head[] = {"", "TCP", "UDP"};
    size_t widths[3], i;
    json_t *row;

    if (json_array_size(rows) == 0)
        return;
    print_text_find_widths(rows, width, widths);
    fputc('\n', out);
    columns_row(out, INDENT, head, widths, 3);
    json_array_foreach (rows, i, row) {
        struct cells cells = print_text_cells_of(row);
        const char *texts[] = {cells.measure, cells.tcp, cells.udp};

        columns_row(out, INDENT, texts, widths, 3);
        print_text_cells_finish(&cells);
    }
}

/* ---- the rest --------------------------------------------------------- */

static void print_text_checks(FILE *out, const json_t *checks, size_t width)
{
    size_t count = json_array_size(checks), failed = 0, i;
    json_t *check;

    json_array_foreach (checks, i, check) {
        bool is_busy = json_is_true(json_object_get(check, "busy"));

        if (json_is_true(json_object_get(check, "holds")))
            continue;
        failed++;
        columns_paragraph(
            out, is_busy ? "  cannot tell: " : "  not as theory says: ",
            print_text_of(check, "claim"), width);
    }
    if (count > 0 && failed == 0)
        fprintf(out, "  %zu of %zu checks: as theory says.\n", count, count);
}

static void print_text_busy(FILE *out, const json_t *result, size_t width)
{
    char *text;

    if (!json_is_true(json_object_get(result, "busy")))
        return;
    text = shown_busy(result);
    columns_paragraph(out, "  ", text, width);
    free(text);
}

static void print_text_settings(FILE *out, const json_t *settings, size_t width)
{
    char *text = shown_settings(settings);

    if (*text)
        columns_paragraph(out, "  settings: ", text, width);
    free(text);
}

void print_text(FILE *out, const json_t *result, size_t width)
{
    const char *error = print_text_of(result, "error");

    fprintf(out, "%s (%s)\n", print_text_of(result, "title"),
            print_text_of(result, "name"));
    columns_paragraph(out, "", print_text_of(result, "question"), width);
    fputc('\n', out);
    print_text_paragraphs(out, json_object_get(result, "did"), "  ", width);
    print_text_settings(out, json_object_get(result, "settings"), width);
    print_text_rows(out, json_object_get(result, "rows"), width);
    fputc('\n', out);
    print_text_paragraphs(out, json_object_get(result, "why"),
                          "  Why: ", width);
    print_text_paragraphs(out, json_object_get(result, "notes"),
                          "  Note: ", width);
    print_text_checks(out, json_object_get(result, "checks"), width);
    print_text_busy(out, result, width);
    if (*error)
        columns_paragraph(out, "  It could not be run: ", error, width);
}

/* ---- the list --------------------------------------------------------- */

void print_text_list(FILE *out, const struct experiment *const *experiments,
                     size_t width)
{
    static const char *const head[] = {"name", "first", "needs",
                                       "what it asks"};
    size_t widths[] = {4, 5, 9, 0};

    for (size_t i = 0; experiments[i]; i++)
        widths[0] = print_text_larger(widths[0], strlen(experiments[i]->name));
    widths[3] = width - widths[0] - widths[1] - widths[2] - 3 * GAP;
    columns_row(out, 0, head, widths, 4);
    for (size_t i = 0; experiments[i]; i++) {
        const struct experiment *experiment = experiments[i];
        const char *cells[] = {
            experiment->name,
            experiment->is_first ? "*" : "",
            experiment_needs(experiment),
            experiment->question,
        };

        columns_row(out, 0, cells, widths, 4);
    }
}
