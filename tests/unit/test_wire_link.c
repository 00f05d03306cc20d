/* The wire itself: both ends in one process, and no clock but the kernel's. */
#include "wire/link/impairment.h"
#include "wire/link/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DATAGRAMS 10000
#define BATCH     100
#define PORT      5000
/* Where a test runs all of this again, one will do. */
#define SEEDS                                                                  \
    (getenv("PLAYGROUND_LONG") ? 20 : getenv("PLAYGROUND_BRIEF") ? 1 : 5)

/* So long that what overtakes is sent in time on any machine. */
#define HELD_BACK_MS 1000

/* Whether a link can be made here. Where it cannot, a test is that the reason
   is given. */
static char reason[512];
static bool is_possible;

static struct wire *wire_with(const struct wire_options *options)
{
    char error[512] = "";
    struct wire *wire = wire_create(options, error, sizeof(error));

    if (is_possible && !wire)
        fail_msg("%s", error);
    if (!is_possible) {
        assert_null(wire);
        assert_string_equal(error, reason);
        assert_non_null(strchr(error, ';'));
    }
    return wire;
}

static struct wire_counts counts_of(struct wire *wire, enum wire_side side)
{
    struct wire_counts counts[2];

    assert_true(wire_counts(wire, counts));
    return counts[side];
}

/* Until this many packets have come to their end, one way or another. */
static void wait_for_packets(struct wire *wire, enum wire_side side,
                             uint64_t packets)
{
    struct wire_counts counts;

    do {
        sched_yield(); /* to the forwarder */
        counts = counts_of(wire, side);
    } while (counts.packets < packets || counts.packets + counts.duplicated !=
                                             counts.delivered + counts.lost +
                                                 counts.queue_dropped +
                                                 counts.overrun);
    assert_int_equal(counts.overrun, 0);
}

/* ---- sockets at the ends ---------------------------------------------- */

static socklen_t address(struct sockaddr_storage *out, enum wire_side side,
                         int domain)
{
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

    memset(out, 0, sizeof(*out));
    out->ss_family = (sa_family_t)domain;
    in->sin_port = htons(PORT); /* at the same place in both */
    if (domain == AF_INET6)
        inet_pton(domain, wire_address(side, domain), &in6->sin6_addr);
    else
        inet_pton(domain, wire_address(side, domain), &in->sin_addr);
    return domain == AF_INET6 ? sizeof(*in6) : sizeof(*in);
}

static int bound(struct wire *wire, enum wire_side side, int domain, int type)
{
    int fd = wire_socket(wire, side, domain, type | SOCK_NONBLOCK, 0);
    struct sockaddr_storage at;
    socklen_t len = address(&at, side, domain);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    return fd;
}

static int connected(struct wire *wire, enum wire_side side, int domain,
                     int type)
{
    int fd = wire_socket(wire, side, domain, type, 0);
    struct sockaddr_storage to;
    socklen_t len = address(&to, !side, domain);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, len), 0);
    return fd;
}

/* ---- datagrams -------------------------------------------------------- */

/* Notes how often each has come: what the link has delivered, the kernel of the
   right end hands on at its own time. Returns how many have come so far. */
static uint64_t take_numbered(struct wire *wire, int to, uint8_t *came,
                              uint64_t taken)
{
    struct pollfd ready = {.fd = to, .events = POLLIN};
    unsigned number;

    while (taken < counts_of(wire, WIRE_LEFT).delivered) {
        assert_int_equal(poll(&ready, 1, 200000), 1);
        assert_int_equal(recv(to, &number, sizeof(number), 0), sizeof(number));
        came[number]++;
        taken++;
    }
    return taken;
}

/* Sends numbered datagrams to the right, never more than the ends can hold,
   and notes how often each has come. */
