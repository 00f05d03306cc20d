/* A remedy fits the cause, for addresses: each error is met at a real socket,
   in an order and at ports drawn by seed, and explained. */
#include "config/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spellings.h"

#define TEXT_BYTES 512

/* ---- what is met ------------------------------------------------------ */

struct attempt {
    const char *host;
    int port;
    int type;
    bool is_to_connect;
};

/* 0 or -errno, as tcp and udp find it. The socket stays open. */
static int try(const struct attempt *attempt)
{
    struct sockaddr_storage address;
    socklen_t length;
    int error =
        pg_address(attempt->host, attempt->port, false, &address, &length);
    int fd, result;

    if (error)
        return error;
    fd = socket(address.ss_family, attempt->type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    result = attempt->is_to_connect
                 ? connect(fd, (struct sockaddr *)&address, length)
                 : bind(fd, (struct sockaddr *)&address, length);
    return result ? -errno : 0;
}

/* ---- what makes it; false: it cannot be made here --------------------- */

static int taken_port;

static bool nothing(void)
{
    return true;
}

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool is_written = fd >= 0 && write(fd, text, strlen(text)) > 0;

    if (fd >= 0)
        close(fd);
    return is_written;
}

static bool no_right_to_ports(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return syscall(SYS_capset, &head, none) == 0;
}

/* A network of our own, in which nothing is up: see user_namespaces(7). */
static bool no_network(void)
{
    uid_t user = geteuid();
    char map[64];

    if (unshare(CLONE_NEWNET) == 0)
        return true;
    if (unshare(CLONE_NEWNET | CLONE_NEWUSER))
        return false;
    snprintf(map, sizeof(map), "0 %u 1", user);
    return write_text("/proc/self/uid_map", map);
}

/* ... with a loopback interface, and two ports to go out from. */
static bool two_ports(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = no_network() ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    struct attempt out = {"127.0.0.1", 7, SOCK_DGRAM, true};

    request.ifr_flags = IFF_UP;
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) ||
        !write_text("/proc/sys/net/ipv4/ip_local_port_range", "50000 50001"))
        return false;
    while (try(&out) == 0)
        ;
    return true;
}

/* The usual bound, whatever this machine has, and no right to go below. */
static bool low_ports(void)
{
    return (no_network() || true) && no_right_to_ports();
}

static bool few_descriptors(void)
{
    const struct rlimit wanted = {5, 5};

    while (dup(0) >= 0 && setrlimit(RLIMIT_NOFILE, &wanted) == 0)
        ;
    return true;
}

static bool taken(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&address, length) ||
        getsockname(fd, (struct sockaddr *)&address, &length))
        return false;
    taken_port = ntohs(address.sin_port);
    return true;
}

/* ---- the table -------------------------------------------------------- */

struct cause {
    const char *name;
    bool (*make)(void);
    struct attempt attempt; /* port -1: the taken one */
    int error;
    const char *key, *text; /* what it says has to have this in it */
    bool is_rare;           /* some systems do not have it */
};

