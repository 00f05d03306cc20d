/* The making of a veth pair. */
#include "wire/link/veth.h"

#include <linux/if_link.h>
#include <linux/veth.h>
#include <string.h>

#include "wire/link/netlink.h"

int veth_create(const char *name, const char *peer, int peer_namespace)
{
    struct netlink_request request;
    struct rtattr *info, *data, *other;

    netlink_init(&request, RTM_NEWLINK);
    netlink_add(&request, sizeof(struct ifinfomsg));
    netlink_add_attribute(&request, IFLA_IFNAME, name, strlen(name) + 1);
    info = netlink_add_attribute(&request, IFLA_LINKINFO, NULL, 0);
    netlink_add_attribute(&request, IFLA_INFO_KIND, "veth", sizeof("veth"));
    data = netlink_add_attribute(&request, IFLA_INFO_DATA, NULL, 0);
    other = netlink_add_attribute(&request, VETH_INFO_PEER, NULL, 0);
    netlink_add(&request, sizeof(struct ifinfomsg));
    netlink_add_attribute(&request, IFLA_IFNAME, peer, strlen(peer) + 1);
    netlink_add_attribute(&request, IFLA_NET_NS_FD, &peer_namespace,
                          sizeof(peer_namespace));
    netlink_close_nest(&request, other);
    netlink_close_nest(&request, data);
    netlink_close_nest(&request, info);
    return netlink_ask(&request);
}
