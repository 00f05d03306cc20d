/* The way out of udp: pg_records become messages of one sendmmsg(2), and
   neighbours of one size, with UDP_SEGMENT, one message. */
#include <errno.h>

#include "transport/udp.h"

static void udp_add_control(struct msghdr *header, int level, int type,
                            const void *data, size_t size)
{
    struct cmsghdr *control = (struct cmsghdr *)((char *)header->msg_control +
                                                 header->msg_controllen);

    control->cmsg_level = level;
    control->cmsg_type = type;
    control->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(control), data, size);
    header->msg_controllen += CMSG_SPACE(size);
}

/* Answers from the address that was asked. */
static void udp_write_local(struct msghdr *header,
                            const union udp_address *local)
{
    struct in_pktinfo v4 = {0};
    struct in6_pktinfo v6 = {0};

    if (local->any.sa_family == AF_INET) {
        v4.ipi_spec_dst = local->v4.sin_addr;
        udp_add_control(header, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
    } else if (local->any.sa_family == AF_INET6) {
        v6.ipi6_addr = local->v6.sin6_addr;
        v6.ipi6_ifindex = local->v6.sin6_scope_id;
        udp_add_control(header, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
    }
}

static bool udp_is_one(const struct pg_record *record)
{
    return record->bytes.len <= record->size;
}

/* Counts the datagrams of a pg_record; an empty one is one. */
static int udp_count(const struct pg_record *record)
{
    return udp_is_one(record)
               ? 1
               : (int)((record->bytes.len + record->size - 1) / record->size);
}

/* The kernel cuts a message into datagrams of one size: only the last of all
   may be shorter, and none is empty. */
static bool udp_joins(const struct pg_record *next, size_t size)
{
    return next->bytes.len &&
           (next->size == size || (udp_count(next) == 1 && next->size < size));
}

/* Counts the records that leave as one message, to one peer. 0: not even the
   first does. */
static int udp_group(const struct udp *udp, const struct pg_record *records,
                     int count)
{
    size_t size = records[0].size, bytes = 0;
    int n = 0, datagrams = 0;

    if (!size || size > udp->max_segment)
        return 0;
    while (n < count && bytes == size * (size_t)datagrams) {
        const struct pg_record *next = &records[n];

        datagrams += udp_count(next);
        bytes += next->bytes.len;
        if (next->session != records[0].session || !udp_joins(next, size) ||
            datagrams > SEGMENTS || bytes > DATAGRAM_BYTES)
            break;
        n++;
    }
    return n;
}

/* The next message is for this peer. */
static void udp_begin(struct udp *udp, struct pg_session *session)
{
    int at = udp->out.count++;
    struct msghdr *header = &udp->out.messages[at].msg_hdr;
    struct udp_session *to = pg_session_data(session);

    udp->out.datagrams[at] = 0;
    *header = (struct msghdr){
        .msg_iov = &udp->out.parts[udp->out.parts_count],
        .msg_control = &udp->out.controls[at],
    };
    if (!udp->is_connected) {
        header->msg_name = &to->peer;
        header->msg_namelen = to->peer.any.sa_family == AF_INET
                                  ? sizeof(to->peer.v4)
                                  : sizeof(to->peer.v6);
    }
    udp_write_local(header, &to->local);
}

static void udp_add_part(struct udp *udp, struct pg_bytes bytes, int datagrams)
{
    int at = udp->out.count - 1;

    udp->out.parts[udp->out.parts_count++] =
        (struct iovec){(void *)bytes.data, bytes.len};
    udp->out.messages[at].msg_hdr.msg_iovlen++;
    udp->out.datagrams[at] += datagrams;
}

/* Makes one message of many datagrams. */
static void udp_add_group(struct udp *udp, const struct pg_record *records,
                          int count)
{
    uint16_t segment = (uint16_t)records[0].size;

    udp_begin(udp, records[0].session);
    for (int i = 0; i < count; i++)
        udp_add_part(udp, records[i].bytes, udp_count(&records[i]));
    if (udp->out.datagrams[udp->out.count - 1] > 1)
        udp_add_control(&udp->out.messages[udp->out.count - 1].msg_hdr,
                        IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment));
}

static bool udp_has_room(const struct udp *udp)
{
    return udp->out.count < MESSAGES && udp->out.parts_count < PARTS;
}

/* Makes a message of each datagram. */
static void udp_add_each(struct udp *udp, const struct pg_record *record)
{
    struct pg_bytes left = record->bytes;

    do { /* once for an empty one too */
        size_t len = left.len < record->size ? left.len : record->size;

        udp_begin(udp, record->session);
        udp_add_part(udp, pg_bytes(left.data, len), 1);
        left = pg_bytes(left.data + len, left.len - len);
    } while (left.len && udp_has_room(udp));
}

/* Makes as many messages as fit. */
static void udp_fill(struct udp *udp, const struct pg_record *records,
                     int count)
{
    udp->out.count = udp->out.parts_count = 0;
    for (int i = 0; i < count && udp_has_room(udp);) {
        int most = PARTS - udp->out.parts_count;
        int group =
            udp_group(udp, records + i, count - i < most ? count - i : most);

        if (group)
            udp_add_group(udp, records + i, group);
        else
            udp_add_each(udp, &records[i]);
        i += group ? group : 1;
    }
}

/* Sends a single datagram, as the lecture does it. 1, or -errno. */
static int udp_send_one(struct udp *udp, int fd, const struct pg_record *record)
{
    udp->out.count = udp->out.parts_count = 0;
    udp_begin(udp, record->session);
    udp_add_part(udp, record->bytes, 1);
    if (sendmsg(fd, &udp->out.messages[0].msg_hdr, MSG_NOSIGNAL) < 0)
        return -errno;
    return 1;
}

/* Sends what it can with one call. How many datagrams went, or -errno. */
static int udp_send_batch(struct udp *udp, int fd,
                          const struct pg_record *records, int count)
{
    int sent, taken = 0;

    if (count == 1 && udp_is_one(records))
        return udp_send_one(udp, fd, records);
    udp_fill(udp, records, count);
    sent =
        sendmmsg(fd, udp->out.messages, (unsigned)udp->out.count, MSG_NOSIGNAL);
    if (sent < 0)
        return -errno;
    for (int i = 0; i < sent; i++)
        taken += udp->out.datagrams[i];
    return taken;
}

/* UDP_SEGMENT does not fragment: a size the link does not take is refused, and
   EIO means that this way out cannot do it at all. */
static bool udp_is_group_refused(const struct udp *udp, int error)
{
    return udp->out.datagrams[0] > 1 &&
           (error == EINVAL || error == EMSGSIZE || error == EIO);
}

int udp_send_records(struct pg_listener *listener, int fd,
                     const struct pg_record *records, int count)
{
    struct udp *udp = pg_listener_private(listener);
    int taken = udp_send_batch(udp, fd, records, count);

    if (taken < 0 && udp_is_group_refused(udp, -taken)) {
        udp->max_segment = taken == -EIO ? 0 : records[0].size - 1;
        taken = udp_send_batch(udp, fd, records, count);
    }
    if (taken < 0 && taken != -EAGAIN && udp->is_connected)
        udp_broken(listener, -taken);
    return taken;
}
