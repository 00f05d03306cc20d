/* Connections that get no session: a goodbye, then their end. */

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "outside/worker_parts.h"

#define AWAY_MOST  64 /* at a time; more are closed at once */
#define READS_MOST 16 /* then it is the others' turn */

struct away {
    uv_poll_t watcher;
    uv_timer_t patience;
    unsigned handles; /* that libuv has not closed yet */
    int fd;
};

static struct away *turned_away[AWAY_MOST];

static void away_on_closed(uv_handle_t *handle)
{
    struct away *away = handle->data;

    if (--away->handles == 0)
        free(away);
}

static void away_end(struct away **place)
{
    struct away *away = *place;

    *place = NULL;
    uv_close((uv_handle_t *)&away->watcher, away_on_closed);
    uv_close((uv_handle_t *)&away->patience, away_on_closed);
    close(away->fd);
}

static struct away **away_place(const struct away *away)
{
    struct away **place = turned_away;

    while (place < turned_away + AWAY_MOST && *place != away)
        place++;
    return place < turned_away + AWAY_MOST ? place : NULL;
}

static void away_on_readable(uv_poll_t *watcher, int status, int events)
{
    struct away *away = watcher->data;
    uint8_t waste[4096];
    ssize_t got = status < 0 ? 0 : 1;

    (void)events;
    for (int i = 0; i < READS_MOST && got > 0; i++)
        got = recv(away->fd, waste, sizeof(waste), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        away_end(away_place(away));
}

static void away_on_time(uv_timer_t *patience)
{
    away_end(away_place(patience->data));
}

/* NULL: there are too many already, or no memory. */
static struct away *away_make(int fd)
{
    struct away **place = away_place(NULL);
    struct away *away = place ? calloc(1, sizeof(*away)) : NULL;

    if (!away)
        return NULL;
    if (uv_poll_init(&the_worker->loop, &away->watcher, fd)) {
        free(away);
        return NULL;
    }
    uv_timer_init(&the_worker->loop, &away->patience);
    away->watcher.data = away->patience.data = away;
    away->handles = 2;
    away->fd = fd;
    *place = away;
    return away;
}

/* close(2) with input that nobody has read sends RST, and the client would see
   an error instead of an end (RFC 1122, 4.2.2.13). So it gets our FIN, and what
   it says is thrown away until it leaves too, or for linger_ms. */
void worker_turn_away(int fd)
{
    struct away *away = away_make(fd);

    if (!away) {
        close(fd);
        return;
    }
    shutdown(fd, SHUT_WR); /* fails only when the peer has gone already */
    uv_poll_start(&away->watcher, UV_READABLE, away_on_readable);
    uv_timer_start(&away->patience, away_on_time,
                   (uint64_t)core->config->limits.linger_ms, 0);
}

void worker_forget_turned_away(void)
{
    for (unsigned i = 0; i < AWAY_MOST; i++)
        if (turned_away[i])
            away_end(&turned_away[i]);
}
