/*
 * playground/link.h - one direction of a link that loses, delays and reorders,
 * for handlers and transports that play one: impair, sim. Optional, and all of
 * it inline: nothing here is part of the ABI.
 *
 *     queue (what finds it full is lost) -> rate -> loss
 *         -> delay, jitter, reorder, duplicate
 *
 * The random numbers of each record are counted instead of drawn in turn: they
 * depend on the seed and on the record's number alone, whatever became of
 * those before it. All is reckoned in whole numbers, so a seed gives the same
 * on every machine.
 */
#ifndef PLAYGROUND_LINK_H
#define PLAYGROUND_LINK_H

#include <playground/handler.h>

/* Shares are in percent, of all records. */
struct pg_link_options {
    double loss_percent, duplicate_percent, reorder_percent;
    int delay_ms, jitter_ms, reorder_ms;
    int64_t rate_kbit_s; /* 0: no limit */
    int64_t queue_bytes; /* 0: no limit */
};

/* The rows of an option table for a struct pg_link_options called `field`. */
#define PG_LINK_OPTIONS(type, field)                                             \
    {"loss_percent",    PG_NUMBER,  PG_FIELD(type, field.loss_percent),          \
     .unit = "percent", .max = 100, .help = "records that never arrive"},        \
        {"delay_ms",                                                             \
         PG_INT,                                                                 \
         PG_FIELD(type, field.delay_ms),                                         \
         .unit = "ms",                                                           \
         .max = 3600000,                                                         \
         .help = "how long everything is on its way"},                           \
        {"jitter_ms",                                                            \
         PG_INT,                                                                 \
         PG_FIELD(type, field.jitter_ms),                                        \
         .unit = "ms",                                                           \
         .max = 3600000,                                                         \
         .help = "the delay varies by so much, up and down; order is kept"},     \
        {"reorder_percent", PG_NUMBER,  PG_FIELD(type, field.reorder_percent),   \
         .unit = "percent", .max = 100, .help = "records that others overtake"}, \
        {"reorder_ms",                                                           \
         PG_INT,                                                                 \
         PG_FIELD(type, field.reorder_ms),                                       \
         .unit = "ms",                                                           \
         .initial = "20",                                                        \
         .min = 1,                                                               \
         .max = 3600000,                                                         \
         .help = "how long those are held back"},                                \
        {"duplicate_percent",                                                    \
         PG_NUMBER,                                                              \
         PG_FIELD(type, field.duplicate_percent),                                \
         .unit = "percent",                                                      \
         .max = 100,                                                             \
         .help = "records that arrive twice"},                                   \
        {"rate_kbit_s",                                                          \
         PG_INT,                                                                 \
         PG_FIELD(type, field.rate_kbit_s),                                      \
         .unit = "kbit/s",                                                       \
         .max = 1000000000,                                                      \
         .help = "what the link carries, headers not counted; 0: no limit"},     \
    {                                                                            \
        "queue_bytes", PG_INT, PG_FIELD(type, field.queue_bytes),                \
            .unit = "bytes", .initial = "65536", .min = 1, .max = 1 << 30,       \
            .help = "with a rate: what may wait for the link; more records "     \
                    "are lost, a stream waits"                                   \
    }

/* Plain data. Zeroed but for the key, which is from pg_link_key(). */
struct pg_link {
    uint64_t key;      /* of its random numbers */
    uint64_t records;  /* how many have come */
    uint64_t free_ns;  /* when the last of them has left the queue */
    uint64_t order_ns; /* nothing arrives before what was sent before it */
};

/* What becomes of one record. */
struct pg_fate {
    uint64_t due_ns; /* when it arrives */
    bool is_refused; /* the queue is full */
    bool is_lost, is_duplicated, is_reordered;
};

/* ---- random numbers --------------------------------------------------- */

/* A record's own numbers; those from PG_LINK_FREE on are for the user. */
enum { PG_LINK_LOSS, PG_LINK_DUPLICATE, PG_LINK_REORDER, PG_LINK_JITTER };
enum { PG_LINK_FREE = 4, PG_LINK_DRAWS = 8 };

/* The mixing step of splitmix64 (Steele, Lea and Flood, 2014): a bijection
   whose output looks random even for consecutive inputs. */
