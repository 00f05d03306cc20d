/* Messages between the guard and its workers. */

#include "process/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union rights {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(CONTROL_FDS * sizeof(int))];
};

static size_t control_size_of(const struct control_message *message)
{
    return offsetof(struct control_message, text) + message->text_len;
}

int control_send(int fd, const struct control_message *message, const int *fds)
{
    struct iovec part = {(void *)(uintptr_t)message, control_size_of(message)};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    size_t bytes = message->fd_count * sizeof(int);
    union rights rights;

    if (message->fd_count > CONTROL_FDS)
        return -E2BIG;
    if (message->fd_count) {
        memset(&rights, 0, sizeof(rights));
        header.msg_control = &rights;
        header.msg_controllen = CMSG_SPACE(bytes);
        rights.header.cmsg_level = SOL_SOCKET;
        rights.header.cmsg_type = SCM_RIGHTS;
        rights.header.cmsg_len = CMSG_LEN(bytes);
        memcpy(CMSG_DATA(&rights.header), fds, bytes);
    }
    while (sendmsg(fd, &header, MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static uint32_t control_take_fds(struct msghdr *header, int *fds)
{
    struct cmsghdr *rights = CMSG_FIRSTHDR(header);
    size_t bytes;

    if (!rights || rights->cmsg_level != SOL_SOCKET ||
        rights->cmsg_type != SCM_RIGHTS)
        return 0;
    bytes = rights->cmsg_len - CMSG_LEN(0);
    memcpy(fds, CMSG_DATA(rights), bytes);
    return (uint32_t)(bytes / sizeof(int));
}

int control_receive(int fd, struct control_message *message, int *fds)
{
    union rights rights;
    struct iovec part = {message, sizeof(*message)};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &rights,
                            .msg_controllen = sizeof(rights)};
    ssize_t got;
    uint32_t count;

    do
        got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    if (got == 0)
        return -EPIPE;
    count = control_take_fds(&header, fds);
    if ((size_t)got < offsetof(struct control_message, text) ||
        (size_t)got != control_size_of(message) || count != message->fd_count) {
        while (count > 0)
            close(fds[--count]);
        return -EPROTO;
    }
    return 0;
}
