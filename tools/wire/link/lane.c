/* A lane: packets under way in one direction, by their time of arrival. */
#include "wire/link/lane.h"

#include <stdlib.h>
#include <string.h>

#include "wire/link/packet.h"

void lane_init(struct lane *lane, const struct wire_direction *how,
               uint64_t seed, enum wire_side from)
{
    *lane = (struct lane){0};
    impairment_init(&lane->impairment, how, seed, from);
    TAILQ_INIT(&lane->in_order);
    TAILQ_INIT(&lane->held_back);
}

static void lane_clear(struct lane_queue *queue)
{
    struct lane_packet *packet;

    while ((packet = TAILQ_FIRST(queue))) {
        TAILQ_REMOVE(queue, packet, next);
        free(packet);
    }
}

void lane_finish(struct lane *lane)
{
    lane_clear(&lane->in_order);
    lane_clear(&lane->held_back);
}

/* ---- in --------------------------------------------------------------- */

/* Packets that are held back nearly always arrive in the order in which they
   were sent; with jitter a few stand some places further to the front. */
static void lane_hold_back(struct lane *lane, struct lane_packet *packet)
{
    struct lane_packet *before;

    TAILQ_FOREACH_REVERSE(before, &lane->held_back, lane_queue, next)
    if (before->arrival_ns <= packet->arrival_ns)
        break;
    if (before)
        TAILQ_INSERT_AFTER(&lane->held_back, before, packet, next);
    else
        TAILQ_INSERT_HEAD(&lane->held_back, packet, next);
}

/* Copies the packet and puts it under way; one that finds no room is counted
   as dropped by the queue. */
static void lane_put_under_way(struct lane *lane, const uint8_t *bytes,
                               size_t len, size_t payload_bytes,
                               const struct link_fate *fate)
{
    struct lane_packet *packet = NULL;

    if (lane->bytes + len <= LANE_BYTES)
        packet = malloc(sizeof(*packet) + len);
    if (!packet) {
        lane->counts.queue_dropped++;
        return;
    }
    packet->arrival_ns = fate->due_ns;
    packet->number = lane->counts.packets;
    packet->len = len;
    packet->payload_bytes = payload_bytes;
    memcpy(packet->bytes, bytes, len);
    lane->bytes += len;
    if (fate->is_held_back)
        lane_hold_back(lane, packet);
    else
        TAILQ_INSERT_TAIL(&lane->in_order, packet, next);
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
    struct link_fate fate;

    if (!facts.is_carried)
        return false;
    lane_count(lane, len, &facts, now_ns);
    fate = impairment_decide(&lane->impairment, len, facts.has_payload, now_ns);
    lane->counts.lost += fate.is_lost;
    lane->counts.queue_dropped += fate.is_refused;
    lane->counts.duplicated += fate.is_duplicated;
    if (fate.is_lost || fate.is_refused)
        return true;
    for (int i = 0; i <= fate.is_duplicated; i++)
        lane_put_under_way(lane, bytes, len, facts.payload_bytes, &fate);
    return true;
}

/* ---- out -------------------------------------------------------------- */

/* The queue whose first packet arrives next, or NULL. Of two that arrive at
   one time the one that was held back was sent first. */
static struct lane_queue *lane_next(struct lane *lane)
{
    const struct lane_packet *late = TAILQ_FIRST(&lane->held_back);
    const struct lane_packet *first = TAILQ_FIRST(&lane->in_order);

    if (!first)
        return late ? &lane->held_back : NULL;
    return late && late->arrival_ns <= first->arrival_ns ? &lane->held_back
                                                         : &lane->in_order;
}

uint64_t lane_next_ns(struct lane *lane)
{
    struct lane_queue *queue = lane_next(lane);

    return queue ? TAILQ_FIRST(queue)->arrival_ns : UINT64_MAX;
}

struct lane_packet *lane_take(struct lane *lane, uint64_t now_ns)
{
    struct lane_queue *queue = lane_next(lane);
    struct lane_packet *packet = queue ? TAILQ_FIRST(queue) : NULL;

    if (!packet || packet->arrival_ns > now_ns)
        return NULL;
    TAILQ_REMOVE(queue, packet, next);
    return packet;
}

static void lane_count_order(struct lane *lane, uint64_t number)
{
    if (number < lane->latest)
        lane->counts.reordered++;
    else
        lane->latest = number;
}

void lane_delivered(struct lane *lane, struct lane_packet *packet,
                    bool is_taken, uint64_t now_ns)
{
    struct wire_counts *counts = &lane->counts;
    uint64_t late_ns = now_ns - packet->arrival_ns;

    if (is_taken) {
        lane_count_order(lane, packet->number);
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
