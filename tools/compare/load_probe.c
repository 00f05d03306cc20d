#include "load_parts.h"

#define QUIET_MS      60 /* beside the link's round trips */
#define QUIET_MOST_MS 1000

#define WARM_ROUNDS 3 /* a UDP peer is trusted when heard from twice */
#define PROBES      3
#define FILE_PROBES 20

/* ---- warming up and probing ------------------------------------------- */

/* Until it is known who hears what, anybody may hear anything. */
static struct load_found anything(void)
{
    return (struct load_found){
        .how = load_us.plan->messages->list ? MATCH_CONTENT : MATCH_TOKEN,
        .hears_self = true,
        .hears_others = true,
    };
}

static size_t probes(void)
{
    if (!load_us.plan->messages->list)
        return PROBES;
    return load_us.plan->messages->count < FILE_PROBES
               ? load_us.plan->messages->count
               : FILE_PROBES;
}

void load_warm_begin(void)
{
    const struct load_found found = anything();

    load_match((size_t)WARM_ROUNDS * load_us.plan->clients, &found);
    load_enter(LOAD_WARMING);
}

static void probe_begin(void)
{
    const struct load_found found = anything();

    load_match(probes(), &found);
    load_enter(LOAD_PROBING);
}

void load_warm_tick(void)
{
    if (load_us.match.sent == load_us.match.plan.count) {
        if (load_is_quiet(QUIET_MS, QUIET_MOST_MS))
            probe_begin();
    } else if (load_us.match.sent == 0 || load_is_quiet(0, QUIET_MOST_MS)) {
        for (unsigned i = 0; i < load_us.plan->clients; i++)
            load_say(load_now_ms());
    }
}

/* Who has it been delivered to, or who else has heard something since? */
static void probe_look(struct load_found *found)
{
    size_t number = load_us.match.sent - 1;
    unsigned sender = (unsigned)(number % load_us.plan->clients);
    bool is_known = false, self = false, others = false;

    for (size_t i = 0; i < load_us.match.delivered; i++)
        if (load_us.shared->deliveries[i].number == number) {
            is_known = true;
            self |= load_us.shared->deliveries[i].receiver == sender;
            others |= load_us.shared->deliveries[i].receiver != sender;
        }
    for (unsigned i = 0; !is_known && i < load_us.plan->clients; i++) {
        self |= i == sender && load_us.clients[i].heard > 0;
        others |= i != sender && load_us.clients[i].heard > 0;
    }
    if (!self && !others)
        return;
    if (!found->is_answered)
        found->how = is_known ? load_us.match.plan.how : MATCH_TURN;
    else if (!is_known)
        found->how = MATCH_TURN;
    found->is_answered = true;
    found->hears_self |= self;
    found->hears_others |= others;
}

void load_probe_tick(void)
{
    if (load_us.match.sent > 0 && !load_is_quiet(QUIET_MS, QUIET_MOST_MS))
        return;
    if (load_us.match.sent > 0)
        probe_look(&load_us.shared->found);
    if (load_us.match.sent == load_us.match.plan.count ||
        (load_us.plan->messages->list && load_us.match.sent >= PROBES &&
         load_us.shared->found.is_answered)) {
        load_enter(LOAD_READY);
        load_answer();
        return;
    }
    for (unsigned i = 0; i < load_us.plan->clients; i++)
        load_us.clients[i].heard = 0;
    load_say(load_now_ms());
}
