/* A result, built as JSON. */

#include "compare/lab/lab_parts.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "compare/lab/shown.h"

void result_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value)) {
        fputs("playground compare: out of memory\n", stderr);
        exit(1);
    }
}

void result_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value)) {
        fputs("playground compare: out of memory\n", stderr);
        exit(1);
    }
}

json_t *result_list(json_t *object, const char *key)
{
    json_t *list = json_object_get(object, key);

    if (!list) {
        list = json_array();
        result_set(object, key, list);
    }
    return list;
}

json_t *result_create(const struct experiment *experiment)
{
    static const char *const lists[] = {"did",   "rows",  "why",
                                        "notes", "plots", "checks"};
    json_t *result = json_object();

    result_set(result, "name", json_string(experiment->name));
    result_set(result, "title", json_string(experiment->title));
    result_set(result, "question", json_string(experiment->question));
    result_set(result, "is_first", json_boolean(experiment->is_first));
    result_set(result, "needs", json_string(experiment_needs(experiment)));
    result_set(result, "busy", json_false());
    result_set(result, "settings", json_object());
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
        result_set(result, lists[i], json_array());
    return result;
}

/* ---- words ------------------------------------------------------------ */

json_t *result_text(const char *format, va_list arguments)
{
    char *text = must_vprintf(format, arguments), *clean = text_clean(text);
    json_t *string = json_string(clean);

    free(clean);
    free(text);
    return string;
}

static json_t *result_with_numbers(const char *format, va_list arguments)
{
    json_t *plain = result_text(format, arguments), *string;
    char *text = shown_text(json_string_value(plain));

    string = json_string(text);
    free(text);
    json_decref(plain);
    return string;
}

static void result_add_words(struct lab *lab, const char *key,
                             const char *format, va_list arguments)
{
    result_append(result_list(lab->result, key),
                  result_with_numbers(format, arguments));
}

void result_did(struct lab *lab, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    result_add_words(lab, "did", format, arguments);
    va_end(arguments);
}

void result_why(struct lab *lab, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    result_add_words(lab, "why", format, arguments);
    va_end(arguments);
}

void result_note(struct lab *lab, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    result_add_words(lab, "notes", format, arguments);
    va_end(arguments);
}

/* ---- rows ------------------------------------------------------------- */

json_t *value_count(long long count)
{
    return json_integer(count);
}

json_t *value_number(double number)
{
    return json_real(number);
}

json_t *value_text(const char *format, ...)
{
    va_list arguments;
    json_t *value;

    va_start(arguments, format);
    value = result_with_numbers(format, arguments);
    va_end(arguments);
    return value;
}

json_t *value_bool(bool is_true)
{
    return json_boolean(is_true);
}

json_t *value_none(void)
{
    return json_null();
}

void result_row(struct lab *lab, const char *key, const char *measure,
                const char *unit, json_t *tcp, json_t *udp)
{
    json_t *row = json_object();

    result_set(row, "key", json_string(key));
    result_set(row, "measure", json_string(measure));
    result_set(row, "unit", json_string(unit));
    result_set(row, "tcp", tcp);
    result_set(row, "udp", udp);
    result_append(result_list(lab->result, "rows"), row);
}

void result_counts(struct lab *lab, const char *key, const char *measure,
                   const char *unit, long long tcp, long long udp)
{
    result_row(lab, key, measure, unit, value_count(tcp), value_count(udp));
}

void result_numbers(struct lab *lab, const char *key, const char *measure,
                    const char *unit, double tcp, double udp)
{
    result_row(lab, key, measure, unit, value_number(tcp), value_number(udp));
}

void result_bools(struct lab *lab, const char *key, const char *measure,
                  bool tcp, bool udp)
{
    result_row(lab, key, measure, "", value_bool(tcp), value_bool(udp));
}

void result_words(struct lab *lab, const char *key, const char *measure,
                  const char *tcp, const char *udp)
{
    result_row(lab, key, measure, "", value_text("%s", tcp),
               value_text("%s", udp));
}

/* ---- checks ----------------------------------------------------------- */

static json_t *result_add_check(struct lab *lab, const char *key, bool holds,
                                const char *claim)
{
    json_t *check = json_object();

    result_set(check, "key", json_string(key));
    result_set(check, "claim", json_string(claim));
    result_set(check, "holds", json_boolean(holds));
    result_append(result_list(lab->result, "checks"), check);
    return check;
}

bool result_check(struct lab *lab, const char *key, bool holds,
                  const char *claim)
{
    result_add_check(lab, key, holds, claim);
    return holds;
}

bool result_check_timed(struct lab *lab, const char *key, bool holds,
                        const char *claim, double slack_ms)
{
    json_t *check = result_add_check(lab, key, holds, claim);

    if (!holds && lab_late_ms(lab) >= slack_ms) {
        result_set(check, "busy", json_true());
        lab->is_busy = true;
    }
    return holds;
}

void result_answer(struct lab *lab, int answer)
{
    assert(answer >= 0 && answer < GUESS_ANSWERS);
    assert(lab->experiment->guess.answers[answer]);
    result_set(lab->result, "answer", json_integer(answer));
}

/* ---- plots ------------------------------------------------------------ */

json_t *result_plot(struct lab *lab, enum plot_kind kind, const char *title,
                    const char *description, const char *x, const char *y)
{
    static const char *const kinds[] = {
        [PLOT_LINES] = "lines",
        [PLOT_POINTS] = "points",
        [PLOT_STEPS] = "steps",
        [PLOT_BARS] = "bars",
    };
    json_t *plot = json_object();

    result_set(plot, "kind", json_string(kinds[kind]));
    result_set(plot, "title", json_string(title));
    result_set(plot, "description", json_string(description));
    result_set(plot, "x", json_string(x));
    result_set(plot, "y", json_string(y));
    result_set(plot, "series", json_array());
    result_append(result_list(lab->result, "plots"), plot);
    return plot;
}

json_t *plot_series(json_t *plot, enum plot_of of, const char *name)
{
    static const char *const sides[] = {
        [PLOT_TCP] = "tcp",
        [PLOT_UDP] = "udp",
        [PLOT_OTHER] = "other",
    };
    json_t *series = json_object();

    result_set(series, "of", json_string(sides[of]));
    result_set(series, "name", json_string(name));
    result_set(series, "points", json_array());
    result_append(json_object_get(plot, "series"), series);
    return series;
}

void plot_point(json_t *series, double x, double y)
{
    json_t *point = json_array();

    result_append(point, json_real(x));
    result_append(point, json_real(y));
    result_append(json_object_get(series, "points"), point);
}

void plot_bar(json_t *series, const char *label, double y)
{
    json_t *point = json_array();

    result_append(point, json_string(label));
    result_append(point, json_real(y));
    result_append(json_object_get(series, "points"), point);
}

void plot_log_x(json_t *plot)
{
    result_set(plot, "log_x", json_true());
}

void plot_log_y(json_t *plot)
{
    result_set(plot, "log_y", json_true());
}

void plot_mark(json_t *plot, double x, const char *label)
{
    json_t *mark = json_object();

    result_set(mark, "x", json_real(x));
    result_set(mark, "label", json_string(label));
    result_append(result_list(plot, "marks"), mark);
}
