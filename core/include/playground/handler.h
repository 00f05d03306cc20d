/*
 * playground/handler.h - everything the author of a handler needs.
 *
 * A handler is one C file compiled to a shared object. It exports one symbol,
 * `const struct pg_handler pg_handler`. Here is a whole one:
 *
 *     #include <playground/handler.h>
 *
 *     static enum pg_verdict ping_recv(struct pg_ctx *ctx, struct pg_bytes in)
 *     {
 *         if (!pg_equals(in, "ping"))
 *             return PG_PASS;
 *         pg_send(ctx, pg_text("pong"));
 *         return PG_STOP;
 *     }
 *
 *     const struct pg_handler pg_handler = {
 *         .abi = PG_HANDLER_ABI,
 *         .name = "ping",
 *         .summary = "answers ping with pong",
 *         .needs = PG_RECORDS,
 *         .recv = ping_recv,
 *     };
 *
 * The config puts it into a chain as an entry; each session (one TCP
 * connection, one UDP peer) that comes to the entry is one ctx.
 *
 *      transport (tcp, udp, ...)
 *         |  recv, end: first entry to last        ^
 *         v                                        |
 *      [ lines ] ---> [ log ] ---> [ ping ]
 *         ^                           |
 *         |  send: from just below the sender to the first entry
 *
 * A first handler needs ten functions of those below:
 *
 *  pg_send()     to the peer                pg_drop()     refuses bytes
 *  pg_forward()  to the next entry          pg_close()    ends the session
 *  pg_keep()     half a message, for later  pg_options()  the config's values
 *  pg_scratch()  memory for new bytes       pg_state()    the session's memory
 *  pg_broadcast()  to all other sessions    pg_log()      a line for people
 *
 * Five rules hold for everything, unless a function says otherwise:
 *
 *  thread     All callbacks of a worker run on its one thread, one at a time.
 *             Only pg_post() may be called from another thread.
 *  ownership  Bytes you are given are borrowed until your callback returns.
 *             Bytes you hand over count as copied: reuse them at once.
 *  lifetime   A ctx is valid until the callback it was passed to returns;
 *             an entry until finish(). Never store a ctx.
 *  errors     Functions return 0 or a negative errno, those that pass bytes on
 *             PG_FULL besides. Nothing needs freeing.
 *  defaults   Zero means the default; a callback that is absent passes on.
 */
#ifndef PLAYGROUND_HANDLER_H
#define PLAYGROUND_HANDLER_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PG_API               __attribute__((visibility("default")))
#define PG_PRINTF(at, first) __attribute__((format(printf, at, first)))
#define PG_MUST_USE          __attribute__((warn_unused_result))

/* ---- bytes ------------------------------------------------------------ */

/* A range of bytes that belongs to somebody else; not NUL-terminated. */
struct pg_bytes {
    const uint8_t *data;
    size_t len;
};

/* The bytes of a string, without its NUL. */
static inline struct pg_bytes pg_text(const char *text)
{
    return (struct pg_bytes){(const uint8_t *)text, strlen(text)};
}

static inline struct pg_bytes pg_bytes(const void *data, size_t len)
{
    return (struct pg_bytes){(const uint8_t *)data, len};
}

static inline bool pg_equals(struct pg_bytes bytes, const char *text)
{
    size_t len = strlen(text);

    return bytes.len == len && (len == 0 || !memcmp(bytes.data, text, len));
}

/* ---- types ------------------------------------------------------------ */

/* The kind of bytes that flow between two entries. */
enum pg_kind {
    PG_ANY,     /* needs: whatever comes; makes: the same as came */
    PG_STREAM,  /* bytes without boundaries, as TCP delivers them */
    PG_RECORDS, /* each message whole, as UDP delivers them */
};

/* A callback's word on the bytes it was given. */
enum pg_verdict {
    PG_PASS = 1, /* hand them on unchanged */
    PG_STOP,     /* dealt with: answered, forwarded or kept */
    PG_DROP,     /* only as `return pg_drop(ctx, "reason")` */
    PG_CLOSE,    /* only as `return pg_close(ctx, "reason")`, or pg_reset() */
};

