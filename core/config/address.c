/* Turns addresses into text and back, and says what is wrong with one. */

#include "config/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/text.h"

/* ---- text to address -------------------------------------------------- */

static int address_parse_v4(const char *host, int port,
                            struct sockaddr_storage *address, socklen_t *length)
{
    struct sockaddr_in v4 = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
    };

    if (inet_pton(AF_INET, host, &v4.sin_addr) != 1)
        return -EINVAL;
    memcpy(address, &v4, sizeof(v4));
    *length = sizeof(v4);
    return 0;
}

/* getaddrinfo(3) instead of inet_pton(3), because it knows "fe80::1%eth0". */
static int address_parse_v6(const char *host, int port,
                            struct sockaddr_storage *address, socklen_t *length)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST,
        .ai_family = AF_INET6,
        .ai_socktype = SOCK_STREAM,
    };
    struct sockaddr_in6 v6;
    struct addrinfo *found;

    if (!strchr(host, ':') || getaddrinfo(host, NULL, &hints, &found))
        return -EINVAL;
    memcpy(&v6, found->ai_addr, sizeof(v6));
    freeaddrinfo(found);
    v6.sin6_port = htons((uint16_t)port);
    memcpy(address, &v6, sizeof(v6));
    *length = sizeof(v6);
    return 0;
}

/* True if it could be a host name (RFC 1123, section 2.1). What has only digits
   and dots is an IPv4 address with a mistake in it, not a name to look up. */
static bool address_is_name(const char *host)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t len = strlen(host);

    return len > 0 && len < NI_MAXHOST && host[0] != '.' && host[0] != '-' &&
           strspn(host, allowed) == len && strspn(host, "0123456789.") < len;
}

/* "localhost" is often ::1 first, but servers here listen on 127.0.0.1 by
   default: an IPv4 address is taken before an IPv6 one. */
static int address_look_up(const char *host, int port,
                           struct sockaddr_storage *address, socklen_t *length)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found, *best;
    uint16_t be_port = htons((uint16_t)port);

    if (getaddrinfo(host, NULL, &hints, &found))
        return -ENOENT;
    best = found;
    while (best->ai_family != AF_INET && best->ai_next)
        best = best->ai_next;
    if (best->ai_family != AF_INET)
        best = found;
    memcpy(address, best->ai_addr, best->ai_addrlen);
    *length = best->ai_addrlen;
    freeaddrinfo(found);
    if (address->ss_family == AF_INET)
        ((struct sockaddr_in *)address)->sin_port = be_port;
    else
        ((struct sockaddr_in6 *)address)->sin6_port = be_port;
    return 0;
}

int pg_address(const char *host, int port, bool lookup,
               struct sockaddr_storage *address, socklen_t *length)
{
    memset(address, 0, sizeof(*address));
    *length = 0;
    if (!host || port < 0 || port > 65535)
        return -EINVAL;
    if (!address_parse_v4(host, port, address, length) ||
        !address_parse_v6(host, port, address, length))
        return 0;
    if (!address_is_name(host))
        return -EINVAL;
    return lookup ? address_look_up(host, port, address, length) : -ENOENT;
}

/* ---- address to text -------------------------------------------------- */

static void address_text_v4(const struct in_addr *ip, uint16_t be_port,
                            char *text, size_t size)
{
    char host[INET_ADDRSTRLEN];

    inet_ntop(AF_INET, ip, host, sizeof(host));
    snprintf(text, size, "%s:%u", host, ntohs(be_port));
}

static void address_text_v6(const struct sockaddr_in6 *v6, char *text,
                            size_t size)
{
    char host[INET6_ADDRSTRLEN], name[IF_NAMESIZE];

    inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
    if (!v6->sin6_scope_id)
        snprintf(text, size, "[%s]:%u", host, ntohs(v6->sin6_port));
    else if (if_indextoname(v6->sin6_scope_id, name))
        snprintf(text, size, "[%s%%%s]:%u", host, name, ntohs(v6->sin6_port));
    else
        snprintf(text, size, "[%s%%%u]:%u", host, v6->sin6_scope_id,
                 ntohs(v6->sin6_port));
}

/* An IPv6 socket shows an IPv4 peer as ::ffff:1.2.3.4 (RFC 4291, section
   2.5.5.2). Returns the IPv4 address at its end, or NULL. */
static const struct in_addr *address_mapped(const struct sockaddr_in6 *v6)
{
    if (!IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        return NULL;
    return (const struct in_addr *)(const void *)&v6->sin6_addr.s6_addr[12];
}

void pg_address_text(const struct sockaddr *address, char *text, size_t size)
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;

    if (address->sa_family == AF_INET)
        address_text_v4(&v4->sin_addr, v4->sin_port, text, size);
    else if (address->sa_family != AF_INET6)
        snprintf(text, size, "unknown");
    else if (address_mapped(v6))
        address_text_v4(address_mapped(v6), v6->sin6_port, text, size);
    else
        address_text_v6(v6, text, size);
}

/* ---- comparing -------------------------------------------------------- */