static inline uint64_t pg_link_mixed(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/* For the `ordinal`-th session and one direction of it. */
static inline uint64_t pg_link_key(int64_t seed, uint64_t ordinal,
                                   unsigned direction)
{
    return pg_link_mixed(pg_link_mixed((uint64_t)seed) + 2 * ordinal +
                         direction);
}

static inline uint64_t pg_link_draw(const struct pg_link *link, uint64_t number,
                                    unsigned what)
{
    uint64_t index = number * PG_LINK_DRAWS + what + 1;

    return pg_link_mixed(link->key + index * 0x9e3779b97f4a7c15);
}

/* True for `percent` of all numbers. */
static inline bool pg_link_happens(const struct pg_link *link, uint64_t number,
                                   unsigned what, double percent)
{
    return pg_link_draw(link, number, what) >> 11 <
           (uint64_t)(percent / 100 * 0x1p53);
}

/* ---- the link --------------------------------------------------------- */

/* Puts a record behind what still waits. An empty queue takes any size. */
static inline bool pg_link_queue(struct pg_link *link,
                                 const struct pg_link_options *how, size_t len,
                                 uint64_t now_ns)
{
    uint64_t byte_ps; /* 10^-12 s */

    if (link->free_ns < now_ns || how->rate_kbit_s == 0)
        link->free_ns = now_ns;
    if (how->rate_kbit_s == 0)
        return true;
    byte_ps = 8000000000 / (uint64_t)how->rate_kbit_s;
    if (how->queue_bytes && link->free_ns > now_ns &&
        link->free_ns - now_ns + len * byte_ps / 1000 >
            (uint64_t)how->queue_bytes * byte_ps / 1000)
        return false;
    link->free_ns += len * byte_ps / 1000;
    return true;
}

/* How long the record is on its way behind the queue. */
static inline uint64_t pg_link_delay_ns(const struct pg_link *link,
                                        const struct pg_link_options *how,
                                        uint64_t number)
{
    uint64_t delay_ns = (uint64_t)how->delay_ms * 1000000;
    uint64_t jitter_ns = (uint64_t)how->jitter_ms * 1000000;
    uint64_t swing_ns =
        pg_link_draw(link, number, PG_LINK_JITTER) % (2 * jitter_ns + 1);

    return delay_ns + swing_ns > jitter_ns ? delay_ns + swing_ns - jitter_ns
                                           : 0;
}

/* The next record, of `len` bytes, is sent at now_ns. */
static inline struct pg_fate pg_link_pass(struct pg_link *link,
                                          const struct pg_link_options *how,
                                          size_t len, uint64_t now_ns)
{
    uint64_t number = link->records++;
    struct pg_fate fate = {0};

    fate.is_refused = !pg_link_queue(link, how, len, now_ns);
    fate.is_lost =
        pg_link_happens(link, number, PG_LINK_LOSS, how->loss_percent);
    if (fate.is_refused || fate.is_lost)
        return fate;
    fate.is_duplicated = pg_link_happens(link, number, PG_LINK_DUPLICATE,
                                         how->duplicate_percent);
    fate.is_reordered =
        pg_link_happens(link, number, PG_LINK_REORDER, how->reorder_percent);
    fate.due_ns = link->free_ns + pg_link_delay_ns(link, how, number);
    if (fate.due_ns < link->order_ns)
        fate.due_ns = link->order_ns;
    if (fate.is_reordered)
        fate.due_ns += (uint64_t)how->reorder_ms * 1000000;
    else
        link->order_ns = fate.due_ns;
    return fate;
}

/* ---- what a stream cannot suffer -------------------------------------- */

/* The first option asked for that only records can suffer, or NULL. */
static inline const char *
pg_link_needs_records(const struct pg_link_options *how)
{
    return how->loss_percent > 0        ? "loss_percent"
           : how->duplicate_percent > 0 ? "duplicate_percent"
           : how->reorder_percent > 0   ? "reorder_percent"
                                        : NULL;
}

#define PG_LINK_STREAM                                                         \
    "TCP never loses, doubles or reorders a piece of a stream: what is lost "  \
    "is a segment below it, which TCP sends again"

#endif
