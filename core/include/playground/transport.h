/*
 * playground/transport.h - what the author of a transport needs besides
 * playground/handler.h. plugins/transport/ has the examples: tcp.c and udp.c,
 * and for what has files instead of addresses unix.c.
 *
 * A transport exports `const struct pg_transport pg_transport` and declares:
 *
 *   provides         PG_STREAM (a socket a session) or PG_RECORDS; PG_ANY:
 *                    kind() says. Records come by one socket, a session for
 *                    each peer heard from; or, without peer_size and
 *                    send_records, by a socket a session as a stream does
 *   options          as in handler.h; `host` and `port` are what --host and
 *                    --port of the command line override
 *   listener_size    its own memory for one listener, this process only
 *   session_size     its own plain data for one session, without pointers
 *   peer_size        records by one socket: how many leading bytes of that
 *                    data tell one peer from another
 *   listen           opens a socket that peers come to: `run` calls it
 *   listens_once     ... a single one for all workers
 *   connect          opens a socket to a server: `client` and `compare` call
 *                    it, a server never does
 *   ready            the listener's socket is readable: accept or receive
 *   recv, send       connections: read and write one session's socket
 *   send_records     records by one socket: send a batch for many peers
 *   address, local   the peer or the listener in words
 *   simulation       instead of sockets: plays peers on a virtual clock, see
 *                    playground/simulation.h
 *
 * The core owns every descriptor it is given, the queues and the
 * back-pressure: it registers sockets with its event loop, asks for
 * writability while something waits, and closes them. A transport never
 * blocks (its sockets are SOCK_NONBLOCK), allocates nothing per message and
 * ends sessions only by pg_session_end().
 *
 * All callbacks run on the worker's one thread. With several workers each has
 * a socket of its own for the same address, which only IP knows: see pg_bind();
 * or all share one, see listens_once.
 *
 * A server's listener goes through
 *
 *   check()    wherever the config is read, `check` too; nothing is opened
 *   listen()   in the first worker alone, as often as there are workers, or
 *              once; later workers, one in a dead one's place too, inherit
 *   adopt()    in each worker, with the descriptor it has
 *   ready()    ... whenever it is readable
 *   ended()    ... before that worker closes it; not if the worker dies
 *
 * and a client's through check(), connect() and, where records share one
 * socket, adopt() and ready().
 */
#ifndef PLAYGROUND_TRANSPORT_H
#define PLAYGROUND_TRANSPORT_H

#include <playground/handler.h>

#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

struct pg_listener; /* one opened transport of a config */
struct pg_session;  /* one peer of a listener */
struct pg_simulation;

/* The two ways to end a session. */
enum pg_end {
    PG_END_FIN,   /* send what is queued, then say goodbye (TCP: FIN) */
    PG_END_ABORT, /* throw the queue away (TCP: RST) */
};

/* Datagrams on their way out to one peer, one behind the other in `bytes`: each
   of `size` bytes, the last may be shorter. Without .run_most it is one. */
struct pg_record {
    struct pg_session *session;
    struct pg_bytes bytes;
    size_t size;
};

/* How a connection's peer stands. It may be there and not read: then its system
   answers, but takes nothing. */
struct pg_look {
    uint64_t taken;     /* bytes its system has acknowledged so far */
    bool is_waiting;    /* others are not acknowledged yet */
    bool is_owed;       /* its system has been asked and has to answer */
    uint64_t silent_ms; /* since anything at all came from there */
};

#define PG_TRANSPORT_VERSION 1u
#define PG_TRANSPORT_ABI                                                       \
    (PG_TRANSPORT_VERSION << 16 | (uint32_t)sizeof(struct pg_transport))

struct pg_transport {
    uint32_t abi; /* PG_TRANSPORT_ABI */
    const char *name, *summary;
    enum pg_kind provides; /* PG_STREAM, PG_RECORDS, or PG_ANY with kind() */

    const struct pg_option *options; /* ends with an empty element */
    size_t options_size;
    size_t listener_size;
    size_t session_size;
    size_t peer_size;
    size_t max_record; /* the longest record in bytes; 0: limits.frame_bytes */
    /* Records: a peer heard from only once, a stranger, gets at most this many
       times the bytes it sent, because its address may be forged, unless
       pg_listener_unverified() says otherwise. 0: peers cannot lie about their
       address, and nobody is a stranger. */
    unsigned unverified_ratio;
    /* Records: as many of one size may be in one pg_record, and no more bytes
       than in the longest record; 0: one. */
    unsigned run_most;

