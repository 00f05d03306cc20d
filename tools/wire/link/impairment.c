/* The common link with the wire's options, and packets lost by name. */
#include "wire/link/impairment.h"

#define QUEUE_DEFAULT_S 0.1
#define QUEUE_LEAST     3000 /* two packets of the usual size */

static uint64_t impairment_ns(double ms)
{
    return (uint64_t)(ms * 1e6 + 0.5);
}

static uint64_t impairment_queue_bytes(const struct wire_direction *how)
{
    double bytes = (double)how->queue_bytes;

    if (how->queue_bytes == 0)
        bytes = how->rate_mbit * 1e6 / 8 * QUEUE_DEFAULT_S + 0.5;
    if (how->queue_bytes == 0 && bytes < QUEUE_LEAST)
        bytes = QUEUE_LEAST;
    return bytes < (double)LINK_QUEUE_MOST ? (uint64_t)bytes : LINK_QUEUE_MOST;
}

void impairment_change(struct impairment *impairment,
                       const struct wire_direction *how)
{
    impairment->terms = (struct link_terms){
        .loss = link_share(how->loss),
        .duplicate = link_share(how->duplicate),
        .reorder = link_share(how->reorder),
        .delay_ns = impairment_ns(how->delay_ms),
        .jitter_ns = impairment_ns(how->jitter_ms),
        .reorder_ns =
            impairment_ns(how->reorder_ms ? how->reorder_ms : WIRE_REORDER_MS),
        .rate_bit_s = (uint64_t)(how->rate_mbit * 1e6 + 0.5),
        .queue_bytes = impairment_queue_bytes(how),
    };
}

void impairment_init(struct impairment *impairment,
                     const struct wire_direction *how, uint64_t seed,
                     enum wire_side from)
{
    *impairment = (struct impairment){.way.key = link_key(seed, 0, from)};
    impairment_change(impairment, how);
}

/* ---- packets that are lost by name ------------------------------------ */

static bool impairment_is_ordered_drop(struct impairment *impairment)
{
    uint64_t *drops = impairment->drops;

    for (unsigned i = 0; i < impairment->drop_count; i++)
        if (drops[i] == impairment->payload) {
            drops[i] = drops[--impairment->drop_count];
            return true;
        }
    return false;
}

bool impairment_drop(struct impairment *impairment, unsigned nth)
{
    uint64_t number = impairment->payload + nth;

    for (unsigned i = 0; i < impairment->drop_count; i++)
        if (impairment->drops[i] == number)
            return true;
    if (impairment->drop_count == WIRE_DROPS)
        return false;
    impairment->drops[impairment->drop_count++] = number;
    return true;
}

/* ---- any packet ------------------------------------------------------- */

struct link_fate impairment_decide(struct impairment *impairment, size_t bytes,
                                   bool has_payload, uint64_t now_ns)
{
    struct link_terms terms = impairment->terms;

    impairment->payload += has_payload;
    if (has_payload && impairment_is_ordered_drop(impairment))
        terms.loss = link_share(1);
    return link_pass(&impairment->way, &terms, bytes, now_ns);
}