static void send_numbered(struct wire *wire, unsigned count, uint8_t *came)
{
    int from = connected(wire, WIRE_LEFT, AF_INET, SOCK_DGRAM);
    int to = bound(wire, WIRE_RIGHT, AF_INET, SOCK_DGRAM);
    uint64_t taken = counts_of(wire, WIRE_LEFT).delivered;

    memset(came, 0, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(send(from, &i, sizeof(i), 0), sizeof(i));
        if ((i + 1) % BATCH != 0 && i + 1 != count)
            continue;
        wait_for_packets(wire, WIRE_LEFT, i + 1);
        taken = take_numbered(wire, to, came, taken);
    }
    close(from);
    close(to);
}

/* What is lost is what the seed says, to the packet. */
static void assert_losses(enum wire_kind kind, double loss, uint64_t seed)
{
    static uint8_t came[DATAGRAMS];
    static struct impairment expected;
    struct wire_options options = {
        .to_right.loss = loss, .seed = seed, .kind = kind};
    struct wire *wire = wire_with(&options);
    unsigned lost = 0;

    if (!wire)
        return;
    impairment_init(&expected, &options.to_right, seed, WIRE_LEFT);
    send_numbered(wire, DATAGRAMS, came);
    for (unsigned i = 0; i < DATAGRAMS; i++) {
        assert_int_equal(came[i],
                         !impairment_decide(&expected, 32, true, 0).is_lost);
        lost += came[i] == 0;
    }
    assert_int_equal(counts_of(wire, WIRE_LEFT).lost, lost);
    assert_int_equal(counts_of(wire, WIRE_LEFT).payload_packets, DATAGRAMS);
    assert_int_equal(counts_of(wire, WIRE_RIGHT).packets, 0);
    wire_destroy(wire);
}

/* As many as these, and none behind them that has come already. */
static void take_marks(int to, char *text, size_t count)
{
    struct pollfd ready = {.fd = to, .events = POLLIN};
    char more;

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(poll(&ready, 1, 200000), 1);
        assert_int_equal(recv(to, &text[i], 1, 0), 1);
    }
    assert_int_equal(recv(to, &more, 1, 0), -1);
}

static void test_wire_loses_what_the_seed_says(void **state)
{
    (void)state;
    assert_losses(WIRE_ANY, 0, 1);
    for (int seed = 1; seed <= SEEDS; seed++) {
        assert_losses(WIRE_ANY, 0.01, (uint64_t)seed);
        assert_losses(WIRE_ANY, 0.05, (uint64_t)seed);
    }
}

static void test_wire_loses_the_same_through_veth(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_losses(WIRE_VETH, 0.05, 1);
}

static void test_wire_drops_exactly_what_it_is_told_to(void **state)
{
    struct wire *wire = wire_with(&(struct wire_options){0});
    uint8_t came[10];

    (void)state;
    if (!wire)
        return;
    send_numbered(wire, 5, came);
    assert_memory_equal(came, "\1\1\1\1\1", 5);
    assert_true(wire_drop_next(wire, WIRE_LEFT, 2));
    assert_true(wire_drop_next(wire, WIRE_LEFT, 4));
    assert_true(wire_drop_next(wire, WIRE_RIGHT, 1));
    wait_for_packets(wire, WIRE_LEFT, 5);
    {
        int from = connected(wire, WIRE_LEFT, AF_INET, SOCK_DGRAM);
        int to = bound(wire, WIRE_RIGHT, AF_INET, SOCK_DGRAM);
        char text[6] = "";

        for (const char *mark = "abcde"; *mark; mark++)
            send(from, mark, 1, 0);
        wait_for_packets(wire, WIRE_LEFT, 10);
        take_marks(to, text, 3);
        assert_string_equal(text, "ace");
        close(from);
        close(to);
    }
    wire_destroy(wire);
}