    /* Checks the options and opens nothing; on error pg_listen_fail(). */
    int (*check)(struct pg_listener *listener);
    /*
     * Opens and binds one socket; called in the first worker for each worker,
     * or once, see listens_once. Returns the descriptor, which the core then
     * owns, or pg_listen_fail().
     */
    int (*listen)(struct pg_listener *listener);
    /* The listener's descriptor came from another process or has just been
       opened: set up pg_listener_private(). Absent: nothing to do. */
    int (*adopt)(struct pg_listener *listener, int fd);
    /*
     * Opens a socket towards the options' address and returns its descriptor,
     * connected or, as connect(2) has it, EINPROGRESS: then it becomes
     * writable, and SO_ERROR says how it went. On error pg_listen_fail(). The
     * core makes the session, with zeros as the transport's own data, and
     * closes the descriptor at its end. Absent: only a server can use this
     * transport.
     */
    int (*connect)(struct pg_listener *listener);

    /*
     * The listener's socket is readable: take what is there, a bounded amount,
     * connections with pg_session_open(), records with pg_session_meet() or
     * pg_session_recv(), of up to 64 new peers. 0, or -errno of accept(2);
     * after EMFILE, ENFILE, ENOBUFS and ENOMEM the core pauses the listener
     * until descriptors are free again.
     */
    int (*ready)(struct pg_listener *listener, int fd);

    /* Connections: reads once. Bytes, or -errno; 0 at the end of input.
       Records: one whole record, 0 being an empty one; at the end -ESHUTDOWN;
       -EMSGSIZE if it is longer than `size`, which ends the session. */
    ssize_t (*recv)(struct pg_session *session, int fd, void *buffer,
                    size_t size);
    /* Connections: writes once. Bytes taken, or -errno; -EAGAIN when full.
       Records: one whole record, `count` being 1; -EMSGSIZE drops it. */
    ssize_t (*send)(struct pg_session *session, int fd,
                    const struct iovec *parts, int count);
    /* Connections: no more output will come (TCP: shutdown(SHUT_WR)). */
    void (*finish)(struct pg_session *session, int fd);

    /*
     * Records: sends from the first on, returns how many datagrams were taken
     * (at least one), or -errno of the first: -EAGAIN waits for writability,
     * anything else drops that one with a reason.
     */
    int (*send_records)(struct pg_listener *listener, int fd,
                        const struct pg_record *records, int count);

    /* Writes "127.0.0.1:5000": the session's peer, or with a NULL session the
       address the descriptor is bound to, a listener's or a connection's. */
    void (*address)(struct pg_listener *listener,
                    const struct pg_session *session, int fd, char *text,
                    size_t size);

    /* PG_STREAM or PG_RECORDS, as the options say; for .provides = PG_ANY. */
    enum pg_kind (*kind)(struct pg_listener *listener);

    /* Peers are played instead of met on sockets; NULL: sockets. */
    const struct pg_simulation *simulation;

    /* Connections: fills `look`, now and then, for limits.unread_s and
       pg_listener_gone(). Absent: what counts is whether send() takes. */
    void (*look)(struct pg_session *session, int fd, struct pg_look *look);
    /* Records: how many bytes of headers carry each record to or from this
       peer, up to 255; they count where unverified_ratio does. Absent: 0. */
    size_t (*header_bytes)(const struct pg_session *session);

    /* listen() is called once for all workers, which accept from one socket:
       ready() takes a few a call, so that the next ones go to others. A worker
       with more sessions than another lets that one go first. */
    bool listens_once;
    /* The listener ends in this process, and `fd` is closed next: undoes what
       adopt() did. The server may go on, with a new worker; what is to end with
       the server is for pg_listener_own_file(). Absent: nothing to do. */
    void (*ended)(struct pg_listener *listener, int fd);
    /* Writes the address that the session's peer came to. Absent: address()
       with a NULL session, of a connection's own descriptor or else of the
       listener's. */
    void (*local)(struct pg_listener *listener,
                  const struct pg_session *session, char *text, size_t size);
};

/* The one symbol a transport exports. */
extern PG_API const struct pg_transport pg_transport;

/* ---- listeners -------------------------------------------------------- */

PG_API const void *pg_listener_options(const struct pg_listener *listener);
PG_API void *pg_listener_private(struct pg_listener *listener);

/* Refuses a listener's options, with file, line and column of `key` (NULL: of
   the whole listener): say why and, after a semicolon, what to do. Returns
   -EINVAL. */
PG_API int pg_listen_fail(struct pg_listener *listener, const char *key,
                          const char *format, ...) PG_PRINTF(3, 4);

/* fopen(3) for a path of the config, which counts from its file's folder. NULL:
   errno and pg_file_error() say why. */
PG_API FILE *pg_listener_file(struct pg_listener *listener, const char *path,
                              const char *mode);

/* The place of a file of the config, whose path counts from its file's folder.
   Returns the length as snprintf(3) does. */
PG_API size_t pg_listener_path(const struct pg_listener *listener,
                               const char *path, char *text, size_t size);

/* Keeps other servers from putting files into the folder of `path` until the
   descriptor is closed: an exclusive flock(2). It waits a second at most. The
   descriptor, or -errno: -EWOULDBLOCK, somebody has it locked. */
