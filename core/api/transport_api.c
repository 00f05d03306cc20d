/* The functions of playground/transport.h and simulation.h that need a core
   (addresses are in address.c, options in config_api.c). */

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include <playground/simulation.h>

#include "config/address.h"
#include "engine/life.h"
#include "engine/peers.h"
#include "engine/turn.h"
#include "out/end.h"
#include "state/counter.h"
#include "state/listener.h"

/* ---- listeners -------------------------------------------------------- */

int pg_bind(struct pg_listener *listener, int fd,
            const struct sockaddr *address, socklen_t length)
{
    struct listener_run *run = listener->run;
    struct sockaddr_storage target = {0};
    int on = 1;

    memcpy(&target, address, length);
    if (run->is_joining) {
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
            return -errno;
        if (listener_port_in((struct sockaddr *)&target))
            *listener_port_in((struct sockaddr *)&target) = run->bound_port;
    }
    if (bind(fd, (struct sockaddr *)&target, length))
        return -errno;
    if (run->is_shared && !run->is_joining &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
        return -errno;
    listener_note_port(listener, fd);
    return 0;
}

uint8_t *pg_read_buffer(struct pg_listener *listener, size_t *size)
{
    (void)listener;
    turn_flush(); /* what was sent out of it must be gone or copied */
    *size = ARENA_READ_SIZE;
    return arena_read_buffer(&core->arena);
}

void pg_refuse(struct pg_listener *listener, const char *reason)
{
    counter_add(counter_of_listener(listener->id), reason, 1);
}

void pg_listener_idle(struct pg_listener *listener, uint64_t ms)
{
    listener->run->idle_ms = ms;
}

void pg_listener_gone(struct pg_listener *listener, uint64_t ms)
{
    listener->run->gone_ms = ms;
}

void pg_listener_peers(struct pg_listener *listener, uint64_t most)
{
    listener->run->peers_most = most;
}

void pg_listener_unverified(struct pg_listener *listener, uint64_t ratio)
{
    listener->run->unverified_ratio = ratio;
}

/* ---- own addresses ---------------------------------------------------- */

static bool transport_api_has_port(const struct pg_listener *listener,
                                   uint16_t port)
{
    for (unsigned i = 0; i < core->config->listener_count; i++) {
        const struct pg_listener *other = core->config->listeners[i];

        if (other->transport == listener->transport ||
            !strcmp(other->transport->name, listener->transport->name))
            if (other->run->bound_port == port)
                return true;
    }
    return false;
}

bool pg_is_own_address(struct pg_listener *listener,
                       const struct sockaddr *peer,
                       const struct sockaddr *local)
{
    if (!transport_api_has_port(listener, htons((uint16_t)address_port(peer))))
        return false;
    return address_is_loopback(peer) ||
           (local && address_equal(peer, local, false));
}

/* ---- sessions --------------------------------------------------------- */

struct pg_session *pg_session_open(struct pg_listener *listener, int fd,
                                   const void *data)
{
    struct pg_session *session = session_create(listener, fd, data);

    if (!session) {
        if (fd >= 0 && core->io->turn_away)
            core->io->turn_away(fd);
        return NULL;
    }
    session_start(session);
    return session->flags & SESSION_CLOSING ? NULL : session;
}

struct pg_session *pg_session_meet(struct pg_listener *listener,
                                   const void *data, struct pg_bytes first)
{
    return session_meet(listener, data, first);
}

struct pg_session *pg_session_find(struct pg_listener *listener,
                                   const void *peer)
{
    return peers_find(listener, peer);
}

void pg_session_recv(struct pg_session *session, struct pg_bytes bytes)
{
    session_input(session, bytes);
}

void pg_session_end(struct pg_session *session, enum pg_end how,
                    enum pg_why why, const char *text)
{
    session_end(session, how, why, text);
}

void pg_session_readable(struct pg_session *session, bool is_readable)
{
    if (core->io->ready)
        core->io->ready(session, CORE_READ, is_readable);
}

void pg_session_writable(struct pg_session *session)
{
    if (core->io->ready)
        core->io->ready(session, CORE_WRITE, true);
}

void *pg_session_data(struct pg_session *session)
{
    return session_data(session);
}

const void *pg_session_data_const(const struct pg_session *session)
{
    return session_data(session);
}

struct pg_listener *pg_session_listener(struct pg_session *session)
{
    return session_listener(session);
}
