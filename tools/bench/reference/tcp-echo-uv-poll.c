/* TCP echo on libuv's uv_poll_t: libuv waits, we call recv and send. What a
   client does not take at once ends it: the load never lets that happen but in
   the bulk table, where this server does not stand. */
#include "common.h"

#include <uv.h>

static uint8_t buffer[65536];

static void on_closed(uv_handle_t *handle)
{
    free(handle);
}

static void end(uv_poll_t *poll)
{
    int fd;

    uv_fileno((uv_handle_t *)poll, &fd);
    uv_poll_stop(poll);
    close(fd);
    uv_close((uv_handle_t *)poll, on_closed);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    int fd = (int)(intptr_t)poll->data;
    ssize_t got = recv(fd, buffer, sizeof(buffer), 0);

    (void)status, (void)events;
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0 || send(fd, buffer, (size_t)got, MSG_NOSIGNAL) != got)
        end(poll);
}

static void on_connection(uv_poll_t *listener, int status, int events)
{
    int fd;

    (void)status, (void)events;
    while ((fd = common_accept((int)(intptr_t)listener->data)) >= 0) {
        uv_poll_t *poll = malloc(sizeof(*poll));

        poll->data = (void *)(intptr_t)fd;
        must(uv_poll_init(uv_default_loop(), poll, fd), "uv_poll_init");
        uv_poll_start(poll, UV_READABLE, on_readable);
    }
}

int main(void)
{
    int fd = common_listen();
    uv_poll_t listener = {.data = (void *)(intptr_t)fd};

    must(uv_poll_init(uv_default_loop(), &listener, fd), "uv_poll_init");
    uv_poll_start(&listener, UV_READABLE, on_connection);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
