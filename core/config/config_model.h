/*
 * config_model - a config once it is loaded: what every other room asks it.
 *
 * config.h makes one; nothing here changes it. `config/config_parts.h` is for
 * the files of this folder alone.
 */
#ifndef CONFIG_MODEL_H
#define CONFIG_MODEL_H

#include <playground/transport.h>

#include "memory/arena.h"
#include "plugin/plugin.h"

#define CONFIG_BYTES_MOST    (8u << 20) /* a larger file is refused */
#define CONFIG_CHAIN_MAX     60         /* entries that one session passes */
#define CONFIG_LISTENERS_MAX ARENA_LISTENERS
#define CONFIG_PATHS_MAX     15 /* folders of plugin_path */
#define FRAME_BYTES_MOST     (1 << 28)
#define MESSAGE_HEADER_BYTES 1024 /* that layers may add to frame_bytes */

struct config_read;
struct json_t;
struct problems;

/* One line of `handlers`, instantiated once in each worker. */
struct pg_entry {
    const struct pg_handler *handler; /* the core's full-size copy */
    struct plugin *plugin;            /* NULL: it is linked in */
    char *name;                       /* unique in the config */
    unsigned id;                      /* index in config.entries */
    uint32_t running; /* id + 1, which the arena has while it runs */
    void *options;    /* handler->options_size bytes, read-only */
    void *private;    /* handler->entry_size bytes */
    struct config *config;
    const char *path;  /* to its JSON value, "/handlers/1" */
    uint64_t tick_ms;  /* when tick() is due; 0: never */
    uint64_t armed_ms; /* when its timer item comes up; 0: it has none */
    bool is_ready;     /* init() has run */
    unsigned blamed;   /* enum blame: what was said of it on stderr */
    struct config_read *files; /* that pg_read_file() has read */
};

/* The entries a session of one listener passes, first to last. */
struct chain {
    struct pg_entry **entries;
    unsigned count;
    enum pg_kind *kinds; /* kinds[i]: what reaches entries[i] */
};

struct pg_listener {
    const struct pg_transport *transport; /* &shape */
    struct pg_transport
        shape; /* a full-size copy, with what it provides here */
    struct plugin *plugin;
    char *name;         /* unique in the config */
    unsigned id;        /* index in config.listeners */
    bool is_to_connect; /* a client's: there is nothing to listen on */
    void *options;
    void *private;      /* transport->listener_size bytes */
    struct chain chain; /* the entries of its own, then the shared ones */
    struct config *config;
    const char *path;         /* to its JSON value, "/transports/0" */
    struct listener_run *run; /* the part that the worker keeps */
};

/* Streams, and records over connections: a socket for each session. */
static inline bool listener_has_connections(const struct pg_listener *listener)
{
    return listener->transport->provides == PG_STREAM ||
           !listener->transport->peer_size;
}

/* Units and defaults: config/README.md and the table in config_limits.c. */
struct limits {
    int64_t max_sessions;        /* 10,000; all workers together */
    int64_t strangers;           /* 1,000; beside them, heard from once */
    int64_t session_queue_bytes; /* 1 MiB; what waits for one peer */
    int64_t queue_bytes_total;   /* 64 MiB; what waits for all peers */
    int64_t kept_bytes_total;    /* 64 MiB; unfinished messages, pg_later() */
    int64_t frame_bytes;         /* 64 KiB; the longest message */
    int64_t drain_ms;            /* 800; at SIGTERM, to deliver what waits */
    int64_t linger_ms;           /* 1,000; for the peer's FIN after ours */
    int64_t unread_s;            /* 60; a peer may take nothing; 0: for ever */
    int64_t groups;              /* 64; that one session may be in */
};

/* The command line lays these over a config. They live as long as it does. */
struct config_overrides {
    const char *host; /* NULL: as the config says */
    const char *port; /* NULL: as the config says */
};

struct config {
    char *path;   /* as given on the command line */
    char *folder; /* in which the file is; "." when it has none */
    struct pg_listener **listeners;
    unsigned listener_count;
    struct pg_entry **entries; /* all, shared and of one transport */
    unsigned entry_count;
    struct limits limits;
    int64_t workers; /* 1 to WORKERS_MAX */
    struct config_overrides overrides;
    struct problems *problems;          /* for pg_fail(), while it lives */
    struct config_internals *internals; /* for the files of this folder */
};

/* True when its transports have no sockets but a virtual clock. */
bool config_is_virtual(const struct config *config);

/* The text that the command line puts in the place of a "host" or "port"; NULL:
   the config's own stands. */
const char *config_override(const struct config *config, const char *key);

/* The JSON it was read from; NULL: it was made of parts. */
const struct json_t *config_json(const struct config *config);

/* The folders in which its plugins are sought; the list ends with NULL. */
const char *const *config_folders(const struct config *config);

/* The options in "limits". */
const struct pg_option *config_limit_table(void);

#endif
