/* The loader: every broken config of tests/fixtures/configs is refused with
   the text and the place that its .expect file says; good ones mean what they
   say. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "config/config.h"
#include "options/options.h"
#include "places/problems.h"
#include "plugin/plugin.h"
#include "plugins/schema.h"

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 65536);

    assert_non_null(file);
    assert_non_null(text);
    text[fread(text, 1, 65535, file)] = '\0';
    fclose(file);
    return text;
}

/* The problems of `path` as they are printed, without the folder and the
   source lines: "NAME.json:LINE:COLUMN: text", a line each. */
static char *printed(const struct problems *problems, const char *path)
{
    size_t folder = strrchr(path, '/') ? strrchr(path, '/') + 1 - path : 0;
    char *all = NULL, *places = NULL, *rest, *line;
    size_t len;
    FILE *out = open_memstream(&all, &len);

    problems_print(problems, out);
    fclose(out);
    out = open_memstream(&places, &len);
    for (rest = all; (line = strsep(&rest, "\n"));)
        if (!strncmp(line, path, strlen(path)))
            fprintf(out, "%s\n", line + folder);
    fclose(out);
    free(all);
    return places;
}

static char *problems_of(const char *path)
{
    struct problems *problems = problems_create(path);
    char *text;

    assert_null(config_load(path, NULL, 0, NULL, problems));
    assert_true(problems_count(problems) > 0);
    text = printed(problems, path);
    problems_destroy(problems);
    return text;
}

static void test_config_refuses_the_zoo(void **state)
{
    DIR *folder = opendir(FIXTURES "/configs");
    const struct dirent *item;
    int count = 0;

    (void)state;
    assert_non_null(folder);
    while ((item = readdir(folder))) {
        char path[4096], *dot = strstr(item->d_name, ".json");
        char *wanted, *got;

        if (!dot)
            continue;
        snprintf(path, sizeof(path), FIXTURES "/configs/%.*s.expect",
                 (int)(dot - item->d_name), item->d_name);
        wanted = read_text(path);
        snprintf(path, sizeof(path), FIXTURES "/configs/%s", item->d_name);
        got = problems_of(path);
        assert_string_equal(got, wanted);
        free(wanted);
        free(got);
        count++;
    }
    closedir(folder);
    assert_true(count >= 40);
}

static struct config *load(const char *text, struct problems **problems,
                           const struct config_overrides *overrides)
{
    *problems = problems_create("test.json");
    return config_load("test.json", text, strlen(text), overrides, *problems);
}

static void done(struct config *config, struct problems *problems)
{
    config_destroy(config);
    problems_destroy(problems);
}

static int64_t int_of(const struct pg_option *table, const void *options,
                      const char *name)
{
    const struct pg_option *option = options_find(table, name);

    assert_non_null(option);
    return options_get_int(option, options);
}

static int64_t port_of(const struct pg_listener *listener)
{
    return int_of(listener->transport->options, listener->options, "port");
}

static const char *host_of(const struct pg_listener *listener)
{
    const struct pg_option *option =
        options_find(listener->transport->options, "host");

    assert_non_null(option);
    return options_get_string(option, listener->options);
}

/* ---- what a config means ---------------------------------------------- */

static void test_config_one_word_is_complete(void **state)
{
    struct problems *problems;
    struct config *config =
        load("{ \"transports\": [\"tcp\"] }", &problems, NULL);

    (void)state;
    assert_non_null(config);
    assert_int_equal(config->listener_count, 1);
    assert_string_equal(config->listeners[0]->name, "tcp");
    assert_int_equal(config->listeners[0]->chain.count, 0);
    assert_string_equal(host_of(config->listeners[0]), "127.0.0.1");
    assert_int_equal(port_of(config->listeners[0]), 5000);
    assert_int_equal(config->workers, 1);
    done(config, problems);
}

