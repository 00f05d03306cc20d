/* Hands on line by line what a worker prints. */
#include "process/said.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Hands on what is whole; a line that is longer than any of ours, in pieces. */
static void said_hand_on(struct said *said)
{
    const char *at = said->line, *end = said->line + said->len, *stop;

    while ((stop = memchr(at, '\n', (size_t)(end - at)))) {
        output_write(said->to, pg_bytes(at, (size_t)(stop + 1 - at)));
        at = stop + 1;
    }
    if (at == said->line && said->len >= OUTPUT_LINE_BYTES) {
        output_write(said->to, pg_bytes(at, said->len));
        at = end;
    }
    said->len = (size_t)(end - at);
    memmove(said->line, at, said->len);
}

/* Returns how many bytes; 0: there is no more, now or ever. */
static size_t said_read(struct said *said)
{
    ssize_t got =
        read(said->fd, said->line + said->len, sizeof(said->line) - said->len);

    if (got > 0) {
        said->len += (size_t)got;
        said_hand_on(said);
    } else if (got == 0) {
        uv_poll_stop(&said->poll);
    }
    return got > 0 ? (size_t)got : 0;
}

static void said_on_readable(uv_poll_t *poll, int status, int events)
{
    struct said *said = poll->data;

    (void)status, (void)events;
    said_read(said);
}

int said_begin(struct said *said, uv_loop_t *loop, struct pg_file *to)
{
    int ends[2];

    said->fd = -1;
    if (pipe2(ends, O_CLOEXEC))
        return -errno;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    said->to = to;
    said->fd = ends[0];
    said->len = 0;
    uv_poll_init(loop, &said->poll, said->fd);
    said->poll.data = said;
    uv_poll_start(&said->poll, UV_READABLE, said_on_readable);
    return ends[1];
}

/* Only what is in the pipe now: a process that a handler has left behind may
   hold it open, and go on writing. */
void said_end(struct said *said)
{
    int left = 0;
    size_t got = 1;

    if (said->fd < 0)
        return;
    for (ioctl(said->fd, FIONREAD, &left); left > 0 && got; left -= (int)got)
        got = said_read(said);
    if (said->len > 0) {
        said->line[said->len++] = '\n';
        output_write(said->to, pg_bytes(said->line, said->len));
    }
    uv_poll_stop(&said->poll);
    uv_close((uv_handle_t *)&said->poll, NULL);
    close(said->fd);
    said->fd = -1;
}
