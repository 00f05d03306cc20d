/* TCP echo by hand: epoll, one buffer for all connections, recv and send.
   The yardstick of the TCP tables. */
#include "common.h"

#include <sys/epoll.h>

#define EVENTS 256

/* What a client did not take yet. */
struct connection {
    int fd;
    uint8_t *left;
    size_t len;
};

static uint8_t buffer[65536];
static int epoll;

static void watch(int operation, struct connection *connection, uint32_t what)
{
    struct epoll_event event = {what, {.ptr = connection}};

    must(epoll_ctl(epoll, operation, connection->fd, &event), "epoll_ctl");
}

static void end(struct connection *connection)
{
    close(connection->fd);
    free(connection->left);
    free(connection);
}

static void keep(struct connection *connection, const uint8_t *data, size_t len)
{
    connection->left = malloc(len);
    memcpy(connection->left, data, len);
    connection->len = len;
    watch(EPOLL_CTL_MOD, connection, EPOLLOUT); /* and no more reading */
}

static void echo(struct connection *connection)
{
    ssize_t got = recv(connection->fd, buffer, sizeof(buffer), 0), sent;

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        end(connection);
        return;
    }
    sent = send(connection->fd, buffer, (size_t)got, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        end(connection);
    else if (sent < got)
        keep(connection, buffer + (sent > 0 ? sent : 0),
             (size_t)(got - (sent > 0 ? sent : 0)));
}

static void flush(struct connection *connection)
{
    ssize_t sent =
        send(connection->fd, connection->left, connection->len, MSG_NOSIGNAL);

    if (sent < 0) {
        if (errno != EAGAIN)
            end(connection);
        return;
    }
    connection->len -= (size_t)sent;
    memmove(connection->left, connection->left + sent, connection->len);
    if (connection->len > 0)
        return;
    free(connection->left);
    connection->left = NULL;
    watch(EPOLL_CTL_MOD, connection, EPOLLIN);
}

static void accept_all(int listener)
{
    int fd;

    while ((fd = common_accept(listener)) >= 0) {
        struct connection *connection = calloc(1, sizeof(*connection));

        connection->fd = fd;
        watch(EPOLL_CTL_ADD, connection, EPOLLIN);
    }
}

int main(void)
{
    struct epoll_event events[EVENTS];
    struct connection listener = {.fd = common_listen()};

    epoll = must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    watch(EPOLL_CTL_ADD, &listener, EPOLLIN);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;

            if (connection == &listener)
                accept_all(listener.fd);
            else if (connection->len > 0)
                flush(connection);
            else
                echo(connection);
        }
    }
}
