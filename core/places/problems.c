/* Gathers what is wrong with a config, and prints it with its places. */

#include "places/problems.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/text.h"
#include "places/excerpt.h"
#include "places/position.h"

/* Problems beyond these are only counted, so that a hostile file takes neither
   memory nor time: 20 are shown, and they are found in another order than that
   of the text. */
#define KEPT 1000

struct problem {
    bool is_warning;
    bool has_place, has_other;
    size_t offset, other;
    size_t order;
    char *text;
};

struct problems {
    char *path;
    char *text;
    size_t len;
    struct position_map *map;
    struct problem *list;
    size_t kept;
    size_t errors, warnings;
    size_t said; /* errors, those that were known already too */
};

struct problems *problems_create(const char *path)
{
    struct problems *problems = must_calloc(1, sizeof(*problems));

    must_serve_jansson();
    problems->path = text_clean(path);
    return problems;
}

void problems_destroy(struct problems *problems)
{
    if (!problems)
        return;
    for (size_t i = 0; i < problems->kept; i++)
        free(problems->list[i].text);
    position_map_destroy(problems->map);
    free(problems->list);
    free(problems->text);
    free(problems->path);
    free(problems);
}

void problems_set_text(struct problems *problems, const char *text, size_t len)
{
    position_map_destroy(problems->map);
    free(problems->text);
    problems->text = must_calloc(len + 1, 1);
    memcpy(problems->text, text, len);
    problems->len = len;
    problems->map = position_map_create(problems->text, len);
}

const struct position_map *problems_map(const struct problems *problems)
{
    return problems->map;
}

/* ---- adding ----------------------------------------------------------- */

/* True if the same has been said about the same place. */
static bool problems_is_known(const struct problems *problems,
                              const struct problem *new)
{
    for (size_t i = 0; i < problems->kept; i++) {
        const struct problem *old = &problems->list[i];

        if (old->has_place == new->has_place && old->offset == new->offset &&
            !strcmp(old->text, new->text))
            return true;
    }
    return false;
}

static void problems_count_in(struct problems *problems,
                              const struct problem *problem)
{
    *(problem->is_warning ? &problems->warnings : &problems->errors) += 1;
}

/* Takes the text over. */
static void problems_keep(struct problems *problems, struct problem problem,
                          char *text)
{
    problem.text = text_clean(text);
    free(text);
    if (problems_is_known(problems, &problem)) {
        free(problem.text);
        return;
    }
    problems_count_in(problems, &problem);
    problem.order = problems->kept;
    problems->list =
        must_grow(problems->list, problems->kept, sizeof(*problems->list));
    problems->list[problems->kept++] = problem;
}

bool problems_is_full(const struct problems *problems)
{
    return problems->kept == KEPT;
}

void problems_add_unseen(struct problems *problems)
{
    problems->said++;
    problems->errors++;
}

static struct problem problems_at(const struct problems *problems,
                                  const char *path, bool at_key)
{
    struct problem problem = {0};
    struct position found;

    if (!problems->map || !*path ||
        !position_find_near(problems->map, path, &found))
        return problem;
    at_key = at_key && position_find(problems->map, path, &found);
    problem.has_place = true;
    problem.offset = at_key ? found.key : found.value;
    return problem;
}

static void problems_vput_at(struct problems *problems, struct problem problem,
                             const char *format, va_list arguments)
    PG_PRINTF(3, 0);

static void problems_vput_at(struct problems *problems, struct problem problem,
                             const char *format, va_list arguments)
{
    problems->said += !problem.is_warning;
    if (problems_is_full(problems))
        problems_count_in(problems, &problem);
    else
        problems_keep(problems, problem, must_vprintf(format, arguments));
}

static void problems_vput(struct problems *problems, const char *path,
                          bool at_key, bool is_warning, const char *format,
                          va_list arguments) PG_PRINTF(5, 0);

static void problems_vput(struct problems *problems, const char *path,
                          bool at_key, bool is_warning, const char *format,
                          va_list arguments)
{
    struct problem problem = {0};

    if (!problems_is_full(problems))
        problem = problems_at(problems, path, at_key);
    problem.is_warning = is_warning;
    problems_vput_at(problems, problem, format, arguments);
}

void problems_vadd_pair(struct problems *problems, const char *path,
                        const char *other, const char *format,
                        va_list arguments)
{
    struct problem problem = problems_at(problems, path, false);
    struct position found;

    if (problems->map && position_find(problems->map, other, &found)) {
        problem.has_other = true;
        problem.other = found.value;
    }
    problems_vput_at(problems, problem, format, arguments);
}

void problems_add_pair(struct problems *problems, const char *path,
                       const char *other, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    problems_vadd_pair(problems, path, other, format, arguments);
    va_end(arguments);
}

