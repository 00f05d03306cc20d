/*
 * session - one peer: its slot in the arena, its life and its end.
 *
 * A slot holds struct pg_session, then a struct ctx_slot for each entry of the
 * chain, the transport's data, and each handler's state. In sanitizer builds
 * and in the harness gaps lie between the states.
 *
 *   open -> ended (peer has no more, all entries have seen it)
 *        -> closing (decided; nothing more is delivered)
 *        -> closed (close() has run; what is queued still goes out)
 *        -> finished (our FIN is sent; waits for the peer's) -> gone
 */
#ifndef SESSION_H
#define SESSION_H

#include "engine/core.h"

enum session_flags {
    SESSION_OPEN = 1 << 0,    /* open() of the entries has run */
    SESSION_EOF = 1 << 1,     /* no more input will come */
    SESSION_ENDED = 1 << 2,   /* every entry has seen that */
    SESSION_CLOSING = 1 << 3, /* see above */
    SESSION_ABORT = 1 << 4,   /* ... without sending what is queued: RST */
    SESSION_CLOSED = 1 << 5,
    SESSION_FINISHED = 1 << 6,
    SESSION_DIRTY = 1 << 7,       /* in core->dirty */
    SESSION_SOCKET_FULL = 1 << 8, /* its socket takes no more just now */
    SESSION_QUEUE_FULL = 1 << 9,  /* not read from until its queue is short */
    SESSION_INPUT_HELD = 1 << 10, /* an entry keeps bytes it was told to hold */
    SESSION_RESUMING = 1 << 11,   /* in core->resuming */
    SESSION_MARKED = 1 << 14,     /* in core->closing */
    SESSION_GONE = 1 << 15,       /* to be released */
    SESSION_STREAM = 1 << 16,     /* what its transport provides */
    SESSION_CONNECTING = 1 << 12,
    SESSION_LEAVING = 1 << 17, /* closing as soon as what pg_later() has on its
                                  way out is sent; takes nothing in */
    SESSION_DELAY_FULL = 1 << 18,   /* not read from until less is on its way */
    SESSION_HALF_CLOSING = 1 << 13, /* we send FIN when the queue is empty, and
                               go on reading */
};

/* What is in a slot begins at multiples of 16. */
#define SESSION_ALIGNED(bytes) (((bytes) + 15) / 16 * 16)

/* One entry in one session. */
struct ctx_slot {
    uint64_t deadline_ms; /* 0: none */
    uint64_t armed_ms;    /* when its timer item comes up; 0: it has none */
    uint32_t kept;        /* heap block with unfinished bytes; 0: none */
    uint32_t kept_at, kept_len;
    uint32_t claim; /* its place in the table of claims + 1; 0: none */
    uint32_t late;  /* how much of pg_later() is on its way inward */
    bool is_open;   /* open() has run, close() has not */
    bool is_held;   /* the kept bytes wait for room ahead */
};

/* What every message touches is in front: one cache line a session, since
   slots begin at multiples of 64. */
struct pg_session {
    uint64_t number;    /* 0: the slot is free */
    uint64_t keeping;   /* a bit for each entry that keeps bytes */
    uint64_t active_ms; /* last traffic; streams: last progress at the end */
    uint32_t slot;
    uint32_t flags;
    int32_t fd; /* its own descriptor, -1: shares the listener's */
    uint32_t head, tail, settled; /* pieces of the queue, see queue.c */
    uint32_t queued;              /* bytes in it */
    uint32_t next_dirty;
    uint16_t listener;
    uint16_t pauses;  /* pg_pause() not yet undone */
    uint8_t watching; /* what the descriptor is watched for */
    uint8_t heard;    /* reads or records; 2 stands for more */

