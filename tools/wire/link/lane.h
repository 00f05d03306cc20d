/*
 * lane - one way of the link: takes packets in, holds those under way, gives
 * them out when their time has come, and counts.
 *
 * It does not look at a clock, so that tests have their own.
 */
#ifndef LANE_H
#define LANE_H

#include <sys/queue.h>

#include "wire/link/impairment.h"

/* The most bytes under way in one direction; others are dropped, as by a
   queue. */
#define LANE_BYTES (64u << 20)

struct lane_packet {
    TAILQ_ENTRY(lane_packet) next;
    uint64_t arrival_ns;
    uint64_t number; /* in the order in which packets were sent */
    size_t len, payload_bytes;
    uint8_t bytes[];
};

TAILQ_HEAD(lane_queue, lane_packet);

struct lane {
    struct impairment impairment;
    struct wire_counts counts;
    struct lane_queue in_order, held_back; /* each in the order of arrival */
    uint64_t latest; /* the highest number that has been delivered */
    size_t bytes;    /* of all that is under way */
};

void lane_init(struct lane *lane, const struct wire_direction *how,
               uint64_t seed, enum wire_side from);
void lane_finish(struct lane *lane);

/* Sends a copy of the packet. False: packets of this kind are not carried. */
bool lane_send(struct lane *lane, const uint8_t *bytes, size_t len,
               uint64_t now_ns);
/* The time when the next packet arrives; UINT64_MAX: nothing is under way. */
uint64_t lane_next_ns(struct lane *lane);
/* Takes out a packet that has arrived, to be given back to lane_delivered(); or
   NULL. */
struct lane_packet *lane_take(struct lane *lane, uint64_t now_ns);
/* Counts the packet and frees it. is_taken: the other end's kernel took it. */
void lane_delivered(struct lane *lane, struct lane_packet *packet,
                    bool is_taken, uint64_t now_ns);

#endif
