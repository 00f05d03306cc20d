/*
 * unix - a socket that is a file, for programs on one machine; see unix(7).
 *
 * "stream" carries bytes in order as TCP does. "seqpacket" is what neither TCP
 * nor UDP is: a connection that keeps each send() whole, the records in order
 * and none lost. The calls are those of tcp.c; instead of an address there is a
 * path, and since a file stays when its server dies, listen() has more to do.
 */
#include <playground/transport.h>
#include <playground/utf8.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct unix_options {
    const char *path, *type, *mode;
    int idle_s;
};

struct unix_session {
    char peer[112];   /* in words; empty: we have called, not been called */
    bool is_counting; /* the peer is slow, see unix_look() */
    uint64_t charged; /* what unix_unread() has grown by while counting */
};

static bool unix_has_records(struct pg_listener *listener)
{
    const struct unix_options *options = pg_listener_options(listener);

    return !strcmp(options->type, "seqpacket");
}

static struct sockaddr_un unix_address_of(struct pg_listener *listener)
{
    const struct unix_options *options = pg_listener_options(listener);
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    pg_listener_path(listener, options->path, address.sun_path,
                     sizeof(address.sun_path));
    return address;
}

/* ---- opening ---------------------------------------------------------- */

static int unix_fail(struct pg_listener *listener, const char *doing, int error,
                     int fd)
{
    const char *advice =
        error == -EADDRINUSE ? "end the server that uses it, or choose another"
        : error == -EEXIST   ? "this is no socket: choose another path"
        : error == -EPROTOTYPE ? "its type is the other one"
        : error == -EAGAIN     ? "others are at it: try again"
                               : "check the path and the server";

    if (fd >= 0)
        close(fd);
    return pg_listen_fail(listener, "path", "cannot %s %s: %s; %s", doing,
                          unix_address_of(listener).sun_path, strerror(-error),
                          advice);
}

/* Removes the socket of a dead server, under the folder's lock: two that start
   at once would each take the other's for one. A question of a type that no
   server has disturbs nobody: the dead refuse, the living say EPROTOTYPE. */
static int unix_clear(const struct sockaddr_un *address)
{
    struct stat status;
    int fd, error = 0;

    if (lstat(address->sun_path, &status))
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode))
        return -EEXIST;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)))
        error = errno;
    close(fd);
    if (error != ECONNREFUSED)
        return error == EACCES ? -EACCES : -EADDRINUSE;
    return unlink(address->sun_path) ? -errno : 0;
}

static int unix_socket(struct pg_listener *listener)
{
    int type = unix_has_records(listener) ? SOCK_SEQPACKET : SOCK_STREAM;
    int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : fd;
}

/* bind(2) makes the file, with the rights that umask(2) leaves of all. */
static int unix_bind(struct pg_listener *listener, int fd,
                     const struct sockaddr_un *address)
{
    const struct unix_options *options = pg_listener_options(listener);
    mode_t mask = umask(0777 & ~(mode_t)strtoul(options->mode, NULL, 8));
    int failed = bind(fd, (const struct sockaddr *)address, sizeof(*address));
    int error = failed ? -errno : 0;

    umask(mask);
    if (!error)
        error = pg_listener_own_file(listener, address->sun_path);
    if (!error && listen(fd, SOMAXCONN))
        error = -errno;
    return error;
}

static int unix_listen(struct pg_listener *listener)
{
    struct sockaddr_un address = unix_address_of(listener);
    int lock = pg_lock_folder(address.sun_path), fd = -1;
    int error = lock < 0 ? lock : unix_clear(&address);

    if (!error)
        error = fd = unix_socket(listener);
    if (fd >= 0)
        error = unix_bind(listener, fd, &address);
    if (lock >= 0)
        close(lock);
    return error ? unix_fail(listener, "listen on", error, fd) : fd;
}

static int unix_adopt(struct pg_listener *listener, int fd)
{
    const struct unix_options *options = pg_listener_options(listener);

    (void)fd;
    pg_listener_idle(listener, (uint64_t)options->idle_s * 1000);
    return 0;
}

/* recv() says 0 for an empty record and for the end. With SO_PASSCRED a record
   carries who has sent it, for which unix_recv() has no room: MSG_CTRUNC, which
   the end has not. */
static void unix_mark_records(struct pg_listener *listener, int fd)
{
    int on = unix_has_records(listener);

    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)); /* cannot fail */
}

/* Never waits for the other side: it is connected at once, or not at all. */
static int unix_connect(struct pg_listener *listener)
{
    struct sockaddr_un to = unix_address_of(listener);
    int fd = unix_socket(listener);

    if (fd < 0)
        return unix_fail(listener, "connect to", fd, -1);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
        return unix_fail(listener, "connect to", -errno, fd);
    unix_mark_records(listener, fd);
    return fd;
}

/* ---- accepting -------------------------------------------------------- */

/* Puts "pid 4711, ana, nc" into `session`, see SO_PEERCRED. A program has its
   name by its own choice, and shall forge no line with it. */
static void unix_meet(int fd, struct unix_session *session)
{
    char path[32], program[16], *end = session->peer;
    struct ucred peer = {0};
    socklen_t length = sizeof(peer);
    const struct passwd *user;
    ssize_t got;

    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
    user = getpwuid(peer.uid);
    end += user ? sprintf(end, "pid %d, %.24s", peer.pid, user->pw_name)
                : sprintf(end, "pid %d, uid %u", peer.pid, peer.uid);
    snprintf(path, sizeof(path), "/proc/%d/comm", peer.pid); /* see proc(5) */
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* it has gone, or is in another pid_namespaces(7) */
    got = read(fd, program, sizeof(program));
    close(fd);
    end += sprintf(end, ", ");
    pg_utf8_show(end, (size_t)(session->peer + sizeof(session->peer) - end),
                 pg_bytes(program, got > 0 ? (size_t)got - 1 : 0), PG_UTF8_LINE,
                 NULL);
}

