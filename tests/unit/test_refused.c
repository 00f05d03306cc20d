/* A total that is full: what finds no room is refused whole, nobody is closed
   for it, and nobody asks again before there is room. A seed that fails is
   repeated with PLAYGROUND_SEED. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/slot.h"

#define PEERS_MOST 40
#define SEEDS      12
#define SEEDS_LONG 2000
#define STEPS      80
#define ASKED_MOST 60000
#define LONG_MS    100000

static struct harness *h;
static uint64_t asked[PEERS_MOST];
static unsigned peers;
static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % below;
}

static const char *draw_layer(void)
{
    static const char *const layers[] = {
        "",
        "",
        "{ \"plugin\": \"impair\", \"delay_ms\": 5 }, ",
        "{ \"plugin\": \"impair\", \"rate_kbit_s\": 8000 }, ",
        "{ \"plugin\": \"impair\", \"cut_percent\": 1 }, ",
    };

    return layers[draw(sizeof(layers) / sizeof(*layers))];
}

static void open_peers(const char *chain, const char *limits)
{
    print_message("%s %s\n", chain, limits);
    h = harness_create_limits(PG_STREAM, chain, limits);
    peers = 2 + draw(PEERS_MOST - 1);
    for (unsigned i = 0; i < peers; i++) {
        harness_connect(h);
        asked[i] = 0;
    }
}

static void open_room(void)
{
    unsigned frame_bytes = 1024 + draw(4000);
    char chain[512], limits[256];

    snprintf(chain, sizeof(chain),
             "[%s\"lines\", %s{ \"plugin\": \"pours\", \"piece\": %u, "
             "\"keeps\": %s }]",
             draw_layer(), draw(2) ? "\"halves\", " : "",
             1 + draw(frame_bytes - 100), draw(2) ? "true" : "false");
    snprintf(limits, sizeof(limits),
             "{ \"frame_bytes\": %u, \"session_queue_bytes\": %u,"
             " \"queue_bytes_total\": %u, \"kept_bytes_total\": %u,"
             " \"unread_s\": 0 }",
             frame_bytes, 2 * (frame_bytes + 1024), 65536 + draw(65536),
             65536 + draw(200000));
    open_peers(chain, limits);
}

/* Letters alone; the marks around each piece tell that it came whole. */
static uint64_t heard(unsigned peer)
{
    struct pg_bytes out = harness_out(h, (int)peer);
    uint64_t letters = 0;
    bool is_within = false;

    for (size_t i = 0; i < out.len; i++) {
        if (out.data[i] == '<' || out.data[i] == '>') {
            assert_int_equal(is_within, out.data[i] == '>');
            is_within = !is_within;
        } else if (out.data[i] != '\n') {
            assert_int_equal(out.data[i], 'a' + letters % 26);
            letters++;
        }
    }
    return letters;
}

static void ask(unsigned peer)
{
    char text[64];
    unsigned many = 1 + draw(ASKED_MOST), more = draw(ASKED_MOST);

    /* Two at once: the second waits until the first is through. */
    snprintf(text, sizeof(text), "%u\n%u\n", many, more);
    harness_push_text(h, (int)peer, text);
    asked[peer] += many + more;
}

/* A busy loop would keep the harness from coming back. */
static void step(void)
{
    unsigned peer = draw(peers);

    if (heard(peer) == asked[peer])
        ask(peer);
    if (draw(4))
        harness_block_after(h, (int)peer, draw(3000));
    else if (draw(8) == 0)
        harness_block(h, (int)peer, false);
    if (draw(2))
        harness_advance(h, draw(10));
}

/* All read on, and hear all that they asked for; those who have no more to say
   are through then, and no sooner. */
static void read_all(bool has_ended)
{
    for (unsigned i = 0; i < peers; i++) {
        assert_false(harness_is_closed(h, (int)i));
        if (has_ended)
            harness_end(h, (int)i);
        harness_block(h, (int)i, false);
    }
    harness_advance(h, LONG_MS);
    for (unsigned i = 0; i < peers; i++) {
        assert_int_equal(heard(i), asked[i]);
        assert_int_equal(harness_is_closed(h, (int)i), has_ended);
        if (has_ended)
            assert_string_equal(harness_close_reason(h, (int)i),
                                "end of input");
    }
    harness_destroy(h);
}

