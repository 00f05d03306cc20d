/*
 * restart: what does a restart of the server cost its clients?
 *
 * First with bare sockets: can the port be taken again at once? Then with the
 * playground's server, which is killed and started on the same ports.
 */
#include "compare/lab/lab.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the port --------------------------------------------------------- */

static int restart_bare_socket(struct lab *lab, enum side side, bool is_reused)
{
    int fd = lab_socket(lab, side), on = 1;

    if (is_reused && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
        lab_fail_errno(lab, "SO_REUSEADDR");
    return fd;
}

/* bind() to the address; its errno, 0 when it has the port. */
static int restart_try_bind(int fd, struct sockaddr_in *address)
{
    socklen_t length = sizeof(*address);

    if (bind(fd, (struct sockaddr *)address, length))
        return errno;
    return getsockname(fd, (struct sockaddr *)address, &length) ? errno : 0;
}

/* A server that ends while a client is connected, and closes first, as one
   that stops does; then its client closes too. */
static void restart_serve_once(struct lab *lab, int listener,
                               struct sockaddr_in address)
{
    int client = lab_socket(lab, SIDE_TCP), peer;

    if (listen(listener, 1) ||
        connect(client, (struct sockaddr *)&address, sizeof(address)) ||
        (peer = accept(listener, NULL, NULL)) < 0)
        lab_fail_errno(lab, "a bare server");
    close(peer);
    close(listener);
    close(client);
}

/* Returns the error of bind() when a server like that is started again. */
static int restart_bind_again(struct lab *lab, enum side side, bool is_reused)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int before = restart_bare_socket(lab, side, is_reused), after, error;

    error = restart_try_bind(before, &address);
    if (error)
        lab_fail(lab, "bind: %s", strerror(error));
    if (side == SIDE_TCP)
        restart_serve_once(lab, before, address);
    else
        close(before);
    after = restart_bare_socket(lab, side, is_reused);
    error = restart_try_bind(after, &address);
    close(after);
    return error;
}

/* ---- the clients ------------------------------------------------------ */

static struct server *restart_start(struct lab *lab, int tcp_port, int udp_port)
{
    return lab_server(lab, json_pack("{s:[{s:s,s:i},{s:s,s:i}], s:[s]}",
                                     "transports", "plugin", "tcp", "port",
                                     tcp_port, "plugin", "udp", "port",
                                     udp_port, "handlers", "echo"));
}

static bool restart_is_answered(int fd)
{
    char byte[1];

    return send(fd, "x", 1, MSG_NOSIGNAL) == 1 && recv(fd, byte, 1, 0) == 1;
}

/* The news for a client that only waits, and below for one that sends. */
static const char *restart_wait_for_news(int fd)
{
    char byte[1];
    ssize_t got;

    if (!lab_is_readable(fd, 100))
        return "nothing";
    got = recv(fd, byte, sizeof(byte), 0);
    return got == 0 ? "recv() returns 0" : got < 0 ? strerror(errno) : "data";
}

/* The first send() may still be taken; the error comes with the second. */
static const char *restart_send_for_news(int fd)
{
    for (int i = 0; i < 2; i++) {
        if (send(fd, "x", 1, MSG_NOSIGNAL) < 0)
            return strerror(errno);
        lab_is_readable(fd, 100);
    }
    return "fine";
}

struct view {
    const char *waiting, *sending; /* while the server is away */
    bool goes_on;                  /* after it: the same socket is answered */
    bool is_new_served;            /* after it: a new one is */
};

static void restart_add_rows(struct lab *lab, const struct view *tcp,
                             const struct view *udp, double ms)
{
    result_words(lab, "waiting", "a client that waits learns", tcp->waiting,
                 udp->waiting);
    result_words(lab, "sending", "one that sends, twice, learns", tcp->sending,
                 udp->sending);
    result_numbers(lab, "ready", "started again, it serves after", "ms", ms,
                   ms);
    result_bools(lab, "goes_on", "the client's old socket is served again",
                 tcp->goes_on, udp->goes_on);
    result_bools(lab, "new", "a new socket is served", tcp->is_new_served,
                 udp->is_new_served);
}

