/*
 * common/link.h - one direction of a link that loses, delays and reorders.
 * The handler `impair`, the transport `sim` and `playground wire` share this
 * one model, so that a link is the same thing everywhere.
 *
 *     queue (refuses what has no room) -> rate -> loss
 *         -> delay, jitter, reorder, duplicate
 *
 * A record is whatever goes down the link in one piece: a message, a piece of
 * a stream, an IP packet.
 *
 * The random numbers of each record are counted instead of drawn in turn: they
 * depend on the seed and on the record's number alone, whatever became of
 * those before it. All is reckoned in whole numbers, so a seed gives the same
 * on every machine.
 *
 * This header stands alone and is all inline: plugins are not linked with
 * anything.
 */
#ifndef COMMON_LINK_H
#define COMMON_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The impairments of a link. All zero: none. */
struct link_terms {
    /* Shares of all records, made by link_share(). */
    uint64_t loss, duplicate, reorder;
    uint64_t delay_ns;
    uint64_t jitter_ns;   /* the delay varies evenly by so much, up and down */
    uint64_t reorder_ns;  /* records that are to be overtaken wait so long */
    uint64_t rate_bit_s;  /* 0: no limit */
    uint64_t queue_bytes; /* 0: no limit; at most LINK_QUEUE_MOST */
};

/* The longest queue: its time at 1 bit/s still fits into 64 bits. */
#define LINK_QUEUE_MOST ((uint64_t)1 << 30)

/* The state of a direction: plain data, zeroed but for the key, which is from
   link_key(). */
struct link_way {
    uint64_t key;      /* of the way's random numbers */
    uint64_t records;  /* counts all that have come */
    uint64_t free_ns;  /* when the last of them has left the queue */
    uint64_t order_ns; /* nothing arrives before what was sent before it */
};

/* The fate of a record: the queue refuses it, or it is lost, or it arrives at
   due_ns. */
struct link_fate {
    uint64_t due_ns;
    bool is_refused, is_lost;
    bool is_duplicated; /* arrives twice at that time */
    bool is_held_back;  /* records behind it may overtake it */
};

/* ---- random numbers --------------------------------------------------- */

/* Each record has LINK_DRAWS numbers of its own. The first four are the
   link's; those from LINK_FREE on are for whoever uses the link. */
enum { LINK_LOSS, LINK_DUPLICATE, LINK_REORDER, LINK_JITTER };
enum { LINK_FREE = 4, LINK_DRAWS = 8 };

/* The mixing step of splitmix64 (Steele, Lea and Flood, 2014): a bijection
   whose output looks random even for consecutive inputs. */
static inline uint64_t link_mixed(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/* The key for one direction (0 or 1) of the `ordinal`-th link of a seed. */
static inline uint64_t link_key(uint64_t seed, uint64_t ordinal,
                                unsigned direction)
{
    return link_mixed(link_mixed(seed) + 2 * ordinal + direction);
}

static inline uint64_t link_draw(const struct link_way *way, uint64_t number,
                                 unsigned what)
{
    uint64_t index = number * LINK_DRAWS + what + 1;

    return link_mixed(way->key + index * 0x9e3779b97f4a7c15);
}

/* A share from 0 to 1 as link_happens() compares it. */
static inline uint64_t link_share(double share)
{
    return (uint64_t)(share * 0x1p53);
}

/* True for `share` of all numbers. */
static inline bool link_happens(const struct link_way *way, uint64_t number,
                                unsigned what, uint64_t share)
{
    return link_draw(way, number, what) >> 11 < share;
}

/* ---- the link --------------------------------------------------------- */

static inline uint64_t link_takes_ns(uint64_t bytes, uint64_t rate_bit_s)
{
    return bytes * 8000000000 / rate_bit_s;
}

/* Puts a record behind what still waits for the rate. False: what waits leaves
   no room for it. An empty queue takes a record of any size. */
static inline bool link_queue(struct link_way *way,
                              const struct link_terms *terms, size_t len,
                              uint64_t now_ns)
{
    uint64_t rate = terms->rate_bit_s, takes_ns;

    if (way->free_ns < now_ns || rate == 0)
        way->free_ns = now_ns;
    if (rate == 0)
        return true;
    takes_ns = link_takes_ns(len, rate);
    if (terms->queue_bytes && way->free_ns > now_ns &&
        way->free_ns - now_ns + takes_ns >
            link_takes_ns(terms->queue_bytes, rate))
        return false;
    way->free_ns += takes_ns;
    return true;
}

/* Reckons how long a record is on its way behind the queue. */
static inline uint64_t link_delay_ns(const struct link_way *way,
                                     const struct link_terms *terms,
                                     uint64_t number)
{
    uint64_t jitter_ns = terms->jitter_ns;
    uint64_t swing_ns =
        link_draw(way, number, LINK_JITTER) % (2 * jitter_ns + 1);
    uint64_t latest_ns = terms->delay_ns + swing_ns;

    return latest_ns > jitter_ns ? latest_ns - jitter_ns : 0;
}

/*
 * Reckons when a record arrives. Jitter keeps the order: a record with a short
 * delay waits for those before it. One that is held back keeps nobody waiting,
 * and comes so long after the moment that would have been its own.
 */
static inline uint64_t link_due_ns(struct link_way *way,
                                   const struct link_terms *terms,
                                   uint64_t number, bool is_held_back)
{
    uint64_t due_ns = way->free_ns + link_delay_ns(way, terms, number);

    if (due_ns < way->order_ns)
        due_ns = way->order_ns;
    if (is_held_back)
        return due_ns + terms->reorder_ns;
    way->order_ns = due_ns;
    return due_ns;
}

/* Sends the next record, of `len` bytes, down the link at now_ns. */
static inline struct link_fate link_pass(struct link_way *way,
                                         const struct link_terms *terms,
                                         size_t len, uint64_t now_ns)
{
    uint64_t number = way->records++;
    struct link_fate fate = {0};

    fate.is_refused = !link_queue(way, terms, len, now_ns);
    if (fate.is_refused)
        return fate;
    fate.is_lost = link_happens(way, number, LINK_LOSS, terms->loss);
    if (fate.is_lost)
        return fate;
    fate.is_duplicated =
        link_happens(way, number, LINK_DUPLICATE, terms->duplicate);
    fate.is_held_back = link_happens(way, number, LINK_REORDER, terms->reorder);
    fate.due_ns = link_due_ns(way, terms, number, fate.is_held_back);
    return fate;
}

#endif
