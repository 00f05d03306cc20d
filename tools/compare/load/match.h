/*
 * match - which message is it that has just arrived, and at whom.
 *
 * Message n is said by client n % clients. It is answered when it comes back
 * to who said it (an echo) or reaches another client (a chat): which of the
 * two counts has been found out by probing, see load.h.
 */
#ifndef MATCH_H
#define MATCH_H

#include <stdint.h>

#include "compare/load/messages.h"

enum match_how {
    MATCH_TOKEN,   /* by the token that messages without a file carry */
    MATCH_CONTENT, /* the message stands in what arrives */
    MATCH_TURN,    /* anything that arrives: one message at a time is out */
};

struct match_plan {
    struct messages *messages;
    enum match_how how;
    bool is_stream; /* what arrives are bytes, not messages */
    bool hears_self, hears_others;
    unsigned clients;
    size_t count;     /* messages to be sent */
    uint64_t first;   /* message 0 is this one of `messages` */
    double window_ms; /* content: what is older is not looked for */
    size_t most;      /* deliveries that are noted one by one */
};

/* A message that arrived for the first time at that receiver. */
struct delivery {
    uint32_t number, receiver;
    double latency_ms; /* from when it was to be sent */
};

struct match {
    struct match_plan plan;
    double *due_ms;   /* by number: when it was to be sent */
    uint8_t *seen;    /* a bit for each number and receiver */
    uint32_t *newest; /* by sender and receiver: number + 1 of the last */
    struct token_scan *scans;  /* by receiver */
    struct match_bytes *rests; /* of a stream, by receiver */
    size_t sent, oldest;
    uint64_t delivered, duplicates, reordered, strangers;
    struct delivery *deliveries; /* the caller's memory */
};

/* `deliveries` has room for plan->most. Never fails: out of memory ends the
   process with a message. */
void match_init(struct match *match, const struct match_plan *plan,
                struct delivery *deliveries);
void match_finish(struct match *match);

/* Message number match->sent leaves now, and was to leave at `due_ms`. */
void match_sent(struct match *match, double due_ms);
/* Bytes of a stream, or a record, have come. */
void match_arrived(struct match *match, unsigned receiver, struct pg_bytes in,
                   double now_ms);

/* How many deliveries there will be of one message, if none is lost. */
unsigned match_fan(const struct match *match);
/* All that was sent has arrived wherever it should. */
bool match_is_complete(const struct match *match);

#endif
