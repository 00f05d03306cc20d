/* Turns addresses into text and back, and compares them. */

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

/* What ends in a number is an IPv4 address, or a mistake in one: inet_aton(3),
   and so a look-up, reads 127.1, 0x7f.1, and 010.0.0.1 as 8.0.0.1, which is
   never what was meant (RFC 6943, section 3.1.1). No domain ends so. */
bool address_ends_in_number(const char *host)
{
    size_t len = strlen(host), start;

    if (len > 0 && host[len - 1] == '.')
        len--;
    for (start = len; start > 0 && host[start - 1] != '.'; start--)
        ;
    if (len - start > 1 && host[start] == '0' && (host[start + 1] | 32) == 'x')
        return strspn(host + start + 2, "0123456789abcdefABCDEF") ==
               len - start - 2;
    return len > start && strspn(host + start, "0123456789") == len - start;
}

/* True if it could be a host name (RFC 1123, section 2.1). */
static bool address_is_name(const char *host)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t len = strlen(host);

    return len > 0 && len < NI_MAXHOST && host[0] != '.' && host[0] != '-' &&
           strspn(host, allowed) == len && !address_ends_in_number(host);
}

/* Whether the name has no address, or nobody could be asked. */
static int address_look_up_error(int error)
{
    switch (error) {
    case EAI_AGAIN:
        return -EAGAIN;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return -errno;
    default:
        return -ENOENT;
    }
}

/* "localhost" is often ::1 first, but servers here listen on 127.0.0.1 by
   default: an IPv4 address is taken before an IPv6 one. */
static int address_look_up(const char *host, int port,
                           struct sockaddr_storage *address, socklen_t *length)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found, *best;
    uint16_t be_port = htons((uint16_t)port);
    int error;

    error = getaddrinfo(host, NULL, &hints, &found);
    if (error)
        return address_look_up_error(error);
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
