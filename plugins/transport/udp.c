/*
 * udp - one socket for all peers.
 *
 * UDP (RFC 768) carries datagrams: each arrives whole or not at all, in any
 * order, and an empty one counts. There is no connection, so the core makes a
 * session for each address heard from and ends it when it has been silent.
 *
 * Where the lecture calls recvfrom() and sendto() once a datagram, this file
 * takes and gives many a call: recvmmsg(2), sendmmsg(2). For neighbours with
 * the same peer one message may even carry many datagrams: UDP_GRO and
 * UDP_SEGMENT, see udp(7). Their boundaries stay as they were.
 */
#include <errno.h>
#include <unistd.h>

#include "transport/udp.h"

/* No datagram is cut, nor a run of UDP_GRO; and a cache line more, because
   what lies a power of two apart competes for the same few places of a cache.
 */
#define SLOT_BYTES (65536 + 64)

/* ---- opening ---------------------------------------------------------- */

static int udp_set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

/*
 * A burst that finds the receive buffer full is lost without a word, hence a
 * large one; the system cuts both sizes to net.core.rmem_max and wmem_max, see
 * socket(7). Path MTU discovery stays as it is: what is too large for a link
 * is fragmented, not refused, see IP_MTU_DISCOVER in ip(7).
 */
static int udp_tune(int fd, const struct udp_options *options)
{
    int error =
        udp_set(fd, SOL_SOCKET, SO_RCVBUF, options->receive_buffer_bytes);

    if (!error)
        error = udp_set(fd, SOL_SOCKET, SO_SNDBUF, options->send_buffer_bytes);
    if (!error)
        error = udp_set(fd, IPPROTO_UDP, UDP_GRO, 1);
    return error == -ENOPROTOOPT ? 0 : error; /* older than Linux 5.0 */
}

/* The first call of both sides. The descriptor, or -errno. */
static int udp_socket(const struct udp_options *options,
                      struct sockaddr_storage *address, socklen_t *length)
{
    int error = pg_address(options->host, options->port, true, address, length);
    int fd;

    if (error)
        return error;
    fd = socket(address->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                0);
    if (fd < 0)
        return -errno;
    error = udp_tune(fd, options);
    if (error)
        close(fd);
    return error ? error : fd;
}

static bool udp_is_wildcard(const union udp_address *address)
{
    if (address->any.sa_family == AF_INET)
        return address->v4.sin_addr.s_addr == htonl(INADDR_ANY);
    return address->any.sa_family == AF_INET6 &&
           IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
}

/*
 * A socket bound to every address does not see which of them a datagram came
 * to, and would answer from any: the peer, which knows us by the address it
 * asked, throws that away (RFC 1122, 4.1.3.5). So the kernel is to tell us,
 * see IP_PKTINFO in ip(7) and RFC 3542, section 6.
 */