/* The cause of a session's end. */
enum pg_why {
    PG_WHY_EOF = 1,  /* the peer said it has no more, all was answered */
    PG_WHY_RESET,    /* the peer or the network broke the connection */
    PG_WHY_IDLE,     /* nothing heard for the transport's idle time */
    PG_WHY_LIMIT,    /* a limit of the config, e.g. a reader too slow */
    PG_WHY_HANDLER,  /* a handler closed it: the text is the handler's */
    PG_WHY_SHUTDOWN, /* the server stops */
    PG_WHY_CRASH,    /* the process that held it died */
};

struct pg_reason {
    enum pg_why why;
    const char *text; /* never NULL; valid until the callback returns */
};

/* The lot of a broadcast's receiver whose queue is full. */
enum pg_slow {
    PG_SLOW_CLOSE, /* end its session; nobody else waits */
    PG_SLOW_DROP,  /* leave this message out for it, and count that */
};

/* pg_send() and pg_forward(): taken, but the way ahead is full. Stop now. */
#define PG_FULL 1

struct pg_ctx;   /* one entry in one session */
struct pg_entry; /* one line of `handlers` in the config */

/* ---- options ---------------------------------------------------------- */

enum pg_option_type {
    PG_BOOL = 1, /* field: bool */
    PG_INT,      /* field: int or int64_t */
    PG_NUMBER,   /* field: double */
    PG_STRING,   /* field: const char *, owned by the core */
    PG_STRINGS,  /* field: const char *const *, likewise; ends with NULL */
};

/*
 * A key of an entry in the JSON config. The table ends with an empty
 * element. The core checks every value against it before any callback runs,
 * fills in defaults, and makes help texts and the JSON Schema from it.
 */
struct pg_option {
    const char *name;         /* the key, e.g. "max_bytes": units in names */
    enum pg_option_type type; /* decides the field's C type, see above */
    size_t offset, size;      /* written by PG_FIELD() */
    const char *unit;         /* "bytes", "ms", ...; NULL: none */
    const char *initial;      /* the default as text: "true", "64", "big";
                                 NULL: false, 0, 0.0, a NULL string, no texts;
                                 "a b": two texts */
    double min, max;          /* for numbers, or how many texts; both 0: any */
    const char *choices;      /* the allowed values, separated by spaces;
                                 NULL: any */
    const char *help;         /* one line */
};

/* The place of a value: PG_FIELD(struct log_options, hexdump). */
#define PG_FIELD(type, field)                                                  \
    .offset = offsetof(type, field), .size = sizeof(((type *)0)->field)

/* ---- the handler ------------------------------------------------------ */

#define PG_HANDLER_VERSION 1u
#define PG_HANDLER_ABI                                                         \
    (PG_HANDLER_VERSION << 16 | (uint32_t)sizeof(struct pg_handler))

struct pg_handler {
    uint32_t abi;        /* PG_HANDLER_ABI */
    const char *name;    /* as in the config and the file's name */
    const char *summary; /* one line for `playground plugins` */

    enum pg_kind needs; /* PG_ANY or PG_RECORDS; `check` refuses the rest */
    enum pg_kind makes; /* PG_RECORDS: a framing layer; PG_ANY: as it came */

    bool shows_cuts;     /* the reader is meant to see how reads were cut */
    bool send_is_shared; /* send() makes the same of the same bytes and options,
                            so a broadcast may run it once for many */
    bool is_volatile;    /* the state cannot survive the process */

    const struct pg_option *options; /* ends with an empty element */
    size_t options_size;             /* sizeof of the struct they fill */
    size_t entry_size;   /* pg_private(): zeroed, one an entry, this process */
    size_t session_size; /* pg_state(): zeroed, one a ctx; plain data without
                            pointers, because it outlives the process */
    uint32_t state_version; /* raise it when that struct changes meaning */

