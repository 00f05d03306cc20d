/* Requests to the kernel over netlink, and its answers. */
#include "wire/link/netlink.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void netlink_init(struct netlink_request *request, unsigned short type)
{
    *request = (struct netlink_request){
        .header = {.nlmsg_len = NLMSG_LENGTH(0),
                   .nlmsg_type = type,
                   .nlmsg_flags =
                       NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL},
    };
}

void *netlink_add(struct netlink_request *request, size_t size)
{
    size_t at = NLMSG_ALIGN(request->header.nlmsg_len);

    assert(at + size <= sizeof(*request));
    request->header.nlmsg_len = (unsigned)(at + size);
    return (char *)request + at;
}

struct rtattr *netlink_add_attribute(struct netlink_request *request,
                                     unsigned short type, const void *data,
                                     size_t size)
{
    struct rtattr *attribute = netlink_add(request, RTA_LENGTH(size));

    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(size);
    if (size > 0)
        memcpy(RTA_DATA(attribute), data, size);
    return attribute;
}

void netlink_close_nest(struct netlink_request *request, struct rtattr *nest)
{
    const char *end = (char *)request + request->header.nlmsg_len;

    nest->rta_len = (unsigned short)(end - (char *)nest);
}

static int netlink_acknowledged(int fd)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[1024]; /* the request again, and words about it */
    } answer;
    ssize_t got = recv(fd, &answer, sizeof(answer), 0);

    if (got < 0)
        return -errno;
    if ((size_t)got < sizeof(answer.header) + sizeof(answer.error) ||
        answer.header.nlmsg_type != NLMSG_ERROR)
        return -EPROTO;
    return answer.error.error;
}

int netlink_ask(const struct netlink_request *request)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), error;

    if (fd < 0)
        return -errno;
    error = send(fd, request, request->header.nlmsg_len, 0) < 0
                ? -errno
                : netlink_acknowledged(fd);
    close(fd);
    return error;
}
