/*
 * state - what one worker keeps: the core, its listeners, its time.
 *
 * One process runs one core: the global `core`. The sessions, their queues and
 * what they keep are in its arena, which outlives the process; all else here
 * can be made again. What the core needs of the outside (watching
 * descriptors, a clock) it asks of `struct core_io`: a worker answers with
 * libuv, a simulation and the test harness with a clock that jumps.
 */
#ifndef STATE_H
#define STATE_H

#include "config/config_model.h"
#include "memory/arena.h"
#include "state/timer.h"

struct commons;
struct peer;
struct pg_session;

/* Address space reserved for pg_scratch(). Only pages that are touched take
   memory. */
#define CORE_SCRATCH_BYTES (1ull << 30)

enum core_watch {
    CORE_READ = 1,
    CORE_WRITE = 2,
    CORE_BREAK = 4, /* neither: only whether the connection breaks */
};

/* A time for core_io.arm(): in the next turn of the loop. */
#define CORE_AT_ONCE 0u

/* Questions and orders of the core to the outside. */
struct core_io {
    /* Call session_readable() and session_writable() when the session's own
       descriptor is ready for these events. */
    void (*watch)(struct pg_session *session, int events);
    /* The session is gone: stop watching, close the descriptor. */
    void (*release)(struct pg_session *session);
    /* A connection that gets no session: say goodbye, and close it. NULL: the
       descriptors are none. */
    void (*turn_away)(int fd);
    /* Call the transport's ready() and flush_unblock() when the listener's
       descriptor is ready for these events. */
    void (*watch_listener)(struct pg_listener *listener, int events);
    /* A session without a descriptor is ready for these events, or is so no
       more. NULL: there is a descriptor, which tells by itself. */
    void (*ready)(struct pg_session *session, int events, bool is_ready);
    /* Whether something waits to be read from a descriptor. NULL: what comes is
       taken in at once. */
    bool (*has_input)(int fd);
    /* Call due_run() at this time, in ms, after what can be read by then has
       been, also if it has come already; UINT64_MAX: never. */
    void (*arm)(uint64_t at_ms);
    /* Wakes another worker: there is something in its ring. */
    void (*wake)(unsigned worker);
    uint64_t (*now_ns)(void);
    /* The time at which the loop woke up, in ms: known without asking, and as
       old as what has run since. */
    uint64_t (*woke_ms)(void);
    /* What a clock on the wall shows, in ms since 1970. */
    uint64_t (*wall_ms)(void);
};

/* Sessions of a listener of records, the longest silent first: slot + 1. */
struct activity {
    uint32_t oldest, newest, count;
};

/* Kept by this process for a listener, beside its config. */
struct listener_run {
    int fd;               /* -1: none */
    bool is_blocked;      /* records: the socket takes no more just now */
    bool is_paused;       /* out of descriptors, or the server stops */
    bool is_held;         /* other workers have to take their messages first */
    uint64_t gave_way_ms; /* a connection was left to others then; 0: none */
    bool is_shared;       /* several workers have a socket for this address */
    bool is_joining;      /* the next socket joins a bound one, see pg_bind() */
    uint16_t bound_port;  /* what port 0 became */
    uint32_t drops;       /* the kernel's that are counted, see listener.h */
    uint32_t *state_at;   /* offset in a slot of each entry's session state */
    uint32_t data_at;     /* offset in a slot of the transport's own data */
    int *place;           /* entry id -> place in the chain, or -1 */
    struct peer *peers;   /* records: hash table by address */
    struct activity known, strangers; /* by when they were heard from */
    uint64_t idle_ms;    /* who says nothing for so long ends; 0: nobody */
    uint64_t gone_ms;    /* streams: who owes an answer so long; 0: nobody */
    uint64_t expiry_at;  /* when the expiry timer is set to, or 0 */
    uint64_t unheard_ms; /* since when expiry waits for what waits, or 0 */
    uint64_t peers_most; /* records: known ones; 0: no such limit */
    uint64_t unverified_ratio; /* of bytes to a stranger; 0: no limit */
    size_t count;              /* sessions, without strangers */
    void *watcher;             /* the worker's */
};

/* Kept by this process for a session, beside its slot. */
struct session_run {
    struct peer *peer; /* records: its place in the hash table */
    void *watcher;     /* the worker's */
};

struct core {
    struct arena arena;
    struct config *config;
    const struct core_io *io;
    struct commons *commons;
    _Atomic uint32_t *turns; /* see commons_turns() */
    unsigned worker, workers;
    uint64_t now_ms; /* of this turn of the loop; 0: nobody has asked yet */
    uint32_t message_most; /* bytes of the longest message, with headers */
    uint32_t read_most;    /* bytes of a stream that are read at once */
    uint32_t queue_most;   /* bytes that one session may have queued now */
    uint32_t high_water;   /* queued bytes from which PG_FULL is said */
    uint32_t turn_records; /* that a session may hand on in a turn */
    bool is_hurried;       /* held bytes come again now, whatever is spent */
    bool must_take;        /* a part of this message is sent: see share.h */
    bool has_starved;      /* a session waits for room in a total */
    bool has_freed;        /* there is more of that than there was */

    struct session_run *runs; /* by slot */
    uint32_t *live;           /* slots in use, those of strangers last */
    uint32_t *live_at;        /* slot -> its index in live */
    uint32_t live_count;
    uint32_t known_count; /* how many of them are no strangers */

    /* Lists of sessions, linked through their slots; each begins with the
       first one's slot + 1. */
    uint32_t dirty;    /* with output to send, see flush.c */
    uint32_t waiting;  /* with records that the socket does not take just now */
    uint32_t closing;  /* that are to end in turn_end() */
    uint32_t resuming; /* that go on in the next turn, first come first */
    uint32_t resuming_last;
    uint32_t noted; /* whose state a handler had in hand, see canary.h */

    uint32_t gathered; /* listeners with a broadcast not in the queues yet */
    bool has_staged;   /* output has been copied in this turn, see queue.c */
    bool is_looking;   /* the timer for the next look is set, see look.c */
    struct timers timers;
    uint8_t *scratch;
    size_t scratch_used, scratch_peak;
    uint64_t wake_mask;  /* workers that have got messages in this turn */
    uint64_t mail_waits; /* workers with a letter, see letters.c */
    uint64_t mail_lost;  /* messages of or for a worker that had ended */
    uint64_t stop_by_ms; /* it stops, and delivers until then; 0: it serves */
    bool is_over;        /* it stops, and its sessions are ending */
    uint8_t *no_state;   /* zeroed state for what runs once for a group */
    char peer_text[128], local_text[128];
};

extern struct core *core;

/* The time is to be taken anew: at the start of each turn. */
static inline void core_clock(void)
{
    core->now_ms = 0;
}

/* Takes the time of this turn. */
uint64_t core_ask_time(void);

/* The time of this turn, taken when the first one asks. */
static inline uint64_t core_now_ms(void)
{
    return core->now_ms ? core->now_ms : core_ask_time();
}

#endif
