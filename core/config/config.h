/*
 * config - what a JSON config says, checked: listeners, entries, limits.
 *
 * config_load() is the only loader; `check` and `run` both go through it. It
 * parses the text, loads the plugins, checks every option against their
 * tables, fills in defaults, fits the types of the chains and collects up to
 * 20 problems with their places. It opens no socket and runs no plugin code
 * but check().
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <playground/transport.h>

#define CONFIG_BYTES_MOST (8u << 20) /* a larger file is refused */

struct plugin;
struct problems;

/* One line of `handlers`, instantiated once in each worker. */
struct pg_entry {
    const struct pg_handler *handler; /* the core's full-size copy */
    struct plugin *plugin;
    char *name;    /* unique in the config */
    unsigned id;   /* index in config.entries */
    uint32_t mark; /* id + 1: what the arena has while it runs */
    void *options; /* handler->options_size bytes, read-only */
    void *private; /* handler->entry_size bytes */
    struct config *config;
    const char *path;  /* of its JSON value, "/handlers/1" */
    uint64_t tick_ms;  /* when tick() is due; 0: never */
    uint64_t armed_ms; /* when its timer item comes up; 0: it has none */
    bool is_ready;     /* init() has run */
    unsigned blamed;   /* enum blame: what was said of it on stderr */
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
    char *name;  /* unique in the config */
    unsigned id; /* index in config.listeners */
    void *options;
    void *private;      /* transport->listener_size bytes */
    struct chain chain; /* its own entries, then the shared ones */
    struct config *config;
    const char *path;         /* of its JSON value, "/transports/0" */
    struct listener_run *run; /* what the worker keeps for it */
};

#define FRAME_BYTES_MOST (1 << 28)

/* Units and defaults: config/README.md and limit_table[] in config.c. */
struct limits {
    int64_t max_sessions;        /* 10,000; all workers together */
    int64_t session_queue_bytes; /* 1 MiB; what waits for one peer */
    int64_t queue_bytes_total;   /* 64 MiB; what waits for all peers */
    int64_t kept_bytes_total;    /* 64 MiB; unfinished messages, pg_later() */
    int64_t frame_bytes;         /* 64 KiB; the longest message */
    int64_t drain_ms;            /* 800; at SIGTERM, to deliver what waits */
    int64_t linger_ms;           /* 1,000; for the peer's FIN after ours */
};

/* What the command line lays over a config; lives as long. */
struct config_overrides {
    const char *host; /* NULL: as the config says */
    const char *port; /* NULL: as the config says */
};

struct config {
    char *path;   /* as given on the command line */
    char *folder; /* of the file; "." when it has none */
    struct pg_listener **listeners;
    unsigned listener_count;
    struct pg_entry **entries; /* all, shared and per-transport */
    unsigned entry_count;
    struct limits limits;
    int64_t workers; /* 1 to 64 */
    struct config_overrides overrides;
    struct problems *problems; /* places for pg_fail() while it lives */
    void *internals;           /* config.c's own: JSON tree, strings */
};

/*
 * Loads `path`. `text` is the file's content if the caller has read it
 * already (a worker gets a snapshot), or NULL. Returns NULL after adding at
 * least one problem to `problems`, which also keeps the text for the places
 * of later ones and must outlive the config.
 */
struct config *config_load(const char *path, const char *text, size_t len,
                           const struct config_overrides *overrides,
                           struct problems *problems);

/*
 * A config made of parts instead of a file: the client and the harness. Add
 * listeners and handlers by name with options as a JSON object's text ("{}"),
 * or with NULL in `name` a handler that is linked into the program.
 */
struct config *config_create(struct problems *problems);
struct pg_listener *config_add_listener(struct config *config,
                                        const char *plugin,
                                        const char *options_json);
struct pg_entry *config_add_entry(struct config *config, const char *plugin,
                                  const struct pg_handler *builtin,
                                  const char *options_json);
/* Makes the chains (every listener gets every entry) and fits their types.
   False after adding a problem. */
bool config_finish(struct config *config);

/* True when its transports have no sockets but a virtual clock. */
bool config_is_virtual(const struct config *config);

/* How a message calls a plugin: NAME, and the file unless it is built in, as
   in "lines (first/lines.so)". The caller frees it. `plugin` may be NULL. */
char *config_call(const char *name, const struct plugin *plugin);

/* A problem at `path` that begins with that name. */
void config_blame(struct config *config, const char *path, const char *name,
                  const struct plugin *plugin, const char *what);

/* Frees everything; accepts NULL. finish() of entries is the worker's. */
void config_destroy(struct config *config);

#endif
