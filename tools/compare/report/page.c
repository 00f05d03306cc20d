/* A report as one page of HTML. */

#include "compare/report/page.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "compare/lab/shown.h"
#include "compare/report/html.h"
#include "compare/report/page_style.h"
#include "compare/report/svg.h"

static const char *page_text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void page_element(FILE *out, const char *open, const char *text,
                         const char *close)
{
    fputs(open, out);
    html_text(out, text);
    fputs(close, out);
}

/* ---- head ------------------------------------------------------------- */

static void page_print_machine(FILE *out, const json_t *machine)
{
    static const char *const keys[] = {"distribution", "kernel",
                                       "architecture"};
    json_int_t cpus = json_integer_value(json_object_get(machine, "cpus"));

    fputs("<dt>machine</dt><dd>", out);
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (*page_text_of(machine, keys[i]))
            page_element(out, "", page_text_of(machine, keys[i]), ", ");
    fprintf(out, "%lld processor%s</dd>\n", (long long)cpus,
            cpus == 1 ? "" : "s");
}

/* Keeps each word whole, so that a line breaks between words and not at a
   hyphen. */
static void page_print_command(FILE *out, const char *command)
{
    fputs("<pre><code>", out);
    while (*command) {
        size_t len = strcspn(command, " ");
        char *word = must_printf("%.*s", (int)len, command);

        page_element(out, "<span>", word, "</span>");
        free(word);
        command += len;
        if (*command)
            fputc(*command++, out);
    }
    fputs("</code></pre>", out);
}

static void page_print_facts(FILE *out, const json_t *report)
{
    fputs("<dl>\n<dt>to repeat it</dt><dd>", out);
    page_print_command(out, page_text_of(report, "command"));
    fputs("</dd>\n", out);
    fprintf(out, "<dt>seed</dt><dd>%lld</dd>\n",
            (long long)json_integer_value(json_object_get(report, "seed")));
    page_element(out, "<dt>date</dt><dd>", page_text_of(report, "date"),
                 "</dd>\n");
    page_print_machine(out, json_object_get(report, "machine"));
    page_element(out, "<dt>version</dt><dd>playground ",
                 page_text_of(report, "version"), "</dd>\n</dl>\n");
}

static void page_print_first(FILE *out, const json_t *result)
{
    if (json_is_true(json_object_get(result, "is_first")))
        fputs(" <span class=\"first\">first class</span>", out);
}

static void page_print_contents(FILE *out, const json_t *results)
{
    json_t *result;
    size_t i;

    if (json_array_size(results) < 2)
        return;
    fputs("<nav aria-label=\"Experiments\">\n<ol>\n", out);
    json_array_foreach (results, i, result) {
        page_element(out, "<li><a href=\"#", page_text_of(result, "name"),
                     "\">");
        page_element(out, "", page_text_of(result, "title"), "</a>");
        page_print_first(out, result);
        fputs("</li>\n", out);
    }
    fputs("</ol>\n</nav>\n", out);
}

/* ---- an experiment ---------------------------------------------------- */

static void page_print_settings(FILE *out, const json_t *settings)
{
    char *text = shown_settings(settings);

    if (*text)
        page_element(out, "<p class=\"note\">Settings: ", text, ".</p>\n");
    free(text);
}

static void page_print_paragraphs(FILE *out, const json_t *list,
                                  const char *open)
{
    json_t *text;
    size_t i;

    json_array_foreach (list, i, text)
        page_element(out, open, json_string_value(text), "</p>\n");
}

static void page_print_cell(FILE *out, const json_t *row, const char *side)
{
    char *text =
        shown_value(json_object_get(row, side), page_text_of(row, "unit"));

    fprintf(out, "<td class=\"%s\">", side);
    page_element(out, "", text, "</td>");
    free(text);
}

static void page_print_rows(FILE *out, const json_t *rows)
{
    json_t *row;
    size_t i;

    if (json_array_size(rows) == 0)
        return;
    fputs("<table>\n<thead><tr><th scope=\"col\"></th>"
          "<th scope=\"col\" class=\"tcp\">TCP</th>"
          "<th scope=\"col\" class=\"udp\">UDP</th></tr></thead>\n<tbody>\n",
          out);
    json_array_foreach (rows, i, row) {
        page_element(out, "<tr><th scope=\"row\">",
                     page_text_of(row, "measure"), "</th>");
        page_print_cell(out, row, "tcp");
        page_print_cell(out, row, "udp");
        fputs("</tr>\n", out);
    }
    fputs("</tbody>\n</table>\n", out);
}

