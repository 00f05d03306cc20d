/*
 * pcap - a capture that Wireshark, tshark and tcpdump read: raw IP packets
 * with times in nanoseconds.
 */
#ifndef PCAP_H
#define PCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* NULL with errno. */
FILE *pcap_create(const char *path);
/* time_ns: since 1970. False with errno, e.g. for a full disk. */
bool pcap_write(FILE *file, const uint8_t *packet, size_t len,
                uint64_t time_ns);

#endif
