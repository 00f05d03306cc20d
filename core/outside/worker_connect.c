/* For programs that talk first: a session towards a server. */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "chain/chain.h"
#include "engine/life.h"
#include "out/end.h"
#include "outside/worker_parts.h"

int worker_connect(struct worker *worker, struct pg_listener *listener,
                   void (*on_failed)(int error, void *arg), void *arg)
{
    bool has_own = listener_has_connections(listener);
    struct pg_session *session;
    void *data;
    int fd;

    if (!listener->transport->connect)
        return pg_listen_fail(listener, NULL, "%s cannot connect",
                              listener->transport->name);
    listener->is_to_connect = true;
    fd = listener->transport->connect(listener);
    if (fd < 0)
        return -EINVAL;
    worker->connect_failed = on_failed;
    worker->connect_arg = arg;
    if (!has_own && worker_adopt(listener, fd))
        return -EINVAL;
    data = calloc(1, listener->transport->session_size + 1);
    session = data ? session_create(listener, has_own ? fd : -1, data) : NULL;
    free(data);
    if (!session) {
        if (has_own)
            close(fd);
        return pg_listen_fail(listener, NULL, "no memory for a session");
    }
    if (has_own) {
        session->flags |= SESSION_CONNECTING;
        session_watch(session);
    } else {
        session_start(session); /* no stranger: we asked first */
    }
    worker_turn_ends();
    return 0;
}

bool worker_with_ctx(struct pg_entry *entry, uint64_t number,
                     void (*fn)(struct pg_ctx *ctx, void *arg), void *arg)
{
    struct pg_session *session = session_by_number(number);
    int place;

    if (!session || session->flags & SESSION_CLOSED)
        return false;
    place = session_listener(session)->run->place[entry->id];
    if (place < 0)
        return false;
    core_clock();
    chain_with(session, (unsigned)place, fn, arg);
    worker_turn_ends();
    return true;
}

void worker_finish_output(struct pg_ctx *ctx)
{
    if (!ctx->session)
        return;
    ctx->session->flags |= SESSION_HALF_CLOSING;
    if (!ctx->session->head && !ctx->session->late_out)
        session_drained(ctx->session);
}

size_t worker_queued(const struct pg_ctx *ctx)
{
    return ctx->session ? ctx->session->queued + ctx->session->delayed : 0;
}