static void page_print_plots(FILE *out, const json_t *plots, size_t number)
{
    json_t *plot;
    size_t i;

    if (json_array_size(plots) == 0)
        return;
    fputs("<div class=\"plots\">\n", out);
    json_array_foreach (plots, i, plot) {
        char id[48];

        snprintf(id, sizeof(id), "plot%zu-%zu", number, i + 1);
        page_element(out, "<figure>\n<figcaption>", page_text_of(plot, "title"),
                     "</figcaption>\n");
        svg_print(out, plot, id);
        fputs("</figure>\n", out);
    }
    fputs("</div>\n", out);
}

static const char *page_check_begin(const json_t *check)
{
    if (json_is_true(json_object_get(check, "holds")))
        return "<li>\u2713 ";
    return json_is_true(json_object_get(check, "busy"))
               ? "<li class=\"failed\">? cannot tell: "
               : "<li class=\"failed\">\u2717 not as theory says: ";
}

static void page_print_checks(FILE *out, const json_t *checks)
{
    json_t *check;
    size_t i;

    if (json_array_size(checks) == 0)
        return;
    fputs("<p class=\"note\">What theory says:</p>\n<ul class=\"checks\">\n",
          out);
    json_array_foreach (checks, i, check)
        page_element(out, page_check_begin(check), page_text_of(check, "claim"),
                     "</li>\n");
    fputs("</ul>\n", out);
}

static void page_print_busy(FILE *out, const json_t *result)
{
    char *text;

    if (!json_is_true(json_object_get(result, "busy")))
        return;
    text = shown_busy(result);
    page_element(out, "<p class=\"error\">", text, "</p>\n");
    free(text);
}

static void page_print_guess(FILE *out, const json_t *result)
{
    const json_t *note = json_object_get(result, "guess");
    const json_t *guess = json_object_get(note, "guess");
    const json_t *came_out = json_object_get(result, "answer");
    json_t *answer;
    size_t i;

    if (!note)
        return;
    page_element(out, "<div class=\"guess\">", page_text_of(note, "question"),
                 "\n<ol>\n");
    json_array_foreach (json_object_get(note, "answers"), i, answer) {
        bool is_out = json_is_integer(came_out) &&
                      (size_t)json_integer_value(came_out) == i;
        bool is_guess =
            json_is_integer(guess) && (size_t)json_integer_value(guess) == i;

        page_element(out, "<li>", json_string_value(answer), "");
        fputs(is_guess ? " \u2190 <strong>the guess</strong>" : "", out);
        fputs(is_out ? " \u2713 <strong>came out</strong>" : "", out);
        fputs("</li>\n", out);
    }
    fputs("</ol>\n</div>\n", out);
}

static void page_print_experiment(FILE *out, const json_t *result,
                                  size_t number)
{
    page_element(out, "<section id=\"", page_text_of(result, "name"),
                 "\">\n<h2>");
    page_element(out, "", page_text_of(result, "title"), "");
    page_print_first(out, result);
    page_element(out, "</h2>\n<p class=\"question\">",
                 page_text_of(result, "question"), "</p>\n");
    page_print_guess(out, result);
    page_print_paragraphs(out, json_object_get(result, "did"), "<p>");
    page_print_settings(out, json_object_get(result, "settings"));
    if (*page_text_of(result, "error"))
        page_element(out, "<p class=\"error\">It could not be run: ",
                     page_text_of(result, "error"), "</p>\n");
    page_print_rows(out, json_object_get(result, "rows"));
    page_print_plots(out, json_object_get(result, "plots"), number);
    page_print_paragraphs(out, json_object_get(result, "why"),
                          "<p class=\"why\"><strong>Why:</strong> ");
    page_print_paragraphs(out, json_object_get(result, "notes"),
                          "<p class=\"note\">Note: ");
    page_print_checks(out, json_object_get(result, "checks"));
    page_print_busy(out, result);
    fputs("</section>\n", out);
}

void page_print(FILE *out, const json_t *report)
{
    const json_t *results = json_object_get(report, "experiments");
    json_t *result;
    size_t i;

    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
            "<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, "
            "initial-scale=1\">\n"
            "<title>TCP and UDP side by side</title>\n<style>\n%s</style>\n"
            "</head>\n<body>\n<header>\n"
            "<h1><span class=\"tcp\">TCP</span> and "
            "<span class=\"udp\">UDP</span> side by side</h1>\n",
            page_style);
    page_print_facts(out, report);
    page_print_contents(out, results);
    fputs("</header>\n<main>\n", out);
    json_array_foreach (results, i, result)
        page_print_experiment(out, result, i + 1);
    fputs("</main>\n</body>\n</html>\n", out);
}