    /* Checks the options and nothing else, because `playground check` calls
       it too. On error: pg_fail(). check() and init() are given 5 s. */
    int (*check)(struct pg_entry *entry);
    /* Before the first session: opens files, fills pg_entry_private(). */
    int (*init)(struct pg_entry *entry);
    void (*finish)(struct pg_entry *entry);
    /* The deadline set with pg_entry_timer() has come. */
    void (*tick)(struct pg_entry *entry);

    /* A session begins; may already send. PG_CLOSE turns it away. PG_STOP, from
       a handler that calls pg_ready(): the entries behind wait for that. */
    enum pg_verdict (*open)(struct pg_ctx *ctx);
    /* Bytes come in. On a stream their boundaries mean nothing. */
    enum pg_verdict (*recv)(struct pg_ctx *ctx, struct pg_bytes in);
    /* Bytes go out. */
    enum pg_verdict (*send)(struct pg_ctx *ctx, struct pg_bytes out);
    /* No more input will come; may still forward and send. The session
       closes when every entry has seen this, no timer is set and all is sent.
     */
    void (*end)(struct pg_ctx *ctx);
    /* The deadline set with pg_timer() has come. */
    void (*timer)(struct pg_ctx *ctx);
    /* The session is over; runs once for every ctx that was opened. What is
       sent to this session now is lost; pg_broadcast() reaches the others. */
    void (*close)(struct pg_ctx *ctx, struct pg_reason reason);

    /* Checks one chain that the entry stands in, as check() does: there
       `input`, PG_STREAM or PG_RECORDS, reaches it from the transport `name`.
       */
    int (*check_place)(struct pg_entry *entry, enum pg_kind input,
                       const char *name);

    /* The second message of a UDP peer is here, and recv() is next: it was a
       stranger, see pg_is_stranger(), and is none any more. Never runs for a
       connection. */
    void (*known)(struct pg_ctx *ctx);

    /* There is room again after PG_FULL or -ENOBUFS, for a handler that makes
       output without input; once for each time, before more input, and not
       where pg_keep() has bytes that come again. */
    void (*room)(struct pg_ctx *ctx);

    /* The session ends, and not by a reset or a crash: last entry to first,
       before close(). At most limits.frame_bytes of pg_send() go out. */
    void (*bye)(struct pg_ctx *ctx);

    bool joins_records; /* pg_keep() may join a record with the next one */
    bool one_worker;    /* one state for all: `check` refuses more workers */
};

/* The one symbol a handler exports. */
extern PG_API const struct pg_handler pg_handler;

/* ---- verdicts --------------------------------------------------------- */

/* Throws these bytes away and counts `reason`: use as `return pg_drop(...)`. */
PG_API enum pg_verdict pg_drop(struct pg_ctx *ctx, const char *reason);

/* Ends the session after what is queued has been sent. Takes effect when the
   callbacks have returned; until then nothing more is delivered to it. */
PG_API enum pg_verdict pg_close(struct pg_ctx *ctx, const char *reason);

/* Ends the session without sending anything more: TCP sends RST instead of
   FIN. */
PG_API enum pg_verdict pg_reset(struct pg_ctx *ctx, const char *reason);

/* ---- passing bytes on ------------------------------------------------- */

/*
 * Hands bytes on in the direction of the running callback: to the next
 * entry's recv() from open, recv, end and timer; to the next lower send() from
 * send. Call it as often as you like, then return PG_STOP.
 *
 * 0           handed on
 * PG_FULL     handed on, but it is enough for now: return pg_keep() of what you
 *             have not looked at yet; it comes again by itself
 * -ECANCELED  the session is closing: stop, nothing more is taken
 * -EMSGSIZE, -EDQUOT, -ENOBUFS  (from send) as for pg_send()
 *
 * It is enough when the way ahead is full or paused, and when the session has
 * had its turn: after 512 calls in one turn of the loop, or one millisecond
 * (never on a virtual clock). Then the others have theirs, before the rest
 * comes. A handler that goes on all the same keeps the order, but the others
 * wait for it. What is kept comes again wherever an arrow leads back here, and
 * before the end is told; in end() it comes again by end():
 *
 *     flowing <--> held     by PG_FULL and pg_keep(); back when there is room
 *     flowing <--> paused   by pg_pause(); back by pg_resume()
 *     flowing ---> ended    the peer has no more: end() runs, answers go out
 *     ended ---> gone       all is sent; from anywhere else by pg_close()
 */