static int unix_ready(struct pg_listener *listener, int fd)
{
    for (int i = 0; i < 4; i++) { /* the next ones go to other workers */
        struct unix_session session = {0};
        int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (peer < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        unix_meet(peer, &session);
        unix_mark_records(listener, peer);
        pg_session_open(listener, peer, &session);
    }
    return 0;
}

/* ---- a connection ----------------------------------------------------- */

/* Descriptors that a peer sends along (SCM_RIGHTS) are closed by the kernel,
   since nobody gives it room for them. */
static ssize_t unix_recv(struct pg_session *session, int fd, void *buffer,
                         size_t size)
{
    struct iovec part = {buffer, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t got = recvmsg(fd, &message, 0);

    if (got < 0)
        return -errno;
    if (!unix_has_records(pg_session_listener(session)))
        return got;
    if (message.msg_flags & MSG_TRUNC) /* the rest of it is lost */
        return -EMSGSIZE;
    return got || message.msg_flags & MSG_CTRUNC ? got : -ESHUTDOWN;
}

/* What the peer has not taken of our output, see tcp(7), SIOCOUTQ; here in the
   memory that it occupies, which is more than its bytes. */
static uint64_t unix_unread(int fd)
{
    int left = 0;

    return ioctl(fd, SIOCOUTQ, &left) || left < 0 ? 0 : (uint64_t)left;
}

static ssize_t unix_send(struct pg_session *session, int fd,
                         const struct iovec *parts, int count)
{
    struct unix_session *known = pg_session_data(session);
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts,
                             .msg_iovlen = (size_t)count};
    uint64_t before = known->is_counting ? unix_unread(fd) : 0;
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);

    if (sent < 0)
        sent = -errno;
    if (known->is_counting)
        known->charged += unix_unread(fd) - before;
    return sent;
}

static void unix_finish(struct pg_session *session, int fd)
{
    (void)session;
    shutdown(fd, SHUT_WR); /* fails only when the peer has gone already */
}

/* A peer here cannot vanish, and owes no answer. What was charged without what
   is still there grows only when it reads. */
static void unix_look(struct pg_session *session, int fd, struct pg_look *look)
{
    struct unix_session *known = pg_session_data(session);
    uint64_t left = unix_unread(fd);

    known->is_counting = left > 0;
    look->is_waiting = left > 0;
    look->taken = known->charged - left;
}

/* ---- in words --------------------------------------------------------- */

static void unix_address(struct pg_listener *listener,
                         const struct pg_session *session, int fd, char *text,
                         size_t size)
{
    const struct unix_session *known =
        session ? pg_session_data_const(session) : &(struct unix_session){0};

    (void)fd;
    snprintf(text, size, "%s", known->peer);
    if (!known->peer[0])
        snprintf(text, size, "%s", unix_address_of(listener).sun_path);
}

static enum pg_kind unix_kind(struct pg_listener *listener)
{
    return unix_has_records(listener) ? PG_RECORDS : PG_STREAM;
}

static int unix_check(struct pg_listener *listener)
{
    const struct unix_options *options = pg_listener_options(listener);
    size_t len = pg_listener_path(listener, options->path, NULL, 0);
    size_t most = sizeof(((struct sockaddr_un *)NULL)->sun_path);
    const char *mode = options->mode;

    if (!options->path[0])
        return pg_listen_fail(listener, "path", "\"path\" is empty; name one");
    if (len >= most)
        return pg_listen_fail(listener, "path",
                              "\"path\" has %zu bytes with the config's "
                              "folder, and a socket's at most %zu; shorten it",
                              len, most - 1);
    if (!mode[0] || mode[strspn(mode, "01234567")] ||
        strtoul(mode, NULL, 8) > 0777)
        return pg_listen_fail(listener, "mode",
                              "\"mode\" is \"%s\"; write \"600\" or \"660\"",
                              mode);
    return 0;
}

static const struct pg_option unix_option_table[] = {
    {"path", PG_STRING, PG_FIELD(struct unix_options, path),
     .initial = "playground.sock",
     .help = "the socket's place, from the config's folder; at most 107 bytes"},
    {"type", PG_STRING, PG_FIELD(struct unix_options, type),
     .initial = "stream", .choices = "stream seqpacket",
     .help = "stream: bytes, as tcp; seqpacket: records, none lost"},
    {"mode", PG_STRING, PG_FIELD(struct unix_options, mode), .initial = "600",
     .help = "who may connect: 600 you, 660 your group too, 666 everybody"},
    {"idle_s", PG_INT, PG_FIELD(struct unix_options, idle_s), .unit = "s",
     .initial = "0", .max = 1 << 30,
     .help = "a peer that says nothing for so long is disconnected; 0: never"},
    {0},
};

const struct pg_transport pg_transport = {
    .abi = PG_TRANSPORT_ABI,
    .name = "unix",
    .summary = "a stream or records between programs on one machine",
    .provides = PG_ANY,
    .kind = unix_kind,
    .options = unix_option_table,
    .options_size = sizeof(struct unix_options),
    .session_size = sizeof(struct unix_session),
    .max_record = 200 * 1024, /* fits into the default send buffer */
    .check = unix_check,
    .listen = unix_listen,
    .listens_once = true,
    .adopt = unix_adopt,
    .connect = unix_connect,
    .ready = unix_ready,
    .recv = unix_recv,
    .send = unix_send,
    .finish = unix_finish,
    .address = unix_address,
    .look = unix_look,
};