static void test_config_limits_have_defaults(void **state)
{
    struct problems *problems;
    struct config *config =
        load("{ \"transports\": [\"tcp\"] }", &problems, NULL);
    const struct limits *limits;

    (void)state;
    assert_non_null(config);
    limits = &config->limits;
    assert_int_equal(limits->max_sessions, 10000);
    assert_int_equal(limits->session_queue_bytes, 1 << 20);
    assert_int_equal(limits->queue_bytes_total, 64 << 20);
    assert_int_equal(limits->kept_bytes_total, 64 << 20);
    assert_int_equal(limits->frame_bytes, 64 << 10);
    assert_int_equal(limits->drain_ms, 800);
    assert_int_equal(limits->linger_ms, 1000);
    done(config, problems);
}

static void test_config_limits_and_options_are_read(void **state)
{
    struct problems *problems;
    struct config *config =
        load("{ \"limits\": { \"max_sessions\": 7, \"drain_ms\": 0 },"
             " \"workers\": 64, \"transports\": [\"udp\"], \"handlers\": ["
             "{ \"plugin\": \"lines\", \"max_bytes\": 20 }, \"lines\"] }",
             &problems, NULL);
    const struct pg_option *table;

    (void)state;
    assert_non_null(config);
    assert_int_equal(config->limits.max_sessions, 7);
    assert_int_equal(config->limits.drain_ms, 0);
    assert_int_equal(config->limits.linger_ms, 1000);
    assert_int_equal(config->workers, 64);
    table = config->entries[0]->handler->options;
    assert_int_equal(int_of(table, config->entries[0]->options, "max_bytes"),
                     20);
    assert_int_equal(int_of(table, config->entries[0]->options, "hint_s"), 3);
    assert_int_equal(int_of(table, config->entries[1]->options, "max_bytes"),
                     65536);
    done(config, problems);
}

static void test_config_own_handlers_stand_first(void **state)
{
    struct problems *problems;
    struct config *config =
        load("{ \"transports\": [{ \"plugin\": \"tcp\", \"handlers\": "
             "[\"lines\"] }, \"udp\"], \"handlers\": [\"log\", "
             "\"chat-broadcast\"] }",
             &problems, NULL);
    const struct chain *tcp, *udp;

    (void)state;
    assert_non_null(config);
    tcp = &config->listeners[0]->chain;
    udp = &config->listeners[1]->chain;
    assert_int_equal(tcp->count, 3);
    assert_int_equal(udp->count, 2);
    assert_string_equal(tcp->entries[0]->name, "lines");
    assert_ptr_equal(tcp->entries[1], udp->entries[0]);
    assert_int_equal(tcp->kinds[0], PG_STREAM);
    assert_int_equal(tcp->kinds[1], PG_RECORDS);
    done(config, problems);
}

static void test_config_names_are_made_unique(void **state)
{
    struct problems *problems;
    struct config *config = load("{ \"transports\": [\"tcp\"], \"handlers\": "
                                 "[\"log\", \"lines\", \"log\", \"log\"] }",
                                 &problems, NULL);

    (void)state;
    assert_non_null(config);
    assert_string_equal(config->entries[0]->name, "log");
    assert_string_equal(config->entries[2]->name, "log-2");
    assert_string_equal(config->entries[3]->name, "log-3");
    done(config, problems);
}

/* A name that was given is not given again. */
static void test_config_made_names_keep_clear_of_given_ones(void **state)
{
    struct problems *problems;
    struct config *config =
        load("{ \"transports\": [\"tcp\", { \"plugin\": \"udp\", \"name\": "
             "\"log\" }], \"handlers\": [{ \"plugin\": \"echo\", \"name\": "
             "\"log-2\" }, \"log\", \"log\"] }",
             &problems, NULL);

    (void)state;
    assert_null(config); /* the handlers come first: "log" is taken */
    assert_int_equal(problems_count(problems), 1);
    problems_destroy(problems);

    config = load("{ \"transports\": [\"tcp\"], \"handlers\": [{ \"plugin\": "
                  "\"echo\", \"name\": \"log-2\" }, \"log\", \"log\"] }",
                  &problems, NULL);
    assert_non_null(config);
    assert_string_equal(config->entries[1]->name, "log");
    assert_string_equal(config->entries[2]->name, "log-3");
    done(config, problems);
}