PG_API int pg_forward(struct pg_ctx *ctx, struct pg_bytes bytes);

/* For a layer that makes several messages of one input: says before each where
   the rest begins, so that no more than that needs to find room when the turn
   is over. */
PG_API void pg_rest(struct pg_ctx *ctx, struct pg_bytes rest);

/*
 * Sends to the peer, starting at the entry just below this one.
 *
 * 0           queued
 * PG_FULL     queued, but it is enough for now: return pg_keep() of the input
 *             that is not answered yet, or go on in room()
 * -ECANCELED  the session is closing
 * -EMSGSIZE   one record more than the transport carries, or more than
 *             limits.frame_bytes + 1 KiB: send less at once
 * -EDQUOT     to a stranger: more than udp's "unverified_ratio" (3) times the
 *             bytes it sent, headers included (RFC 9000, section 8.1). It is
 *             dropped, counted, and said once on stderr; send it in known()
 * -ENOBUFS    no room: nothing of it was taken, and that was counted; keep
 *             what it answers, as for PG_FULL, and send it again
 *
 * Who stops at PG_FULL finds room for one message more, unless others hold
 * limits.queue_bytes_total, and is closed by limits.unread_s alone. From send()
 * only the first piece of a message is refused, and with it the whole message.
 */
PG_API int pg_send(struct pg_ctx *ctx, struct pg_bytes bytes);

/*
 * Does what pg_forward() does, `ms` milliseconds later. Bytes that are due at
 * one time come in the order they were given, and end() and the session's close
 * come after them. The copy counts against limits.kept_bytes_total, and a
 * stream is not read from while too much is on its way. Each counts as one call
 * of pg_forward() when it is due: more of them wait for the next turn.
 * -ENOBUFS: no room, the bytes are yours still.
 */
PG_API int pg_later(struct pg_ctx *ctx, uint32_t ms, struct pg_bytes bytes);

/*
 * Keeps the end of `in`: of a stream, what is no whole message yet. The next
 * recv() gets these bytes in front of the new ones, in one piece. Note in
 * pg_state() how far you have looked, so that a message that comes byte by byte
 * costs linear time. Each call replaces what was kept; without a call nothing
 * is kept. Too much (over limits.frame_bytes plus one read) closes the session.
 * Returns PG_STOP, so that `return pg_keep(ctx, rest)` reads well. May be
 * called from recv and end.
 *
 * Of a record only the rest may be kept that PG_FULL was said for, or that is
 * left after pg_pause(). It comes again alone, before the next
 * record: the layers in front wait, and datagrams that the peer sends meanwhile
 * are dropped and counted. Anything else that is kept of a record is dropped,
 * counted and said once on stderr, unless the handler has .joins_records.
 */
PG_API enum pg_verdict pg_keep(struct pg_ctx *ctx, struct pg_bytes tail);

/* The bytes kept now; valid until the next pg_keep() or the callback's end. */
PG_API struct pg_bytes pg_kept(struct pg_ctx *ctx);

/*
 * Memory for what you make from the bytes, valid until the callback that
 * asked returns; never touched by nested callbacks; not zeroed. Never NULL:
 * over limits.frame_bytes + 1 KiB the session closes with a reason, and the
 * memory may still be written to.
 */
PG_API uint8_t *pg_scratch(struct pg_ctx *ctx, size_t len);

/* ---- a handshake, an end inside the stream ------------------------------ */