static const struct cause causes[] = {
    {"port in use",
     taken,
     {"127.0.0.1", -1, SOCK_STREAM, false},
     EADDRINUSE,
     "port",
     " is in use; stop the other server or choose",
     false},
    {"low port",
     low_ports,
     {"127.0.0.1", 80, SOCK_STREAM, false},
     EACCES,
     "port",
     "port 80 needs privileges; try 5080",
     true},
    {"low port of IPv6",
     low_ports,
     {"::", 1023, SOCK_DGRAM, false},
     EACCES,
     "port",
     "port 1023 needs privileges; try 6023",
     true},
    {"everybody, UDP",
     nothing,
     {"127.255.255.255", 7, SOCK_DGRAM, true},
     EACCES,
     "host",
     "\"127.255.255.255\" is a broadcast address, ",
     false},
    {"everybody, a low port",
     no_right_to_ports,
     {"127.255.255.255", 7, SOCK_DGRAM, true},
     EACCES,
     "host",
     "\"127.255.255.255\" is a broadcast address, ",
     false},
    {"everybody, TCP",
     nothing,
     {"127.255.255.255", 5000, SOCK_STREAM, true},
     ENETUNREACH,
     "host",
     "\"127.255.255.255\" is a broadcast address, ",
     false},
    {"group, TCP",
     nothing,
     {"224.0.0.1", 5000, SOCK_STREAM, true},
     ENETUNREACH,
     "host",
     "\"224.0.0.1\" is a multicast address, ",
     false},
    {"somebody else's",
     nothing,
     {"192.0.2.1", 5000, SOCK_STREAM, false},
     EADDRNOTAVAIL,
     "host",
     "\"192.0.2.1\" is not an address of this machine; ",
     false},
    {"no IPv6",
     no_network,
     {"::1", 5000, SOCK_STREAM, false},
     EADDRNOTAVAIL,
     "host",
     "\"::1\" is IPv6, which this machine does not have; ",
     true},
    {"no way out",
     no_network,
     {"192.0.2.1", 5000, SOCK_DGRAM, true},
     ENETUNREACH,
     "host",
     "\"192.0.2.1\" cannot be reached; check ",
     false},
    {"no port to go from",
     two_ports,
     {"127.0.0.1", 7, SOCK_DGRAM, true},
     EAGAIN,
     "host",
     "there is no port left to reach \"127.0.0.1\" from; ",
     false},
    {"no port to go from, TCP",
     two_ports,
     {"127.0.0.1", 0, SOCK_DGRAM, false},
     EADDRINUSE,
     "port",
     "no port is free; end programs",
     false},
    {"link-local without one",
     nothing,
     {"fe80::1", 5000, SOCK_STREAM, false},
     EINVAL,
     "host",
     "\"fe80::1\" exists on every network; write the interface",
     true},
    {"interface that is none",
     nothing,
     {"fe80::1%no-such", 5000, SOCK_STREAM, false},
     EINVAL,
     "host",
     "names an interface that is not there; `ip link`",
     true},
    {"interface without a number",
     nothing,
     {"fe80::1%99999", 5000, SOCK_STREAM, false},
     ENODEV,
     "host",
     "names an interface that is not there; `ip link`",
     true},
    {"no address",
     nothing,
     {"a:b", 5000, SOCK_STREAM, false},
     EINVAL,
     "host",
     "\"a:b\" is not an address; write one like ",
     false},
    {"a name",
     nothing,
     {"no.such.name", 5000, SOCK_STREAM, false},
     ENOENT,
     "host",
     "\"no.such.name\" is a name without an address; ",
     false},
    {"no descriptor",
     few_descriptors,
     {"127.0.0.1", 5000, SOCK_STREAM, true},
     EMFILE,
     NULL,
     "may hold 5 descriptors: raise that with `ulimit -n`",
     false},
    {"nobody",
     taken,
     {"127.0.0.1", -1, SOCK_STREAM, true},
     ECONNREFUSED,
     "host",
     "nobody who listens there; start the server",
     false},
};

#define CAUSES (sizeof(causes) / sizeof(*causes))

static int complain(const struct cause *cause, const char *what,
                    const char *more)
{
    fprintf(stderr, "%s: %s%s\n", cause->name, what, more);
    return 1;
}

/* In a process of its own. */
static int check(const struct cause *cause)
{
    struct attempt attempt = cause->attempt;
    char text[TEXT_BYTES];
    const char *key;
    int error;

    if (!cause->make())
        return cause->is_rare ? 0 : complain(cause, "cannot be made", "");
    if (attempt.port < 0)
        attempt.port = taken_port;
    error = try(&attempt);
    if (error != -cause->error)
        return cause->is_rare ? 0
                              : complain(cause, "error: ", strerror(-error));
    key = address_explain(attempt.host, attempt.port, attempt.is_to_connect,
                          error, text, sizeof(text));
    if (!strstr(text, cause->text))
        return complain(cause, "said: ", text);
    if ((key == NULL) != (cause->key == NULL) ||
        (key && strcmp(key, cause->key) != 0))
        return complain(cause, "blamed: ", key ? key : "none");
    return 0;
}

