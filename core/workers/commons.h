/*
 * commons - what the workers of a server share: a memfd with the number of
 * sessions, the claimed names, the groups with their members, and a ring of
 * messages for each pair.
 *
 * Claims and groups are under a robust lock, held for a few lines and never
 * while a handler runs; a worker that dies with it leaves it to the next one. A
 * ring has one writer and one reader and needs no lock.
 */
#ifndef COMMONS_H
#define COMMONS_H

#include <stdatomic.h>

#include <playground/handler.h>

#define WORKERS_MAX 64 /* of one server; a bit each in 64-bit masks */

struct commons;

/* The needs that it is made for. */
struct commons_plan {
    unsigned workers;
    uint32_t claims;      /* names that are claimed at a time */
    uint32_t members;     /* of all groups together */
    size_t message_bytes; /* the longest message */
};

/* Lays out a new one in `fd` (a memfd; -1: makes one). NULL with errno. */
struct commons *commons_create(int fd, const struct commons_plan *plan);
/* Maps one that exists. NULL with errno. */
struct commons *commons_attach(int fd);
/* Unmaps it and closes its memfd. Accepts NULL. */
void commons_destroy(struct commons *commons);

/* ---- sessions --------------------------------------------------------- */

uint64_t commons_next_number(struct commons *commons);
/* Counts one more session of a worker; false: there are `most` already. */
bool commons_session_add(struct commons *commons, unsigned worker,
                         int64_t most);
void commons_session_remove(struct commons *commons, unsigned worker);
/* Has a worker clearly more sessions than the living one with the fewest? */
bool commons_is_ahead(const struct commons *commons, unsigned worker);
/* Counts those of a worker's sessions whose place others may have. */
void commons_peer_add(struct commons *commons, unsigned worker);
void commons_peer_remove(struct commons *commons, unsigned worker);
/* Counts one more session of a worker for which another's peer has to go.
   Returns whom to wake, or -1: nobody has such a peer. */
int commons_session_displace(struct commons *commons, unsigned worker);
/* A worker's sessions and peers are to be counted anew. */
void commons_forget_sessions(struct commons *commons, unsigned worker);
/* How many of its peers a worker is to end since it asked last. */
int64_t commons_take_displaced(struct commons *commons, unsigned worker);
/* A worker has died: nothing waits for it. Then wake those that did. */
void commons_worker_died(struct commons *commons, unsigned worker);
/* A worker begins anew: what it held before is gone. */
void commons_reset_worker(struct commons *commons, unsigned worker);

/* ---- turns and the end ------------------------------------------------ */

/* The turns of its loop that a worker has ended. It alone counts, all look: one
   whose number stands still is stopped, hangs, or has nothing to do. */
_Atomic uint32_t *commons_turns(struct commons *commons, unsigned worker);

/* How far a worker that stops has come, a step after the other. */
enum commons_step {
    COMMONS_QUIET, /* all it had to say is in the rings */
    COMMONS_OVER,  /* its sessions end: nobody is left to hear others */
};

void commons_set_step(struct commons *commons, unsigned worker,
                      enum commons_step step);
/* The workers that have come so far, a bit each. */
uint64_t commons_at_step(const struct commons *commons, enum commons_step step);
/* The workers that have died, a bit each. */
uint64_t commons_absent(const struct commons *commons);

/* ---- claims ----------------------------------------------------------- */

struct claim_owner {
    uint16_t entry;
    uint16_t worker;
    uint32_t slot;
    uint64_t number;
};

/* 0 and the claim's place, which is the one it had if the owner has this key
   already; -EEXIST, -ENOSPC. Neither text is longer than PG_KEY_BYTES. */
int claim_take(struct commons *commons, const char *key, const char *shown,
               const struct claim_owner *owner, uint32_t *place);
/* Gives it back, if `number` still has it. */
void claim_release(struct commons *commons, uint32_t place, uint64_t number);
bool claim_find(struct commons *commons, uint16_t entry, const char *key,
                struct claim_owner *owner);
/* The key at a place; copied into `key` (PG_KEY_BYTES + 1). */
void claim_key(struct commons *commons, uint32_t place, char *key);
/* The keys of an entry in the order they were claimed, each with its NUL and
   followed by its name as shown, with its NUL, in memory the caller frees;
   NULL: out of memory. */
char *claim_list(struct commons *commons, uint16_t entry, size_t *count);

/* ---- groups ----------------------------------------------------------- */

/* A ctx that may be a member: an entry's in one session. */
struct member_owner {
    uint16_t entry;
    uint16_t worker;
    uint16_t listener;
    uint32_t slot;
    uint32_t claim; /* the place of its key + 1; 0: none */
    uint64_t number;
};

/* 0; -EALREADY it is in it; -ENOSPC its session is in `most` groups, or the
   table is full. `group` is no longer than PG_KEY_BYTES. */
int member_join(struct commons *commons, const char *group,
                const struct member_owner *owner, uint32_t most);
/* 0; -ENOENT it is not in it. */
int member_leave(struct commons *commons, const char *group,
                 const struct member_owner *owner);
/* A session is in no group any more. */
void member_leave_all(struct commons *commons, uint64_t number);
/* From now on it has another key. */
void member_show(struct commons *commons, const struct member_owner *owner);

/* Finds who is to hear what is published: the workers with members, a bit each,
   and of this worker the place + 1 of what each listener has of the group, in
   `parts`, which is zeroed and has room for each. */
uint64_t member_find(struct commons *commons, uint16_t entry, const char *group,
                     unsigned worker, uint32_t *parts);
/* The slots of the members in such a part, in the order they joined; at most
   `most`. Returns how many. */
size_t member_slots(struct commons *commons, uint32_t part, uint32_t *slots,
                    size_t most);
/* The keys of a group's members and their names as shown, as claim_list(), in
   the order they joined; "" twice for one without. */
char *member_list(struct commons *commons, uint16_t entry, const char *group,
                  size_t *count);

struct group_seen {
    char name[PG_KEY_BYTES + 1];
    size_t members;
};

/* The groups of an entry that the session `number` is in (0: all), in memory
   the caller frees; NULL: out of memory. */
struct group_seen *member_groups(struct commons *commons, uint16_t entry,
                                 uint64_t number, size_t *count);

/* ---- rings ------------------------------------------------------------ */

enum message_type { MESSAGE_BROADCAST = 1, MESSAGE_SEND_TO, MESSAGE_PUBLISH };

struct message {
    uint32_t len; /* of the bytes that follow */
    uint16_t type;
    uint16_t entry;
    uint32_t slot;   /* MESSAGE_SEND_TO: the receiver */
    uint32_t slow;   /* MESSAGE_BROADCAST and _PUBLISH: enum pg_slow */
    uint64_t number; /* MESSAGE_SEND_TO: the receiver's session */
};

/* Puts a message into the ring of worker `from` to worker `to`. False: no
   room now; the reader will wake `from` when there is. */
bool ring_put(struct commons *commons, unsigned from, unsigned to,
              const struct message *message, const uint8_t *bytes);
/* The next message for `to`, or NULL; valid until ring_next(). */
const struct message *ring_peek(struct commons *commons, unsigned from,
                                unsigned to);
/* Done with it. True: the writer waits for room and wants to be woken. */
bool ring_next(struct commons *commons, unsigned from, unsigned to);
/* The longest message a ring takes. */
size_t ring_most(const struct commons *commons);
unsigned commons_workers(const struct commons *commons);
int commons_fd(const struct commons *commons);

#endif