/* Ends what PG_STOP from open() began: the entries behind are opened before
   this returns, and have input, ends and broadcasts from now on. Until then
   they are in nothing of this session, and pg_forward() says -ECANCELED. */
PG_API void pg_ready(struct pg_ctx *ctx);

/* No more input comes from here, whatever the peer still says: the entries
   behind see end(), their answers are sent, then it closes as at a FIN. */
PG_API void pg_end(struct pg_ctx *ctx);

/* Did our side call, and not the peer? */
PG_API bool pg_is_client(const struct pg_ctx *ctx);

/*
 * Elsewhere these do nothing, or say -ECANCELED (`known` is as `recv`):
 *
 *                          open  recv  end  timer  room  send  bye  close
 *  pg_send                   x     x    x     x      x     x    x
 *  pg_forward, pg_later      x     x    x     x      x     x
 *  pg_keep                         x    x
 *  pg_ready                  x     x    x     x      x     x
 *  pg_end                    x     x          x      x     x
 *  all else, pg_send_to()    x     x    x     x      x     x    x     x
 * pg_claims() and the like give copies: fn may claim, leave, pg_send_to(), too.
 */

/* ---- to others -------------------------------------------------------- */

/*
 * Sends to the same entry in every other session but strangers', on every
 * worker and whatever its transport, each starting just below this entry.
 * `slow` says what happens to a receiver that does not read. 0, or -ENOBUFS
 * when another worker cannot take it (counted).
 */
PG_API int pg_broadcast(struct pg_ctx *ctx, struct pg_bytes bytes,
                        enum pg_slow slow);

/* Sends to every session of the entry; tick(), which has no ctx, needs it. */
PG_API int pg_broadcast_all(struct pg_entry *entry, struct pg_bytes bytes,
                            enum pg_slow slow);

#define PG_KEY_BYTES 64 /* the longest key, without its NUL */

/*
 * Takes `key` as the name of this ctx, unique in the entry over all workers;
 * gives back the one it had. It ends with the session. 0; -EEXIST another ctx
 * has it; -EINVAL empty or longer than PG_KEY_BYTES; -ENOSPC the table is
 * full.
 */
PG_API int pg_claim(struct pg_ctx *ctx, const char *key);

/* The same with the name as people are to see it, which is as long at most;
   pg_claim() shows the key. A key that this ctx has is only shown anew. */
PG_API int pg_claim_as(struct pg_ctx *ctx, const char *key, const char *shown);

/*
 * Makes a key of a name that somebody has chosen, so that no other name can be
 * mistaken for it: José and JOSÉ have one key, in every way to spell them
 * (NFKC and case folding). A name holds letters and digits of one script, as
 * UTS #39 has it: Japanese, Korean and Chinese count as one each. Digits 0 to 9
 * and - _ . go with every script, but first stands a letter or a digit.
 *
 * NULL, or why `shown` cannot be a name, to be said after it: "is too long",
 * "mixes ...". Only UTF-8 of up to PG_KEY_BYTES has a key.
 */
PG_API const char *pg_name_key(struct pg_bytes shown,
                               char key[PG_KEY_BYTES + 1]);

/* The key of this ctx; "" without one. Valid until the callback returns. */
PG_API const char *pg_claimed(struct pg_ctx *ctx);

/* Has some ctx of the entry this key? Costs the same however many keys. */
PG_API bool pg_is_claimed(struct pg_entry *entry, const char *key);

/* Calls fn once for each key of the entry, in the order they were claimed. */
PG_API void pg_claims(struct pg_entry *entry,
                      void (*fn)(const char *key, const char *shown, void *arg),
                      void *arg);

/* Sends to the session that has `key`, wherever it is. -ENOENT: nobody has. */
PG_API int pg_send_to(struct pg_entry *entry, const char *key,
                      struct pg_bytes bytes);

