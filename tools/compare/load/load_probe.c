/* Warming up, and finding out who hears what. */

#include "compare/load/load_parts.h"

#define QUIET_MS  60  /* after an answer, beside the link's round trips */
#define ANSWER_MS 500 /* the handlers may wait before they answer */

#define WARM_ROUNDS 3 /* a UDP peer is trusted when heard from twice */
#define PROBES      7 /* the handlers may lose some, and double some */
#define FILE_PROBES 20
#define ENOUGH      3 /* answers, all of the same kind */

/* Counts of probes: how many were answered, to who said them, to others. */
struct votes {
    unsigned answers, self, others;
};

/* The probes that have not arrived themselves, and made something else
   arrive. */
static struct votes strange;
static size_t begins[FILE_PROBES]; /* deliveries before each probe */

/* ---- warming up and probing ------------------------------------------- */

/* Until it is known who hears what, anybody may hear anything. */
static struct load_found load_probe_anything(void)
{
    return (struct load_found){
        .how = load_us.plan->messages->list ? MATCH_CONTENT : MATCH_TOKEN,
        .hears_self = true,
        .hears_others = true,
    };
}

static size_t load_probe_probes(void)
{
    size_t count =
        load_us.plan->messages->list ? load_us.plan->messages->count : PROBES;

    return count < PROBES ? PROBES : count < FILE_PROBES ? count : FILE_PROBES;
}

/* The last probe has been answered, or will not be. */
static bool load_probe_is_over(void)
{
    double most_ms = ANSWER_MS;

    if (load_us.heard_ms > load_us.sent_ms && load_is_quiet(QUIET_MS, most_ms))
        return true;
    return load_is_quiet(most_ms, most_ms);
}

void load_warm_begin(void)
{
    const struct load_found found = load_probe_anything();

    load_match((size_t)WARM_ROUNDS * load_us.plan->clients, &found);
    load_enter(LOAD_WARMING);
}

static void load_probe_begin(void)
{
    const struct load_found found = load_probe_anything();

    load_match(load_probe_probes(), &found);
    strange = (struct votes){0};
    load_enter(LOAD_PROBING);
}

void load_warm_tick(void)
{
    if (load_us.match.sent == load_us.match.plan.count) {
        if (load_probe_is_over())
            load_probe_begin();
    } else if (load_us.match.sent == 0 || load_is_quiet(0, ANSWER_MS)) {
        for (unsigned i = 0; i < load_us.plan->clients; i++)
            load_say(load_now_ms());
    }
}

static void load_probe_vote(struct votes *votes, bool self, bool others)
{
    votes->answers += self || others;
    votes->self += self;
    votes->others += others;
}

/* A token tells which one has arrived, however late. The messages of a file
   come again and again, so for them it is the last one that was said. */
static bool load_probe_is_of_probe(size_t delivery, size_t number)
{
    if (load_us.match.plan.how == MATCH_TOKEN)
        return load_us.shared->deliveries[delivery].number == number;
    return delivery >= begins[number] &&
           (number + 1 == load_us.match.sent || delivery < begins[number + 1]);
}

/* Finds who has got this probe. */
static void load_probe_look_at_probe(size_t number, struct votes *votes)
{
    size_t sender = number % load_us.plan->clients;
    bool self = false, others = false;

    for (size_t i = 0; i < load_us.match.delivered; i++)
        if (load_probe_is_of_probe(i, number)) {
            self |= load_us.shared->deliveries[i].receiver == sender;
            others |= load_us.shared->deliveries[i].receiver != sender;
        }
    load_probe_vote(votes, self, others);
}

/* Finds who was reached by something else when the last probe did not arrive
   itself. */
static void load_probe_look_at_strangers(void)
{
    size_t number = load_us.match.sent - 1;
    size_t sender = number % load_us.plan->clients;
    struct votes known = {0};
    bool self = false, others = false;

    load_probe_look_at_probe(number, &known);
    for (size_t i = 0; i < load_us.plan->clients && !known.answers; i++) {
        self |= i == sender && load_us.clients[i].strangers > 0;
        others |= i != sender && load_us.clients[i].strangers > 0;
    }
    load_probe_vote(&strange, self, others);
}

/* The majority decides: a probe that was lost while something else came does
   not make all answers strange. In a file each message may have another
   answer, so fewer are enough; a token is never taken for another. */
static struct load_found load_probe_look(const struct votes *known)
{
    const struct votes *votes = known;
    struct load_found found = load_us.shared->found;
    bool is_file = load_us.plan->messages->list;

    found.is_answered = known->answers + strange.answers > 0;
    found.how = load_probe_anything().how;
    if (known->answers < strange.answers * (is_file ? 3 : 1)) {
        found.how = MATCH_TURN;
        votes = &strange;
    }
    found.hears_self = 2 * votes->self >= votes->answers;
    found.hears_others = 2 * votes->others >= votes->answers;
    if (found.how == MATCH_TOKEN) {
        found.hears_self = votes->self > 0;
        found.hears_others = votes->others > 0;
    }
    return found;
}

static bool load_probe_is_enough(const struct votes *known)
{
    return load_us.match.sent == load_us.match.plan.count ||
           (known->answers >= ENOUGH && strange.answers == 0) ||
           (known->answers == 0 && strange.answers >= ENOUGH);
}

/* Looks at all probes till now; true when they are enough. */
static bool load_probe_look_at_all(void)
{
    struct votes known = {0};

    load_probe_look_at_strangers();
    for (size_t i = 0; i < load_us.match.sent; i++)
        load_probe_look_at_probe(i, &known);
    if (!load_probe_is_enough(&known))
        return false;
    load_us.shared->found = load_probe_look(&known);
    return true;
}

void load_probe_tick(void)
{
    if (load_us.match.sent > 0) {
        if (!load_probe_is_over())
            return;
        if (load_probe_look_at_all()) {
            load_enter(LOAD_READY);
            load_answer();
            return;
        }
    }
    for (unsigned i = 0; i < load_us.plan->clients; i++)
        load_us.clients[i].strangers = 0;
    begins[load_us.match.sent] = load_us.match.delivered;
    load_say(load_now_ms());
}
