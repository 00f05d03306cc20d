/* packet - what the forwarder has to know about an IP packet. */
#ifndef WIRE_PACKET_H
#define WIRE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet_facts {
    bool is_carried;  /* not the kernel's chatter with the link, not garbage */
    bool has_payload; /* a TCP segment with data, a UDP datagram */
    size_t payload_bytes;
};

struct packet_facts packet_look(const uint8_t *packet, size_t len);

#endif
