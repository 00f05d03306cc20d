/*
 * tcp - one socket that listens, and one for each connection.
 *
 * TCP (RFC 9293) carries a stream: what arrives are bytes in order, and where
 * the peer's send() calls began and ended is lost on the way. The calls come
 * here in the order of every lecture: socket, bind, listen, accept, recv,
 * send, shutdown. close() is the core's. No call blocks: every socket is
 * SOCK_NONBLOCK, and the core calls again when there is something to do.
 */
#include <playground/transport.h>

#include <errno.h>
#include <linux/tcp.h> /* knows more of struct tcp_info than netinet/tcp.h */
#include <netinet/in.h>
#include <unistd.h>

struct tcp_options {
    const char *host;
    int port, backlog;
    bool nodelay, keepalive;
    int keepalive_s, idle_s;
};

/* Large enough for both families, and without pointers: a session's own data
   outlives the process. */
struct tcp_session {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
};

/* ---- opening ---------------------------------------------------------- */

static int tcp_set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

/*
 * A peer that was switched off says nothing for ever: only keep-alive probes
 * (RFC 1122, 4.2.3.6) find out. The first comes after keepalive_s of silence,
 * and as many as fit into the same time again may go unanswered, three at most.
 * They are sent only while no data is on its way; for that see tcp_look().
 */
static int tcp_keep_alive(int fd, int keepalive_s)
{
    int count = keepalive_s < 3 ? keepalive_s : 3;
    int error = tcp_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, keepalive_s);

    if (!error)
        error = tcp_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, keepalive_s / count);
    if (!error)
        error = tcp_set(fd, IPPROTO_TCP, TCP_KEEPCNT, count);
    return error;
}

/*
 * Nagle's algorithm (RFC 896) holds a small segment back while another is not
 * yet acknowledged; with delayed ACKs (RFC 1122, 4.2.3.2) that costs a chat
 * 40 ms a line, hence TCP_NODELAY. A byte that the peer has sent as urgent
 * would be taken out of the stream, were it not for SO_OOBINLINE (RFC 6093, 6).
 *
 * On Linux an accepted socket inherits all of this from the listening one.
 */
static int tcp_tune(int fd, const struct tcp_options *options)
{
    int error = tcp_set(fd, IPPROTO_TCP, TCP_NODELAY, options->nodelay);

    if (!error && options->keepalive)
        error = tcp_keep_alive(fd, options->keepalive_s);
    if (!error)
        error = tcp_set(fd, SOL_SOCKET, SO_KEEPALIVE, options->keepalive);
    if (!error)
        error = tcp_set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
    return error;
}

/* The first call of both sides. The descriptor, or -errno. */
static int tcp_socket(const struct tcp_options *options,
                      struct sockaddr_storage *address, socklen_t *length)
{
    int error = pg_address(options->host, options->port, true, address, length);
    int fd;

    if (error)
        return error;
    fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                0);
    if (fd < 0)
        return -errno;
    error = tcp_tune(fd, options);
    if (error)
        close(fd);
    return error ? error : fd;
}

static int tcp_bind(struct pg_listener *listener, int fd,
                    const struct sockaddr *address, socklen_t length)
{
    /* Connections of a server that has just ended rest in TIME-WAIT (RFC
       9293, 3.6.1) and would block the port for a minute. A second server is
       refused all the same, see socket(7). */
    int error = tcp_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);

    /* A socket bound to "::" takes IPv4 as well (RFC 3493, 5.3). */
    if (!error && address->sa_family == AF_INET6)
        error = tcp_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    return error ? error : pg_bind(listener, fd, address, length);
}

static int tcp_fail(struct pg_listener *listener, int fd, int error)
{
    const struct tcp_options *options = pg_listener_options(listener);

    if (fd >= 0)
        close(fd);
    return pg_address_fail(listener, options->host, options->port, error);
}

