/* Faults that an address can have, and the advice for each. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/remedy.h"
#include "config/address.h"
#include "config/config_model.h"

struct address_case {
    const char *host;
    int port;
    bool is_to_connect;
    struct sockaddr_storage address; /* AF_UNSPEC: `host` is none */
    socklen_t length;
};

static const struct address_case *address_of_case(const struct remedy_case *met)
{
    return met->about;
}

/* ---- ports ------------------------------------------------------------ */

static int address_first_free_port(void)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
    int port = -1;

    if (file) {
        if (fscanf(file, "%d", &port) != 1)
            port = -1;
        fclose(file);
    }
    return port;
}

static bool address_has_right_to_ports(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (syscall(SYS_capget, &head, data))
        return geteuid() == 0;
    return data[0].effective >> CAP_NET_BIND_SERVICE & 1;
}

bool address_may_bind(int port)
{
    return port == 0 || port >= address_first_free_port() ||
           address_has_right_to_ports();
}

/* Where /proc is not mounted nothing is known but the usual bound, and that
   bind(2) has refused it. */
static bool address_is_privileged(struct remedy_case *met)
{
    const struct address_case *it = address_of_case(met);
    int first = address_first_free_port();

    if (it->is_to_connect || it->port == 0 ||
        it->port >= (first < 0 ? IPPORT_RESERVED : first) ||
        address_has_right_to_ports())
        return false;
    snprintf(met->place, sizeof(met->place), "%d needs privileges; try %d",
             it->port, it->port + 5000);
    return true;
}

static bool address_is_port_given(struct remedy_case *met)
{
    return address_of_case(met)->port > 0 &&
           !address_of_case(met)->is_to_connect;
}

/* ---- hosts ------------------------------------------------------------ */

static bool address_is_to_connect(struct remedy_case *met)
{
    return address_of_case(met)->is_to_connect;
}

static bool address_is_family(const struct remedy_case *met, int family)
{
    return address_of_case(met)->address.ss_family == family;
}

static bool address_is_v6(struct remedy_case *met)
{
    return address_is_family(met, AF_INET6);
}

static bool address_is_none(struct remedy_case *met)
{
    return address_is_family(met, AF_UNSPEC);
}

static bool address_is_odd(struct remedy_case *met)
{
    const char *host = address_of_case(met)->host;

    return address_is_none(met) && !strchr(host, ':') &&
           address_ends_in_number(host);
}

/* The text after the "%" of an IPv6 address is no interface of this machine. */
static bool address_has_bad_zone(struct remedy_case *met)
{
    const char *zone = strchr(address_of_case(met)->host, '%');
    char name[IF_NAMESIZE];

    return zone && !if_nametoindex(zone + 1) &&
           !if_indextoname((unsigned)atoi(zone + 1), name);
}

static bool address_lacks_zone(struct remedy_case *met)
{
    const struct sockaddr_in6 *v6 =
        (const void *)&address_of_case(met)->address;

    return address_is_v6(met) && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) &&
           v6->sin6_scope_id == 0;
}

/* True if connect(2), which for UDP sends nothing, needs SO_BROADCAST. */
static bool address_is_broadcast(struct remedy_case *met)
{
    const struct address_case *it = address_of_case(met);
    const struct sockaddr *address = (const void *)&it->address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), yes = 1;
    bool is_so =
        address_is_family(met, AF_INET) && fd >= 0 &&
        connect(fd, address, it->length) && errno == EACCES &&
        setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)) == 0 &&
        connect(fd, address, it->length) == 0;

    if (fd >= 0)
        close(fd);
    return is_so;
}

static bool address_is_multicast(struct remedy_case *met)
{
    const struct sockaddr_storage *address = &address_of_case(met)->address;
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;

    return address_is_family(met, AF_INET)
               ? IN_MULTICAST(ntohl(v4->sin_addr.s_addr))
               : address_is_v6(met) && IN6_IS_ADDR_MULTICAST(&v6->sin6_addr);
}

/* No interface has an IPv6 address: disable_ipv6 of ipv6(7) is set. */
static bool address_is_v6_off(struct remedy_case *met)
{
    bool is_off = address_is_v6(met);
    struct ifaddrs *list;

    if (!is_off || getifaddrs(&list))
        return false;
    for (struct ifaddrs *one = list; one; one = one->ifa_next)
        if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET6)
            is_off = false;
    freeifaddrs(list);
    return is_off;
}

/* ---- the table -------------------------------------------------------- */

#define ONE_MACHINE                                                            \
    "%s is a broadcast address, for all machines of a network; take the "      \
    "address of one"
#define UNREACHABLE                                                            \
    "%s cannot be reached; check the address and the network connection"
#define NO_IPV6                                                                \
    "%s is IPv6, which this machine does not have; take an IPv4 address"
#define NO_PORT                                                                \
    "there is no port left to reach %s from; end programs that have many "     \
    "connections"
