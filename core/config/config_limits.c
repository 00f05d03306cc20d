/* Reads "limits", with their table. */

#include "config/config_parts.h"
#include "options/options.h"

static const struct pg_option limit_table[] = {
    {"max_sessions", PG_INT, PG_FIELD(struct limits, max_sessions),
     .unit = "sessions", .initial = "10000", .min = 1, .max = 10000000,
     .help = "connections and UDP peers; with all taken, a new one takes the "
             "place of the UDP peer silent for longest, or is refused"},
    {"strangers", PG_INT, PG_FIELD(struct limits, strangers),
     .unit = "sessions", .initial = "1000", .min = 1, .max = 10000000,
     .help = "UDP peers heard from once, beside max_sessions; the oldest goes "
             "first"},
    {"session_queue_bytes", PG_INT,
     PG_FIELD(struct limits, session_queue_bytes), .unit = "bytes",
     .initial = "1048576", .min = 4096, .max = 1 << 30,
     .help = "what may wait to be sent to one peer"},
    {"queue_bytes_total", PG_INT, PG_FIELD(struct limits, queue_bytes_total),
     .unit = "bytes", .initial = "67108864", .min = 65536,
     .max = 1099511627776.0, .help = "what may wait for all peers together"},
    {"kept_bytes_total", PG_INT, PG_FIELD(struct limits, kept_bytes_total),
     .unit = "bytes", .initial = "67108864", .min = 65536,
     .max = 1099511627776.0,
     .help = "unfinished and delayed messages of all sessions together"},
    {"frame_bytes", PG_INT, PG_FIELD(struct limits, frame_bytes),
     .unit = "bytes", .initial = "65536", .min = 64, .max = FRAME_BYTES_MOST,
     .help = "the longest message"},
    {"drain_ms", PG_INT, PG_FIELD(struct limits, drain_ms), .unit = "ms",
     .initial = "800", .min = 0, .max = 600000,
     .help = "at SIGTERM, for peers to take what is queued"},
    {"linger_ms", PG_INT, PG_FIELD(struct limits, linger_ms), .unit = "ms",
     .initial = "1000", .min = 0, .max = 600000,
     .help = "after our goodbye, for the peer to say its own"},
    {"unread_s", PG_INT, PG_FIELD(struct limits, unread_s), .unit = "s",
     .initial = "60", .min = 0, .max = 1 << 30,
     .help = "a connection that takes nothing so long ends; 0: never"},
    {"groups", PG_INT, PG_FIELD(struct limits, groups), .unit = "groups",
     .initial = "64", .min = 1, .max = 65536,
     .help = "pg_join(): rooms, channels or topics that one session is in"},
    {0},
};

const struct pg_option *config_limit_table(void)
{
    return limit_table;
}

void config_read_limits(struct config *config, const json_t *value)
{
    options_set_defaults(limit_table, &config->limits);
    if (!value)
        return;
    if (!json_is_object(value)) {
        problems_add(config->problems, "/limits", false,
                     "\"limits\" is no object; write \"limits\": { "
                     "\"max_sessions\": 10000 }");
        return;
    }
    config_check_limit_keys(config, value);
    if (options_fill(limit_table, value, &config->limits, "/limits",
                     config->problems))
        config_check_limit_pairs(config);
}