static void run_pours(uint32_t seed)
{
    random_state = seed;
    open_room();
    for (unsigned i = 0; i < STEPS; i++)
        step();
    read_all(draw(2));
}

static void run_seeds(void (*run)(uint32_t seed))
{
    const char *only = getenv("PLAYGROUND_SEED");
    uint32_t seeds = getenv("PLAYGROUND_LONG") ? SEEDS_LONG : SEEDS;
    uint32_t first = only ? (uint32_t)atol(only) : 1;

    for (uint32_t seed = first; seed < first + (only ? 1 : seeds); seed++) {
        print_message("seed %u: ", seed);
        run(seed);
    }
}

static void test_refused_is_heard_in_the_end(void **state)
{
    (void)state;
    run_seeds(run_pours);
}

/* Whatever comes goes back, in its order, through a link or not. */
static void push_some(unsigned peer)
{
    static uint8_t said[ASKED_MOST];
    unsigned len = 1 + draw(sizeof(said) / 4);

    for (unsigned i = 0; i < len; i++)
        said[i] = (uint8_t)('a' + (asked[peer] + i) % 26);
    harness_push(h, (int)peer, pg_bytes(said, len));
    asked[peer] += len;
}

static void run_echo(uint32_t seed)
{
    char chain[256], limits[256];

    random_state = seed;
    snprintf(chain, sizeof(chain), "[%s%s\"echo\"]", draw_layer(),
             draw(2) ? "\"halves\", " : "");
    snprintf(limits, sizeof(limits),
             "{ \"frame_bytes\": %u, \"queue_bytes_total\": 65536,"
             " \"kept_bytes_total\": 65536, \"unread_s\": 0 }",
             1024 + draw(4000));
    open_peers(chain, limits);
    for (unsigned i = 0; i < STEPS; i++) {
        unsigned peer = draw(peers);

        harness_block_after(h, (int)peer, draw(3000));
        push_some(peer);
        if (draw(2))
            harness_advance(h, draw(10));
    }
    read_all(draw(2));
}

static void test_refused_comes_back_whole(void **state)
{
    (void)state;
    run_seeds(run_echo);
}

/* An empty record is one, too, and comes again. */
static void test_refused_and_empty_comes_back(void **state)
{
    (void)state;
    h = harness_create_limits(
        PG_STREAM,
        "[{ \"plugin\": \"impair\", \"delay_ms\": 5 }, \"lines\", \"echo\"]",
        "{ \"kept_bytes_total\": 65536, \"frame_bytes\": 1024 }");
    for (int i = 0; i < 300; i++)
        for (int peer = harness_connect(h), n = 0; n < 20; n++)
            harness_push_text(h, peer, "\n\n\nab\n\n");
    harness_advance(h, 1000);
    for (int i = 0; i < 300; i++)
        assert_int_equal(harness_out(h, i).len, 20 * 7);
    assert_true(harness_counter(h, "impair", "refused: no room for a delay") >
                0);
    harness_destroy(h);
}

/* What a datagram is answered may find no room for good: it is counted, and its
   handler is not blamed for keeping the datagram. */
static void test_refused_for_good_is_counted(void **state)
{
    static uint8_t record[16384];
    int peer;

    (void)state;
    h = harness_create_limits(
        PG_RECORDS, "[\"echo\"]",
        "{ \"frame_bytes\": 16384, \"queue_bytes_total\": 65536,"
        " \"session_queue_bytes\": 34816 }");
    peer = harness_connect(h);
    harness_block(h, peer, true);
    for (int i = 0; i < 20; i++)
        harness_push(h, peer, pg_bytes(record, sizeof(record)));
    harness_block(h, peer, false);
    harness_advance(h, 1);

    assert_int_equal(
        harness_counter(h, "echo", "dropped: part of a record kept"), 0);
    assert_int_equal(
        harness_record_count(h, peer) +
            harness_counter(h, "echo", "dropped: no room for its answer") +
            harness_counter(h, NULL,
                            "dropped: the one before is not dealt with yet"),
        20);
    harness_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_is_heard_in_the_end),
        cmocka_unit_test(test_refused_comes_back_whole),
        cmocka_unit_test(test_refused_and_empty_comes_back),
        cmocka_unit_test(test_refused_for_good_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