int address_port(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohs(
            ((const struct sockaddr_in *)(const void *)address)->sin_port);
    if (address->sa_family == AF_INET6)
        return ntohs(
            ((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
    return 0;
}

/* The IPv4 address in either of its two shapes, or NULL. */
static const struct in_addr *address_v4(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    if (address->sa_family == AF_INET6)
        return address_mapped((const void *)address);
    return NULL;
}

static bool address_equal_v6(const struct sockaddr_in6 *a,
                             const struct sockaddr_in6 *b)
{
    if (memcmp(&a->sin6_addr, &b->sin6_addr, sizeof(a->sin6_addr)))
        return false;
    /* A link-local address may exist on every interface. */
    return !a->sin6_scope_id || !b->sin6_scope_id ||
           a->sin6_scope_id == b->sin6_scope_id;
}

bool address_equal(const struct sockaddr *a, const struct sockaddr *b,
                   bool with_port)
{
    const struct in_addr *a4 = address_v4(a), *b4 = address_v4(b);

    if (with_port && address_port(a) != address_port(b))
        return false;
    if (a4 || b4)
        return a4 && b4 && a4->s_addr == b4->s_addr;
    return a->sa_family == AF_INET6 && b->sa_family == AF_INET6 &&
           address_equal_v6((const void *)a, (const void *)b);
}

bool address_is_wildcard(const struct sockaddr *address)
{
    const struct sockaddr_in6 *v6 = (const void *)address;
    const struct in_addr *v4 = address_v4(address);

    if (v4)
        return v4->s_addr == htonl(INADDR_ANY);
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
}

bool address_is_loopback(const struct sockaddr *address)
{
    const struct sockaddr_in6 *v6 = (const void *)address;
    const struct in_addr *v4 = address_v4(address);

    if (v4)
        return ntohl(v4->s_addr) >> 24 == IN_LOOPBACKNET;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/* ---- what people are told --------------------------------------------- */

/* Whether a neighbour could reach a socket of `family` at this address. */
static bool address_is_for_others(const struct ifaddrs *one, int family)
{
    const struct sockaddr_in6 *v6 = (const void *)one->ifa_addr;

    if (!v6 || !(one->ifa_flags & IFF_UP) || one->ifa_flags & IFF_LOOPBACK)
        return false;
    if (v6->sin6_family == AF_INET)
        return true; /* a "::" socket takes IPv4 too */
    return family == AF_INET6 && v6->sin6_family == AF_INET6 &&
           !IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);
}

static void address_print_other(const char *transport,
                                const struct sockaddr *host, int port,
                                FILE *out)
{
    char text[ADDRESS_TEXT_BYTES];
    struct sockaddr_storage address = {0};

    if (host->sa_family == AF_INET) {
        memcpy(&address, host, sizeof(struct sockaddr_in));
        ((struct sockaddr_in *)&address)->sin_port = htons((uint16_t)port);
    } else {
        memcpy(&address, host, sizeof(struct sockaddr_in6));
        ((struct sockaddr_in6 *)&address)->sin6_port = htons((uint16_t)port);
    }
    pg_address_text((const struct sockaddr *)&address, text, sizeof(text));
    text_print(out, "others: playground client %s://%s\n", transport, text);
}

void address_print_others(const char *transport, const struct sockaddr *bound,
                          FILE *out)
{
    struct ifaddrs *list, *each;

    if (!address_is_wildcard(bound) || getifaddrs(&list))
        return;
    for (each = list; each; each = each->ifa_next)
        if (address_is_for_others(each, bound->sa_family))
            address_print_other(transport, each->ifa_addr, address_port(bound),
                                out);
    freeifaddrs(list);
}

/* Errors of the system in words, and what to do about them. */
static const struct {
    int error;
    const char *key, *advice;
} address_advice[] = {
    {EADDRINUSE, "port",
     "is in use; stop the other server or choose another port, 0 takes a "
     "free one"},
    {EPERM, "port",
     "is forbidden here; choose another, or ask who made the "
     "rules of this machine"},
    {EADDRNOTAVAIL, "host",
     "is not an address of this machine; take 127.0.0.1 (this machine only), "
     "0.0.0.0 (every network) or one that `ip address` lists"},
    {EINVAL, "host",
     "is not an address; write one like 127.0.0.1 or ::1, or a name like "
     "localhost"},
    {ENOENT, "host",
     "is a name without an address; write an address like 127.0.0.1"},
    {EAFNOSUPPORT, "host",
     "is IPv6, which this machine does not have; take an IPv4 address"},
    {ENETUNREACH, "host",
     "cannot be reached; check the address and the network connection"},
    {EHOSTUNREACH, "host",
     "cannot be reached; check the address and the network connection"},
};

int pg_address_fail(struct pg_listener *listener, const char *host, int port,
                    int error)
{
    size_t count = sizeof(address_advice) / sizeof(address_advice[0]), i = 0;

    if (error == -EACCES) /* in the words of config_network.c */
        return pg_listen_fail(listener, "port",
                              "port %d needs privileges; try %d", port,
                              port + 5000);
    while (i < count && address_advice[i].error != -error)
        i++;
    if (i == count)
        return pg_listen_fail(listener, NULL,
                              "cannot use %s port %d: %s; `man 2 bind` says "
                              "when that happens",
                              host, port, strerror(-error));
    if (!strcmp(address_advice[i].key, "port"))
        return pg_listen_fail(listener, "port", "port %d %s", port,
                              address_advice[i].advice);
    return pg_listen_fail(listener, "host", "\"%s\" %s", host,
                          address_advice[i].advice);
}