static int udp_ask_local(int fd, const union udp_address *address)
{
    int error = 0;

    if (!udp_is_wildcard(address))
        return 0;
    if (address->any.sa_family == AF_INET6)
        error = udp_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    /* A socket on "::" asks too: IPv4 peers are ::ffff:1.2.3.4 there. */
    return error ? error : udp_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

/* Never SO_REUSEADDR: for UDP it lets two servers share a port in silence. */
static int udp_bind(struct pg_listener *listener, int fd,
                    const struct sockaddr *address, socklen_t length)
{
    int error = udp_ask_local(fd, (const union udp_address *)address);

    /* A socket bound to "::" takes IPv4 as well (RFC 3493, 5.3). */
    if (!error && address->sa_family == AF_INET6)
        error = udp_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    return error ? error : pg_bind(listener, fd, address, length);
}

static int udp_fail(struct pg_listener *listener, int fd, int error)
{
    const struct udp_options *options = pg_listener_options(listener);

    if (fd >= 0)
        close(fd);
    return pg_address_fail(listener, options->host, options->port, error);
}

static int udp_listen(struct pg_listener *listener)
{
    struct sockaddr_storage address;
    socklen_t length;
    int fd = udp_socket(pg_listener_options(listener), &address, &length);
    int error;

    if (fd < 0)
        return udp_fail(listener, -1, fd);
    error = udp_bind(listener, fd, (struct sockaddr *)&address, length);
    return error ? udp_fail(listener, fd, error) : fd;
}

/* Sends nothing: it only notes the address, so that the kernel filters what
   comes from elsewhere and reports ICMP errors, see connect(2) and udp(7). */
static int udp_connect(struct pg_listener *listener)
{
    struct sockaddr_storage address;
    socklen_t length;
    int fd = udp_socket(pg_listener_options(listener), &address, &length);

    if (fd < 0)
        return udp_fail(listener, -1, fd);
    if (connect(fd, (struct sockaddr *)&address, length))
        return udp_fail(listener, fd, -errno);
    return fd;
}

static int udp_adopt(struct pg_listener *listener, int fd)
{
    const struct udp_options *options = pg_listener_options(listener);
    struct udp *udp = pg_listener_private(listener);
    socklen_t bound_len = sizeof(udp->bound), peer_len = sizeof(udp->server);

    if (getsockname(fd, &udp->bound.any, &bound_len))
        return -errno;
    udp->is_connected = getpeername(fd, &udp->server.any, &peer_len) == 0;
    udp->max_segment = DATAGRAM_BYTES;
    pg_listener_peers(listener, (uint64_t)options->max_peers);
    pg_listener_unverified(listener, (uint64_t)options->unverified_ratio);
    udp->in.used = SLOTS;
    for (int i = 0; i < SLOTS; i++) {
        udp->in.messages[i].msg_hdr.msg_name = &udp->in.peers[i];
        udp->in.messages[i].msg_hdr.msg_iov = &udp->in.parts[i];
        udp->in.messages[i].msg_hdr.msg_iovlen = 1;
        udp->in.messages[i].msg_hdr.msg_control = &udp->in.controls[i];
    }
    pg_listener_idle(listener,
                     udp->is_connected ? 0 : (uint64_t)options->idle_s * 1000);
    return 0;
}

/* ---- receiving -------------------------------------------------------- */

/* recvmmsg() overwrites the lengths of the slots it uses. */
static void udp_lay_slots(struct udp_receiving *in, uint8_t *buffer)
{
    for (int i = 0; i < in->used; i++) {
        struct msghdr *header = &in->messages[i].msg_hdr;

        in->parts[i].iov_base = buffer + i * (size_t)SLOT_BYTES;
        in->parts[i].iov_len = SLOT_BYTES;
        header->msg_namelen = sizeof(in->peers[i]);
        header->msg_controllen = sizeof(in->controls[i]);
    }
}

static void udp_read_local(const struct cmsghdr *control, struct udp *udp,
                           union udp_address *local)
{
    struct in_pktinfo v4;
    struct in6_pktinfo v6;

    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
        memcpy(&v4, CMSG_DATA(control), sizeof(v4));
        local->v4.sin_family = AF_INET;
        local->v4.sin_addr = v4.ipi_spec_dst; /* ours even for a broadcast */
        local->v4.sin_port = udp->bound.v4.sin_port;
    }
    if (control->cmsg_level == IPPROTO_IPV6 &&
        control->cmsg_type == IPV6_PKTINFO) {
        memcpy(&v6, CMSG_DATA(control), sizeof(v6));
        if (IN6_IS_ADDR_MULTICAST(&v6.ipi6_addr) ||
            IN6_IS_ADDR_V4MAPPED(&v6.ipi6_addr))
            return; /* nobody's own address; told above */
        local->v6.sin6_family = AF_INET6;
        local->v6.sin6_addr = v6.ipi6_addr;
        local->v6.sin6_port = udp->bound.v6.sin6_port;
        if (IN6_IS_ADDR_LINKLOCAL(&v6.ipi6_addr))
            local->v6.sin6_scope_id = v6.ipi6_ifindex;
    }
}

/* Reads the peer and what the kernel says beside the bytes. Returns the size of
   the datagrams that UDP_GRO has put one behind the other, or 0: one datagram.
 */
static size_t udp_read_facts(struct msghdr *header, struct udp *udp,
                             struct udp_session *from)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    int segment = 0;

    memset(from, 0, sizeof(*from));
    memcpy(&from->peer, header->msg_name, header->msg_namelen);
    if (from->peer.any.sa_family == AF_INET6)
        from->peer.v6.sin6_flowinfo = 0; /* may change from one to the next */
    for (; control; control = CMSG_NXTHDR(header, control)) {
        udp_read_local(control, udp, &from->local);
        if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO)
            memcpy(&segment, CMSG_DATA(control), sizeof(segment));
    }
    return segment > 0 ? (size_t)segment : 0;
}

