/*
 * interface - sets up one network interface of the current namespace, by
 * ioctl, see netdevice(7), and netlink. Each returns 0 or -errno.
 */
#ifndef INTERFACE_H
#define INTERFACE_H

#include <stdint.h>

/* Adds a flag of netdevice(7), as IFF_UP. */
int interface_add_flags(const char *name, short flags);
int interface_set_mtu(const char *name, unsigned mtu);
/* Limits how many packets may wait to be taken out of the interface. */
int interface_set_queue(const char *name, unsigned packets);
/* Packets leave it whole, with their checksum, none larger than the MTU. */
int interface_no_offload(const char *name);
/* Tells the interface's index and hardware address. */
int interface_identity(const char *name, int *index, uint8_t address[6]);

/* Add an address with a prefix, and the way to the others within it. */
int interface_add_ipv4(const char *name, const char *address, unsigned bits);
int interface_add_ipv6(const char *name, const char *address, unsigned bits);
/* Multicast leaves through this interface. */
int interface_add_multicast(const char *name);

#endif
