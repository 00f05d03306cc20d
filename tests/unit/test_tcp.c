/* The parts of tcp.c that cannot be seen from outside; the rest is in
   e2e/test_tcp.py. */
#include "transport/tcp.c"

#include <poll.h>

#include "transport_fixture.h"

static struct tcp_options options_on(const char *host)
{
    return (struct tcp_options){
        .host = host,
        .backlog = 16,
        .nodelay = true,
        .keepalive = true,
        .keepalive_s = 77,
    };
}

static struct listener_run run;

static struct pg_listener listener_with(struct tcp_options *options)
{
    run = (struct listener_run){0};
    return (struct pg_listener){
        .transport = &pg_transport,
        .options = options,
        .run = &run,
    };
}

static int connect_to(int listening)
{
    socklen_t length;
    struct sockaddr_storage address = bound_address(listening, &length);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&address, length), 0);
    return fd;
}

/* A busy kernel hands on what one end has sent only a moment later. */
static void wait_until(int fd, short events)
{
    struct pollfd ready = {.fd = fd, .events = events};

    assert_int_equal(poll(&ready, 1, 200000), 1);
}

/* Both ends of a connection; the first is the server's. */
static void make_pair(struct tcp_options *options, int ends[2])
{
    struct pg_listener listener = listener_with(options);
    int listening = tcp_listen(&listener);

    assert_true(listening >= 0);
    ends[1] = connect_to(listening);
    wait_until(listening, POLLIN);
    ends[0] = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(ends[0] >= 0);
    close(listening);
}

