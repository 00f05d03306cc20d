/* One read is not one turn: a session that has had its share goes on when the
   others had theirs, and nothing is lost, joined or turned round by it. */

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/state.h"

#define SEEDS      150
#define SEEDS_LONG 4000
#define TEXT_BYTES 3000
#define DELAY_MS   1000 /* longer than any link of these chains */

static uint32_t random_state;

static uint32_t random_below(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % below;
}

/* ---- the same with and without a budget -------------------------------- */

#define HEEDS "{ \"plugin\": \"words\", \"name\": \"w1\" }"
#define RUSHES                                                                 \
    "{ \"plugin\": \"words\", \"name\": \"w2\", \"heeds\": false, \"at\": "    \
    "\";\" }"
#define DELAYED                                                                \
    "{ \"plugin\": \"impair\", \"direction\": \"in\", \"delay_ms\": 20 }"
#define CUTTING                                                                \
    "{ \"plugin\": \"impair\", \"direction\": \"in\", \"delay_ms\": 5, "       \
    "\"cut_percent\": 20 }"

/* What reads well and ends in an answer for each message. */
static const char *const chains[] = {
    "[\"lines\", \"echo\"]",
    "[\"lines\", " HEEDS ", \"echo\"]",
    "[\"lines\", " HEEDS ", " RUSHES ", \"echo\"]",
    "[\"lines\", " RUSHES ", " HEEDS ", \"echo\"]",
    "[" DELAYED ", \"lines\", " HEEDS ", \"echo\"]",
    "[\"lines\", " RUSHES ", " DELAYED ", " HEEDS ", \"echo\"]",
    "[" CUTTING ", \"raw\", " HEEDS ", \"echo\"]",
    "[{ \"plugin\": \"length\", \"size\": 1 }, " HEEDS ", \"echo\"]",
};

#define CHAINS (sizeof(chains) / sizeof(*chains))

struct input {
    uint8_t bytes[TEXT_BYTES];
    size_t len;
    size_t pushes[TEXT_BYTES]; /* how long each read or record is */
    size_t push_count;
};

/* Words and line ends; for `length` frames of them. */
static void fill(struct input *input, bool has_frames)
{
    static const char letters[] = "ab; \n";
    size_t most = 100 + random_below(TEXT_BYTES - 200);

    input->len = 0;
    while (input->len < most) {
        size_t frame = has_frames ? random_below(40) : 1;

        if (has_frames)
            input->bytes[input->len++] = (uint8_t)frame;
        for (size_t i = 0; i < frame; i++)
            input->bytes[input->len++] =
                (uint8_t)letters[random_below(has_frames ? 4 : 5)];
    }
}

/* A stream is cut anywhere; records of frames hold whole ones. */
static void cut(struct input *input, bool has_frames)
{
    input->push_count = 0;
    for (size_t at = 0; at < input->len;) {
        size_t len = 1 + random_below(input->len < 500 ? 60 : 600);

        if (has_frames) {
            size_t most = at + len;

            for (len = 0; at + len < input->len && at + len < most;)
                len += input->bytes[at + len] + 1u;
        }
        if (len > input->len - at)
            len = input->len - at;
        input->pushes[input->push_count++] = len;
        at += len;
    }
}

/* Everything that came out, each record behind its length. */
static char *run(enum pg_kind provides, const char *chain,
                 const struct input *input, uint32_t records, bool is_blocked)
{
    struct harness *h = harness_create(provides, chain);
    int peer = harness_connect(h);
    char *text = NULL;
    size_t len, at = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    core->turn_records = records;
    for (size_t i = 0; i < input->push_count; i++) {
        bool is_stuck = is_blocked && random_below(4) == 0;

        if (is_stuck)
            harness_block(h, peer, true);
        harness_push(h, peer, pg_bytes(input->bytes + at, input->pushes[i]));
        if (is_stuck)
            harness_block(h, peer, false);
        at += input->pushes[i];
    }
    if (provides == PG_STREAM)
        harness_end(h, peer);
    harness_advance(h, DELAY_MS);
    for (size_t i = 0; i < harness_record_count(h, peer); i++) {
        struct pg_bytes record = harness_record(h, peer, i);

        if (provides == PG_RECORDS)
            fprintf(out, "%zu:", record.len);
        fwrite(record.data, 1, record.len, out);
    }
    fprintf(out, " %s",
            provides == PG_STREAM ? harness_close_reason(h, peer) : "");
    assert_int_equal(core->arena.header->kept, 0);
    harness_destroy(h);
    fclose(out);
    return text;
}