static void assert_explained(const struct cause *cause)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(check(cause));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_address_remedy_fits_each_cause(void **state)
{
    uint64_t drawn = (uint64_t)getpid();
    unsigned first = spelling_draw(&drawn, CAUSES);

    (void)state;
    for (unsigned i = 0; i < CAUSES; i++)
        assert_explained(&causes[(first + i) % CAUSES]);
}

/* The advice to try another port is right: the one named can be had. */
static void
test_address_remedy_does_not_blame_a_port_that_may_be_bound(void **state)
{
    char text[TEXT_BYTES];

    (void)state;
    for (int port = 1024; port < 65536; port += 511) {
        assert_true(address_may_bind(port));
        address_explain("127.0.0.1", port, false, -EACCES, text, sizeof(text));
        assert_null(strstr(text, "privileges"));
    }
    assert_true(address_may_bind(0));
}

/* Only of an IPv6 address is said that IPv6 is missing. */
static void test_address_remedy_looks_at_the_family(void **state)
{
    char text[TEXT_BYTES];

    (void)state;
    address_explain("::1", 5000, false, -EAFNOSUPPORT, text, sizeof(text));
    assert_non_null(strstr(text, "is IPv6"));
    address_explain("127.0.0.1", 5000, false, -EAFNOSUPPORT, text,
                    sizeof(text));
    assert_null(strstr(text, "IPv6"));
}

/* ---- spellings -------------------------------------------------------- */

/* One number of an address as inet_aton(3) reads it: octal, hexadecimal, or in
   the only way that is meant. */
static bool spell_number(uint64_t *seed, char *text, size_t size,
                         uint64_t value)
{
    static const char *const formats[] = {"%llu",   "0%llo",  "0x%llx",
                                          "0X%llX", "%03llu", "00%llu"};
    unsigned which = spelling_draw(seed, 6);
    char plain[32];

    snprintf(plain, sizeof(plain), "%llu", (unsigned long long)value);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text + strlen(text), size - strlen(text), formats[which],
             (unsigned long long)value);
#pragma GCC diagnostic pop
    return strcmp(text + strlen(text) - strlen(plain), plain) == 0 &&
           which == 0;
}

/* Of one to four numbers, the last of which fills the address. True if it is
   the usual spelling. */
static bool spell(uint64_t *seed, char *text, size_t size)
{
    unsigned parts = 1 + spelling_draw(seed, 4);
    bool is_plain = parts == 4;

    *text = '\0';
    for (unsigned i = 0; i < parts; i++) {
        uint64_t most = i + 1 < parts ? 256 : 1ull << 8 * (5 - parts);

        is_plain &= spell_number(seed, text, size,
                                 spelling_draw(seed, (unsigned)(most - 1)));
        if (i + 1 < parts)
            strcat(text, ".");
    }
    return is_plain;
}

static void test_address_has_one_spelling(void **state)
{
    uint64_t seed = (uint64_t)getpid(), first = seed;
    char host[128], said[TEXT_BYTES];
    struct sockaddr_storage address;
    socklen_t length;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)first);
    for (int i = 0; i < 10000; i++) {
        bool is_plain = spell(&seed, host, sizeof(host));
        struct in_addr v4;
        bool is_usual = inet_pton(AF_INET, host, &v4) == 1;

        assert_true(is_usual || !is_plain);
        for (int lookup = 0; lookup < 2; lookup++)
            assert_int_equal(
                pg_address(host, 5000, is_usual || lookup, &address, &length),
                is_usual ? 0 : -EINVAL);
        if (is_usual)
            continue;
        assert_string_equal(
            address_explain(host, 5000, true, -EINVAL, said, sizeof(said)),
            "host");
        assert_non_null(strstr(said, "write four numbers from 0 to 255"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_remedy_fits_each_cause),
        cmocka_unit_test(
            test_address_remedy_does_not_blame_a_port_that_may_be_bound),
        cmocka_unit_test(test_address_remedy_looks_at_the_family),
        cmocka_unit_test(test_address_has_one_spelling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
