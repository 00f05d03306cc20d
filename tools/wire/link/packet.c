/* The look into an IP packet: is it carried, and how much payload has it? */
#include "wire/link/packet.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>

static unsigned packet_be16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* Finds the payload of TCP or UDP, which later fragments carry from their first
   byte on. */
static void packet_look_at_payload(struct packet_facts *facts,
                                   unsigned protocol, const uint8_t *at,
                                   size_t len, bool is_later_part)
{
    size_t header = 0;

    if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
        return;
    if (!is_later_part && protocol == IPPROTO_UDP)
        header = 8;
    if (!is_later_part && protocol == IPPROTO_TCP)
        header = len > 12 ? (size_t)(at[12] >> 4) * 4 : len;
    facts->payload_bytes = len > header ? len - header : 0;
    facts->has_payload = protocol == IPPROTO_UDP || facts->payload_bytes > 0;
}

static struct packet_facts packet_look_at_ipv4(const uint8_t *packet,
                                               size_t len)
{
    struct packet_facts facts = {.is_carried = true};
    size_t header = (size_t)(packet[0] & 15) * 4;

    if (header < 20 || header > len || packet[9] == IPPROTO_IGMP)
        return (struct packet_facts){0};
    packet_look_at_payload(&facts, packet[9], packet + header, len - header,
                           (packet_be16(packet + 6) & 0x1fff) != 0);
    return facts;
}

/* Neighbours, routers and multicast groups: there is nobody to talk to about
   them, and the kernel does it when it likes. */
static bool packet_is_chatter(const uint8_t *packet, unsigned protocol,
                              const uint8_t *at, size_t len)
{
    const uint8_t *source = packet + 8, *target = packet + 24;

    if (source[0] == 0xfe && (source[1] & 0xc0) == 0x80)
        return true;
    if (target[0] == 0xff && (target[1] & 15) == 2)
        return true;
    return protocol == IPPROTO_ICMPV6 && len > 0 &&
           ((at[0] >= MLD_LISTENER_QUERY && at[0] <= ND_REDIRECT) ||
            at[0] == 143 /* MLDv2 report */);
}

static struct packet_facts packet_look_at_ipv6(const uint8_t *packet,
                                               size_t len)
{
    struct packet_facts facts = {.is_carried = true};
    unsigned protocol = packet[6];
    bool is_later_part = false;
    size_t at = 40;

    while ((protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
            protocol == IPPROTO_DSTOPTS || protocol == IPPROTO_FRAGMENT) &&
           at + 8 <= len && !is_later_part) {
        size_t size = 8;

        if (protocol == IPPROTO_FRAGMENT)
            is_later_part = (packet_be16(packet + at + 2) & 0xfff8) != 0;
        else
            size += (size_t)packet[at + 1] * 8;
        protocol = packet[at];
        at += size;
    }
    if (at > len || packet_is_chatter(packet, protocol, packet + at, len - at))
        return (struct packet_facts){0};
    packet_look_at_payload(&facts, protocol, packet + at, len - at,
                           is_later_part);
    return facts;
}

struct packet_facts packet_look(const uint8_t *packet, size_t len)
{
    if (len >= 20 && packet[0] >> 4 == 4)
        return packet_look_at_ipv4(packet, len);
    if (len >= 40 && packet[0] >> 4 == 6)
        return packet_look_at_ipv6(packet, len);
    return (struct packet_facts){0};
}