static void compare(uint32_t seed)
{
    static struct input input;
    enum pg_kind provides;
    const char *chain;
    char *whole, *bit_by_bit;
    bool has_frames;

    random_state = seed;
    provides = random_below(2) ? PG_STREAM : PG_RECORDS;
    chain = chains[random_below(CHAINS)];
    has_frames = strstr(chain, "length") != NULL;
    fill(&input, has_frames);
    cut(&input, has_frames);
    whole = run(provides, chain, &input, UINT32_MAX, false);
    bit_by_bit = run(provides, chain, &input, 1 + random_below(20), true);
    if (strcmp(whole, bit_by_bit) != 0)
        fail_msg("seed %u, %s: %s gave\n%s\nwithout a budget\n%s", seed,
                 provides == PG_STREAM ? "stream" : "records", chain,
                 bit_by_bit, whole);
    free(whole);
    free(bit_by_bit);
}

static void test_budget_changes_nothing_that_is_said(void **state)
{
    const char *only = getenv("PLAYGROUND_SEED");
    uint32_t seeds = getenv("PLAYGROUND_LONG") ? SEEDS_LONG : SEEDS;

    (void)state;
    for (uint32_t seed = 1; seed <= seeds; seed++)
        compare(only ? (uint32_t)atol(only) : seed);
}

/* ---- others have their turn -------------------------------------------- */

/* How often it was heard before the first `end`. */
static size_t count_of(const char *what, struct pg_bytes in, const char *end)
{
    const uint8_t *at = in.data;
    const uint8_t *last = memmem(in.data, in.len, end, strlen(end));
    size_t count = 0;

    assert_non_null(last);
    while ((at = memmem(at, (size_t)(last - at), what, strlen(what)))) {
        at += strlen(what);
        count++;
    }
    return count;
}

/* The text, as often as it fits. */
static void many(char *out, size_t size, const char *text)
{
    size_t len = strlen(text);

    for (*out = '\0'; size > len; out += len, size -= len)
        memcpy(out, text, len + 1);
}

static void test_budget_lets_others_ask_who_is_there(void **state)
{
    static char flood[64 * 1024 + 1];
    struct harness *h =
        harness_create(PG_STREAM, "[\"lines\", \"chat-broadcast\"]");
    int rude = harness_connect(h), other = harness_connect(h);
    struct pg_bytes out;

    (void)state;
    many(flood, sizeof(flood), "x\n");
    harness_offer(h, rude, pg_text(flood));
    harness_push_text(h, other, "/who\n");
    out = harness_out(h, other);
    assert_in_range(count_of("guest1: x\n", out, "here are"), 1,
                    core->turn_records);
    harness_push_text(h, other, "/nick end\n");
    assert_int_equal(
        count_of("guest1: x\n", harness_out(h, other), "you are now end"),
        sizeof(flood) / 2);
    harness_destroy(h);
}

/* All is due at one time; that of one peer does not hold up the other's. */
static void test_budget_holds_for_what_was_delayed(void **state)
{
    struct harness *h = harness_create(
        PG_RECORDS,
        "[{ \"plugin\": \"impair\", \"direction\": \"in\", \"delay_ms\": 50 }, "
        "\"chat-broadcast\"]");
    int rude = harness_connect(h), other = harness_connect(h);

    (void)state;
    core->turn_records = 10;
    harness_clear(h, other);
    for (int i = 0; i < 1000; i++)
        harness_push_text(h, rude, "x\n");
    harness_push_text(h, other, "/who\n");
    harness_advance(h, 60);
    assert_in_range(count_of("guest1: x\n", harness_out(h, other), "here are"),
                    1, 10);
    harness_push_text(h, rude, "end");
    harness_advance(h, 60);
    assert_int_equal(
        count_of("guest1: x\n", harness_out(h, other), "guest1: end"), 1000);
    harness_destroy(h);
}

/* ---- what is held ------------------------------------------------------ */

