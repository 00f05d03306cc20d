/*
 * fuzz_config: whatever bytes a config holds, the loader does not crash, says
 * something that fits on a terminal, and each problem has a place in the text.
 *
 * It also holds the position map and jansson together: of a text that jansson
 * accepts, the map has every key and every value where jansson found it; of
 * one that it refuses, we point no further than jansson has read.
 */
#include "fuzz.h"

#include <jansson.h>

#include "base/must.h"
#include "config/config.h"
#include "places/position.h"
#include "places/problems.h"
#include "plugin/plugin.h"

/* Not there, so that no file of the machine is in the search path. */
#define PATH "/nonexistent/fuzz.json"

struct text {
    const char *data;
    size_t len;
    struct position_map *map;
};

/* ---- the map against jansson ------------------------------------------ */

static json_t *part(const struct text *text, size_t from, size_t to)
{
    MUST(from <= to && to <= text->len);
    return json_loadb(text->data + from, to - from, JSON_DECODE_ANY, NULL);
}

static void check_key(const struct text *text, const struct position *found,
                      const char *key)
{
    json_t *value = part(text, found->key, found->key_end);

    MUST(json_is_string(value) && !strcmp(json_string_value(value), key));
    json_decref(value);
}

static size_t check_value(const struct text *text, const json_t *value,
                          const char *path, const char *key);

static size_t check_inside(const struct text *text, const json_t *value,
                           const char *path)
{
    size_t count = 0, i;
    const char *key;
    json_t *item;

    json_array_foreach ((json_t *)(uintptr_t)value, i, item) {
        char *place = must_printf("%s/%zu", path, i);

        count += check_value(text, item, place, NULL);
        free(place);
    }
    json_object_foreach ((json_t *)(uintptr_t)value, key, item) {
        char *place = position_path_key(path, key);

        count += check_value(text, item, place, key);
        free(place);
    }
    return count;
}

/* What stands there is that value. How many values it has in it. */
static size_t check_value(const struct text *text, const json_t *value,
                          const char *path, const char *key)
{
    struct position found;
    json_t *again;

    MUST(position_find(text->map, path, &found));
    again = part(text, found.value, found.value_end);
    MUST(json_equal(again, value));
    json_decref(again);
    if (key)
        check_key(text, &found, key);
    return 1 + check_inside(text, value, path);
}

static void count_duplicate(const char *key, size_t first, size_t again,
                            void *arg)
{
    (void)key, (void)first, (void)again;
    ++*(size_t *)arg;
}

/* ---- the loader ------------------------------------------------------- */

static size_t offset_of(const struct text *text, size_t line, size_t column)
{
    size_t at_line = 1, at_column = 1, at = 0;

    for (; at < text->len && (at_line != line || at_column != column); at++)
        position_line(text->map, at + 1, &at_line, &at_column);
    MUST(at_line == line && at_column == column);
    return at;
}

struct reports {
    const struct text *text;
    size_t most; /* no place is behind this */
    size_t count;
};

static void check_report(const struct problem_report *report, void *arg)
{
    struct reports *reports = arg;

    reports->count++;
    MUST(report->text[0] != '\0');
    MUST((report->line == 0) == (report->column == 0));
    if (report->line)
        MUST(offset_of(reports->text, report->line, report->column) <=
             reports->most);
}

/* Nothing in it but text and line ends. */
static void check_printed(const struct problems *problems)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    MUST(out);
    problems_print(problems, out);
    fclose(out);
    for (size_t i = 0; i < len; i++)
        MUST((uint8_t)text[i] >= ' ' || text[i] == '\n');
    free(text);
}

static void load(const struct text *text, size_t most)
{
    struct problems *problems = problems_create(PATH);
    struct reports reports = {text, most, 0};
    struct config *config =
        config_load(PATH, text->data, text->len, NULL, problems);

    MUST((config == NULL) == (problems_count(problems) > 0));
    problems_each(problems, check_report, &reports);
    check_printed(problems);
    config_destroy(config);
    problems_destroy(problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = {(const char *)data, size, NULL};
    size_t values, duplicates = 0;
    json_error_t error;
    json_t *root;

    text.map = position_map_create(text.data, text.len);
    root = json_loadb(text.data, text.len, 0, &error);
    if (root) {
        values = check_value(&text, root, "", NULL);
        position_each_duplicate(text.map, count_duplicate, &duplicates);
        MUST(values == position_count(text.map) || duplicates > 0 ||
             memmem(text.data, text.len, "//", 2));
    }
    load(&text, root ? text.len : (size_t)error.position);
    json_decref(root);
    position_map_destroy(text.map);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    plugin_set_builtin_folder(PLUGINS);
    return 0;
}
