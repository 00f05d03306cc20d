/* Limits that exclude each other: the smaller of a pair must find its place in
   the larger one. */

#include <inttypes.h>
#include <stdlib.h>

#include "base/must.h"
#include "config/config_parts.h"
#include "options/options.h"
#include "places/position.h"

/* "less" may be as much as this part of "more", which is one of "limits". */
struct config_pair {
    const char *less, *more;
    int part;             /* 4: a quarter; see share.h */
    int extra;            /* bytes that go with "less" */
    bool is_each_workers; /* what all have together, each has a part of */
    bool follows;         /* "more" grows with "less" unless it is set */
    bool is_of_handlers;  /* no transport's option is meant */
    bool is_judged_unset; /* "less" counts with its default, too */
};

/* A message grows in a block of up to twice its size, and moves to the next one
   while as much again has to stay free. */
#define MESSAGE_PART 4

/* One message more than PG_FULL is said for has to find room. */
#define QUEUE_PART  2
#define QUEUE_EXTRA MESSAGE_HEADER_BYTES

static const struct config_pair limit_pairs[] = {
    {"frame_bytes", "session_queue_bytes", QUEUE_PART, QUEUE_EXTRA, false, true,
     false, true},
    {"frame_bytes", "kept_bytes_total", MESSAGE_PART, 0, true, true, false,
     false},
    {"frame_bytes", "queue_bytes_total", MESSAGE_PART, 0, true, true, false,
     false},
    {"session_queue_bytes", "queue_bytes_total", 1, 0, false, true, false,
     false},
};

static const struct config_pair option_pairs[] = {
    {"max_bytes", "frame_bytes", 1, 0, false, false, false, false},
    {"max_peers", "max_sessions", 1, 0, false, true, false, false},
    {"queue_bytes", "kept_bytes_total", 1, 0, false, false, true, false},
};

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static const json_t *config_pairs_limits(const struct config *config)
{
    return json_object_get(config->internals->root, "limits");
}

static int64_t config_pairs_times(const struct config *config,
                                  const struct config_pair *pair)
{
    return pair->part * (pair->is_each_workers ? config->workers : 1);
}

/* The least that "more" may be. */
static int64_t config_pairs_least(const struct config *config,
                                  const struct config_pair *pair, int64_t less)
{
    return (less + pair->extra) * config_pairs_times(config, pair);
}

static void config_pairs_refuse_more(struct config *config,
                                     const struct config_pair *pair,
                                     int64_t less, int64_t more)
{
    problems_add_key(
        config->problems, "/limits", pair->more, false,
        "\"%s\" is %" PRId64 ", less than %" PRId64 ", which limits.%s %" PRId64
        " needs; raise it, or set limits.%s to %" PRId64 " at most",
        pair->more, more, config_pairs_least(config, pair, less), pair->less,
        less, pair->less,
        more / config_pairs_times(config, pair) - pair->extra);
}

static void config_pairs_refuse(struct config *config,
                                const struct config_pair *pair, int64_t less,
                                int64_t more, const char *path)
{
    int64_t times = config_pairs_times(config, pair);
    char *place = position_path_key(path, pair->less);
    char *other = position_path_key("/limits", pair->more), *part = NULL;

    if (times > 1)
        part = must_printf("1/%" PRId64 " of ", times);
    problems_add_pair(
        config->problems, place, other,
        "\"%s\" is %" PRId64 ", more than %slimits.%s %" PRId64
        "%s; lower it%s, or raise limits.%s to %" PRId64,
        pair->less, less, part ? part : "", pair->more, more,
        pair->extra ? " less 1 KiB" : "",
        times > 1 ? ", as one message takes no more than that of it" : "",
        pair->more, config_pairs_least(config, pair, less));
    free(part);
    free(other);
    free(place);
}

static void config_pairs_check(struct config *config,
                               const struct config_pair *pair,
                               const json_t *object, const char *path)
{
    const struct pg_option *option =
        options_find(config_limit_table(), pair->more);
    const json_t *value = json_object_get(object, pair->less);
    int64_t more = options_get_int(option, &config->limits), less;

    if (json_is_integer(value))
        less = json_integer_value(value);
    else if (pair->is_judged_unset && !value)
        less = options_get_int(options_find(config_limit_table(), pair->less),
                               &config->limits);
    else
        return;
    if (config_pairs_least(config, pair, less) <= more)
        return;
    if (pair->follows &&
        !json_object_get(config_pairs_limits(config), pair->more))
        options_set_int(option, config_pairs_least(config, pair, less),
                        &config->limits);
    else if (value)
        config_pairs_refuse(config, pair, less, more, path);
    else
        config_pairs_refuse_more(config, pair, less, more);
}

void config_check_limit_pairs(struct config *config)
{
    for (size_t i = 0; i < COUNT(limit_pairs); i++)
        config_pairs_check(config, &limit_pairs[i], config_pairs_limits(config),
                           "/limits");
}

void config_check_option_pairs(struct config *config,
                               const struct plugin *plugin,
                               const json_t *object, const char *path)
{
    for (size_t i = 0; i < COUNT(option_pairs); i++) {
        const struct config_pair *pair = &option_pairs[i];

        if (options_find(plugin_options(plugin), pair->less) &&
            (plugin->kind == PLUGIN_HANDLER || !pair->is_of_handlers))
            config_pairs_check(config, pair, object, path);
    }
}