static int tcp_listen(struct pg_listener *listener)
{
    const struct tcp_options *options = pg_listener_options(listener);
    struct sockaddr_storage address;
    socklen_t length;
    int fd = tcp_socket(options, &address, &length), error;

    if (fd < 0)
        return tcp_fail(listener, -1, fd);
    error = tcp_bind(listener, fd, (struct sockaddr *)&address, length);
    if (error)
        return tcp_fail(listener, fd, error);
    /* From here on the kernel shakes hands by itself; `backlog` is how many
       finished connections may wait for accept(), see listen(2). */
    if (listen(fd, options->backlog))
        return tcp_fail(listener, fd, -errno);
    return fd;
}

static int tcp_adopt(struct pg_listener *listener, int fd)
{
    const struct tcp_options *options = pg_listener_options(listener);

    (void)fd;
    pg_listener_idle(listener, (uint64_t)options->idle_s * 1000);
    pg_listener_gone(listener, options->keepalive
                                   ? (uint64_t)options->keepalive_s * 1000
                                   : 0);
    return 0;
}

static int tcp_connect(struct pg_listener *listener)
{
    struct sockaddr_storage address;
    socklen_t length;
    int fd = tcp_socket(pg_listener_options(listener), &address, &length);

    if (fd < 0)
        return tcp_fail(listener, -1, fd);
    /* The handshake takes a round trip: EINPROGRESS, and the socket becomes
       writable when it is over, see connect(2). */
    if (connect(fd, (struct sockaddr *)&address, length) &&
        errno != EINPROGRESS)
        return tcp_fail(listener, fd, -errno);
    return fd;
}

/* ---- accepting -------------------------------------------------------- */

#define ACCEPTS_PER_CALL 64 /* then it is the others' turn */

/* True for errors of a connection that is already broken, not of the listening
   socket: accept(2) says to go on with the next. */
static bool tcp_is_skipped(int error)
{
    switch (error) {
    case ECONNABORTED:
    case EINTR:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case EPERM: /* a firewall rule forbids it */
        return true;
    default:
        return false;
    }
}

static int tcp_ready(struct pg_listener *listener, int fd)
{
    for (int i = 0; i < ACCEPTS_PER_CALL; i++) {
        struct tcp_session session = {0};
        socklen_t length = sizeof(session.peer);
        int peer = accept4(fd, &session.peer.any, &length,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (peer >= 0)
            pg_session_open(listener, peer, &session);
        else if (errno == EAGAIN)
            return 0; /* all are taken */
        else if (tcp_is_skipped(errno))
            pg_refuse(listener, "connection broken before accept()");
        else
            return -errno; /* out of descriptors, perhaps */
    }
    return 0;
}

/* ---- a connection ----------------------------------------------------- */

static ssize_t tcp_recv(struct pg_session *session, int fd, void *buffer,
                        size_t size)
{
    ssize_t got = recv(fd, buffer, size, 0);

    (void)session;
    return got < 0 ? -errno : got; /* 0: the peer's FIN */
}

/* May take less than all; without MSG_NOSIGNAL a broken connection would end
   the whole process with SIGPIPE, see send(2). */
static ssize_t tcp_send(struct pg_session *session, int fd,
                        const struct iovec *parts, int count)
{
    struct msghdr message = {0};
    ssize_t sent;

    (void)session;
    if (count == 1) { /* the cheaper call, and the usual case */
        sent = send(fd, parts->iov_base, parts->iov_len, MSG_NOSIGNAL);
    } else {
        message.msg_iov = (struct iovec *)(uintptr_t)parts;
        message.msg_iovlen = (size_t)count;
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    }
    return sent < 0 ? -errno : sent;
}

/* Sends our FIN and goes on reading: half-close (RFC 9293, 3.6). */
static void tcp_finish(struct pg_session *session, int fd)
{
    (void)session;
    shutdown(fd, SHUT_WR); /* fails only when the peer has gone already */
}

/*
 * Data that is not acknowledged is sent again and again for a quarter of an
 * hour, and a full window is probed for as long (RFC 9293, 3.8.6.1). A peer
 * that is there answers one of two: those within half a second of an answer get
 * none, see tcp_invalid_ratelimit in the kernel's ip-sysctl. TCP_USER_TIMEOUT
 * would end one whose window is full all the same, so TCP_INFO is looked at.
 */
static void tcp_look(struct pg_session *session, int fd, struct pg_look *look)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof(info);

    (void)session;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
        return; /* broken: recv() and send() will tell */
    look->taken = info.tcpi_bytes_acked;
    look->is_waiting = info.tcpi_unacked || info.tcpi_notsent_bytes;
    look->is_owed = info.tcpi_retransmits || info.tcpi_probes > 1;
    look->silent_ms = info.tcpi_last_ack_recv;
}

