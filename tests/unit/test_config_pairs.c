/* Limits that exclude each other are refused with both places, whatever their
   values; and what is accepted holds. */

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "options/options.h"
#include "places/problems.h"
#include "plugin/plugin.h"

#define SEEDS 300

static uint32_t random_state;

/* Small and large ones alike. */
static int64_t drawn(int64_t least, int64_t most)
{
    uint64_t number;

    random_state = random_state * 1664525 + 1013904223;
    number = random_state;
    random_state = random_state * 1664525 + 1013904223;
    number = (number << 32 | random_state) >> random_state % 48;
    return least + (int64_t)(number % (uint64_t)(most - least + 1));
}

/* The smaller one stands in "limits", a transport or a handler. */
struct pair {
    const char *plugin; /* NULL: both are limits */
    bool is_transport;
    const char *less, *more;
    int64_t least, most;           /* of the smaller one */
    int64_t more_least, more_most; /* of the larger one */
    int part, extra;
    bool is_each_workers, follows;
};

#define MIB (1ll << 20)

static const struct pair pairs[] = {
    {NULL, false, "frame_bytes", "session_queue_bytes", 64, 256 * MIB, 4096,
     1024 * MIB, 2, 1024, false, true},
    {NULL, false, "frame_bytes", "kept_bytes_total", 64, 256 * MIB, 65536,
     4096 * MIB, 4, 0, true, true},
    {NULL, false, "frame_bytes", "queue_bytes_total", 64, 256 * MIB, 65536,
     4096 * MIB, 4, 0, true, true},
    {NULL, false, "session_queue_bytes", "queue_bytes_total", 133120,
     1024 * MIB, 65536, 4096 * MIB, 1, 0, false, true},
    {"lines", false, "max_bytes", "frame_bytes", 1, 1024 * MIB, 64, 256 * MIB,
     1, 0, false, false},
    {"length", false, "max_bytes", "frame_bytes", 1, 1024 * MIB, 64, 256 * MIB,
     1, 0, false, false},
    {"impair", false, "queue_bytes", "kept_bytes_total", 1, 1024 * MIB, 65536,
     4096 * MIB, 1, 0, false, false},
    {"udp", true, "max_peers", "max_sessions", 1, 10000000, 1, 10000000, 1, 0,
     false, true},
};

#define PAIRS (sizeof(pairs) / sizeof(*pairs))

/* Line 2 has the larger one, or line 3; line 5 a plugin's smaller one. */
static char *written(const struct pair *pair, int64_t less, int64_t more,
                     int workers)
{
    char *text, limit[128] = "", larger[128] = "", plugin[128] = "";

    if (more)
        snprintf(larger, sizeof(larger), "\"%s\": %lld", pair->more,
                 (long long)more);
    snprintf(plugin, sizeof(plugin), "{ \"plugin\": \"%s\", \"%s\": %lld }",
             pair->plugin ? pair->plugin : "echo", pair->less, (long long)less);
    if (!pair->plugin)
        snprintf(limit, sizeof(limit), "\"%s\": %lld%s", pair->less,
                 (long long)less, more ? "," : "");
    assert_true(asprintf(&text,
                         "{ \"workers\": %d, \"limits\": {\n%s\n%s },\n"
                         "\"transports\": [\n%s],\n\"handlers\": [\n%s] }\n",
                         workers, limit, larger,
                         pair->is_transport ? plugin : "\"tcp\"",
                         pair->plugin && !pair->is_transport ? plugin
                                                             : "\"echo\"") > 0);
    return text;
}

static bool is_over(int64_t less, int64_t more, const struct pair *pair,
                    int workers)
{
    int times = pair->part * (pair->is_each_workers ? workers : 1);

    return (less + pair->extra) * times > more;
}

/* What is said, with the places of both. */
static void assert_both_places(const struct pair *pair,
                               const struct problems *problems)
{
    int line = !pair->plugin ? 2 : pair->is_transport ? 5 : 7;
    char *said = NULL, place[64];
    size_t len;
    FILE *out = open_memstream(&said, &len);

    problems_print(problems, out);
    fclose(out);
    snprintf(place, sizeof(place), "test.json:%d:", line);
    assert_int_equal(strncmp(said, place, strlen(place)), 0);
    assert_non_null(strstr(said, pair->less));
    assert_non_null(strstr(said, pair->more));
    assert_non_null(strstr(said, "  and test.json:3:"));
    free(said);
}

static void try_pair(const struct pair *pair, uint32_t seed)
{
    int64_t less = drawn(pair->least, pair->most);
    int64_t more = drawn(0, 3) ? drawn(pair->more_least, pair->more_most) : 0;
    int workers = (int)drawn(1, 4);
    char *text = written(pair, less, more, workers);
    struct problems *problems = problems_create("test.json");
    struct config *config =
        config_load("test.json", text, strlen(text), NULL, problems);
    const struct pg_option *option =
        options_find(config_limit_table(), pair->more);

    print_message("seed %u: %s %lld, %s %lld, %d workers\n", seed, pair->less,
                  (long long)less, pair->more, (long long)more, workers);
    if (config)
        assert_false(is_over(less, options_get_int(option, &config->limits),
                             pair, workers));
    else if (more)
        assert_true(is_over(less, more, pair, workers));
    else
        assert_false(pair->follows);
    if (config && more)
        assert_int_equal(options_get_int(option, &config->limits), more);
    if (!config && more)
        assert_both_places(pair, problems);
    config_destroy(config);
    problems_destroy(problems);
    free(text);
}

static void test_config_pairs_are_both_named(void **state)
{
    const char *only = getenv("PLAYGROUND_SEED");

    (void)state;
    plugin_set_builtin_folder(PLUGINS);
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        uint32_t chosen = only ? (uint32_t)atol(only) : seed;

        random_state = chosen;
        try_pair(&pairs[drawn(0, PAIRS - 1)], chosen);
    }
}

/* A line of the longest kind comes through, in pieces, at the very limit. */
static void try_longest(uint32_t seed)
{
    static char line[65537 + 1];
    char limits[128];
    struct harness *h;
    size_t frame, at = 0;
    int peer;

    random_state = seed;
    frame = (size_t)drawn(20000, 65536); /* what lines takes by itself */
    snprintf(limits, sizeof(limits),
             "{ \"frame_bytes\": %zu, \"kept_bytes_total\": %zu,"
             " \"queue_bytes_total\": %zu }",
             frame, 4 * frame, 4 * frame);
    print_message("seed %u: %s\n", seed, limits);
    h = harness_create_limits(PG_STREAM, "[\"lines\", \"echo\"]", limits);
    peer = harness_connect(h);
    memset(line, 'x', frame);
    line[frame] = '\n';
    while (at < frame + 1) {
        size_t len = (size_t)drawn(1, 30000);

        len = len < frame + 1 - at ? len : frame + 1 - at;
        harness_push(h, peer, pg_bytes(line + at, len));
        at += len;
    }
    assert_int_equal(harness_out(h, peer).len, frame + 1);
    harness_destroy(h);
}

static void test_config_pairs_hold_what_they_allow(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 30; seed++)
        try_longest(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_pairs_are_both_named),
        cmocka_unit_test(test_config_pairs_hold_what_they_allow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
