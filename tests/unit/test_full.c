/* Answers under pressure: who stops when told gets room again, loses nothing
   and is not closed, whoever else does not read. A seed that fails is repeated
   with PLAYGROUND_SEED. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/slot.h"

#define PEERS_MOST 20
#define SEEDS      6
#define SEEDS_LONG 1000
#define STEPS      60
#define ASKED_MOST 100000
#define TOTAL      (1 << 20)

static struct harness *h;
static uint64_t asked[PEERS_MOST];
static bool is_blocked[PEERS_MOST];
static unsigned peers, rude; /* the first never read */
static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % below;
}

static void open_room(enum pg_kind kind)
{
    unsigned frame_bytes = 1024 + draw(8000);
    char chain[256], limits[256];

    snprintf(chain, sizeof(chain),
             "[%s{ \"plugin\": \"pours\", \"piece\": %u, \"keeps\": %s }]",
             kind == PG_STREAM ? "\"lines\", " : "", 1 + draw(frame_bytes - 1),
             draw(2) ? "true" : "false");
    snprintf(limits, sizeof(limits),
             "{ \"frame_bytes\": %u, \"session_queue_bytes\": %u,"
             " \"queue_bytes_total\": %d, \"unread_s\": 0 }",
             frame_bytes, 2 * (frame_bytes + 1024) + draw(100000), TOTAL);
    print_message("%s %s\n", chain, limits);
    h = harness_create_limits(kind, chain, limits);
    peers = 2 + draw(PEERS_MOST - 1);
    rude = kind == PG_STREAM ? draw(peers) : 0; /* a socket is for all */
    for (unsigned i = 0; i < peers; i++) {
        harness_connect(h);
        asked[i] = 0;
        is_blocked[i] = i < rude;
        harness_block(h, (int)i, i < rude);
    }
}

/* lines ends each piece of an answer. */
static uint64_t heard(unsigned peer)
{
    struct pg_bytes out = harness_out(h, (int)peer);
    uint64_t letters = 0;

    for (size_t i = 0; i < out.len; i++) {
        if (out.data[i] == '\n')
            continue;
        assert_int_equal(out.data[i], 'a' + letters % 26);
        letters++;
    }
    return letters;
}

static void ask(unsigned peer, uint64_t many)
{
    char text[32];

    snprintf(text, sizeof(text), "%u%s", (unsigned)many, "\n");
    harness_push_text(h, (int)peer, text);
    asked[peer] += many;
}

static void step(void)
{
    unsigned peer = draw(peers);

    if (heard(peer) == asked[peer] && peer >= rude)
        ask(peer, 1 + draw(ASKED_MOST));
    else if (asked[peer] == 0)
        ask(peer, 1 + draw(ASKED_MOST));
    else if (peer >= rude)
        harness_block(h, (int)peer, is_blocked[peer] ^= true);
    harness_advance(h, draw(3));
    assert_true(core->arena.header->queue_blocks <= TOTAL);
}

/* All from this one on read again, and hear what they asked for; those that
   have no more to ask are through then, and no sooner. */
static void read_on(unsigned first, bool has_ended)
{
    for (unsigned i = first; i < peers; i++) {
        assert_false(harness_is_closed(h, (int)i) && heard(i) < asked[i]);
        harness_block(h, (int)i, false);
    }
    harness_advance(h, 1);
    for (unsigned i = first; i < peers; i++) {
        assert_int_equal(heard(i), asked[i]);
        assert_int_equal(harness_is_closed(h, (int)i), has_ended);
        if (has_ended)
            assert_string_equal(harness_close_reason(h, (int)i),
                                "end of input");
    }
}

static void run(enum pg_kind kind, uint32_t seed)
{
    bool has_ended;

    random_state = seed;
    print_message("seed %u: ", seed);
    open_room(kind);
    for (unsigned i = 0; i < STEPS; i++)
        step();
    has_ended = kind == PG_STREAM && draw(2);
    for (unsigned i = 0; has_ended && i < peers; i++)
        harness_end(h, (int)i);
    read_on(rude, has_ended);
    read_on(0, has_ended);
    harness_destroy(h);
}

static void run_all(enum pg_kind kind)
{
    const char *only = getenv("PLAYGROUND_SEED");
    uint32_t seeds = getenv("PLAYGROUND_LONG") ? SEEDS_LONG : SEEDS;

    for (uint32_t seed = 1; seed <= (only ? 1 : seeds); seed++)
        run(kind, only ? (uint32_t)atol(only) : seed);
}

static void test_full_costs_a_stream_nothing(void **state)
{
    (void)state;
    run_all(PG_STREAM);
}

static void test_full_costs_records_nothing(void **state)
{
    (void)state;
    run_all(PG_RECORDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_costs_a_stream_nothing),
        cmocka_unit_test(test_full_costs_records_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
