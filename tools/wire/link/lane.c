#include "wire/link/lane.h"

#include <stdlib.h>
#include <string.h>

#include "wire/link/packet.h"

void lane_init(struct lane *lane, const struct wire_direction *how,
               uint64_t seed, enum wire_side from)
{
    *lane = (struct lane){0};
    impairment_init(&lane->impairment, how, seed, from);
    STAILQ_INIT(&lane->under_way);
}

void lane_finish(struct lane *lane)
{
    struct lane_packet *packet;

    while ((packet = STAILQ_FIRST(&lane->under_way))) {
        STAILQ_REMOVE_HEAD(&lane->under_way, next);
        free(packet);
    }
    free(lane->held);
}

/* ---- in --------------------------------------------------------------- */

static void lane_push(struct lane *lane, struct lane_packet *packet)
{
    STAILQ_INSERT_TAIL(&lane->under_way, packet, next);
}

/* NULL: no room. */
static struct lane_packet *lane_copy_of(struct lane *lane, const uint8_t *bytes,
                                        size_t len, size_t payload_bytes,
                                        uint64_t arrival_ns)
{
    struct lane_packet *packet = NULL;

    if (lane->bytes + len <= LANE_BYTES)
        packet = malloc(sizeof(*packet) + len);
    if (!packet) {
        lane->counts.queue_dropped++;
        return NULL;
    }
    packet->arrival_ns = arrival_ns;
    packet->len = len;
    packet->payload_bytes = payload_bytes;
    memcpy(packet->bytes, bytes, len);
    lane->bytes += len;
    return packet;
}

/* Puts it on its way, and the one it overtakes right behind it. */
static void lane_put_under_way(struct lane *lane, struct lane_packet *packet)
{
    lane_push(lane, packet);
    if (!lane->held)
        return;
    lane->counts.reordered++;
    lane->held->arrival_ns = packet->arrival_ns;
    lane_push(lane, lane->held);
    lane->held = NULL;
}

static void lane_count(struct lane *lane, size_t len,
                       const struct packet_facts *facts, uint64_t now_ns)
{
    struct wire_counts *counts = &lane->counts;

    if (counts->packets == 0)
        counts->first_ns = now_ns;
    counts->packets++;
    counts->bytes += len;
    counts->payload_packets += facts->has_payload;
    counts->payload_bytes += facts->payload_bytes;
}

bool lane_send(struct lane *lane, const uint8_t *bytes, size_t len,
               uint64_t now_ns)
{
    struct packet_facts facts = packet_look(bytes, len);
    struct impairment_verdict verdict;
    struct lane_packet *packet;

    if (!facts.is_carried)
        return false;
    lane_count(lane, len, &facts, now_ns);
    verdict =
        impairment_decide(&lane->impairment, len, facts.has_payload, now_ns);
    lane->counts.lost += verdict.fate == IMPAIRMENT_LOST;
    lane->counts.queue_dropped += verdict.fate == IMPAIRMENT_QUEUE_FULL;
    if (verdict.fate != IMPAIRMENT_ARRIVES)
        return true;
    packet =
        lane_copy_of(lane, bytes, len, facts.payload_bytes, verdict.arrival_ns);
    if (packet && verdict.is_overtaken && !lane->held)
        lane->held = packet;
    else if (packet)
        lane_put_under_way(lane, packet);
    if (!verdict.is_duplicated)
        return true;
    lane->counts.duplicated++;
    packet =
        lane_copy_of(lane, bytes, len, facts.payload_bytes, verdict.arrival_ns);
    if (packet)
        lane_push(lane, packet);
    return true;
}

/* ---- out -------------------------------------------------------------- */

uint64_t lane_next_ns(const struct lane *lane)
{
    const struct lane_packet *first = STAILQ_FIRST(&lane->under_way);

    if (first)
        return first->arrival_ns;
    return lane->held ? lane->held->arrival_ns + LANE_HOLD_NS : UINT64_MAX;
}

struct lane_packet *lane_take(struct lane *lane, uint64_t now_ns)
{
    struct lane_packet *packet = STAILQ_FIRST(&lane->under_way);

    if (lane_next_ns(lane) > now_ns)
        return NULL;
    if (packet)
        STAILQ_REMOVE_HEAD(&lane->under_way, next);
    else {
        /* Nothing has come that could overtake it. */
        packet = lane->held;
        packet->arrival_ns += LANE_HOLD_NS;
        lane->held = NULL;
    }
    return packet;
}

void lane_delivered(struct lane *lane, struct lane_packet *packet,
                    bool is_taken, uint64_t now_ns)
{
    struct wire_counts *counts = &lane->counts;
    uint64_t late_ns = now_ns - packet->arrival_ns;

    if (is_taken) {
        counts->delivered++;
        counts->delivered_bytes += packet->len;
        counts->delivered_payload_bytes += packet->payload_bytes;
        if (packet->arrival_ns > counts->last_ns)
            counts->last_ns = packet->arrival_ns;
        counts->late_ns += late_ns;
        if (late_ns > counts->late_max_ns)
            counts->late_max_ns = late_ns;
    } else {
        counts->overrun++;
    }
    lane->bytes -= packet->len;
    free(packet);
}
