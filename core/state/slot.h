/*
 * slot - one session's place in the arena, and what is in it.
 *
 * A slot holds struct pg_session, then a struct ctx_slot for each entry of the
 * chain, the transport's data, and each handler's state with a canary behind
 * it. In sanitizer builds and in the harness gaps lie between the states.
 *
 *   open -> ended (peer has no more, all entries have seen it)
 *        -> closing (decided; nothing more is delivered)
 *        -> closed (close() has run; what is queued still goes out)
 *        -> finished (our FIN is sent; waits for the peer's) -> gone
 */
#ifndef SLOT_H
#define SLOT_H

#include "state/budget.h"
#include "state/state.h"

enum session_flags {
    SESSION_STREAM = 1 << 0, /* its transport provides one */

    /* The life of a session, in this order. */
    SESSION_CONNECTING = 1 << 1,
    SESSION_OPEN = 1 << 2,         /* open() of the entries has run */
    SESSION_EOF = 1 << 3,          /* no more input will come */
    SESSION_ENDED = 1 << 4,        /* every entry has seen that */
    SESSION_HALF_CLOSING = 1 << 5, /* we send FIN when the queue is empty, and
                                      go on reading */
    SESSION_LEAVING = 1 << 6, /* closing as soon as what pg_later() has on its
                                 way out is sent; takes nothing in */
    SESSION_CLOSING = 1 << 7, /* nothing more is delivered */
    SESSION_ABORT = 1 << 8,   /* closing without sending what is queued: RST */
    SESSION_CLOSED = 1 << 9,  /* close() of the entries has run */
    SESSION_FINISHED = 1 << 10, /* our FIN is sent */
    SESSION_GONE = 1 << 11,     /* to be released */

    /* The lists it is on. */
    SESSION_DIRTY = 1 << 12,    /* core->dirty or core->waiting */
    SESSION_MARKED = 1 << 13,   /* core->closing */
    SESSION_RESUMING = 1 << 14, /* core->resuming */
    SESSION_NOTED = 1 << 19,    /* core->noted */

    /* Why it is not read from, or not written to. */
    SESSION_QUEUE_FULL = 1 << 15,    /* until its queue is short */
    SESSION_DELAY_FULL = 1 << 16,    /* until less is on its way */
    SESSION_LATE_OUT_FULL = 1 << 30, /* ... outward */
    SESSION_INPUT_HELD = 1 << 17,    /* an entry keeps bytes that come again */
    SESSION_SOCKET_FULL = 1 << 18,   /* its socket takes no more just now */
    SESSION_WANTS_ROOM = 1 << 24,    /* an entry's room() is to be called */
    SESSION_STARVED = 1 << 29,       /* was refused, until there is more room */

    /* How far it is open, and whether it has said goodbye. */
    SESSION_HOLDING = 1 << 25,  /* the last opened entry waits for pg_ready() */
    SESSION_SAID_BYE = 1 << 26, /* bye() of the entries has run */
    SESSION_CUT_OFF = 1 << 27,  /* EOF was told by pg_end(), not by the peer */

    SESSION_SENT = 1 << 20,     /* something may be on its way: look.c looks */
    SESSION_MAY_IDLE = 1 << 21, /* a stream whose silence is timed */
    SESSION_CONNECTION = 1 << 28, /* has a socket of its own */
    /* Where it counts. */
    SESSION_STRANGER = 1 << 22, /* heard from once, see limits.strangers */
    SESSION_COUNTED = 1 << 23,  /* one of limits.max_sessions */
};

/* Slots beside limits.max_sessions and limits.strangers, for those who are
   ended in a turn for another's sake and gone at its end: one call of a
   transport's ready() may bring 64 peers, and each of them end two others. */
#define SLOT_SPARE 256

#define SLOT_CANARY_BYTES 8 /* behind each state, see canary.h */

/* All parts of a slot begin at multiples of 16. */
#define SESSION_ALIGNED(bytes) (((bytes) + 15) / 16 * 16)

/* One entry in one session. */
struct ctx_slot {
    uint64_t deadline_ms; /* 0: none */
    uint64_t armed_ms;    /* when its timer item comes up; 0: it has none */
    uint32_t kept;        /* heap block with unfinished bytes; 0: none */
    uint32_t kept_at, kept_len;
    uint32_t claim;      /* its place in the table of claims + 1; 0: none */
    uint32_t late;       /* how much of pg_later() is on its way inward */
    bool is_open : 1;    /* open() has run or runs, close() has not */
    bool is_opening : 1; /* it runs */
    bool is_held;        /* the kept bytes wait for room ahead, or for a turn */
    bool is_ending;      /* ... and then come again by end() */
    bool wants_room;     /* it was told PG_FULL: room() is to be called */
};

/* In front stands all that every message touches: one cache line a session,
   since slots begin at multiples of 64. */
