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
#include <unistd.h>

#include "config.h"
#include "options.h"
#include "plugin.h"
#include "problems.h"

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
    assert_int_equal(config->workers, 1);
    assert_int_equal(config->limits.max_sessions, 10000);
    assert_int_equal(config->limits.session_queue_bytes, 1 << 20);
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

static int64_t port_of(const struct pg_listener *listener)
{
    return options_get_int(options_find(listener->transport->options, "port"),
                           listener->options);
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
    assert_string_equal(
        options_get_string(
            options_find(config->listeners[0]->transport->options, "host"),
            config->listeners[0]->options),
        "::1");
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

static void test_config_made_of_parts(void **state)
{
    struct problems *problems = problems_create("parts");
    struct config *config = config_create(problems);

    (void)state;
    assert_non_null(config_add_listener(config, "tcp", "{\"port\": 7}"));
    assert_non_null(config_add_entry(config, "length", NULL, "{\"size\": 2}"));
    assert_true(config_finish(config));
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
        cmocka_unit_test(test_config_own_handlers_stand_first),
        cmocka_unit_test(test_config_names_are_made_unique),
        cmocka_unit_test(test_config_comments_and_schema_are_accepted),
        cmocka_unit_test(test_config_command_line_overrides),
        cmocka_unit_test(test_config_bad_overrides_are_refused),
        cmocka_unit_test(test_config_prints_twenty_problems),
        cmocka_unit_test(test_config_unreadable_files),
        cmocka_unit_test(test_config_every_example_loads),
        cmocka_unit_test(test_config_made_of_parts),
    };

    return cmocka_run_group_tests(tests, use_built_plugins, NULL);
}