#define NO_ZONE "%s names an interface that is not there; `ip link` lists them"

static const struct remedy address_remedies[] = {
    {EADDRINUSE, address_is_port_given,
     "port %s is in use; stop the other server or choose another port, 0 takes "
     "a free one",
     "port"},
    {EADDRINUSE, NULL,
     "no port is free; end programs that have many connections", "port"},
    {EACCES, address_is_privileged, "port %s", "port"},
    {EACCES, address_is_broadcast, ONE_MACHINE, "host"},
    {EPERM, NULL,
     "port %s is forbidden here; choose another, or ask who made the rules of "
     "this machine",
     "port"},

    {EADDRNOTAVAIL, address_is_v6_off, NO_IPV6, "host"},
    {EADDRNOTAVAIL, address_is_to_connect, NO_PORT, "host"},
    {EAGAIN, address_is_none,
     "%s is a name, and no name server has answered; check the network, or "
     "write the address in numbers",
     "host"},
    {EAGAIN, address_is_to_connect, NO_PORT, "host"},
    {EADDRNOTAVAIL, NULL,
     "%s is not an address of this machine; take 127.0.0.1 (this machine "
     "only), 0.0.0.0 (every network) or one that `ip address` lists",
     "host"},
    {EINVAL, address_has_bad_zone, NO_ZONE, "host"},
    {EINVAL, address_lacks_zone,
     "%s exists on every network; write the interface behind it, as in "
     "fe80::1%eth0",
     "host"},
    {EINVAL, address_is_odd,
     "%s is not an address; write four numbers from 0 to 255 without zeros in "
     "front, like 127.0.0.1",
     "host"},
    {EINVAL, address_is_none,
     "%s is not an address; write one like 127.0.0.1 or ::1, or a name like "
     "localhost",
     "host"},
    {ENODEV, address_has_bad_zone, NO_ZONE, "host"},
    {ENOENT, address_is_none,
     "%s is a name without an address; write an address like 127.0.0.1",
     "host"},
    {EAFNOSUPPORT, address_is_v6, NO_IPV6, "host"},

    {ENETUNREACH, address_is_broadcast, ONE_MACHINE, "host"},
    {ENETUNREACH, address_is_multicast,
     "%s is a multicast address, for a group of machines; take the address of "
     "one, or udp",
     "host"},
    {ENETUNREACH, NULL, UNREACHABLE, "host"},
    {EHOSTUNREACH, NULL, UNREACHABLE, "host"},
    {ECONNREFUSED, NULL,
     "%s has nobody who listens there; start the server, or check address and "
     "port",
     "host"},
    {ETIMEDOUT, NULL,
     "%s did not answer; check the address, the network and the firewall",
     "host"},
    {0},
};

/* ---- asked ------------------------------------------------------------ */

/* Most rows have no place of their own: it is what they blame. */
static void address_blame(const struct remedy *remedy, struct remedy_case *met)
{
    const struct address_case *it = address_of_case(met);

    if (*met->place || !remedy->key)
        return;
    if (!strcmp(remedy->key, "port"))
        snprintf(met->place, sizeof(met->place), "%d", it->port);
    else
        snprintf(met->place, sizeof(met->place), "\"%s\"", it->host);
}

static void address_say_other(const struct remedy *remedy,
                              const struct remedy_case *met, char *text,
                              size_t size)
{
    const struct address_case *it = address_of_case(met);
    char advice[REMEDY_BYTES] = "";

    if (remedy)
        remedy_fill(remedy, met, advice, sizeof(advice));
    else
        snprintf(advice, sizeof(advice), "`man 2 %s` says when that happens",
                 it->is_to_connect ? "connect" : "bind");
    snprintf(text, size, "cannot use %s port %d: %s; %s", it->host, it->port,
             strerror(met->error), advice);
}

const char *address_explain(const char *host, int port, bool is_to_connect,
                            int error, char *text, size_t size)
{
    struct address_case about = {
        .host = host, .port = port, .is_to_connect = is_to_connect};
    struct remedy_case met = {.error = -error, .about = &about};
    const struct remedy *found;

    if (error != -EINVAL && error != -ENOENT && error != -EAGAIN)
        pg_address(host, port, true, &about.address, &about.length);
    else
        pg_address(host, port, false, &about.address, &about.length);
    found = remedy_find(address_remedies, &met);
    if (!found || !found->key) {
        address_say_other(found, &met, text, size);
        return NULL;
    }
    address_blame(found, &met);
    remedy_fill(found, &met, text, size);
    return found->key;
}

int pg_address_fail(struct pg_listener *listener, const char *host, int port,
                    int error)
{
    char text[REMEDY_BYTES];
    const char *key = address_explain(host, port, listener->is_to_connect,
                                      error, text, sizeof(text));

    return pg_listen_fail(listener, key, "%s", text);
}