static double restart_server(struct lab *lab, struct view *tcp,
                             struct view *udp)
{
    struct server *server = restart_start(lab, 0, 0);
    int tcp_port = ntohs(server_address(server, SIDE_TCP).sin_port);
    int udp_port = ntohs(server_address(server, SIDE_UDP).sin_port);
    int tcp_fd = lab_connect(lab, server, SIDE_TCP);
    int udp_fd = lab_connect(lab, server, SIDE_UDP);
    double begin;

    if (!restart_is_answered(tcp_fd) || !restart_is_answered(udp_fd))
        lab_fail(lab, "the server does not answer");
    server_stop(server, SIGKILL);
    tcp->waiting = restart_wait_for_news(tcp_fd);
    udp->waiting = restart_wait_for_news(udp_fd);
    tcp->sending = restart_send_for_news(tcp_fd);
    udp->sending = restart_send_for_news(udp_fd);
    begin = lab_now_ms();
    server = restart_start(lab, tcp_port, udp_port);
    double ms = lab_now_ms() - begin;

    restart_wait_for_news(udp_fd); /* an error that is still there */
    tcp->goes_on = restart_is_answered(tcp_fd);
    udp->goes_on = restart_is_answered(udp_fd);
    tcp->is_new_served =
        restart_is_answered(lab_connect(lab, server, SIDE_TCP));
    udp->is_new_served =
        restart_is_answered(lab_connect(lab, server, SIDE_UDP));
    return ms;
}

static json_t *restart_bound(int error)
{
    return value_text("%s", error ? strerror(error) : "fine");
}

static void restart_run(struct lab *lab)
{
    struct view tcp = {0}, udp = {0};
    int tcp_bare = restart_bind_again(lab, SIDE_TCP, false);
    int tcp_reused = restart_bind_again(lab, SIDE_TCP, true);
    int udp_bare = restart_bind_again(lab, SIDE_UDP, false);
    double ms = restart_server(lab, &tcp, &udp);

    result_did(lab,
               "A bare server with one client ends, and binds its port again. "
               "Then the playground's echo server is killed while clients "
               "use it, and started on the same ports.");
    result_row(lab, "bind", "bind() again at once says", "",
               restart_bound(tcp_bare), restart_bound(udp_bare));
    result_row(lab, "reuse", "with SO_REUSEADDR before and after", "",
               restart_bound(tcp_reused), value_text("not needed"));
    restart_add_rows(lab, &tcp, &udp, ms);
    result_why(lab,
               "A TCP connection is state at both ends. The side that closes "
               "first remembers it for a minute (TIME-WAIT), so that stray "
               "segments harm no successor, and that blocks the port; and a "
               "server that forgot its connections can only answer them with "
               "RST. A UDP server keeps nothing that a client could miss.");
    result_check(lab, "tcp_port_is_blocked", tcp_bare == EADDRINUSE,
                 "the port is in use although nobody uses it");
    result_check(lab, "tcp_port_is_reused", tcp_reused == 0,
                 "SO_REUSEADDR takes it all the same");
    result_check(lab, "udp_port_is_free", udp_bare == 0,
                 "a UDP port can be taken again at once");
    result_check(lab, "tcp_client_starts_anew",
                 !tcp.goes_on && tcp.is_new_served,
                 "a TCP client has to connect again");
    result_check(lab, "udp_client_goes_on", udp.goes_on,
                 "a UDP client goes on with the socket it has");
    result_answer(lab, udp.goes_on && !tcp.goes_on ? 1 : udp.goes_on ? 0 : 2);
}

const struct experiment experiment_restart = {
    .name = "restart",
    .title = "Server restart",
    .question = "What does a restart of the server cost its clients?",
    .guess = {"A server crashes and is started again on the same port. Whose "
              "old socket works again?",
              {"that of the TCP client and that of the UDP client",
               "that of the UDP client only", "neither"}},
    .run = restart_run,
};