/*
 * Puts this ctx into a group: a room, a channel, a topic, named as a key is; it
 * is in it until it leaves or its session ends. -EALREADY; -ENOENT; -EINVAL as
 * for a key; -ENOSPC its session is in limits.groups (64), or the table is
 * full.
 */
PG_API int pg_join(struct pg_ctx *ctx, const char *group);
PG_API int pg_leave(struct pg_ctx *ctx, const char *group);

/* pg_broadcast() and pg_broadcast_all() to a group, at the cost of its size. */
PG_API int pg_publish(struct pg_ctx *ctx, const char *group,
                      struct pg_bytes bytes, enum pg_slow slow);
PG_API int pg_publish_all(struct pg_entry *entry, const char *group,
                          struct pg_bytes bytes, enum pg_slow slow);

/* Each member (without a key: "", ""); each group of the ctx, and of all. */
PG_API void pg_members(struct pg_entry *entry, const char *group,
                       void (*fn)(const char *key, const char *shown,
                                  void *arg),
                       void *arg);
PG_API void pg_groups(struct pg_ctx *ctx,
                      void (*fn)(const char *group, void *arg), void *arg);
PG_API void pg_groups_all(struct pg_entry *entry,
                          void (*fn)(const char *group, size_t members,
                                     void *arg),
                          void *arg);

/* ---- time ------------------------------------------------------------- */

/* Milliseconds, monotonic; in tests and simulations a virtual clock. */
PG_API uint64_t pg_now(void);
/* The clock of pg_now() in nanoseconds. */
PG_API uint64_t pg_now_ns(void);
/* Milliseconds since 1970, may jump; a simulation begins with the year 2000. */
PG_API uint64_t pg_wall_ms(void);

/* Calls timer() in `ms` milliseconds. One deadline a ctx: a new one replaces
   the old one. A session with a deadline does not close at end of input. */
PG_API void pg_timer(struct pg_ctx *ctx, uint32_t ms);
PG_API void pg_timer_stop(struct pg_ctx *ctx);

/* Calls tick() in `ms` milliseconds. One deadline an entry and worker. */
PG_API void pg_entry_timer(struct pg_entry *entry, uint32_t ms);

/* ---- pressure --------------------------------------------------------- */

/*
 * Stops reading from this session until pg_resume(), one for each pause. What
 * this entry keeps when it resumes comes again, even if nothing new comes, and
 * before the end of input is told. A datagram that comes meanwhile is dropped
 * and counted.
 */
PG_API void pg_pause(struct pg_ctx *ctx);
PG_API void pg_resume(struct pg_ctx *ctx);

/* ---- a ctx, its entry, its peer --------------------------------------- */

PG_API const void *pg_options(const struct pg_ctx *ctx);
PG_API void *pg_state(struct pg_ctx *ctx);
PG_API void *pg_private(struct pg_ctx *ctx);
PG_API struct pg_entry *pg_entry(struct pg_ctx *ctx);

PG_API const void *pg_entry_options(const struct pg_entry *entry);
PG_API void *pg_entry_private(struct pg_entry *entry);
PG_API const char *pg_entry_name(const struct pg_entry *entry);
/* limits.frame_bytes of the config: no message is longer. */
PG_API size_t pg_entry_frame_bytes(const struct pg_entry *entry);
/* The number of this worker, from 0, and how many there are. */
PG_API unsigned pg_worker(const struct pg_entry *entry);
PG_API unsigned pg_workers(const struct pg_entry *entry);

/* The peer in words, "tcp 127.0.0.1:40322"; valid until the callback returns.
 */
PG_API const char *pg_peer(struct pg_ctx *ctx);
/* The address that the peer came to, likewise. */
PG_API const char *pg_local(struct pg_ctx *ctx);
/* The name of the session's transport plugin, "tcp". */
PG_API const char *pg_transport_name(const struct pg_ctx *ctx);
/* The kind that the session's transport provides: PG_STREAM or PG_RECORDS. */
PG_API enum pg_kind pg_transport_kind(const struct pg_ctx *ctx);
/* The kind that reaches this entry: PG_STREAM or PG_RECORDS. */
PG_API enum pg_kind pg_input_kind(const struct pg_ctx *ctx);
/* Milliseconds after which the transport takes a peer for gone that says
   nothing, whatever it is sent; 0: it does not. */
