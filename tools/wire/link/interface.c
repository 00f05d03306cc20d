/* The settings of a network interface: flags, addresses, queue. */
#include "wire/link/interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/route.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wire/link/netlink.h"

#define READY_MS 2000 /* for an address to be usable */

static int interface_control(int domain, unsigned long request, void *argument)
{
    int fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

    if (fd < 0)
        return -errno;
    if (ioctl(fd, request, argument) < 0)
        error = -errno;
    close(fd);
    return error;
}

static struct ifreq interface_request_for(const char *name)
{
    struct ifreq request = {0};

    memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
    return request;
}

int interface_add_flags(const char *name, short flags)
{
    struct ifreq request = interface_request_for(name);
    int error = interface_control(AF_INET, SIOCGIFFLAGS, &request);

    request.ifr_flags = (short)(request.ifr_flags | flags);
    return error ? error : interface_control(AF_INET, SIOCSIFFLAGS, &request);
}

int interface_set_mtu(const char *name, unsigned mtu)
{
    struct ifreq request = interface_request_for(name);

    request.ifr_mtu = (int)mtu;
    return interface_control(AF_INET, SIOCSIFMTU, &request);
}

/* Not by ioctl, which wants the rights of the real root. */
int interface_set_queue(const char *name, unsigned packets)
{
    struct netlink_request request;
    struct ifinfomsg *message;

    netlink_init(&request, RTM_SETLINK);
    message = netlink_add(&request, sizeof(*message));
    message->ifi_index = (int)if_nametoindex(name);
    netlink_add_attribute(&request, IFLA_TXQLEN, &packets, sizeof(packets));
    return netlink_ask(&request);
}

int interface_no_offload(const char *name)
{
    static const uint32_t offloads[] = {ETHTOOL_STXCSUM, ETHTOOL_STSO,
                                        ETHTOOL_SGSO, ETHTOOL_SGRO};
    struct ifreq request = interface_request_for(name);
    int error = 0;

    for (size_t i = 0; i < sizeof(offloads) / sizeof(*offloads) && !error;
         i++) {
        struct ethtool_value value = {.cmd = offloads[i], .data = 0};

        request.ifr_data = (void *)&value;
        error = interface_control(AF_INET, SIOCETHTOOL, &request);
    }
    return error;
}

int interface_identity(const char *name, int *index, uint8_t address[6])
{
    struct ifreq request = interface_request_for(name);
    int error = interface_control(AF_INET, SIOCGIFHWADDR, &request);

    if (error)
        return error;
    memcpy(address, request.ifr_hwaddr.sa_data, 6);
    error = interface_control(AF_INET, SIOCGIFINDEX, &request);
    *index = request.ifr_ifindex;
    return error;
}

/* ---- addresses -------------------------------------------------------- */

static struct sockaddr interface_ipv4(uint32_t address)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = address};
    struct sockaddr out;

    memcpy(&out, &in, sizeof(out));
    return out;
}

int interface_add_ipv4(const char *name, const char *address, unsigned bits)
{
    struct ifreq request = interface_request_for(name);
    int error;

    request.ifr_addr = interface_ipv4(inet_addr(address));
    error = interface_control(AF_INET, SIOCSIFADDR, &request);
    if (error)
        return error;
    request.ifr_netmask = interface_ipv4(htonl(~0u << (32 - bits)));
    return interface_control(AF_INET, SIOCSIFNETMASK, &request);
}

/* NODAD: there is nobody who could have the same. */
static int interface_set_ipv6(const char *name, const struct in6_addr *address,
                              unsigned bits)
{
    struct netlink_request request;
    struct ifaddrmsg *message;

    netlink_init(&request, RTM_NEWADDR);
    message = netlink_add(&request, sizeof(*message));
    message->ifa_family = AF_INET6;
    message->ifa_prefixlen = (unsigned char)bits;
    message->ifa_flags = IFA_F_NODAD;
    message->ifa_index = if_nametoindex(name);
    netlink_add_attribute(&request, IFA_LOCAL, address, sizeof(*address));
    netlink_add_attribute(&request, IFA_ADDRESS, address, sizeof(*address));
    return netlink_ask(&request);
}

/* Whether what comes for the address is taken: a route to it, all 128 bits of
   it, is there. The kernel adds it a little later. */
static bool interface_is_taken(const struct in6_addr *address)
{
    FILE *file = fopen("/proc/thread-self/net/ipv6_route", "re");
    char line[256], wanted[40] = "";
    bool is_there = false;

    for (size_t i = 0; i < sizeof(*address); i++)
        sprintf(wanted + 2 * i, "%02x", address->s6_addr[i]);
    strcat(wanted, " 80");
    while (file && !is_there && fgets(line, sizeof(line), file))
        is_there = !strncmp(line, wanted, strlen(wanted));
    if (file)
        fclose(file);
    return is_there;
}

int interface_add_ipv6(const char *name, const char *address, unsigned bits)
{
    const struct timespec millisecond = {.tv_nsec = 1000000};
    struct in6_addr bytes;
    int error;

    inet_pton(AF_INET6, address, &bytes);
    error = interface_set_ipv6(name, &bytes, bits);
    for (int ms = 0; error == 0 && !interface_is_taken(&bytes); ms++) {
        if (ms == READY_MS)
            error = -ETIMEDOUT;
        nanosleep(&millisecond, NULL);
    }
    return error;
}

int interface_add_multicast(const char *name)
{
    char device[IFNAMSIZ];
    struct rtentry route = {
        .rt_dst = interface_ipv4(htonl(0xe0000000)), /* 224.0.0.0/4 */
        .rt_genmask = interface_ipv4(htonl(0xf0000000)),
        .rt_flags = RTF_UP,
        .rt_dev = device,
    };

    memcpy(device, interface_request_for(name).ifr_name, sizeof(device));
    return interface_control(AF_INET, SIOCADDRT, &route);
}