static void close_pair(int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* ---- options ---------------------------------------------------------- */

static void test_tcp_listens_without_blocking(void **state)
{
    struct tcp_options options = options_on("127.0.0.1");
    struct pg_listener listener = listener_with(&options);
    int fd = tcp_listen(&listener);

    (void)state;

    assert_never_blocks(fd);
    assert_int_equal(socket_option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
    assert_int_equal(socket_option(fd, SOL_SOCKET, SO_REUSEADDR), 1);
    close(fd);
}

static void test_tcp_accepted_sockets_have_the_options(void **state)
{
    struct tcp_options options = options_on("127.0.0.1");
    int ends[2];

    (void)state;

    make_pair(&options, ends);

    assert_true(socket_option(ends[0], IPPROTO_TCP, TCP_NODELAY));
    assert_true(socket_option(ends[0], SOL_SOCKET, SO_KEEPALIVE));
    assert_int_equal(socket_option(ends[0], IPPROTO_TCP, TCP_KEEPIDLE), 77);
    close_pair(ends);
}

/* What is not answered for twice keepalive_s is no connection any more. */
static void test_tcp_probes_within_twice_keepalive_s(void **state)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    for (int s = 1; s <= 1000; s++) {
        assert_int_equal(tcp_keep_alive(fd, s), 0);
        assert_int_equal(socket_option(fd, IPPROTO_TCP, TCP_KEEPIDLE), s);
        assert_in_range(socket_option(fd, IPPROTO_TCP, TCP_KEEPINTVL) *
                            socket_option(fd, IPPROTO_TCP, TCP_KEEPCNT),
                        s < 3 ? s : s - 2, s);
    }
    close(fd);
}

/* Data that the peer's program has not read has been taken by its system, until
   that is full. */
static void test_tcp_looks_at_what_the_peer_has_taken(void **state)
{
    struct tcp_options options = options_on("127.0.0.1");
    struct pg_look look = {0};
    char data[4096] = "";
    uint64_t sent = 0;
    ssize_t got;
    int ends[2];

    (void)state;
    make_pair(&options, ends);
    while ((got = send(ends[0], data, sizeof(data), MSG_NOSIGNAL)) > 0)
        sent += (uint64_t)got;
    tcp_look(NULL, ends[0], &look);
    assert_true(look.is_waiting);
    assert_true(look.taken > 0 && look.taken < sent);

    for (uint64_t left = sent; left > 0; left -= (uint64_t)got) {
        got = recv(ends[1], data, sizeof(data), 0);
        assert_true(got > 0);
    }
    do /* the last acknowledgement may be on its way */
        tcp_look(NULL, ends[0], &look);
    while (look.is_waiting);
    assert_int_equal(look.taken, sent);
    assert_false(look.is_owed);
    close_pair(ends);
}

static void test_tcp_options_can_be_off(void **state)
{
    struct tcp_options options = options_on("127.0.0.1");
    int ends[2];

    (void)state;
    options.nodelay = options.keepalive = false;

    make_pair(&options, ends);

    assert_false(socket_option(ends[0], IPPROTO_TCP, TCP_NODELAY));
    assert_false(socket_option(ends[0], SOL_SOCKET, SO_KEEPALIVE));
    close_pair(ends);
}

static void test_tcp_ipv6_wildcard_is_not_ipv6_only(void **state)
{
    struct tcp_options options = options_on("::");
    struct pg_listener listener = listener_with(&options);
    int fd = tcp_listen(&listener);

    (void)state;

    assert_true(fd >= 0);
    assert_false(socket_option(fd, IPPROTO_IPV6, IPV6_V6ONLY));
    close(fd);
}

static void test_tcp_connects_without_blocking(void **state)
{
    struct tcp_options options = options_on("127.0.0.1");
    struct pg_listener listener = listener_with(&options);
    int listening = tcp_listen(&listener), fd;
    char text[80];

    (void)state;
    options.port = ntohs(run.bound_port);

    fd = tcp_connect(&listener);

    assert_never_blocks(fd);
    assert_true(socket_option(fd, IPPROTO_TCP, TCP_NODELAY));
    tcp_address(&listener, NULL, listening, text, sizeof(text));
    assert_memory_equal(text, "127.0.0.1:", 10);
    assert_int_equal(atoi(text + 10), options.port);
    close(fd);
    close(listening);
}

/* ---- bytes ------------------------------------------------------------ */

static void test_tcp_recv_tells_nothing_yet_from_the_end(void **state)
{
    struct tcp_options options = options_on("127.0.0.1");
    char buffer[16];
    int ends[2];

    (void)state;
    make_pair(&options, ends);

    assert_int_equal(tcp_recv(NULL, ends[0], buffer, sizeof(buffer)), -EAGAIN);
    assert_int_equal(send(ends[1], "hello", 5, 0), 5);
    wait_until(ends[0], POLLIN);
    assert_int_equal(tcp_recv(NULL, ends[0], buffer, sizeof(buffer)), 5);
    assert_int_equal(shutdown(ends[1], SHUT_WR), 0);
    wait_until(ends[0], POLLIN);
    assert_int_equal(tcp_recv(NULL, ends[0], buffer, sizeof(buffer)), 0);
    close_pair(ends);
}

static void test_tcp_send_takes_parts_until_it_is_full(void **state)
{
    static char much[1 << 20];
    struct tcp_options options = options_on("127.0.0.1");
    struct iovec parts[] = {{much, sizeof(much)}, {much, sizeof(much)}};
    size_t taken = 0;
    ssize_t sent;
    int ends[2];

    (void)state;
    make_pair(&options, ends);

    while ((sent = tcp_send(NULL, ends[0], parts, 2)) > 0)
        taken += (size_t)sent;

    assert_int_equal(sent, -EAGAIN);
    assert_true(taken > 0);
    close_pair(ends);
}

static void test_tcp_send_to_a_broken_connection_is_an_error(void **state)
{
    struct tcp_options options = options_on("127.0.0.1");
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    struct iovec part = {(char[]){"x"}, 1};
    int ends[2];

    (void)state;
    make_pair(&options, ends);
    assert_int_equal(
        setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    close(ends[1]);
    wait_until(ends[0], POLLHUP);

    assert_int_equal(tcp_send(NULL, ends[0], &part, 1), -ECONNRESET);
    assert_int_equal(tcp_send(NULL, ends[0], &part, 1), -EPIPE); /* no signal */
    close(ends[0]);
}

static void test_tcp_finish_leaves_the_way_in_open(void **state)
{
    struct tcp_options options = options_on("127.0.0.1");
    char buffer[16];
    int ends[2];

    (void)state;
    make_pair(&options, ends);

    tcp_finish(NULL, ends[0]);

    assert_int_equal(recv(ends[1], buffer, sizeof(buffer), 0), 0);
    assert_int_equal(send(ends[1], "late", 4, 0), 4);
    wait_until(ends[0], POLLIN);
    assert_int_equal(tcp_recv(NULL, ends[0], buffer, sizeof(buffer)), 4);
    close_pair(ends);
}

/* ---- accept ----------------------------------------------------------- */

static void test_tcp_skips_what_belongs_to_one_connection(void **state)
{
    (void)state;

    assert_true(tcp_is_skipped(ECONNABORTED));
    assert_true(tcp_is_skipped(EPROTO));
    assert_true(tcp_is_skipped(EHOSTUNREACH));
    assert_false(tcp_is_skipped(EMFILE));
    assert_false(tcp_is_skipped(ENFILE));
    assert_false(tcp_is_skipped(ENOMEM));
    assert_false(tcp_is_skipped(EBADF));
}

static void test_tcp_ready_says_when_the_socket_is_none(void **state)
{
    (void)state;

    assert_int_equal(tcp_ready(NULL, -1), -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp_listens_without_blocking),
        cmocka_unit_test(test_tcp_accepted_sockets_have_the_options),
        cmocka_unit_test(test_tcp_probes_within_twice_keepalive_s),
        cmocka_unit_test(test_tcp_looks_at_what_the_peer_has_taken),
        cmocka_unit_test(test_tcp_options_can_be_off),
        cmocka_unit_test(test_tcp_ipv6_wildcard_is_not_ipv6_only),
        cmocka_unit_test(test_tcp_connects_without_blocking),
        cmocka_unit_test(test_tcp_recv_tells_nothing_yet_from_the_end),
        cmocka_unit_test(test_tcp_send_takes_parts_until_it_is_full),
        cmocka_unit_test(test_tcp_send_to_a_broken_connection_is_an_error),
        cmocka_unit_test(test_tcp_finish_leaves_the_way_in_open),
        cmocka_unit_test(test_tcp_skips_what_belongs_to_one_connection),
        cmocka_unit_test(test_tcp_ready_says_when_the_socket_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