/* Finds a reason to refuse a new peer a session; NULL: it gets one. */
static const char *udp_refusal(struct pg_listener *listener,
                               const struct udp *udp,
                               const struct udp_session *from)
{
    const struct sockaddr *local =
        from->local.any.sa_family ? &from->local.any : &udp->bound.any;

    if (udp->is_connected)
        return "the session is over";
    /* Port 0 means that no answer is wanted (RFC 768). The ports are at the
       same place in both families. */
    if (!from->peer.v4.sin_port)
        return "from port 0";
    /* Two servers that answer each other do so for ever (RFC 862 forgot). */
    if (pg_is_own_address(listener, &from->peer.any, local))
        return "from one of our own ports";
    return NULL;
}

static struct pg_session *udp_meet(struct pg_listener *listener,
                                   const struct udp *udp,
                                   const struct udp_session *from,
                                   struct pg_bytes bytes)
{
    const char *refusal = udp_refusal(listener, udp, from);

    if (!refusal)
        return pg_session_meet(listener, from, bytes);
    pg_refuse(listener, refusal);
    return NULL;
}

/* Takes one datagram. `session` is the peer's, or NULL; returns the one it has
   then, or NULL: it was refused. */
static struct pg_session *udp_take_one(struct pg_listener *listener,
                                       const struct udp *udp,
                                       const struct udp_session *from,
                                       struct pg_session *session,
                                       struct pg_bytes bytes)
{
    if (!session)
        return udp_meet(listener, udp, from, bytes);
    pg_session_recv(session, bytes);
    return session;
}

static struct pg_session *udp_find(struct pg_listener *listener,
                                   const struct udp *udp,
                                   struct udp_session *from)
{
    struct pg_session *session;
    struct udp_session *known;

    if (udp->is_connected)
        memset(from, 0, sizeof(*from)); /* there is but one */
    session = pg_session_find(listener, &from->peer);
    if (!session)
        return NULL;
    known = pg_session_data(session);
    known->local = from->local;
    return session;
}

static void udp_take(struct pg_listener *listener, struct udp *udp,
                     struct mmsghdr *message)
{
    struct msghdr *header = &message->msg_hdr;
    const uint8_t *data = header->msg_iov->iov_base;
    size_t left = message->msg_len, segment;
    struct udp_session from;
    struct pg_session *session;

    segment = udp_read_facts(header, udp, &from);
    if (header->msg_flags & MSG_TRUNC) {
        pg_refuse(listener, "longer than a datagram can be");
        return;
    }
    session = udp_find(listener, udp, &from);
    do { /* once for an empty datagram too */
        size_t len = segment && segment < left ? segment : left;

        session =
            udp_take_one(listener, udp, &from, session, pg_bytes(data, len));
        data += len;
        left -= len;
    } while (left && session);
}

void udp_broken(struct pg_listener *listener, int error)
{
    const union udp_address the_one = {0};
    struct pg_session *session = pg_session_find(listener, &the_one);

    if (session)
        pg_session_end(session, PG_END_ABORT, PG_WHY_RESET,
                       error == ECONNREFUSED
                           ? "nobody listens there (ICMP port unreachable)"
                           : strerror(error));
}

/* Takes one batch: the buffer is the worker's only one, and what came in stays
   in it until all of it has been dealt with. More datagrams make the socket
   readable again. */
static int udp_ready(struct pg_listener *listener, int fd)
{
    struct udp *udp = pg_listener_private(listener);
    size_t size;
    uint8_t *buffer = pg_read_buffer(listener, &size);
    unsigned slots = size / SLOT_BYTES < SLOTS ? size / SLOT_BYTES : SLOTS;
    int count;

    udp_lay_slots(&udp->in, buffer);
    count = recvmmsg(fd, udp->in.messages, slots, 0, NULL);
    udp->in.used = count < 0 ? 0 : count;
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (count < 0 && udp->is_connected) {
        udp_broken(listener, errno);
        return 0;
    }
    if (count < 0)
        return -errno;
    for (int i = 0; i < count; i++)
        udp_take(listener, udp, &udp->in.messages[i]);
    return 0;
}

/* ---- in words --------------------------------------------------------- */

