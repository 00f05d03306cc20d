/*
 * udp - the two files of the transport `udp` share this.
 *
 *   udp.c         the transport: options, sockets, what comes in
 *   udp_send.c    what goes out
 */
#ifndef UDP_H
#define UDP_H

#include <playground/transport.h>

#include <netinet/in.h>
#include <netinet/udp.h>

#define DATAGRAM_BYTES 65507 /* 65,535 - IPv4 header - UDP header */
#define SLOTS          64    /* received in one call */
#define MESSAGES       64    /* sent in one call ... */
#define PARTS          256   /* ... of this many parts */
#define SEGMENTS       64    /* UDP_MAX_SEGMENTS of the older kernels */

struct udp_options {
    const char *host;
    int port;
    int receive_buffer_bytes, send_buffer_bytes;
    int idle_s;
    int64_t max_peers;
    int64_t unverified_ratio;
};

union udp_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* A session's own data. Every byte of `peer` counts when peers are told
   apart, padding included: it is zeroed before it is filled. */
struct udp_session {
    union udp_address peer;  /* AF_UNSPEC: the one peer of udp_connect() */
    union udp_address local; /* the address its last datagram came to */
};

/* Room for the two facts about a datagram: local address, segment size. */
union udp_control {
    size_t align;
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
               CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

struct udp_receiving {
    int used; /* slots to be laid anew */
    struct mmsghdr messages[SLOTS];
    struct iovec parts[SLOTS];
    union udp_address peers[SLOTS];
    union udp_control controls[SLOTS];
};

struct udp_sending {
    struct mmsghdr messages[MESSAGES];
    struct iovec parts[PARTS];
    union udp_control controls[MESSAGES];
    int datagrams[MESSAGES]; /* in each message */
    int count, parts_count;
};

/* A listener's own memory. */
struct udp {
    union udp_address bound;
    union udp_address server; /* of udp_connect() */
    bool is_connected;
    size_t max_segment; /* no longer ones are sent with UDP_SEGMENT */
    struct udp_receiving in;
    struct udp_sending out; /* apart: answers may leave between two inputs */
};

/* Ends the one session of a connected socket. Others are not told of ICMP
   errors, which would come up at some other peer's datagram (IP_RECVERR in
   ip(7)). */
void udp_broken(struct pg_listener *listener, int error);

/* The callback of that name. */
int udp_send_records(struct pg_listener *listener, int fd,
                     const struct pg_record *records, int count);

#endif
