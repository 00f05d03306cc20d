/*
 * common/link_options.h - the link of common/link.h as options of a plugin:
 * `impair` and `sim` have the same keys, and each of them means the same.
 */
#ifndef COMMON_LINK_OPTIONS_H
#define COMMON_LINK_OPTIONS_H

#include <playground/handler.h>

#include "common/link.h"

/* Shares are in percent, of all records. */
struct link_options {
    double loss_percent, duplicate_percent, reorder_percent;
    int delay_ms, jitter_ms, reorder_ms;
    int64_t rate_kbit_s; /* 0: no limit */
    int64_t queue_bytes; /* 0: no limit */
};

/* clang-format off */
/* The rows of an option table for a struct link_options called `field`. */
#define LINK_OPTIONS(type, field)                                              \
    {"loss_percent", PG_NUMBER, PG_FIELD(type, field.loss_percent),            \
     .unit = "percent", .max = 100, .help = "records that never arrive"},      \
    {"delay_ms", PG_INT, PG_FIELD(type, field.delay_ms),                       \
     .unit = "ms", .max = 3600000,                                             \
     .help = "how long everything is on its way"},                             \
    {"jitter_ms", PG_INT, PG_FIELD(type, field.jitter_ms),                     \
     .unit = "ms", .max = 3600000,                                             \
     .help = "the delay varies by so much, up and down; order is kept"},       \
    {"reorder_percent", PG_NUMBER, PG_FIELD(type, field.reorder_percent),      \
     .unit = "percent", .max = 100, .help = "records that others overtake"},   \
    {"reorder_ms", PG_INT, PG_FIELD(type, field.reorder_ms),                   \
     .unit = "ms", .initial = "20", .min = 1, .max = 3600000,                  \
     .help = "how long those are held back"},                                  \
    {"duplicate_percent", PG_NUMBER, PG_FIELD(type, field.duplicate_percent),  \
     .unit = "percent", .max = 100, .help = "records that arrive twice"},      \
    {"rate_kbit_s", PG_INT, PG_FIELD(type, field.rate_kbit_s),                 \
     .unit = "kbit/s", .max = 1000000000,                                      \
     .help = "what the link carries, headers not counted; 0: no limit"},       \
    {"queue_bytes", PG_INT, PG_FIELD(type, field.queue_bytes),                 \
     .unit = "bytes", .initial = "65536", .min = 1, .max = LINK_QUEUE_MOST,    \
     .help = "with a rate: what may wait for the link; more records are lost, "\
             "a stream waits"}
/* clang-format on */

/* Gives the options in the model's own units. A stream's queue has no limit
   here: nothing is refused, because its sender waits. */
static inline struct link_terms
link_terms_of(const struct link_options *options, enum pg_kind kind)
{
    return (struct link_terms){
        .loss = link_share(options->loss_percent / 100),
        .duplicate = link_share(options->duplicate_percent / 100),
        .reorder = link_share(options->reorder_percent / 100),
        .delay_ns = (uint64_t)options->delay_ms * 1000000,
        .jitter_ns = (uint64_t)options->jitter_ms * 1000000,
        .reorder_ns = (uint64_t)options->reorder_ms * 1000000,
        .rate_bit_s = (uint64_t)options->rate_kbit_s * 1000,
        .queue_bytes = kind == PG_STREAM ? 0 : (uint64_t)options->queue_bytes,
    };
}

/* The first option asked for that only records can suffer, or NULL. */
static inline const char *link_needs_records(const struct link_options *options)
{
    return options->loss_percent > 0        ? "loss_percent"
           : options->duplicate_percent > 0 ? "duplicate_percent"
           : options->reorder_percent > 0   ? "reorder_percent"
                                            : NULL;
}

#define LINK_WHY_NO_STREAM                                                     \
    "TCP never loses, doubles or reorders a piece of a stream: what is lost "  \
    "is a segment below it, which TCP sends again"

#endif