    uint64_t credit;       /* bytes it may be sent while heard from once only */
    uint32_t older, newer; /* by activity, for records; slot + 1 */
    uint32_t next_free, next_closing, next_resuming;
    uint32_t reason;   /* heap block with the text; 0: none */
    uint32_t timed;    /* deadlines and what pg_later() has on its way */
    uint32_t delayed;  /* ... bytes of the latter */
    uint32_t late_out; /* ... how much of it outward */
    uint16_t ended;    /* entries that have seen the end of input */
    uint16_t why;      /* enum pg_why */
};

/* Inline, because every message asks for these a dozen times. */

static inline struct pg_session *session_at(uint32_t slot)
{
    return (struct pg_session *)arena_slot(&core->arena, slot);
}

static inline struct pg_listener *
session_listener(const struct pg_session *session)
{
    return core->config->listeners[session->listener];
}

static inline struct ctx_slot *session_ctx(const struct pg_session *session,
                                           unsigned at)
{
    return (struct ctx_slot *)((uint8_t *)(uintptr_t)session +
                               SESSION_ALIGNED(sizeof(*session))) +
           at;
}

void *session_state(const struct pg_session *session, unsigned at);
/* Bytes of nobody's behind each block of a slot; to be set before there is a
   core. */
extern uint32_t session_gap;
void session_fill_gaps(const struct pg_session *session);
/* The first block of the slot behind whose end somebody has written, in words:
   "log", "tcp". NULL: none. */
const char *session_overrun(const struct pg_session *session);
/* NULL: it is gone. */
struct pg_session *session_by_number(uint64_t number);

/* Bytes a slot takes, and the offsets of what is in it. */
uint32_t session_stride(const struct config *config);
void session_lay_out(struct pg_listener *listener);

/* Takes a slot. NULL: limits.max_sessions. Runs no handler. */
struct pg_session *session_create(struct pg_listener *listener, int fd,
                                  const void *data);
/* Runs open() of its entries, then watches its descriptor. */
void session_start(struct pg_session *session);

/* Finds the sessions of an arena that was attached, and lists, times and
   watches them anew. -ENOMEM or 0. */
int session_rebuild(void);

/* From the outside: its descriptor is readable, writable. */
void session_readable(struct pg_session *session);
void session_writable(struct pg_session *session);

/* Takes in bytes or one record. */
void session_input(struct pg_session *session, struct pg_bytes in);

/* Marks it to end in core_settle(); the first reason counts. */
void session_end(struct pg_session *session, enum pg_end how, enum pg_why why,
                 const char *text);
/* Why, in words; once it is closing. */
const char *session_reason(const struct pg_session *session);
/* What core_settle() does with the marked ones. */
void session_close_marked(void);
void session_resume_marked(void);

/* Something of pg_later() has begun or ended its way from entry `at`. */
void session_later_begins(struct pg_session *session, unsigned at,
                          bool is_outward, uint32_t len);
void session_later_ends(struct pg_session *session, unsigned at,
                        bool is_outward, uint32_t len);

/* Ends it if the peer has no more and everything is answered. */
void session_check_done(struct pg_session *session);
/* Its queue is empty: half-close, linger or release, as its flags say. */
void session_drained(struct pg_session *session);
/* Watches for what it wants now. */
void session_watch(struct pg_session *session);
/* Lets it go on reading, and lets held bytes come again. */
void session_may_resume(struct pg_session *session);
/* Its peer has everything: releases it without waiting for its goodbye. */
void session_let_go(struct pg_session *session);
/* It has left the list of dirty or resuming ones: may now be released. */
void session_unlisted(struct pg_session *session);
/* Closing sessions only: the peer took nothing for linger_ms. */
void session_timeout(struct pg_session *session);

void session_touch(struct pg_session *session);
/* Ends sessions that were idle for too long; sets the timer for the next. */
void session_expire(struct pg_listener *listener);

/* Is the way to the peer full, or reading paused? */
static inline bool session_is_pressed(const struct pg_session *session)
{
    return (session->pauses || session->queued > core->high_water ||
            session->flags & SESSION_DELAY_FULL) &&
           session->flags & SESSION_STREAM;
}

#endif