static void test_budget_drops_the_datagram_behind(void **state)
{
    struct harness *h = harness_create(PG_RECORDS, "[\"lines\", \"echo\"]");
    int peer = harness_connect(h);

    (void)state;
    core->turn_records = 2;
    harness_push_text(h, peer, "first");
    harness_push_text(h, peer, "second");
    harness_clear(h, peer);
    harness_push_within(h, peer, "a\nb\nc\nd\n");
    harness_push_within(h, peer, "lost\n");
    harness_push_text(h, peer, "lost, too\n");
    assert_bytes(harness_out(h, peer), "a\nb\nc\nd\n");
    assert_int_equal(
        harness_counter(h, NULL,
                        "dropped: the one before is not dealt with yet"),
        2);
    harness_push_text(h, peer, "e\n");
    assert_bytes(harness_out(h, peer), "a\nb\nc\nd\ne\n");
    harness_destroy(h);
}

static void pause_between(enum pg_kind provides)
{
    struct harness *h = harness_create(provides, "[\"lines\", \"probe\"]");
    int peer = harness_connect(h);

    core->turn_records = 1;
    harness_push_text(h, peer, "send 0\n");
    harness_push_text(h, peer, "send 0\n");
    harness_clear(h, peer);
    harness_push_text(h, peer, "pause 50\nsend a\nsend b\n");
    harness_advance(h, 49);
    assert_int_equal(harness_out(h, peer).len, 0);
    harness_advance(h, 1);
    assert_bytes(harness_out(h, peer), "a\nb\n");
    harness_destroy(h);
}

static void test_budget_waits_for_who_is_paused(void **state)
{
    (void)state;
    pause_between(PG_STREAM);
    pause_between(PG_RECORDS);
}

static void test_budget_is_asked_of_who_forwards_much(void **state)
{
    struct harness *h =
        harness_create(PG_RECORDS, "[{ \"plugin\": \"words\" }, \"echo\"]");
    int peer = harness_connect(h);

    (void)state;
    core->turn_records = 3;
    harness_push_text(h, peer, "a b");
    harness_push_text(h, peer, "c d");
    assert_int_equal(harness_counter(h, "words", "asked to wait"), 0);
    harness_push_text(h, peer, "1 2 3 4 5 6 7");
    assert_int_equal(harness_counter(h, "words", "asked to wait"), 2);
    harness_destroy(h);
}

/* Where there is no room to keep the rest, it is dealt with at once. */
static void test_budget_never_costs_for_lack_of_room(void **state)
{
    static char flood[60 * 1024];
    struct harness *h = harness_create_limits(
        PG_STREAM, "[\"lines\", \"echo\"]",
        "{ \"kept_bytes_total\": 65536, \"frame_bytes\": 64 }");
    int peer = harness_connect(h);

    (void)state;
    many(flood, sizeof(flood), "x\n");
    harness_push_text(h, peer, flood);
    assert_int_equal(harness_out(h, peer).len, strlen(flood));
    harness_destroy(h);
}

/* ---- mistakes ---------------------------------------------------------- */

static void test_budget_no_part_of_a_record_is_kept(void **state)
{
    struct harness *h = harness_create(
        PG_RECORDS,
        "[{ \"plugin\": \"rude\", \"what\": \"keep-little\" }, \"echo\"]");
    int peer = harness_connect(h);

    (void)state;
    harness_push_text(h, peer, "x");
    assert_int_equal(
        harness_counter(h, "rude", "dropped: part of a record kept"), 1);
    assert_int_equal(core->arena.header->kept, 0);
    harness_push_text(h, peer, "hello");
    assert_bytes(harness_out(h, peer), "hello");
    harness_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget_changes_nothing_that_is_said),
        cmocka_unit_test(test_budget_lets_others_ask_who_is_there),
        cmocka_unit_test(test_budget_holds_for_what_was_delayed),
        cmocka_unit_test(test_budget_drops_the_datagram_behind),
        cmocka_unit_test(test_budget_waits_for_who_is_paused),
        cmocka_unit_test(test_budget_is_asked_of_who_forwards_much),
        cmocka_unit_test(test_budget_never_costs_for_lack_of_room),
        cmocka_unit_test(test_budget_no_part_of_a_record_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
