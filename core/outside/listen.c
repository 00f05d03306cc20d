/* Opens the sockets of a config. */

#include "outside/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/limit.h"
#include "base/own_file.h"
#include "base/text.h"
#include "config/address.h"
#include "config/config_call.h"
#include "places/problems.h"
#include "state/listener.h"

#define OWN_DESCRIPTORS 128 /* loop, memfds, log files, who is turned away */

static void listen_close_all(int *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static int listen_once(struct pg_listener *listener)
{
    struct config_call call;
    int fd;

    if (!listener->transport->listen)
        return pg_listen_fail(listener, NULL,
                              "%s cannot listen; use it to connect",
                              listener->name);
    call = config_call_listener(listener, "listen()");
    fd = listener->transport->listen(listener);
    config_call_end(&call, fd < 0 ? fd : 0);
    return fd;
}

/* The socket that the first worker has serves the others as well. */
static int listen_inherit(struct pg_listener *listener, int first)
{
    int fd = fcntl(first, F_DUPFD_CLOEXEC, 0);

    return fd < 0 ? pg_listen_fail(listener, NULL,
                                   "no descriptor for another worker: %s; "
                                   "`ulimit -n` raises the limit",
                                   strerror(errno))
                  : fd;
}

/* The first socket of a listener takes the address, the others join it. */
static bool listen_open_one(struct pg_listener *listener, unsigned workers,
                            int *fds)
{
    unsigned step = listener->config->listener_count;

    listener->run->is_shared = workers > 1;
    for (unsigned i = 0; i < workers; i++) {
        int fd;

        listener->run->is_joining = i > 0;
        fd = i && listener->transport->listens_once
                 ? listen_inherit(listener, fds[listener->id])
                 : listen_once(listener);
        if (fd < 0)
            return false;
        fds[listener->id + i * step] = fd;
    }
    return true;
}

bool listen_open(struct config *config, unsigned workers, int *fds)
{
    unsigned count = config->listener_count * workers;
    bool is_good = true;

    for (unsigned i = 0; i < count; i++)
        fds[i] = -1;
    if (listener_runs_create(config)) {
        problems_add(config->problems, "", false, "no memory for listeners");
        return false;
    }
    for (unsigned i = 0; i < config->listener_count; i++)
        if (!listen_open_one(config->listeners[i], workers, fds))
            is_good = false;
    if (!is_good) {
        own_file_remove_all();
        listen_close_all(fds, count);
    }
    return is_good;
}

static void listen_print_one(struct pg_listener *listener, int fd, FILE *out)
{
    const struct pg_transport *transport = listener->transport;
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof(bound);
    struct config_call call;
    char text[128] = "";

    call = config_call_listener(listener, "address()");
    transport->address(listener, NULL, fd, text, sizeof(text));
    config_call_end(&call, 0);
    text_print(out, "listening %s %s\n", transport->name, text);
    if (getsockname(fd, (struct sockaddr *)&bound, &length) == 0)
        address_print_others(transport->name, (struct sockaddr *)&bound, out);
}

void listen_print(struct config *config, const int *fds, FILE *out)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        listen_print_one(config->listeners[i], fds[i], out);
}

static bool listen_has_connections(const struct config *config)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        if (listener_has_connections(config->listeners[i]))
            return true;
    return false;
}

void listen_raise_limit(const struct config *config)
{
    uint64_t most = limit_raise_descriptors();
    uint64_t fits = most > OWN_DESCRIPTORS ? most - OWN_DESCRIPTORS : 0;

    if (listen_has_connections(config) &&
        (uint64_t)config->limits.max_sessions > fits)
        text_print(
            stderr,
            "%s: limits.max_sessions is %" PRId64 ", but this system lets "
            "a process hold about %" PRIu64 " connections; raise the hard "
            "limit (`ulimit -Hn`) to use more\n",
            config->path, config->limits.max_sessions, fits);
}
