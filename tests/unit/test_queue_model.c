/* Turns at random, beside a model that says what each peer is to hear: every
   message, once, in order, whole, whoever was blocked meanwhile. A seed that
   fails is repeated with PLAYGROUND_SEED. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core.h"
#include "engine/turn.h"
#include "state/slot.h"

#define PEERS_MAX  60
#define SEEDS      10
#define SEEDS_LONG 1000
#define TURNS      100
#define TEXT_MAX   40000

struct member {
    bool is_open, is_blocked;
    char **texts; /* what it is to hear */
    size_t count;
};

static struct harness *h;
static bool is_stream;
static struct member members[PEERS_MAX];
static int joined, present;
static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % below;
}

/* ---- the model -------------------------------------------------------- */

static void expect(int peer, const char *text)
{
    struct member *member = &members[peer];

    member->texts =
        realloc(member->texts, (member->count + 1) * sizeof(*member->texts));
    assert_non_null(member->texts);
    member->texts[member->count++] = strdup(text);
}

static void expect_all(const char *text, int except)
{
    for (int peer = 0; peer < joined; peer++)
        if (members[peer].is_open && peer != except)
            expect(peer, text);
}

static void forget(struct member *member)
{
    while (member->count)
        free(member->texts[--member->count]);
    free(member->texts);
    member->texts = NULL;
}

static void check_records(int peer)
{
    const struct member *member = &members[peer];

    assert_int_equal(harness_record_count(h, peer), member->count);
    for (size_t i = 0; i < member->count; i++)
        assert_bytes(harness_record(h, peer, i), member->texts[i]);
}

/* Each behind a line end. */
static void check_stream(int peer)
{
    const struct member *member = &members[peer];
    struct pg_bytes out = harness_out(h, peer);
    size_t at = 0;

    for (size_t i = 0; i < member->count; i++) {
        size_t len = strlen(member->texts[i]);

        assert_true(at + len < out.len);
        assert_memory_equal(out.data + at, member->texts[i], len);
        assert_int_equal(out.data[at + len], '\n');
        at += len + 1;
    }
    assert_int_equal(at, out.len);
}

/* All that waited can go; then nothing is left over. */
static void check(void)
{
    for (int peer = 0; peer < joined; peer++)
        harness_block(h, peer, members[peer].is_blocked = false);
    assert_int_equal(core->arena.header->queued, 0);
    assert_int_equal(core->waiting, 0);
    assert_int_equal(core->dirty, 0);
    assert_int_equal(core->gathered, 0);
    for (uint32_t i = 0; i < core->live_count; i++)
        assert_int_equal(session_at(core->live[i])->queued, 0);
    for (int peer = 0; peer < joined; peer++) {
        is_stream ? check_stream(peer) : check_records(peer);
        harness_clear(h, peer);
        forget(&members[peer]);
    }
}

/* ---- what happens ----------------------------------------------------- */

static void join(void)
{
    char text[32];
    int peer;

    if (joined == PEERS_MAX)
        return;
    peer = harness_connect(h);
    assert_int_equal(peer, joined++);
    members[peer] = (struct member){.is_open = true};
    present++;
    for (int i = 0; i < 2; i++) { /* records: heard from twice */
        snprintf(text, sizeof(text), "claim k%d%s", peer,
                 is_stream ? "\n" : "");
        harness_push_text(h, peer, text);
        expect(peer, "claim 0"); /* also if it has it */
    }
}

/* Somebody who is there. */
static int pick(void)
{
    int peer = (int)draw((uint32_t)joined);

    for (int i = 0; i < joined; i++, peer = (peer + 1) % joined)
        if (members[peer].is_open)
            return peer;
    fail_msg("all have left");
    return -1;
}

static void make_text(char *text)
{
    static const uint32_t lengths[] = {0,  1,  2,  3,  5,   5,   5,   10,
                                       10, 10, 10, 40, 100, 100, 3000};
    uint32_t len = lengths[draw(sizeof(lengths) / sizeof(*lengths))];

    if (draw(400) == 0)
        len = TEXT_MAX;
    for (uint32_t i = 0; i < len; i++)
        text[i] = (char)('a' + draw(26));
    text[len] = '\0';
}

/* One thing that `peer` says, as the probe understands it; and who hears it.
   False: it was the last. */
static bool say(int peer, char *command)
{
    static char text[TEXT_MAX + 1];
    uint32_t what = draw(200);
    int other = pick();

    make_text(text);
    if (what < 70) {
        sprintf(command, "send %s", text);
        expect(peer, text);
    } else if (what < 150) {
        sprintf(command, "all %s", text);
        expect_all(text, peer);
    } else if (what < 199 || present < 5) {
        sprintf(command, "whom k%d %s", other, text);
        expect(other, text);
        expect(peer, "whom 0");
    } else {
        strcpy(command, "close");
        members[peer].is_open = false;
        present--;
        return false;
    }
    return true;
}

/* One read of a stream; of records several, from several. */
static void turn(void)
{
    static char command[TEXT_MAX + 100], input[60 * sizeof(command)];
    uint32_t count = 1 + draw(60);
    int peer = pick(), left = 0;
    char *end = input;

    *input = '\0';
    for (uint32_t i = 0; i < count && !left; i++) {
        if (!is_stream)
            peer = pick();
        left += !say(peer, command);
        if (is_stream)
            end = stpcpy(stpcpy(end, command), "\n");
        else
            harness_push_within(h, peer, command);
        if (!is_stream && draw(25) == 0)
            turn_flush();
    }
    if (left) /* its close() tells the others, after all else of this turn */
        expect_all("left: told to close", -1);
    harness_push_text(h, peer, is_stream ? input : "drop");
}

static void block_some(void)
{
    for (int peer = 0; peer < joined; peer++)
        if (draw(40) == 0 &&
            (members[peer].is_blocked || members[peer].is_open))
            harness_block(h, peer, members[peer].is_blocked ^= true);
}

static void run(enum pg_kind provides, uint32_t seed)
{
    print_message("seed %u, %s\n", seed,
                  provides == PG_STREAM ? "streams" : "records");
    random_state = seed;
    is_stream = provides == PG_STREAM;
    joined = present = 0;
    h = harness_create_limits(
        provides, is_stream ? "[\"lines\", \"probe\"]" : "[\"probe\"]",
        "{\"session_queue_bytes\": 100000000, \"linger_ms\": 600000}");
    for (int i = 0; i < 6; i++)
        join();
    for (int i = 0; i < TURNS; i++) {
        turn();
        block_some();
        if (draw(10) == 0)
            join();
        if (draw(30) == 0)
            check();
    }
    check();
    harness_destroy(h);
}

static void test_queue_gives_everybody_what_is_theirs(void **state)
{
    const char *only = getenv("PLAYGROUND_SEED");
    uint32_t seeds = getenv("PLAYGROUND_LONG") ? SEEDS_LONG : SEEDS;

    (void)state;
    for (uint32_t seed = 1; seed <= seeds; seed++) {
        uint32_t chosen = only ? (uint32_t)atol(only) : seed;

        run(PG_RECORDS, chosen);
        run(PG_STREAM, chosen);
        if (only)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_gives_everybody_what_is_theirs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