void problems_vadd(struct problems *problems, const char *path, bool at_key,
                   const char *format, va_list arguments)
{
    problems_vput(problems, path, at_key, false, format, arguments);
}

void problems_add(struct problems *problems, const char *path, bool at_key,
                  const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    problems_vput(problems, path, at_key, false, format, arguments);
    va_end(arguments);
}

void problems_warn(struct problems *problems, const char *path, bool at_key,
                   const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    problems_vput(problems, path, at_key, true, format, arguments);
    va_end(arguments);
}

void problems_add_key(struct problems *problems, const char *path,
                      const char *key, bool at_key, const char *format, ...)
{
    char *place = position_path_key(path, key);
    va_list arguments;

    va_start(arguments, format);
    problems_vput(problems, place, at_key, false, format, arguments);
    va_end(arguments);
    free(place);
}

void problems_add_at(struct problems *problems, size_t offset,
                     const char *format, ...)
{
    struct problem problem = {.has_place = true, .offset = offset};
    va_list arguments;

    if (problems_is_full(problems)) {
        problems_add_unseen(problems);
        return;
    }
    problems->said++;
    va_start(arguments, format);
    problems_keep(problems, problem, must_vprintf(format, arguments));
    va_end(arguments);
}

void problems_line(const struct problems *problems, size_t offset, size_t *line,
                   size_t *column)
{
    position_line(problems->map, offset, line, column);
}

char *problems_place(const struct problems *problems, const char *path)
{
    struct problem problem = problems_at(problems, path, false);
    size_t line, column;

    if (!problem.has_place)
        return must_copy(problems->path);
    problems_line(problems, problem.offset, &line, &column);
    return must_printf("%s:%zu:%zu", problems->path, line, column);
}

size_t problems_said(const struct problems *problems)
{
    return problems->said;
}

size_t problems_count(const struct problems *problems)
{
    return problems->errors;
}

size_t problems_warnings(const struct problems *problems)
{
    return problems->warnings;
}

/* ---- showing ---------------------------------------------------------- */

/* Problems of the whole file come first, then those with places in order. */
static int problems_compare(const void *left, const void *right)
{
    const struct problem *a = left, *b = right;

    if (a->has_place != b->has_place)
        return a->has_place ? 1 : -1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static struct problem *problems_sorted(const struct problems *problems)
{
    size_t size = sizeof(*problems->list);
    struct problem *copy = must_calloc(problems->kept, size);

    if (problems->kept > 0)
        memcpy(copy, problems->list, problems->kept * size);
    qsort(copy, problems->kept, size, problems_compare);
    return copy;
}

static struct problem_report problems_report(const struct problems *problems,
                                             const struct problem *problem)
{
    struct problem_report report = {
        .file = problems->path,
        .is_warning = problem->is_warning,
        .text = problem->text,
    };

    if (problem->has_place)
        problems_line(problems, problem->offset, &report.line, &report.column);
    if (problem->has_other)
        problems_line(problems, problem->other, &report.other_line,
                      &report.other_column);
    return report;
}

void problems_each(const struct problems *problems,
                   void (*fn)(const struct problem_report *report, void *arg),
                   void *arg)
{
    struct problem *list = problems_sorted(problems);

    for (size_t i = 0; i < problems->kept && i < PROBLEMS_MAX; i++) {
        struct problem_report one = problems_report(problems, &list[i]);

        fn(&one, arg);
    }
    free(list);
}

static void problems_print_one(const struct problems *problems,
                               const struct problem *problem, FILE *out)
{
    struct problem_report one = problems_report(problems, problem);
    const char *warning = one.is_warning ? "warning: " : "";

    if (!problem->has_place) {
        fprintf(out, "%s: %s%s\n", one.file, warning, one.text);
        return;
    }
    fprintf(out, "%s:%zu:%zu: %s%s\n", one.file, one.line, one.column, warning,
            one.text);
    excerpt_print(problems->text, problems->len, problem->offset, one.line,
                  out);
    if (!problem->has_other)
        return;
    fprintf(out, "  and %s:%zu:%zu\n", one.file, one.other_line,
            one.other_column);
    excerpt_print(problems->text, problems->len, problem->other, one.other_line,
                  out);
}

void problems_print(const struct problems *problems, FILE *out)
{
    size_t all = problems->errors + problems->warnings;
    struct problem *list = problems_sorted(problems);

    for (size_t i = 0; i < problems->kept && i < PROBLEMS_MAX; i++)
        problems_print_one(problems, &list[i], out);
    if (all > PROBLEMS_MAX)
        fprintf(out, "%s: and %zu more; correct these first\n", problems->path,
                all - PROBLEMS_MAX);
    free(list);
}