PG_API int pg_lock_folder(const char *path);

/* For listen(): it has made this file, which is to go when the server ends:
   whichever of its processes is the last removes it, under pg_lock_folder(), if
   it is still the same one. 0, or -errno of lstat(2). */
PG_API int pg_listener_own_file(struct pg_listener *listener, const char *path);

/*
 * For IP: bind(2) so that a second server on the address is refused with
 * EADDRINUSE, but the sockets of this listener's other workers may join: the
 * first binds without SO_REUSEPORT, which is set afterwards (socket(7)). With
 * port 0 the first takes a free port and the others join that one. 0 or -errno.
 */
PG_API int pg_bind(struct pg_listener *listener, int fd,
                   const struct sockaddr *address, socklen_t length);

/*
 * For IP: the address `host`:`port` for bind() and connect(). 0; -EINVAL:
 * `host` is neither an IPv4 or IPv6 address nor a possible name; -ENOENT: a
 * name that has no address, or without `lookup` any name; -EAGAIN: no name
 * server has answered. A look-up may block; IPv4 is taken before IPv6.
 */
PG_API int pg_address(const char *host, int port, bool lookup,
                      struct sockaddr_storage *address, socklen_t *length);

/* pg_listen_fail() for what pg_address(), socket(2), pg_bind() or connect(2)
   answered (a negative errno), with what to do next. Returns -EINVAL. */
PG_API int pg_address_fail(struct pg_listener *listener, const char *host,
                           int port, int error);

/* "127.0.0.1:5000", "[::1]:5000"; an IPv4 peer of a "::" socket as IPv4. */
PG_API void pg_address_text(const struct sockaddr *address, char *text,
                            size_t size);

/* True if a listener of this server with the same transport receives what is
   sent to `peer`. `local` is the address the datagram came to, or NULL. */
PG_API bool pg_is_own_address(struct pg_listener *listener,
                              const struct sockaddr *peer,
                              const struct sockaddr *local);

/* The worker's read buffer, lent until ready() returns: at least 1 MiB, always
   at the same place. What is sent out of it is not copied. */
PG_API uint8_t *pg_read_buffer(struct pg_listener *listener, size_t *size);

/* Counts a datagram or connection that was refused before it had a session. */
PG_API void pg_refuse(struct pg_listener *listener, const char *reason);

/* ---- sessions --------------------------------------------------------- */

/*
 * A peer came whose address is beyond doubt, as a connection's is. `fd` is its
 * own descriptor (the core owns it from here on, also on failure) or -1 when it
 * shares the listener's. `data` is copied into the session before the handlers'
 * open(). NULL: limits.max_sessions is reached, and no UDP peer could be ended
 * instead, or a handler turned it away; that has been counted.
 */
PG_API struct pg_session *pg_session_open(struct pg_listener *listener, int fd,
                                          const void *data);

/*
 * Records: one came from a peer that has no session. It gets one, with `data`
 * as above, and its handlers the record: where .unverified_ratio is not 0, as a
 * stranger, which is known from its second record on. What the first one earns
 * may be sent in open() already. NULL: no room, counted.
 */
PG_API struct pg_session *pg_session_meet(struct pg_listener *listener,
                                          const void *data,
                                          struct pg_bytes first);

/* Records: the session of the peer whose first peer_size bytes are these. */
PG_API struct pg_session *pg_session_find(struct pg_listener *listener,
                                          const void *peer);

/* Records: one record came from this peer. */
PG_API void pg_session_recv(struct pg_session *session, struct pg_bytes bytes);

/* Ends a session; close() of its entries runs soon, not inside this call. */
PG_API void pg_session_end(struct pg_session *session, enum pg_end how,
                           enum pg_why why, const char *text);

/* Records by one socket: at most so many peers are known, on this worker; one
   more ends the one silent for longest. 0: no limit but limits.max_sessions. */
PG_API void pg_listener_peers(struct pg_listener *listener, uint64_t most);

/* Records: what a stranger may be sent, in times of what it sent; 0: whatever
   the handlers like. */
PG_API void pg_listener_unverified(struct pg_listener *listener,
                                   uint64_t ratio);

/* Ends sessions not heard from for `ms` milliseconds; 0: never. */
PG_API void pg_listener_idle(struct pg_listener *listener, uint64_t ms);

/* Connections: ends sessions whose peer has owed an answer and said nothing for
   `ms` milliseconds, see struct pg_look; 0: never. */
PG_API void pg_listener_gone(struct pg_listener *listener, uint64_t ms);

/* The transport's own data of a session (session_size bytes). */
PG_API void *pg_session_data(struct pg_session *session);
PG_API const void *pg_session_data_const(const struct pg_session *session);
PG_API struct pg_listener *pg_session_listener(struct pg_session *session);

#endif
