/* Which message has arrived, told by token, by content or by turn. */

#include "compare/load/match.h"

#include <stdlib.h>

#include "base/must.h"

#define REST_MOST_BYTES (256u << 10)

/* Bytes of a stream in which no message has been found yet. */
struct match_bytes {
    uint8_t *data;
    size_t len;
};

void match_init(struct match *match, const struct match_plan *plan,
                struct delivery *deliveries)
{
    size_t clients = plan->clients;

    *match = (struct match){.plan = *plan, .deliveries = deliveries};
    match->due_ms = must_calloc(plan->count + 1, sizeof(*match->due_ms));
    match->seen = must_calloc((plan->count * clients + 7) / 8 + 1, 1);
    match->newest = must_calloc(clients * clients, sizeof(*match->newest));
    match->scans = must_calloc(clients, sizeof(*match->scans));
    match->rests = must_calloc(clients, sizeof(*match->rests));
}

void match_finish(struct match *match)
{
    for (unsigned i = 0; match->rests && i < match->plan.clients; i++)
        free(match->rests[i].data);
    free(match->due_ms);
    free(match->seen);
    free(match->newest);
    free(match->scans);
    free(match->rests);
    *match = (struct match){0};
}

void match_sent(struct match *match, double due_ms)
{
    match->due_ms[match->sent++] = due_ms;
}

unsigned match_fan(const struct match *match)
{
    return match->plan.hears_self +
           (match->plan.hears_others ? match->plan.clients - 1 : 0);
}

bool match_is_complete(const struct match *match)
{
    return match->sent == match->plan.count &&
           match->delivered >= match->sent * (uint64_t)match_fan(match);
}

/* ---- one message at one receiver -------------------------------------- */

static bool match_may_hear(const struct match *match, size_t number,
                           unsigned receiver)
{
    return number % match->plan.clients == receiver ? match->plan.hears_self
                                                    : match->plan.hears_others;
}

static bool match_has_seen(const struct match *match, size_t number,
                           unsigned receiver)
{
    size_t bit = number * match->plan.clients + receiver;

    return match->seen[bit / 8] >> bit % 8 & 1;
}

static void match_note_order(struct match *match, size_t number,
                             unsigned receiver)
{
    size_t sender = number % match->plan.clients;
    uint32_t *newest = &match->newest[sender * match->plan.clients + receiver];

    if (number + 1 < *newest)
        match->reordered++;
    else
        *newest = (uint32_t)number + 1;
}

static void match_deliver(struct match *match, size_t number, unsigned receiver,
                          double now_ms)
{
    size_t bit = number * match->plan.clients + receiver;

    if (match_has_seen(match, number, receiver)) {
        match->duplicates++;
        return;
    }
    match->seen[bit / 8] |= (uint8_t)(1u << bit % 8);
    match_note_order(match, number, receiver);
    if (match->delivered < match->plan.most)
        match->deliveries[match->delivered] = (struct delivery){
            (uint32_t)number, receiver, now_ms - match->due_ms[number]};
    match->delivered++;
}

/* ---- by token --------------------------------------------------------- */

static void match_by_token(struct match *match, unsigned receiver,
                           struct pg_bytes in, double now_ms)
{
    struct token_scan *scan = &match->scans[receiver];
    uint64_t token;
    bool is_known = false;

    if (!match->plan.is_stream)
        *scan = (struct token_scan){0};
    while (token_next(scan, &in, &token)) {
        uint64_t number = token - match->plan.first;

        if (token < match->plan.first || number >= match->sent ||
            !match_may_hear(match, number, receiver))
            continue;
        is_known = true;
        match_deliver(match, number, receiver, now_ms);
    }
    match->strangers += !is_known;
}

/* ---- by content ------------------------------------------------------- */

struct finding {
    bool is_found;
    size_t number;
    size_t at, len; /* where in the bytes */
};

/* In a stream the one that comes first was said first; in a record the
   longest is meant, because a short one may stand in it by chance. */
static bool match_is_better(const struct match *match,
                            const struct finding *one,
                            const struct finding *best)
{
    if (!best->is_found)
        return true;
    return match->plan.is_stream ? one->at < best->at : one->len > best->len;
}

static struct finding match_find(struct match *match, unsigned receiver,
                                 struct pg_bytes in, bool was_seen)
{
    struct finding best = {0};

    for (size_t number = match->oldest; number < match->sent; number++) {
        struct pg_bytes message;
        const uint8_t *place;

        if (!match_may_hear(match, number, receiver) ||
            match_has_seen(match, number, receiver) != was_seen)
            continue;
        message =
            messages_get(match->plan.messages, match->plan.first + number);
        place = memmem(in.data, in.len, message.data, message.len);
        if (!place)
            continue;
        struct finding one = {true, number, (size_t)(place - in.data),
                              message.len};

        if (match_is_better(match, &one, &best))
            best = one;
    }
    return best;
}

/* Takes messages out of `in` until none is left in it. */
static bool match_find_all(struct match *match, unsigned receiver,
                           struct pg_bytes *in, double now_ms)
{
    bool is_known = false;

    while (in->len > 0) {
        struct finding found = match_find(match, receiver, *in, false);

        /* Only a record can come twice. */
        if (!found.is_found && !match->plan.is_stream && !is_known)
            found = match_find(match, receiver, *in, true);
        if (!found.is_found)
            return is_known;
        is_known = true;
        match_deliver(match, found.number, receiver, now_ms);
        *in = pg_bytes(in->data + found.at + found.len,
                       in->len - found.at - found.len);
    }
    return is_known;
}

static void match_by_content_of_stream(struct match *match, unsigned receiver,
                                       struct pg_bytes in, double now_ms)
{
    struct match_bytes *rest = &match->rests[receiver];
    struct pg_bytes all;

    rest->data = must_realloc(rest->data, rest->len + in.len + 1, 1);
    if (in.len > 0)
        memcpy(rest->data + rest->len, in.data, in.len);
    all = pg_bytes(rest->data, rest->len + in.len);
    match_find_all(match, receiver, &all, now_ms);
    if (all.len > REST_MOST_BYTES)
        all = pg_bytes(all.data + all.len - REST_MOST_BYTES, REST_MOST_BYTES);
    memmove(rest->data, all.data, all.len);
    rest->len = all.len;
}

static void match_by_content(struct match *match, unsigned receiver,
                             struct pg_bytes in, double now_ms)
{
    while (match->oldest < match->sent &&
           match->due_ms[match->oldest] < now_ms - match->plan.window_ms)
        match->oldest++;
    if (match->plan.is_stream)
        match_by_content_of_stream(match, receiver, in, now_ms);
    else if (!match_find_all(match, receiver, &in, now_ms))
        match->strangers++;
}

/* ---- by turn ---------------------------------------------------------- */

static void match_by_turn(struct match *match, unsigned receiver, double now_ms)
{
    size_t number = match->sent - 1;

    if (match->sent > 0 && match_may_hear(match, number, receiver) &&
        !match_has_seen(match, number, receiver))
        match_deliver(match, number, receiver, now_ms);
    else
        match->strangers++;
}

void match_arrived(struct match *match, unsigned receiver, struct pg_bytes in,
                   double now_ms)
{
    switch (match->plan.how) {
    case MATCH_TOKEN:
        match_by_token(match, receiver, in, now_ms);
        break;
    case MATCH_CONTENT:
        match_by_content(match, receiver, in, now_ms);
        break;
    case MATCH_TURN:
        match_by_turn(match, receiver, now_ms);
        break;
    }
}
