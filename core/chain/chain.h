/*
 * chain - walks bytes through the entries of a session.
 */
#ifndef CHAIN_H
#define CHAIN_H

#include "out/broadcast.h"
#include "state/mark.h"

enum chain_direction { CHAIN_IN, CHAIN_OUT };

/* The callback that runs, as far as it matters for what it may call. */
enum chain_callback {
    CHAIN_BYTES, /* recv(), send() */
    CHAIN_EVENT, /* open(), timer(), ... */
    CHAIN_END,
    CHAIN_BYE,
};

/* Given to a callback; lives on the stack of the walk. */
struct pg_ctx {
    struct pg_session *session; /* NULL: an audience, see out/broadcast.h */
    struct pg_listener *listener;
    struct pg_entry *entry;
    const struct audience *group; /* of which this is a part; NULL: none */
    unsigned place;               /* the entry's, in the chain */
    enum chain_direction direction;
    bool has_kept;    /* pg_keep() was called in this callback */
    bool has_dropped; /* pg_drop() was */
    bool must_wait;   /* PG_FULL was said in this callback, or -ENOBUFS */
    bool must_resend; /* -ENOBUFS was */
    bool was_refused; /* ... for what will find no room later */
    bool has_sent;    /* outward: a part of the message is on its way */
    enum chain_callback callback;
    size_t in_len; /* inward: the bytes recv() was given, or pg_rest(); in bye()
                      those it may still send */
    int result;    /* outward: what became of the bytes handed on */
};

/* True when pg_end() says that no more input comes from the entry at `place`.
 */
static inline bool chain_is_cut_off(const struct pg_session *session,
                                    unsigned place)
{
    return session->flags & SESSION_CUT_OFF && place < session->cut;
}

/* From the entry at `place` on inward. 0, PG_FULL or -ECANCELED as for
 * pg_forward(). */
int chain_recv(struct pg_session *session, unsigned place, struct pg_bytes in);
/* From the entry below `place` outward. As for pg_send(). `group`: it is this
   session's part of a broadcast, of which a layer makes one for each; or NULL.
 */
int chain_send(struct pg_session *session, unsigned place, struct pg_bytes out,
               const struct audience *group);
/* The same for a message to one session, from an entry that is not told what
   becomes of it. */
int chain_send_one(struct pg_session *session, unsigned place,
                   struct pg_bytes out);
/* The same as chain_send() for a group. */
int chain_send_group(struct pg_listener *listener, unsigned place,
                     struct pg_bytes out, const struct audience *group);

/* Opens the entries, first to last, up to one that holds the others back. */
void chain_open(struct pg_session *session);
/* The entry at `place` holds the others back no more. */
void chain_ready(struct pg_session *session, unsigned place);
/* An entry forwards in its open(): those ahead are opened now, unless it may
   hold them back. */
void chain_open_ahead(struct pg_session *session);
/* The peer was heard from again, and is no stranger any more. */
void chain_known(struct pg_session *session);
/* The peer has no more: tells the entries, first to last. Goes on where it
   stopped, because an entry sees the end after what the one before it has
   delayed. */
void chain_end(struct pg_session *session);
/* No more input comes from the entry at `place`. */
void chain_cut_off(struct pg_session *session, unsigned place, bool is_now);
/* The session ends in peace: tells the entries, last to first. */
void chain_bye(struct pg_session *session);
void chain_timer(struct pg_session *session, unsigned place);
void chain_close(struct pg_session *session, struct pg_reason reason);
void chain_tick(struct pg_entry *entry);
/* Gives held bytes again, the last entry's first, and then calls room(), as far
   as room and budget go. */
void chain_resume(struct pg_session *session);
/* Drops what every entry keeps. */
void chain_forget(struct pg_session *session);

/* Runs fn as if it were a callback of the entry at `place`. */
void chain_with(struct pg_session *session, unsigned place,
                void (*fn)(struct pg_ctx *ctx, void *arg), void *arg);

/* Sends to the entry's sessions of this worker but `except`. */
void chain_broadcast(struct pg_entry *entry, struct pg_bytes bytes,
                     uint64_t except, enum pg_slow slow);
/* The same to those that are in a group. Returns the workers, a bit each, that
   have members, this one included. */
uint64_t chain_publish(struct pg_entry *entry, const char *group,
                       struct pg_bytes bytes, uint64_t except,
                       enum pg_slow slow);

/* Before a session comes into a group or leaves one: what was published until
   then is for those who were there. */
void chain_settle_groups(struct pg_session *session);
/* The session is in no group any more. */
void chain_leave_groups(struct pg_session *session);

#endif