PG_API uint64_t pg_idle_ms(const struct pg_ctx *ctx);
/*
 * A UDP peer that has sent one message so far: its address may be forged, and
 * nobody there (RFC 9000, section 8.1). It is served, but others should not pay
 * for it: no broadcast reaches it, it counts against limits.strangers alone, of
 * whom the oldest goes first, and what is dear (a name, a notice to all)
 * belongs into known(). A connection is never one; its peer has answered.
 */
PG_API bool pg_is_stranger(const struct pg_ctx *ctx);
/* A number no other session of this server has had. */
PG_API uint64_t pg_session_number(const struct pg_ctx *ctx);

/* ---- telling people --------------------------------------------------- */

/* Adds one to the entry's counter `name`. */
PG_API void pg_count(struct pg_ctx *ctx, const char *name);
PG_API void pg_count_many(struct pg_ctx *ctx, const char *name, uint64_t many);

/*
 * One line on stderr with entry and peer in front; never blocks: what does not
 * fit is counted and announced. What a terminal obeys or nobody sees is
 * escaped.
 *
 * printf() and fprintf(stderr) work, too: the guard of the workers takes what
 * they write at once, line by line, so none waits for a reader or is lost in a
 * crash. There is no guard in `run --single`: then they wait for whoever reads,
 * and with them all clients.
 */
PG_API void pg_log(struct pg_ctx *ctx, const char *format, ...) PG_PRINTF(2, 3);

/*
 * Refuses an option, from check() or init(). The message is printed with file,
 * line and column of `key` (NULL: of the entry): say what is wrong and, after a
 * semicolon, what to do. Returns -EINVAL, so that
 * `return pg_fail(entry, "size", "...")` ends the callback.
 */
PG_API int pg_fail(struct pg_entry *entry, const char *key, const char *format,
                   ...) PG_PRINTF(3, 4);

/* The same about two options that exclude each other: both places are shown. */
PG_API int pg_fail_pair(struct pg_entry *entry, const char *key,
                        const char *other, const char *format, ...)
    PG_PRINTF(4, 5);

/* For check() and init(), which see the same: the bytes, `most` at most, of the
   regular file that the PG_STRING `key` names, from the config's folder. A NUL
   follows them; valid until finish() returns. NULL: there is none, pg_fail()
   has said why, return -EINVAL. */
PG_API struct pg_bytes pg_read_file(struct pg_entry *entry, const char *key,
                                    size_t most);

struct pg_file; /* an output that never blocks the loop */

/*
 * Opens a file to append to (made with mode 0640 if missing), or stderr for
 * "-". A relative path counts from the config file's folder. For init() only;
 * the core closes it, and begins it anew when it was moved or removed. NULL:
 * the file cannot be opened, errno and pg_file_error() say why.
 */
PG_API struct pg_file *pg_open_file(struct pg_entry *entry, const char *path);

/* Why the last file that this thread asked for was not opened and, after a
   semicolon, what to do; for pg_fail(). Valid until the next one. */
PG_API const char *pg_file_error(void);

/* Appends one whole line or record. -EAGAIN: no room in the ring, the line is
   lost, and the loss is announced in the file as soon as there is room. Lines
   for a FIFO that nobody reads are lost, too, and counted. */
PG_API int pg_write_file(struct pg_file *file, struct pg_bytes bytes);

/* ---- other threads ---------------------------------------------------- */

/* Runs fn(entry, data) on the entry's worker soon; from any thread. `data`
   stays yours. -ENOMEM, or -ECANCELED once the worker stops: fn never runs. */
PG_API int pg_post(struct pg_entry *entry,
                   void (*fn)(struct pg_entry *entry, void *data), void *data);

#endif