static void test_config_comments_and_schema_are_accepted(void **state)
{
    struct problems *problems;
    struct config *config =
        load("{ \"$schema\": \"x\", \"// a\": 1, \"limits\": { \"//\": 2 }, "
             "\"transports\": [{ \"plugin\": \"tcp\", \"// why\": [] }] }",
             &problems, NULL);

    (void)state;
    assert_non_null(config);
    done(config, problems);
}

static void test_config_command_line_overrides(void **state)
{
    const struct config_overrides overrides = {"::1", "6001"};
    struct problems *problems;
    struct config *config =
        load("{ \"transports\": [\"tcp\", \"udp\"] }", &problems, &overrides);

    (void)state;
    assert_non_null(config);
    assert_int_equal(port_of(config->listeners[0]), 6001);
    assert_int_equal(port_of(config->listeners[1]), 6001);
    assert_string_equal(host_of(config->listeners[0]), "::1");
    done(config, problems);
}

static void test_config_bad_overrides_are_refused(void **state)
{
    static const struct config_overrides bad[] = {
        {NULL, "seven"}, {NULL, "70000"}, {"not an address", NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct problems *problems;
        struct config *config =
            load("{ \"transports\": [\"tcp\"] }", &problems, &bad[i]);

        assert_null(config);
        assert_int_equal(problems_count(problems), 1);
        problems_destroy(problems);
    }
}

/* At most 20 are printed; the others are counted. */
static void test_config_prints_twenty_problems(void **state)
{
    struct problems *problems = problems_create("many.json");
    const char *path = FIXTURES "/configs/many.json";
    char *text = NULL;
    size_t len, lines = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    assert_null(config_load(path, NULL, 0, NULL, problems));
    assert_int_equal(problems_count(problems), 30);
    problems_print(problems, out);
    fclose(out);
    for (const char *at = text; (at = strstr(at, "there is no handler")); at++)
        lines++;
    assert_int_equal(lines, 20);
    assert_non_null(strstr(text, "10 more"));
    free(text);
    problems_destroy(problems);
}

/* A file that is not there, and one that is a folder. */
static void test_config_unreadable_files(void **state)
{
    char *text = problems_of(FIXTURES "/no-such.json");

    (void)state;
    assert_non_null(strstr(text, "No such file"));
    free(text);
    text = problems_of(FIXTURES);
    assert_non_null(strstr(text, "Is a directory"));
    free(text);
}

/* What is like nothing that is there gets a list of all that is; and what
   cannot be seen in a name is shown. */
static void test_config_lists_what_there_is(void **state)
{
    static const char text[] = "{ \"transports\": [\"t\\u200bcp\"],\n"
                               "  \"handlers\": [\"nothing\"] }";
    struct problems *problems;
    char *said;

    (void)state;
    assert_null(load(text, &problems, NULL));
    said = printed(problems, "test.json");
    assert_non_null(strstr(said, "test.json:1:18: there is no transport plugin "
                                 "\"t\\u200bcp\"; the transports are"));
    assert_non_null(strstr(said, "test.json:2:16: there is no handler plugin "
                                 "\"nothing\"; the handlers are "
                                 "chat-broadcast, echo, "));
    free(said);
    problems_destroy(problems);
}

static void test_config_every_example_loads(void **state)
{
    DIR *folder = opendir(CONFIGS);
    const struct dirent *item;
    int count = 0;

    (void)state;
    assert_non_null(folder);
    while ((item = readdir(folder))) {
        struct problems *problems;
        struct config *config;
        char path[4096];

        if (!strstr(item->d_name, ".json"))
            continue;
        snprintf(path, sizeof(path), CONFIGS "/%s", item->d_name);
        problems = problems_create(path);
        config = config_load(path, NULL, 0, NULL, problems);
        problems_print(problems, stderr);
        assert_non_null(config);
        done(config, problems);
        count++;
    }
    closedir(folder);
    assert_true(count >= 5);
}

/* ---- where plugins are found ------------------------------------------ */

static void copy_file(const char *from, const char *to)
{
    char buffer[65536];
    FILE *in = fopen(from, "re"), *out = fopen(to, "we");
    size_t got;

    assert_non_null(in);
    assert_non_null(out);
    while ((got = fread(buffer, 1, sizeof(buffer), in)) > 0)
        assert_int_equal(fwrite(buffer, 1, got, out), got);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

/* The folder of a config, with "say" in some of its folders. */
static void make_folder(char *folder, const char *const *files)
{
    char path[4096];

    strcpy(folder, "/tmp/playground-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/extra", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof(path), "%s/extra/handler", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    for (; *files; files++) {
        snprintf(path, sizeof(path), "%s/%s", folder, *files);
        copy_file(BAD_PLUGINS "/say.so", path);
    }
}

static void remove_folder(const char *folder)
{
    static const char *const parts[] = {
        "/say.so",        "/extra/say.so", "/extra/handler/say.so",
        "/extra/handler", "/extra",        ""};
    char path[4096];

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        snprintf(path, sizeof(path), "%s%s", folder, parts[i]);
        remove(path);
    }
}

/* Loads a config of that folder that uses "say"; the file it came from. */
static void expect_found(const char *const *files, const char *expected)
{
    static const char text[] = "{ \"plugin_path\": [\"extra\"], "
                               "\"transports\": [\"tcp\"], "
                               "\"handlers\": [\"say\"] }";
    char folder[64], path[256];
    struct problems *problems;
    struct config *config;

    make_folder(folder, files);
    snprintf(path, sizeof(path), "%s/test.json", folder);
    problems = problems_create(path);
    config = config_load(path, text, strlen(text), NULL, problems);
    problems_print(problems, stderr);
    assert_non_null(config);
    assert_string_equal(config->folder, folder);
    snprintf(path, sizeof(path), "%s/%s", folder, expected);
    assert_string_equal(config->entries[0]->plugin->path, path);
    done(config, problems);
    remove_folder(folder);
}

static void test_config_paths_count_from_its_folder(void **state)
{
    (void)state;
    expect_found((const char *[]){"extra/say.so", NULL}, "extra/say.so");
    expect_found((const char *[]){"extra/handler/say.so", NULL},
                 "extra/handler/say.so");
}

static void test_config_own_folder_comes_first(void **state)
{
    (void)state;
    expect_found((const char *[]){"say.so", "extra/say.so", NULL}, "say.so");
}

/* A folder that is not there is no error: the plugins may be elsewhere. */
static void test_config_warns_of_a_missing_folder(void **state)
{
    struct problems *problems;
    struct config *config = load("{ \"plugin_path\": [\"/\", \"missing\"], "
                                 "\"transports\": [\"tcp\"] }",
                                 &problems, NULL);
    char *text;

    (void)state;
    assert_non_null(config);
    assert_int_equal(problems_warnings(problems), 1);
    text = printed(problems, "test.json");
    assert_string_equal(
        text, "test.json:1:24: warning: there is no folder ./missing; make it, "
              "or correct the path (it counts from the config's folder)\n");
    free(text);
    done(config, problems);
}

/* ---- the schema ------------------------------------------------------- */

static const json_t *at(const json_t *value, const char *const *path)
{
    for (; *path; path++) {
        value = json_object_get(value, *path);
        if (!value)
            fail_msg("the schema has no \"%s\"", *path);
    }
    return value;
}
#define AT(value, ...) at(value, (const char *const[]){__VA_ARGS__, NULL})

static struct plugin_search builtin = {
    .folders = (const char *const[]){PLUGINS, NULL}};

static void test_schema_of_a_plugin_has_its_options(void **state)
{
    json_t *schema = schema_plugin(&builtin, "tcp");
    const json_t *port;

    (void)state;
    assert_non_null(schema);
    port = AT(schema, "properties", "port");
    assert_string_equal(json_string_value(AT(port, "type")), "integer");
    assert_int_equal((int)json_number_value(AT(port, "minimum")), 0);
    assert_int_equal((int)json_number_value(AT(port, "maximum")), 65535);
    assert_int_equal(json_integer_value(AT(port, "default")), 5000);
    assert_true(json_is_true(AT(schema, "properties", "nodelay", "default")));
    assert_non_null(AT(schema, "properties", "handlers"));
    assert_true(json_is_true(AT(schema, "patternProperties", "^//")));
    assert_true(json_is_false(AT(schema, "additionalProperties")));
    json_decref(schema);
    assert_null(schema_plugin(&builtin, "nothing"));
}

static void test_schema_lists_choices(void **state)
{
    json_t *schema = schema_plugin(&builtin, "chat-broadcast");
    const json_t *choices = AT(schema, "properties", "slow", "enum");

    (void)state;
    assert_int_equal(json_array_size(choices), 2);
    assert_string_equal(json_string_value(json_array_get(choices, 0)), "close");
    json_decref(schema);
}

/* Every key that the loader takes is in the schema, and no other. */
static void test_schema_of_a_config_has_all_keys(void **state)
{
    static const char *const keys[] = {"$schema",     "transports", "handlers",
                                       "plugin_path", "workers",    "limits"};
    json_t *schema = schema_config(&builtin);
    const json_t *properties = AT(schema, "properties"), *names;
    json_t *alternatives;

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        assert_non_null(json_object_get(properties, keys[i]));
    assert_int_equal(json_object_size(properties),
                     sizeof(keys) / sizeof(*keys));
    assert_int_equal(
        (int)json_number_value(
            AT(properties, "limits", "properties", "max_sessions", "default")),
        10000);
    alternatives =
        (json_t *)(uintptr_t)AT(schema, "$defs", "transport", "anyOf");
    names = AT(json_array_get(alternatives, 0), "enum");
    assert_true(json_array_size(names) >= 2);
    assert_int_equal(json_array_size(alternatives), json_array_size(names) + 1);
    json_decref(schema);
}

/* ---- without a file --------------------------------------------------- */

static void test_config_made_of_parts(void **state)
{
    struct problems *problems = problems_create("parts");
    struct config *config = config_create(problems);

    (void)state;
    assert_non_null(config_add_listener(config, "tcp", "{\"port\": 7}"));
    assert_non_null(config_add_entry(config, "length", NULL, "{\"size\": 2}"));
    assert_true(config_make_chains(config));
    assert_int_equal(port_of(config->listeners[0]), 7);
    assert_int_equal(config->listeners[0]->chain.count, 1);
    assert_null(config_add_entry(config, "nothing", NULL, "{}"));
    done(config, problems);
}

static int use_built_plugins(void **state)
{
    (void)state;
    plugin_set_builtin_folder(PLUGINS);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_refuses_the_zoo),
        cmocka_unit_test(test_config_one_word_is_complete),
        cmocka_unit_test(test_config_limits_have_defaults),
        cmocka_unit_test(test_config_limits_and_options_are_read),
        cmocka_unit_test(test_config_own_handlers_stand_first),
        cmocka_unit_test(test_config_names_are_made_unique),
        cmocka_unit_test(test_config_made_names_keep_clear_of_given_ones),
        cmocka_unit_test(test_config_comments_and_schema_are_accepted),
        cmocka_unit_test(test_config_command_line_overrides),
        cmocka_unit_test(test_config_bad_overrides_are_refused),
        cmocka_unit_test(test_config_prints_twenty_problems),
        cmocka_unit_test(test_config_unreadable_files),
        cmocka_unit_test(test_config_lists_what_there_is),
        cmocka_unit_test(test_config_every_example_loads),
        cmocka_unit_test(test_config_paths_count_from_its_folder),
        cmocka_unit_test(test_config_own_folder_comes_first),
        cmocka_unit_test(test_config_warns_of_a_missing_folder),
        cmocka_unit_test(test_schema_of_a_plugin_has_its_options),
        cmocka_unit_test(test_schema_lists_choices),
        cmocka_unit_test(test_schema_of_a_config_has_all_keys),
        cmocka_unit_test(test_config_made_of_parts),
    };

    return cmocka_run_group_tests(tests, use_built_plugins, NULL);
}
