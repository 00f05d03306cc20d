/*
 * Every chain of config/ gives the same on a stream and on records, and the
 * same however the stream was cut; but a layer whose point is the cuts.
 */
#include "harness.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "plugin/plugin.h"

#define MESSAGES 6

/* What peers of a chain say: lines, or frames for those that begin with
   `length` as config/length.json has it. */
static const struct pg_bytes lines[MESSAGES] = {
    {(const uint8_t *)"um\n", 3},    {(const uint8_t *)"ping\n", 5},
    {(const uint8_t *)"\n", 1},      {(const uint8_t *)"/who\n", 5},
    {(const uint8_t *)"/nope\n", 6}, {(const uint8_t *)"tr\xc3\xaas\n", 6},
};
static const struct pg_bytes frames[MESSAGES] = {
    {(const uint8_t *)"\1\0\2\0\0\0\2um", 9},
    {(const uint8_t *)"\1\0\2\0\0\0\4ping", 11},
    {(const uint8_t *)"\1\0\2\0\0\0\0", 7},
    {(const uint8_t *)"\1\0\2\0\0\0\3a\nb", 10},
    {(const uint8_t *)"\1\0\2\0\0\0\1\0", 8},
    {(const uint8_t *)"\1\0\2\0\0\0\5tr\xc3\xaas", 12},
};

static const char *plugin_of(const json_t *entry)
{
    return json_string_value(
        json_is_string(entry) ? entry : json_object_get(entry, "plugin"));
}

static bool has(const json_t *handlers, const char *plugin)
{
    size_t i;
    json_t *entry;

    json_array_foreach (handlers, i, entry)
        if (!strcmp(plugin_of(entry), plugin))
            return true;
    return false;
}

/* Has it a layer that makes each read a message? */
static bool shows_cuts(const json_t *handlers)
{
    const char *const folders[] = {plugin_builtin_folder(), NULL};
    struct plugin_search search = {.folders = folders};
    char error[256];
    size_t i;
    json_t *entry;

    json_array_foreach (handlers, i, entry) {
        const struct plugin *plugin = plugin_load(
            PLUGIN_HANDLER, plugin_of(entry), &search, error, sizeof(error));

        assert_non_null(plugin);
        if (plugin->handler.shows_cuts && plugin->handler.makes == PG_RECORDS)
            return true;
    }
    return false;
}

/* All that comes back to the one peer; its data is to be freed. */
static struct pg_bytes answers(enum pg_kind provides, const char *handlers,
                               const struct pg_bytes *messages)
{
    struct harness *harness = harness_create(provides, handlers);
    int peer = harness_connect(harness);
    struct pg_bytes out;
    uint8_t *copy;

    for (int i = 0; i < MESSAGES; i++)
        harness_push(harness, peer, messages[i]);
    out = harness_out(harness, peer);
    copy = malloc(out.len + 1);
    assert_non_null(copy);
    if (out.len)
        memcpy(copy, out.data, out.len);
    harness_destroy(harness);
    return pg_bytes(copy, out.len);
}

static void check_transports(const char *handlers,
                             const struct pg_bytes *messages)
{
    struct pg_bytes stream = answers(PG_STREAM, handlers, messages);
    struct pg_bytes records = answers(PG_RECORDS, handlers, messages);

    assert_int_equal(stream.len, records.len);
    assert_memory_equal(stream.data, records.data, stream.len);
    free((void *)stream.data);
    free((void *)records.data);
}

static void check_cuts(const char *handlers, const struct pg_bytes *messages)
{
    uint8_t all[256];
    size_t len = 0;

    for (int i = 0; i < MESSAGES; i++) {
        memcpy(all + len, messages[i].data, messages[i].len);
        len += messages[i].len;
    }
    harness_cut_everywhere(handlers, pg_bytes(all, len));
}

/* True: it was cut, too. */
static bool check_config(const char *path)
{
    json_t *config = json_load_file(path, 0, NULL);
    json_t *handlers = json_object_get(config, "handlers");
    const struct pg_bytes *messages = has(handlers, "length") ? frames : lines;
    char *text = json_dumps(handlers, 0);
    bool is_cut = !shows_cuts(handlers);

    assert_non_null(text);
    check_transports(text, messages);
    if (is_cut)
        check_cuts(text, messages);
    free(text);
    json_decref(config);
    return is_cut;
}

static void test_configs_give_the_same_on_every_transport(void **state)
{
    glob_t found;
    size_t cut = 0;

    (void)state;
    assert_int_equal(glob(CONFIGS "/*.json", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        printf("%s\n", found.gl_pathv[i]);
        cut += check_config(found.gl_pathv[i]);
    }
    assert_in_range(found.gl_pathc, 5, 100);
    assert_in_range(cut, 4, found.gl_pathc);
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configs_give_the_same_on_every_transport),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
