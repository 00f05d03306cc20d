/*
 * core - what serves sessions, without sockets and without a loop.
 *
 * One process runs one core: the global `core`. It owns the arena, knows the
 * sessions, walks the chains and keeps the queues. What it needs of the
 * outside (watching descriptors, a clock) it asks of `struct core_io`: a
 * worker answers with libuv, the test harness with nothing at all.
 *
 *   something happens (bytes, a timer, a message of another worker)
 *     -> chain_recv(), chain_send()   handlers run, output is queued
 *     -> core_settle()                closes what is to close, sends what is
 *                                     queued with one call a session
 *
 * Whoever enters the core from outside calls core_settle() last.
 */
#ifndef CORE_H
#define CORE_H

#include <stdio.h>

#include "config/config.h"
#include "memory/arena.h"
#include "state/timer.h"

struct commons;
struct peer;
struct pg_session;

/* Of address space for pg_scratch(); pages as touched. */
#define CORE_SCRATCH_BYTES (1ull << 30)

enum core_watch { CORE_READ = 1, CORE_WRITE = 2 };

/* What the core asks of the outside. */
struct core_io {
    /* A session's own descriptor: call session_readable(), _writable(). */
    void (*watch)(struct pg_session *session, int events);
    /* The session is gone: stop watching, close the descriptor. */
    void (*release)(struct pg_session *session);
    /* A listener's descriptor, likewise: ready(), queue_unblock(). */
    void (*watch_listener)(struct pg_listener *listener, int events);
    /* Call timer_run() at this time, in ms; UINT64_MAX: never. */
    void (*arm)(uint64_t at_ms);
    /* Wakes another worker: there is something in its ring. */
    void (*wake)(unsigned worker);
    uint64_t (*now_ns)(void);
};

/* What this process keeps for a listener, beside its config. */
struct listener_run {
    int fd;              /* -1: none */
    bool is_blocked;     /* records: the socket takes no more just now */
    bool is_paused;      /* out of descriptors, or the server stops */
    bool is_held;        /* other workers have to take their messages first */
    bool is_shared;      /* several workers have a socket for this address */
    bool is_joining;     /* the next socket joins a bound one, see pg_bind() */
    uint16_t bound_port; /* what port 0 became */
    uint32_t *state_at;  /* offset in a slot of each entry's session state */
    uint32_t data_at;    /* of the transport's own data */
    int *position;       /* entry id -> place in the chain, or -1 */
    struct peer *peers;  /* records: hash table by address */
    uint32_t oldest, newest; /* records: by activity; slot + 1 */
    uint64_t idle_ms;
    uint64_t expiry_at; /* when the expiry timer is set to, or 0 */
    size_t count;       /* sessions */
    void *watcher;      /* the worker's */
};

/* What this process keeps for a session, beside its slot. */
struct session_run {
    struct peer *peer; /* records: its place in the hash table */
    void *watcher;     /* the worker's */
};

struct core {
    struct arena arena;
    struct config *config;
    const struct core_io *io;
    struct commons *commons;
    unsigned worker, workers;
    uint64_t now_ms;     /* of this turn of the loop; 0: nobody has asked yet */
    uint32_t high_water; /* queued bytes from which a session is not read */
    uint64_t queued_most; /* this worker's part of queue_bytes_total */

    struct session_run *runs; /* by slot */
    uint32_t *live;           /* slots in use, no order */
    uint32_t *live_at;        /* slot -> its index in live */
    uint32_t live_count;

    uint32_t gathered; /* listeners with a broadcast not in the queues yet */
    uint32_t dirty;    /* sessions with output to send; slot + 1 */
    uint32_t waiting;  /* ... whose records' socket takes no more just now */
    uint32_t closing;  /* sessions to end in core_settle() */
    uint32_t resuming; /* sessions that may go on reading */
    struct timers timers;
    uint8_t *scratch;
    size_t scratch_used, scratch_peak;
    uint64_t wake_mask;  /* workers that have got messages in this turn */
    uint64_t mail_waits; /* workers with a message in the backlog, see mail.c */
    bool has_staged;     /* output has been copied in this turn, see queue.c */
    uint64_t stop_by_ms; /* it stops, and delivers until then; 0: it serves */
    uint8_t *no_state;   /* zeroed state for what runs once for a group */
    char peer_text[128];
};

extern struct core *core;

/* Makes the core of this process. `arena_fd` as for arena_create(); it takes
   `commons` over (NULL: makes one for itself alone). 0 or -errno. */
int core_create(struct config *config, const struct core_io *io, int arena_fd,
                struct commons *commons, unsigned worker, unsigned workers);
/*
 * Goes on with the arena of a process that is no more: finds its sessions,
 * their state, kept bytes, queues and deadlines, and rebuilds what lives
 * outside. -EINVAL: the arena was made for another config.
 */
int core_attach(struct config *config, const struct core_io *io, int arena_fd,
                struct commons *commons, unsigned worker, unsigned workers);
/* Runs init() of every entry. False after adding a problem. */
bool core_init_entries(void);
void core_destroy(void);

/* Ends what is to end and sends what is queued. */
void core_settle(void);
/* Sends what is queued, for a read buffer that is about to be used again. */
void core_flush(void);
/* The time is to be taken anew: at the start of each turn. */
static inline void core_clock(void)
{
    core->now_ms = 0;
}

/* The time of this turn, taken when the first one asks. */
static inline uint64_t core_now_ms(void)
{
    if (!core->now_ms)
        core->now_ms = core->io->now_ns() / 1000000;
    return core->now_ms;
}

/* What a listener is watched for has changed: is_paused, is_held, is_blocked.
 */
void core_watch_listener(struct pg_listener *listener);
/* Asks the listener's socket which port it has. */
void core_note_port(struct pg_listener *listener, int fd);

/* Makes what a process keeps for each listener; core_create() does it too.
   -ENOMEM or 0. */
int core_listeners(struct config *config);
/* Frees that again; core_destroy() does it too. */
void core_listeners_finish(struct config *config);

/* The plan of the arena for a config. */
struct arena_plan core_arena_plan(const struct config *config,
                                  unsigned workers);

#endif
