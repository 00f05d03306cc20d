#include "wire/link/impairment.h"

#define QUEUE_DEFAULT_S 0.1
#define QUEUE_LEAST     3000 /* two packets of the usual size */

enum draw { DRAW_LOSS, DRAW_REORDER, DRAW_DUPLICATE, DRAW_JITTER, DRAWS };

/* The mixing step of splitmix64: a bijection whose output looks random even
   for consecutive inputs. */
static uint64_t impairment_mixed(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/* 0 <= result < 1. Counted instead of drawn in turn, so that each packet has
   its own numbers whatever became of those before it. */
static double impairment_draw(const struct impairment *impairment,
                              enum draw what)
{
    uint64_t index = impairment->number * DRAWS + what + 1;
    uint64_t bits =
        impairment_mixed(impairment->stream + index * 0x9e3779b97f4a7c15);

    return (double)(bits >> 11) * 0x1p-53;
}

void impairment_init(struct impairment *impairment,
                     const struct wire_direction *how, uint64_t seed,
                     enum wire_side from)
{
    *impairment = (struct impairment){
        .how = *how,
        .stream = impairment_mixed(2 * seed + from),
    };
}

/* ---- queue and rate --------------------------------------------------- */

static double impairment_bytes_per_ns(const struct wire_direction *how)
{
    return how->rate_mbit * 1e6 / 8 / 1e9;
}

static double impairment_queue_limit(const struct wire_direction *how)
{
    double limit = impairment_bytes_per_ns(how) * 1e9 * QUEUE_DEFAULT_S;

    if (how->queue_bytes)
        return (double)how->queue_bytes;
    return limit < QUEUE_LEAST ? QUEUE_LEAST : limit;
}

/* Sends the packet at the link's rate, behind what still waits. False: what
   waits leaves no room for it. An empty queue takes a packet of any size. */
static bool impairment_serialise(struct impairment *impairment, size_t bytes,
                                 uint64_t now_ns)
{
    double rate = impairment_bytes_per_ns(&impairment->how), waiting;

    if (impairment->free_ns < now_ns || rate == 0)
        impairment->free_ns = now_ns;
    if (rate == 0)
        return true;
    waiting = (double)(impairment->free_ns - now_ns) * rate;
    if (waiting > 0 && waiting + (double)bytes >
                           impairment_queue_limit(&impairment->how) + 0.5)
        return false;
    impairment->free_ns += (uint64_t)((double)bytes / rate + 0.5);
    return true;
}

/* ---- loss ------------------------------------------------------------- */

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

/* ---- time ------------------------------------------------------------- */

/* One with a short delay waits for those before it: jitter never reorders. */
static uint64_t impairment_arrival(struct impairment *impairment)
{
    const struct wire_direction *how = &impairment->how;
    double swing = 2 * impairment_draw(impairment, DRAW_JITTER) - 1;
    double delay_ms = how->delay_ms + swing * how->jitter_ms;
    uint64_t at = impairment->free_ns;

    if (delay_ms > 0)
        at += (uint64_t)(delay_ms * 1e6 + 0.5);
    if (at < impairment->order_ns)
        at = impairment->order_ns;
    impairment->order_ns = at;
    return at;
}

struct impairment_verdict impairment_decide(struct impairment *impairment,
                                            size_t bytes, bool has_payload,
                                            uint64_t now_ns)
{
    struct impairment_verdict verdict = {.fate = IMPAIRMENT_ARRIVES};
    const struct wire_direction *how = &impairment->how;
    bool is_dropped;

    impairment->payload += has_payload;
    is_dropped = has_payload && impairment_is_ordered_drop(impairment);
    if (!impairment_serialise(impairment, bytes, now_ns)) {
        verdict.fate = IMPAIRMENT_QUEUE_FULL;
    } else if (is_dropped ||
               impairment_draw(impairment, DRAW_LOSS) < how->loss) {
        verdict.fate = IMPAIRMENT_LOST;
    } else {
        verdict.is_overtaken =
            impairment_draw(impairment, DRAW_REORDER) < how->reorder;
        verdict.is_duplicated =
            impairment_draw(impairment, DRAW_DUPLICATE) < how->duplicate;
        verdict.arrival_ns = impairment_arrival(impairment);
    }
    impairment->number++;
    return verdict;
}