static void test_wire_changes_while_it_runs(void **state)
{
    struct wire_direction none = {0}, cut = {.loss = 1};
    struct wire_direction twice = {.duplicate = 1};
    struct wire *wire = wire_with(&(struct wire_options){0});
    uint8_t came[5];

    (void)state;
    if (!wire)
        return;
    assert_true(wire_impair(wire, &cut, &none));
    {
        int from = connected(wire, WIRE_LEFT, AF_INET, SOCK_DGRAM);

        send(from, "x", 1, 0);
        wait_for_packets(wire, WIRE_LEFT, 1);
        assert_int_equal(counts_of(wire, WIRE_LEFT).lost, 1);
        close(from);
    }
    wire_destroy(wire);

    wire = wire_with(&(struct wire_options){0});
    assert_true(wire_impair(wire, &twice, &none));
    send_numbered(wire, 5, came);
    assert_memory_equal(came, "\2\2\2\2\2", 5);
    assert_int_equal(counts_of(wire, WIRE_LEFT).duplicated, 5);
    wire_destroy(wire);
}

static void test_wire_reorders(void **state)
{
    struct wire_direction none = {0};
    struct wire_options late = {
        .to_right = {.reorder = 1, .reorder_ms = HELD_BACK_MS}};
    struct wire *wire = wire_with(&late);
    char text[7] = "";
    int from, to;

    (void)state;
    if (!wire)
        return;
    from = connected(wire, WIRE_LEFT, AF_INET, SOCK_DGRAM);
    to = bound(wire, WIRE_RIGHT, AF_INET, SOCK_DGRAM);
    send(from, "a", 1, 0);
    send(from, "b", 1, 0);
    while (counts_of(wire, WIRE_LEFT).packets < 2)
        sched_yield();
    assert_true(wire_impair(wire, &none, &none));
    for (const char *mark = "cdef"; *mark; mark++)
        send(from, mark, 1, 0);
    wait_for_packets(wire, WIRE_LEFT, 6);
    take_marks(to, text, 6);
    assert_string_equal(text, "cdefab");
    assert_int_equal(counts_of(wire, WIRE_LEFT).reordered, 2);
    close(from);
    close(to);
    wire_destroy(wire);
}

/* ---- what fits -------------------------------------------------------- */

static void assert_echo(struct wire *wire, int domain, size_t len)
{
    int from = connected(wire, WIRE_LEFT, domain, SOCK_DGRAM);
    int to = bound(wire, WIRE_RIGHT, domain, SOCK_DGRAM);
    static char sent[65507], got[65508];
    struct pollfd poll_fd = {.fd = to, .events = POLLIN};

    for (size_t i = 0; i < len; i++)
        sent[i] = (char)(i * 7);
    assert_int_equal(send(from, sent, len, 0), len);
    assert_int_equal(poll(&poll_fd, 1, 200000), 1);
    assert_int_equal(recv(to, got, sizeof(got), 0), len);
    assert_memory_equal(got, sent, len);
    close(from);
    close(to);
}

static void assert_carries(enum wire_kind kind, unsigned mtu)
{
    struct wire_options options = {.kind = kind, .mtu = mtu};
    struct wire *wire = wire_with(&options);

    if (!wire)
        return;
    assert_echo(wire, AF_INET, 0);
    assert_echo(wire, AF_INET, 1472);
    assert_echo(wire, AF_INET, 65507);
    assert_int_equal(wire_has_ipv6(wire), mtu >= 1280);
    if (wire_has_ipv6(wire))
        assert_echo(wire, AF_INET6, 2000);
    wire_destroy(wire);
}

static void test_wire_carries_datagrams_of_every_size(void **state)
{
    static const unsigned mtus[] = {576, 1500, 9000, 65535};

    (void)state;
    for (size_t i = 0; i < sizeof(mtus) / sizeof(*mtus); i++) {
        assert_carries(WIRE_ANY, mtus[i]);
        assert_carries(WIRE_VETH, mtus[i]);
    }
}