/* ---- in words --------------------------------------------------------- */

static void tcp_address(struct pg_listener *listener,
                        const struct pg_session *session, int fd, char *text,
                        size_t size)
{
    const struct tcp_session *known = NULL;
    struct tcp_session asked = {0};
    socklen_t length = sizeof(asked.peer);

    (void)listener;
    if (session)
        known = pg_session_data_const(session);
    if (!session)
        getsockname(fd, &asked.peer.any, &length);
    else if (known->peer.any.sa_family == AF_UNSPEC) /* from tcp_connect() */
        getpeername(fd, &asked.peer.any, &length);
    else
        asked = *known;
    pg_address_text(&asked.peer.any, text, size);
}

/* Looks at the text only; a name is looked up when the socket is opened. */
static int tcp_check(struct pg_listener *listener)
{
    const struct tcp_options *options = pg_listener_options(listener);
    struct sockaddr_storage address;
    socklen_t length;
    int error =
        pg_address(options->host, options->port, false, &address, &length);

    return error && error != -ENOENT ? tcp_fail(listener, -1, error) : 0;
}

static const struct pg_option tcp_option_table[] = {
    {"host", PG_STRING, PG_FIELD(struct tcp_options, host),
     .initial = "127.0.0.1",
     .help = "address to listen on; 0.0.0.0 is every network, \"::\" IPv6 too"},
    {"port", PG_INT, PG_FIELD(struct tcp_options, port), .initial = "5000",
     .max = 65535, .help = "port to listen on; 0 takes a free one"},
    {"backlog", PG_INT, PG_FIELD(struct tcp_options, backlog),
     .unit = "connections", .initial = "511", .min = 1, .max = 65535,
     .help = "how many may wait to be accepted; the system caps it"},
    {"nodelay", PG_BOOL, PG_FIELD(struct tcp_options, nodelay),
     .initial = "true", .help = "send small messages at once (TCP_NODELAY)"},
    {"keepalive", PG_BOOL, PG_FIELD(struct tcp_options, keepalive),
     .initial = "true",
     .help = "probe silent peers, to notice those that were switched off"},
    {"keepalive_s", PG_INT, PG_FIELD(struct tcp_options, keepalive_s),
     .unit = "s", .initial = "120", .min = 1, .max = 32767,
     .help = "silence before the first probe; after twice that the peer is "
             "taken for gone"},
    {"idle_s", PG_INT, PG_FIELD(struct tcp_options, idle_s), .unit = "s",
     .initial = "0", .max = 1 << 30,
     .help = "a peer that says nothing for so long is disconnected; 0: never"},
    {0},
};

const struct pg_transport pg_transport = {
    .abi = PG_TRANSPORT_ABI,
    .name = "tcp",
    .summary = "a stream of bytes for each connection",
    .provides = PG_STREAM,
    .options = tcp_option_table,
    .options_size = sizeof(struct tcp_options),
    .session_size = sizeof(struct tcp_session),
    .check = tcp_check,
    .listen = tcp_listen,
    .adopt = tcp_adopt,
    .connect = tcp_connect,
    .ready = tcp_ready,
    .recv = tcp_recv,
    .send = tcp_send,
    .finish = tcp_finish,
    .address = tcp_address,
    .look = tcp_look,
};