struct pg_session {
    uint64_t number;    /* 0: the slot is free */
    uint64_t keeping;   /* a bit for each entry that keeps bytes */
    uint64_t active_ms; /* last heard from; streams: last progress at the end */
    uint32_t slot;
    uint32_t flags;
    int32_t fd; /* its own descriptor, -1: shares the listener's */
    uint32_t head, tail, settled; /* pieces of the queue, see queue.c */
    uint32_t queued;              /* bytes in it */
    uint32_t next_dirty;
    uint16_t listener;
    uint16_t pauses;  /* pg_pause() not yet undone */
    uint8_t watching; /* what the descriptor is watched for */
    uint8_t header;   /* strangers: bytes of headers around each record */
    uint16_t opened;  /* entries whose open() has run or runs: the others are
                         not reached yet */

    uint64_t kept;         /* heap bytes of pg_keep() and pg_later() */
    uint64_t credit;       /* bytes that a stranger may still be sent */
    uint64_t taken;        /* streams: pg_look.taken of the last look */
    uint64_t unread_ms;    /* when a look found that something is not taken */
    uint64_t owed_ms;      /* when a look found that an answer is owed */
    uint32_t older, newer; /* by activity, where idle time counts; slot + 1 */
    uint32_t next_free, next_closing, next_resuming, next_noted;
    uint32_t reason;   /* heap block with the text; 0: none */
    uint32_t timed;    /* deadlines, and messages of pg_later() on their way */
    uint32_t late;     /* those messages alone */
    uint32_t delayed;  /* bytes in them */
    uint32_t late_out; /* how many of them go outward */
    uint32_t delayed_out;   /* bytes in those */
    uint32_t due, due_last; /* those that are due and wait for a turn */
    struct budget budget;
    uint8_t ended;  /* entries that have seen the end of input */
    uint8_t cut;    /* SESSION_CUT_OFF: entries that hand on no more input */
    uint8_t why;    /* enum pg_why */
    bool is_member; /* may be in groups, see member.c */
};

/* ---- what is where ------------------------------------------------------ */

/* Inline, because every message asks for these a dozen times. `place` is an
   entry's place in the chain. */

static inline struct pg_session *session_at(uint32_t slot)
{
    return (struct pg_session *)arena_slot(&core->arena, slot);
}

static inline struct pg_listener *
session_listener(const struct pg_session *session)
{
    return core->config->listeners[session->listener];
}

/* May somebody else have sent what comes from its address? */
static inline bool session_may_be_forged(const struct pg_session *session)
{
    return session_listener(session)->transport->unverified_ratio != 0;
}

static inline struct ctx_slot *session_ctx(const struct pg_session *session,
                                           unsigned place)
{
    return (struct ctx_slot *)((uint8_t *)(uintptr_t)session +
                               SESSION_ALIGNED(sizeof(*session))) +
           place;
}

static inline void *session_state(const struct pg_session *session,
                                  unsigned place)
{
    return (uint8_t *)(uintptr_t)session +
           session_listener(session)->run->state_at[place];
}

/* The transport's own data. */
static inline void *session_data(const struct pg_session *session)
{
    return (uint8_t *)(uintptr_t)session +
           session_listener(session)->run->data_at;
}

/* NULL: it is gone. */
struct pg_session *session_by_number(uint64_t number);

/* ---- making and giving back --------------------------------------------- */

/* How many slots a worker has, and how many strangers may have one of them when
   no turn is under way. */
uint32_t slot_most(const struct config *config, unsigned workers);
uint32_t slot_strangers_most(const struct config *config, unsigned workers);
/* Bytes a slot takes, and the offsets of what is in it. */
uint32_t slot_stride(const struct config *config);
void slot_lay_out(struct pg_listener *listener);

bool slot_is_free(void);
/* The spare ones are needed: those who are gone have to leave theirs. */
bool slot_is_scarce(void);
/* Takes a slot, of which there is one, and fills it, `data` being the
   transport's and `flags` where the session counts. */
struct pg_session *slot_take(struct pg_listener *listener, int fd,
                             const void *data, uint32_t flags);
/* Counts a session of an arena that was attached among the live ones. */
void slot_adopt(struct pg_session *session);
/* A stranger is none any more. */
void slot_make_known(struct pg_session *session);
/* Its place under limits.max_sessions is another's from now on. */
void slot_uncount(struct pg_session *session);
/* Gives the slot back. */
void slot_free(struct pg_session *session);

/* ---- gaps, slot_gap.c --------------------------------------------------- */

/* Bytes of nobody's behind each block of a slot; to be set before there is a
   core. */
extern uint32_t slot_gap;
void slot_fill_gaps(const struct pg_session *session);
/* The first block of the slot behind whose end somebody has written, in words:
   "log", "tcp". NULL: none. */
const char *slot_overrun(const struct pg_session *session);

#endif
