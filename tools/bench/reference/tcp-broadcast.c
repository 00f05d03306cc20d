/* Broadcast of lines over TCP by hand: what one client says, all others get.
       tcp-broadcast         one write a client for all lines of a read
       tcp-broadcast line    a write a client for each line
   A client that does not take a write at once is ended: the load always reads,
   and what is out at once fits the socket. */
#include "common.h"

#include <sys/epoll.h>

#define EVENTS 256
#define MAX    20000

struct client {
    int fd;
    size_t place; /* in `clients` */
    size_t len;   /* of an unfinished line */
    uint8_t line[4096];
};

static uint8_t buffer[4096 + 65536];
static struct client *clients[MAX];
static size_t count;
static int epoll;
static bool is_by_line;

static void end(struct client *client)
{
    close(client->fd);
    clients[client->place] = clients[--count];
    clients[client->place]->place = client->place;
    free(client);
}

static void send_to_others(const struct client *from, const uint8_t *data,
                           size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (clients[i] != from &&
            send(clients[i]->fd, data, len, MSG_NOSIGNAL) != (ssize_t)len)
            shutdown(clients[i]->fd, SHUT_RDWR); /* pull() sees its end */
}

static void relay(const struct client *from, const uint8_t *data, size_t len)
{
    while (is_by_line && len > 0) {
        const uint8_t *newline = memchr(data, '\n', len);
        size_t one = (size_t)(newline - data) + 1;

        send_to_others(from, data, one);
        data += one;
        len -= one;
    }
    if (len > 0)
        send_to_others(from, data, len);
}

static void pull(struct client *client)
{
    ssize_t got = recv(client->fd, buffer + client->len, 65536, 0);
    const uint8_t *last;
    size_t len, whole;

    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            end(client);
        return;
    }
    memcpy(buffer, client->line, client->len);
    len = client->len + (size_t)got;
    last = memrchr(buffer, '\n', len);
    whole = last ? (size_t)(last - buffer) + 1 : 0;
    if (len - whole > sizeof(client->line)) {
        end(client);
        return;
    }
    client->len = len - whole;
    memcpy(client->line, buffer + whole, client->len);
    relay(client, buffer, whole);
}

static void accept_all(int listener)
{
    int fd;

    while (count < MAX && (fd = common_accept(listener)) >= 0) {
        struct client *client = calloc(1, sizeof(*client));
        struct epoll_event event = {EPOLLIN, {.ptr = client}};

        client->fd = fd;
        client->place = count;
        clients[count++] = client;
        must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    }
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS], event = {EPOLLIN, {.ptr = NULL}};
    int listener = common_listen();

    (void)argv;
    is_by_line = argc > 1;
    epoll = must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < ready; i++)
            if (events[i].data.ptr)
                pull(events[i].data.ptr);
            else
                accept_all(listener);
    }
}