static void test_wire_carries_multicast(void **state)
{
    struct wire *wire = wire_with(&(struct wire_options){0});
    struct sockaddr_in group = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct ip_mreqn join = {0};
    int from, to;
    char mark;

    (void)state;
    if (!wire)
        return;
    from = wire_socket(wire, WIRE_LEFT, AF_INET, SOCK_DGRAM, 0);
    to = wire_socket(wire, WIRE_RIGHT, AF_INET, SOCK_DGRAM, 0);
    inet_pton(AF_INET, "239.1.2.3", &group.sin_addr);
    join.imr_multiaddr = group.sin_addr;
    inet_pton(AF_INET, wire_address(WIRE_RIGHT, AF_INET), &join.imr_address);
    assert_int_equal(bind(to, (struct sockaddr *)&group, sizeof(group)), 0);
    assert_int_equal(
        setsockopt(to, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)), 0);
    assert_int_equal(
        sendto(from, "m", 1, 0, (struct sockaddr *)&group, sizeof(group)), 1);
    assert_int_equal(recv(to, &mark, 1, 0), 1);
    assert_int_equal(mark, 'm');
    close(from);
    close(to);
    wire_destroy(wire);
}

/* ---- TCP -------------------------------------------------------------- */

static unsigned retransmissions(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);

    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    return info.tcpi_total_retrans;
}

/* Sends bytes as long as the other end has not all of them. */
static unsigned transfer(int from, int to, size_t total)
{
    static uint8_t sent[65536], got[65536];
    size_t out = 0, in = 0;
    struct pollfd fds[] = {{.fd = from}, {.fd = to, .events = POLLIN}};

    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (uint8_t)(i % 251);
    while (in < total) {
        ssize_t len;

        fds[0].events = out < total ? POLLOUT : 0;
        assert_true(poll(fds, 2, 200000) > 0);
        if (fds[0].revents) {
            len = send(from, sent + out % 251, (total - out) % 32000 + 1,
                       MSG_DONTWAIT);
            out += len > 0 ? (size_t)len : 0;
        }
        len = recv(to, got, sizeof(got), MSG_DONTWAIT);
        if (len > 0)
            assert_memory_equal(got, sent + in % 251,
                                len < 65000 ? (size_t)len : 65000);
        in += len > 0 ? (size_t)len : 0;
    }
    return retransmissions(from);
}

static void test_wire_tcp_loses_nothing(void **state)
{
    struct wire_options options = {
        .to_right.loss = 0.02, .to_left.loss = 0.02, .seed = 3};
    struct wire *wire = wire_with(&options);
    int listener, from, to;

    (void)state;
    if (!wire)
        return;
    listener = bound(wire, WIRE_RIGHT, AF_INET, SOCK_STREAM);
    assert_int_equal(listen(listener, 1), 0);
    from = connected(wire, WIRE_LEFT, AF_INET, SOCK_STREAM);
    do
        to = accept(listener, NULL, NULL);
    while (to < 0 && errno == EAGAIN);

    assert_true(transfer(from, to, 2000000) > 0);
    assert_true(counts_of(wire, WIRE_LEFT).lost > 0);
    close(from);
    close(to);
    close(listener);
    wire_destroy(wire);
}

/* ---- commands --------------------------------------------------------- */

