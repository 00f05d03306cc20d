/*
 * harness - runs a chain of real plugins without sockets and without waiting.
 *
 * The config is made of the handlers' JSON as in a config file; the transport
 * is the harness itself: a test pushes bytes in and reads what comes out, on a
 * virtual clock. One harness at a time.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <playground/handler.h>

struct harness;
struct commons;

#define HARNESS_PEERS 12000

/* The chain that the handlers' JSON says, `["lines", {"plugin": "log"}]`,
   under a stream or a record transport. Fails the test when it does not load
   (harness_refusal() is for chains that must not). */
struct harness *harness_create(enum pg_kind provides, const char *handlers);
/* ... with other limits, `{"frame_bytes": 100}`. */
struct harness *harness_create_limits(enum pg_kind provides,
                                      const char *handlers, const char *limits);
/* ... NULL, after saying on stderr why, if it cannot be had. */
struct harness *harness_try(enum pg_kind provides, const char *handlers,
                            const char *limits);
/* ... under both at once; harness_connect() comes by the stream. */
struct harness *harness_create_both(const char *handlers, const char *limits);
/* ... under a stream and under records whose senders may be forged. */
struct harness *harness_create_forged(const char *handlers, const char *limits);
void harness_destroy(struct harness *harness);
/* Breaks every connection and forgets all peers: numbers begin at 0 again. */
void harness_forget(struct harness *harness);

/* The next harness is worker 0 of several, which have these commons and take
   them over. The test is the other workers. */
void harness_share(struct commons *commons);
/* Takes what other workers have written. */
void harness_mail(struct harness *harness);

/* Loads a chain that must be refused; returns what was said, to be freed. */
char *harness_refusal(enum pg_kind provides, const char *handlers);

/* Records: peers that come from now on are gone after so long without
   traffic. */
void harness_idle(struct harness *harness, uint64_t ms);
/* Records: at most so many known peers, and what strangers may be sent. */
void harness_peers(struct harness *harness, uint64_t most);
void harness_unverified(struct harness *harness, uint64_t ratio);
/* One record by an address, of which there are HARNESS_PEERS, beginning with 0;
   the turn goes on until the next call that is not this one. For
   harness_create_forged(); do not number peers of harness_connect() the same.
 */
void harness_datagram(struct harness *harness, int address, const char *text);
void harness_turn(struct harness *harness);
/* Peers of harness_connect() that come from now on have numbers from this one.
 */
void harness_begin_at(struct harness *harness, int number);
/* A new peer comes; returns its number, from 0. */
int harness_connect(struct harness *harness);
/* ... by the transport that provides this. */
int harness_connect_by(struct harness *harness, enum pg_kind provides);
/* Bytes or one record from it. */
void harness_push(struct harness *harness, int peer, struct pg_bytes bytes);
/* Bytes from it that its stream has ready when somebody else pushes. */
void harness_offer(struct harness *harness, int peer, struct pg_bytes bytes);
/* One record, and the turn goes on: another peer may say something in it. The
   next call that is not this one ends it. */
void harness_push_within(struct harness *harness, int peer, const char *text);
void harness_push_text(struct harness *harness, int peer, const char *text);
/* It has no more to say (half-close). */
void harness_end(struct harness *harness, int peer);
/* Its connection breaks. */
void harness_reset(struct harness *harness, int peer);
/* Time passes, and what is due happens in its order. */
void harness_advance(struct harness *harness, uint64_t ms);
/* From now on its socket takes nothing, or takes again. */
void harness_block(struct harness *harness, int peer, bool is_blocked);
/* The socket of its stream takes so many bytes more, and then nothing. */
void harness_block_after(struct harness *harness, int peer, size_t bytes);
/* Its system has taken so much more of what was sent; whether the socket takes
   more is for harness_block(). */
void harness_acknowledge(struct harness *harness, int peer, uint64_t bytes);

/* What was sent to it since the start or the last harness_clear(). */
struct pg_bytes harness_out(struct harness *harness, int peer);
size_t harness_record_count(struct harness *harness, int peer);
struct pg_bytes harness_record(struct harness *harness, int peer, size_t at);
void harness_clear(struct harness *harness, int peer);

/* Its entries' close() has run. */
bool harness_is_closed(struct harness *harness, int peer);
/* Nothing is left of it. */
bool harness_is_gone(struct harness *harness, int peer);
enum pg_why harness_close_why(struct harness *harness, int peer);
const char *harness_close_reason(struct harness *harness, int peer);
/* It is read from: nothing asks it to wait. */
bool harness_is_read(struct harness *harness, int peer);

/* The entry that has written behind the end of its state, or "". A test that
   does not take it fails at harness_destroy(); in sanitizer builds the program
   ends where it was written. */
const char *harness_take_overrun(struct harness *harness);

/* A counter of an entry, or of all transports with `entry` NULL. */
uint64_t harness_counter(struct harness *harness, const char *entry,
                         const char *name);

/*
 * Rule 1: a stream's read boundaries mean nothing. Runs the chain with `input`
 * whole, cut in two at every position, and byte by byte, each on a new
 * harness, and compares what comes back.
 */
void harness_cut_everywhere(const char *handlers, struct pg_bytes input);

/* The arena's memfd, for another process to go on with. */
int harness_arena_fd(struct harness *harness);
/* Goes on with the arena of another process that had `peers` peers. */
struct harness *harness_attach(enum pg_kind provides, const char *handlers,
                               int arena_fd, int peers);

/* Not 0 while the harness allocates for itself, see test_chaos.c. */
extern int harness_own;

/* Fails unless the bytes equal the text. */
#define assert_bytes(bytes, text)                                              \
    harness_assert_bytes(bytes, text, __FILE__, __LINE__)
void harness_assert_bytes(struct pg_bytes bytes, const char *text,
                          const char *file, int line);

#endif
