/* netlink - one request to the kernel about its network, see rtnetlink(7). */
#ifndef WIRE_NETLINK_H
#define WIRE_NETLINK_H

#include <linux/rtnetlink.h>
#include <stddef.h>

struct netlink_request {
    struct nlmsghdr header;
    char rest[512];
};

/* type: RTM_NEWLINK, RTM_NEWADDR, ..., for something that is not there yet;
   RTM_SETLINK for what is. */
void netlink_init(struct netlink_request *request, unsigned short type);
/* Room for `size` more bytes, zeroed, at an aligned place. */
void *netlink_add(struct netlink_request *request, size_t size);
struct rtattr *netlink_add_attribute(struct netlink_request *request,
                                     unsigned short type, const void *data,
                                     size_t size);
/* All that was added since `nest` belongs into it. */
void netlink_close_nest(struct netlink_request *request, struct rtattr *nest);
/* Asks the kernel: 0 or -errno. */
int netlink_ask(const struct netlink_request *request);

#endif