static void assert_prints(struct wire *wire, enum wire_side side,
                          const char *script, const char *expected)
{
    char *const argv[] = {"sh", "-c", (char *)script, NULL};
    char text[256] = "";
    int out[2], status;
    size_t len = 0;
    ssize_t got;
    pid_t pid;

    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid = wire_spawn(wire, side, argv, (const int[3]){-1, out[1], -1});
    assert_true(pid > 0);
    close(out[1]);
    while ((got = read(out[0], text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)got;
    close(out[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_string_equal(text, expected);
}

static void test_wire_tells_commands_their_addresses(void **state)
{
    struct wire *wire = wire_with(&(struct wire_options){0});

    (void)state;
    if (!wire)
        return;
    assert_prints(wire, WIRE_LEFT, "echo $WIRE_SIDE $WIRE_SELF $WIRE_PEER",
                  "left 10.77.0.1 10.77.0.2\n");
    assert_prints(wire, WIRE_RIGHT, "echo $WIRE_SIDE $WIRE_SELF6 $WIRE_PEER6",
                  "right fd77::2 fd77::1\n");
    wire_destroy(wire);
}

static void test_wire_says_when_a_command_cannot_start(void **state)
{
    char *const missing[] = {"/no/such/command", NULL};
    char *const folder[] = {"/", NULL};
    struct wire *wire = wire_with(&(struct wire_options){0});

    (void)state;
    if (!wire)
        return;
    assert_int_equal(wire_spawn(wire, WIRE_LEFT, missing, NULL), -ENOENT);
    assert_int_equal(wire_spawn(wire, WIRE_RIGHT, folder, NULL), -EACCES);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* the forwarder alone */
    wire_destroy(wire);
}

static void test_wire_knows_who_listens(void **state)
{
    struct wire *wire = wire_with(&(struct wire_options){0});
    int fd;

    (void)state;
    if (!wire)
        return;
    assert_false(wire_is_listening(wire, WIRE_RIGHT));
    fd = bound(wire, WIRE_RIGHT, AF_INET, SOCK_STREAM);
    assert_false(wire_is_listening(wire, WIRE_RIGHT));
    listen(fd, 1);
    assert_true(wire_is_listening(wire, WIRE_RIGHT));
    assert_false(wire_is_listening(wire, WIRE_LEFT));
    close(fd);
    assert_false(wire_is_listening(wire, WIRE_RIGHT));
    fd = bound(wire, WIRE_LEFT, AF_INET6, SOCK_DGRAM);
    assert_true(wire_is_listening(wire, WIRE_LEFT));
    close(fd);
    wire_destroy(wire);
}

/* ---- its end ---------------------------------------------------------- */

static void test_wire_says_that_the_forwarder_is_gone(void **state)
{
    struct wire *wire = wire_with(&(struct wire_options){0});
    struct wire_counts counts[2];
    char path[64];
    FILE *file;
    int pid = 0;

    (void)state;
    if (!wire)
        return;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
    file = fopen(path, "r");
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);

    assert_false(wire_counts(wire, counts));
    assert_int_equal(counts[WIRE_LEFT].packets, 0);
    assert_false(wire_drop_next(wire, WIRE_LEFT, 1));
    wire_destroy(wire);
}

/* A socket that was open before is closed when it is closed: the forwarder
   has no copy of it. */
static void test_wire_forwarder_holds_no_other_files(void **state)
{
    int pair[2];
    struct wire *wire;
    char byte;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    wire = wire_with(&(struct wire_options){0});
    close(pair[0]);
    assert_int_equal(recv(pair[1], &byte, 1, 0), 0);
    close(pair[1]);
    wire_destroy(wire);
}

static void test_wire_says_what_cannot_be_written(void **state)
{
    struct wire_options options = {.pcap = "/no such folder/x.pcap"};
    char error[256];

    (void)state;
    assert_null(wire_create(&options, error, sizeof(error)));
    assert_string_equal(error,
                        "/no such folder/x.pcap: No such file or directory; "
                        "make its folder: mkdir -p '/no such folder'");
}

static int set_up(void **state)
{
    (void)state;
    is_possible = wire_is_possible(reason, sizeof(reason));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_loses_what_the_seed_says),
        cmocka_unit_test(test_wire_loses_the_same_through_veth),
        cmocka_unit_test(test_wire_drops_exactly_what_it_is_told_to),
        cmocka_unit_test(test_wire_changes_while_it_runs),
        cmocka_unit_test(test_wire_reorders),
        cmocka_unit_test(test_wire_carries_datagrams_of_every_size),
        cmocka_unit_test(test_wire_carries_multicast),
        cmocka_unit_test(test_wire_tcp_loses_nothing),
        cmocka_unit_test(test_wire_tells_commands_their_addresses),
        cmocka_unit_test(test_wire_says_when_a_command_cannot_start),
        cmocka_unit_test(test_wire_knows_who_listens),
        cmocka_unit_test(test_wire_says_that_the_forwarder_is_gone),
        cmocka_unit_test(test_wire_forwarder_holds_no_other_files),
        cmocka_unit_test(test_wire_says_what_cannot_be_written),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