static void udp_address(struct pg_listener *listener,
                        const struct pg_session *session, int fd, char *text,
                        size_t size)
{
    union udp_address address = {0};
    socklen_t length = sizeof(address);
    const struct udp *udp = pg_listener_private(listener);
    const struct udp_session *known;

    if (session) {
        known = pg_session_data_const(session);
        address = known->peer;
        if (address.any.sa_family == AF_UNSPEC)
            address = udp->server;
    } else {
        getsockname(fd, &address.any, &length);
    }
    pg_address_text(&address.any, text, size);
}

/* The kernel tells it of each datagram where the socket is bound to all
   addresses, see udp_ask_local(). */
static void udp_local(struct pg_listener *listener,
                      const struct pg_session *session, char *text, size_t size)
{
    const struct udp *udp = pg_listener_private(listener);
    const struct udp_session *known = pg_session_data_const(session);

    pg_address_text(known->local.any.sa_family ? &known->local.any
                                               : &udp->bound.any,
                    text, size);
}

/* Of IP, without options, and UDP. An IPv4 peer of a "::" socket is one of
   IPv4 on the wire. */
static size_t udp_header_bytes(const struct pg_session *session)
{
    const struct udp_session *known = pg_session_data_const(session);

    return known->peer.any.sa_family == AF_INET6 &&
                   !IN6_IS_ADDR_V4MAPPED(&known->peer.v6.sin6_addr)
               ? 40 + sizeof(struct udphdr)
               : 20 + sizeof(struct udphdr);
}

/* Looks at the text only; a name is looked up when the socket is opened. */
static int udp_check(struct pg_listener *listener)
{
    const struct udp_options *options = pg_listener_options(listener);
    struct sockaddr_storage address;
    socklen_t length;
    int error =
        pg_address(options->host, options->port, false, &address, &length);

    return error && error != -ENOENT ? udp_fail(listener, -1, error) : 0;
}

static const struct pg_option udp_option_table[] = {
    {"host", PG_STRING, PG_FIELD(struct udp_options, host),
     .initial = "127.0.0.1",
     .help = "address to listen on; 0.0.0.0 is every network, \"::\" IPv6 too"},
    {"port", PG_INT, PG_FIELD(struct udp_options, port), .initial = "5000",
     .max = 65535, .help = "port to listen on; 0 takes a free one"},
    {"receive_buffer_bytes", PG_INT,
     PG_FIELD(struct udp_options, receive_buffer_bytes), .unit = "bytes",
     .initial = "4194304", .min = 4096, .max = 1 << 30,
     .help = "datagrams that may wait for us; the system caps it"},
    {"send_buffer_bytes", PG_INT,
     PG_FIELD(struct udp_options, send_buffer_bytes), .unit = "bytes",
     .initial = "1048576", .min = 4096, .max = 1 << 30,
     .help = "datagrams that may wait for the network; the system caps it"},
    {"idle_s", PG_INT, PG_FIELD(struct udp_options, idle_s), .unit = "s",
     .initial = "300", .max = 1 << 30,
     .help = "a peer not heard from for so long has left; 0: never"},
    {"max_peers", PG_INT, PG_FIELD(struct udp_options, max_peers),
     .unit = "peers", .initial = "10000", .min = 1, .max = 10000000,
     .help = "heard from twice, in each worker; one more ends the peer silent "
             "for longest"},
    {"unverified_ratio", PG_INT, PG_FIELD(struct udp_options, unverified_ratio),
     .initial = "3", .max = 1 << 30,
     .help = "a peer heard from once is sent at most so many times its bytes, "
             "headers included; 0: no limit"},
    {0},
};

const struct pg_transport pg_transport = {
    .abi = PG_TRANSPORT_ABI,
    .name = "udp",
    .summary = "datagrams, each one record",
    .provides = PG_RECORDS,
    .options = udp_option_table,
    .options_size = sizeof(struct udp_options),
    .listener_size = sizeof(struct udp),
    .session_size = sizeof(struct udp_session),
    .peer_size = sizeof(union udp_address),
    .max_record = DATAGRAM_BYTES,
    .unverified_ratio = 3,
    .run_most = SEGMENTS,
    .check = udp_check,
    .listen = udp_listen,
    .adopt = udp_adopt,
    .connect = udp_connect,
    .ready = udp_ready,
    .send_records = udp_send_records,
    .address = udp_address,
    .header_bytes = udp_header_bytes,
    .local = udp_local,
};
