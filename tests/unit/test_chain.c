/* The chain and what handlers may ask of it, through the harness. */

#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/core.h"

#define PROBE "[\"lines\", \"probe\"]"

static struct harness *one_peer(const char *handlers, int *peer)
{
    struct harness *h = harness_create(PG_STREAM, handlers);

    *peer = harness_connect(h);
    return h;
}

static void test_chain_answers_below_the_sender(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_push_text(h, peer, "send um\nsend dois\n");
    assert_bytes(harness_out(h, peer), "um\ndois\n");
    /* One write for all that one read brought. */
    assert_int_equal(harness_record_count(h, peer), 1);
    harness_destroy(h);
}

static void test_chain_counts_what_nobody_answers(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_push_text(h, peer, "pass\npass\nsend x\n");
    assert_int_equal(harness_counter(h, NULL, "unanswered"), 2);
    harness_destroy(h);
}

static void test_chain_counts_drops_by_reason(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_push_text(h, peer, "drop\ndrop\n");
    assert_int_equal(harness_counter(h, "probe", "told to drop"), 2);
    harness_destroy(h);
}

static void test_chain_stops_after_close(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_push_text(h, peer, "send before\nclose\nsend after\n");
    assert_bytes(harness_out(h, peer), "before\n");
    assert_true(harness_is_closed(h, peer));
    assert_int_equal(harness_close_why(h, peer), PG_WHY_HANDLER);
    assert_string_equal(harness_close_reason(h, peer), "told to close");
    assert_int_equal(harness_counter(h, "probe", "closed"), 1);
    harness_destroy(h);
}

static void test_chain_end_still_answers(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_push_text(h, peer, "send um\nsend dois");
    harness_end(h, peer);
    assert_bytes(harness_out(h, peer), "um\ndois\nend\n");
    assert_true(harness_is_closed(h, peer));
    assert_int_equal(harness_close_why(h, peer), PG_WHY_EOF);
    harness_destroy(h);
}

static void test_chain_end_waits_for_timers(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_push_text(h, peer, "timer 500\n");
    harness_end(h, peer);
    assert_false(harness_is_closed(h, peer));
    harness_advance(h, 499);
    assert_false(harness_is_closed(h, peer));
    harness_advance(h, 1);
    assert_bytes(harness_out(h, peer), "end\ntimer after 1\n");
    assert_true(harness_is_closed(h, peer));
    harness_destroy(h);
}

static void test_chain_end_waits_for_the_queue(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_block(h, peer, true);
    harness_push_text(h, peer, "send um\n");
    harness_end(h, peer);
    assert_false(harness_is_closed(h, peer));
    harness_block(h, peer, false);
    assert_bytes(harness_out(h, peer), "um\nend\n");
    assert_true(harness_is_closed(h, peer));
    harness_destroy(h);
}

static void test_chain_reset_counts_the_unfinished(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_push_text(h, peer, "half a li");
    harness_reset(h, peer);
    assert_int_equal(harness_close_why(h, peer), PG_WHY_RESET);
    assert_int_equal(harness_counter(h, "lines", "dropped: unfinished message"),
                     1);
    harness_destroy(h);
}

/* ---- time ------------------------------------------------------------- */

static void test_timer_new_deadline_replaces_the_old(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_push_text(h, peer, "timer 100\ntimer 300\n");
    harness_advance(h, 299);
    assert_bytes(harness_out(h, peer), "");
    harness_advance(h, 1);
    assert_bytes(harness_out(h, peer), "timer after 2\n");
    harness_push_text(h, peer, "timer 300\ntimer 50\n");
    harness_advance(h, 50);
    assert_bytes(harness_out(h, peer), "timer after 2\ntimer after 4\n");
    harness_advance(h, 1000);
    assert_bytes(harness_out(h, peer), "timer after 2\ntimer after 4\n");
    harness_destroy(h);
}

/* Set and stopped for ever, a deadline takes one item. */
static void test_timers_do_not_pile_up(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);
    size_t before = core->timers.count;

    (void)state;
    for (int i = 0; i < 100; i++) {
        harness_push_text(h, peer, "stop\ntimer 1000\n");
        harness_advance(h, 1);
    }
    assert_true(core->timers.count <= before + 1);
    harness_advance(h, 998);
    assert_bytes(harness_out(h, peer), "");
    harness_advance(h, 1);
    assert_bytes(harness_out(h, peer), "timer after 200\n");
    harness_destroy(h);
}

static void test_timer_can_be_stopped(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_push_text(h, peer, "timer 100\nstop\n");
    harness_advance(h, 1000);
    assert_bytes(harness_out(h, peer), "");
    harness_end(h, peer);
    assert_true(harness_is_closed(h, peer));
    harness_destroy(h);
}

static void test_later_keeps_the_order(void **state)
{
    int peer;
    struct harness *h = one_peer("[\"lines\", \"probe\", \"echo\"]", &peer);

    (void)state;
    harness_push_text(h, peer, "later 20 b\nlater 10 a\nlater 20 c\n");
    harness_clear(h, peer);
    harness_advance(h, 10);
    assert_bytes(harness_out(h, peer), "a\n");
    harness_advance(h, 10);
    assert_bytes(harness_out(h, peer), "a\nb\nc\n");
    harness_destroy(h);
}

static void test_later_outlives_the_end_of_input(void **state)
{
    int peer;
    struct harness *h = one_peer("[\"lines\", \"probe\", \"echo\"]", &peer);

    (void)state;
    harness_push_text(h, peer, "later 20 late\n");
    harness_end(h, peer);
    assert_false(harness_is_closed(h, peer));
    harness_clear(h, peer);
    harness_advance(h, 20);
    assert_bytes(harness_out(h, peer), "late\n");
    assert_true(harness_is_closed(h, peer));
    harness_destroy(h);
}

static void test_later_of_a_closed_session_is_forgotten(void **state)
{
    int peer, other;
    struct harness *h = one_peer("[\"lines\", \"probe\", \"echo\"]", &peer);

    (void)state;
    harness_push_text(h, peer, "later 20 late\n");
    harness_reset(h, peer);
    other = harness_connect(h); /* may get the same slot */
    harness_advance(h, 100);
    assert_bytes(harness_out(h, other), "");
    assert_int_equal(core->arena.header->kept, 0);
    harness_destroy(h);
}

static void test_entry_timer_reaches_every_session(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);
    int other = harness_connect(h);

    (void)state;
    harness_advance(h, 10000);
    assert_bytes(harness_out(h, peer), "tick\n");
    assert_bytes(harness_out(h, other), "tick\n");
    harness_destroy(h);
}

/* ---- pressure --------------------------------------------------------- */

static void test_pause_stops_reading_until_resume(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_push_text(h, peer, "pause 100\nsend a\nsend b\n");
    harness_push_text(h, peer, "send c\n");
    assert_false(harness_is_read(h, peer));
    assert_bytes(harness_out(h, peer), "");
    harness_advance(h, 100);
    assert_bytes(harness_out(h, peer), "a\nb\nc\n");
    harness_destroy(h);
}

static void test_pause_holds_the_end_of_input(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_push_text(h, peer, "pause 100\nsend a\nsend b");
    harness_end(h, peer);
    assert_false(harness_is_closed(h, peer));
    harness_advance(h, 100);
    assert_bytes(harness_out(h, peer), "a\nb\nend\n");
    assert_true(harness_is_closed(h, peer));
    harness_destroy(h);
}

/* A client that sends and does not read is not read from; nothing is lost. */
static void test_full_queue_stops_reading(void **state)
{
    struct harness *h = harness_create_limits(
        PG_STREAM, "[\"lines\", \"echo\"]",
        "{\"session_queue_bytes\": 65536, \"frame_bytes\": 16384}");
    int peer = harness_connect(h);
    char line[1001];
    size_t sent = 0;

    (void)state;
    memset(line, 'x', sizeof(line));
    line[999] = '\n';
    line[1000] = '\0';
    harness_block(h, peer, true);
    for (int i = 0; i < 1000; i++, sent += 1000)
        harness_push_text(h, peer, line);
    assert_false(harness_is_read(h, peer));
    assert_false(harness_is_closed(h, peer));
    assert_true(core->arena.header->queued <= 65536);

    harness_block(h, peer, false);
    assert_int_equal(harness_out(h, peer).len, sent);
    assert_true(harness_is_read(h, peer));
    assert_int_equal(core->arena.header->queued, 0);
    harness_destroy(h);
}

/* Each turn leaves a little for a peer that does not read; the heap is 10 MiB,
   and 64 KiB of it a turn would be too much. */
static void test_many_small_answers_wait(void **state)
{
    struct harness *h = harness_create_limits(
        PG_STREAM, PROBE,
        "{ \"max_sessions\": 8, \"queue_bytes_total\": 65536,"
        " \"kept_bytes_total\": 65536 }");
    int peer = harness_connect(h);

    (void)state;
    harness_block(h, peer, true);
    for (int i = 0; i < 1000; i++)
        harness_push_text(h, peer, "send hello\n");
    assert_false(harness_is_closed(h, peer));
    harness_block(h, peer, false);
    assert_int_equal(harness_out(h, peer).len, 6000);
    harness_destroy(h);
}

/* One read that makes far more output than the queue takes: the layer below
   is told to wait and keeps the rest. */
static void test_one_read_with_too_much_output_waits(void **state)
{
    struct harness *h = harness_create_limits(
        PG_STREAM, "[\"lines\", \"probe\"]",
        "{\"session_queue_bytes\": 65536, \"frame_bytes\": 16384}");
    int peer = harness_connect(h);
    static char text[60000];
    size_t answers = 0;

    (void)state;
    for (size_t at = 0; at + 8 < sizeof(text); at += 8, answers++)
        memcpy(text + at, "claim a\n", 8);
    harness_block(h, peer, true);
    harness_push_text(h, peer, text);
    assert_false(harness_is_closed(h, peer));
    assert_true(core->arena.header->queued <= 65536);
    harness_block(h, peer, false);

    /* "claim 0", also for the key it has already */
    assert_int_equal(harness_out(h, peer).len, answers * 8);
    harness_destroy(h);
}

static void slow_reader(const char *layers, const char *slow, bool is_closed)
{
    char handlers[256];
    struct harness *h;
    int quick, lazy;

    snprintf(handlers, sizeof(handlers),
             "[%s, {\"plugin\": \"chat-broadcast\", \"names\": false, "
             "\"slow\": \"%s\"}]",
             layers, slow);
    h = harness_create_limits(
        PG_STREAM, handlers,
        "{\"session_queue_bytes\": 65536, \"frame_bytes\": 16384}");
    quick = harness_connect(h);
    lazy = harness_connect(h);
    harness_block(h, lazy, true);
    for (int i = 0; i < 10000; i++)
        harness_push_text(h, quick, "sixteen bytes..\n");
    assert_int_equal(harness_is_closed(h, lazy), is_closed);
    assert_false(harness_is_closed(h, quick));
    assert_true(core->arena.header->queued <= 65536);
    if (is_closed)
        assert_int_equal(harness_close_why(h, lazy), PG_WHY_LIMIT);
    else
        assert_true(harness_counter(h, NULL, "dropped: reads too slowly") >
                    5000);
    harness_destroy(h);
}

static void test_broadcast_closes_slow_readers(void **state)
{
    (void)state;
    slow_reader("\"lines\"", "close", true);
    slow_reader("\"lines\", \"impair\"", "close", true);
}

static void test_broadcast_drops_for_slow_readers(void **state)
{
    (void)state;
    slow_reader("\"lines\"", "drop", false);
    slow_reader("\"lines\", \"impair\"", "drop", false); /* one for each */
}

/* ---- to others -------------------------------------------------------- */

static void test_broadcast_reaches_all_but_the_sender(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);
    int second = harness_connect(h), third = harness_connect(h);

    (void)state;
    harness_push_text(h, second, "all um\nall dois\n");
    assert_bytes(harness_out(h, peer), "um\ndois\n");
    assert_bytes(harness_out(h, second), "");
    assert_bytes(harness_out(h, third), "um\ndois\n");
    /* One write for both lines. */
    assert_int_equal(harness_record_count(h, third), 1);
    harness_destroy(h);
}

static uint64_t sends_counted(const char *handlers, const char *entry)
{
    struct harness *h = harness_create(PG_STREAM, handlers);
    uint64_t count;

    for (int i = 0; i < 11; i++)
        harness_connect(h);
    harness_push_text(h, 0, "all x\n");
    count = harness_counter(h, entry, "sent");
    assert_bytes(harness_out(h, 10), "x\n");
    harness_destroy(h);
    return count;
}

static void test_broadcast_runs_unshared_layers_per_receiver(void **state)
{
    (void)state;
    assert_int_equal(
        sends_counted("[\"lines\", \"counting\", \"probe\"]", "counting"), 10);
}

static void test_broadcast_runs_shared_layers_once(void **state)
{
    (void)state;
    assert_int_equal(sends_counted("[\"lines\", \"counting-shared\", "
                                   "\"probe\"]",
                                   "counting-shared"),
                     1);
    /* ... but below one that is not shared it runs for each. */
    assert_int_equal(sends_counted("[\"lines\", \"counting-shared\", "
                                   "\"counting\", \"probe\"]",
                                   "counting-shared"),
                     10);
}

static void test_claims_are_unique_and_end_with_the_session(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);
    int other = harness_connect(h);

    (void)state;
    harness_push_text(h, peer, "claim ana\n");
    harness_push_text(h, other, "claim ana\nclaim rui\nwho\n");
    assert_bytes(harness_out(h, peer), "claim 0\n");
    assert_bytes(harness_out(h, other), "claim -17\nclaim 0\nana\nrui\n");
    harness_clear(h, other);
    harness_reset(h, peer);
    harness_push_text(h, other, "claim ana\nwho\n");
    assert_bytes(harness_out(h, other),
                 "left: connection reset\nclaim 0\nana\n");
    harness_destroy(h);
}

static void test_claims_show_another_text_than_the_key(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);
    int other = harness_connect(h);

    (void)state;
    harness_push_text(h, peer, "show ana Ana\nshow ana ANA\nwho\n");
    assert_bytes(harness_out(h, peer), "show 0\nshow 0\nana, shown ANA\n");
    harness_clear(h, peer);
    harness_push_text(h, other, "show ana aNa\nclaim rui\nwho\n");
    assert_bytes(harness_out(h, other),
                 "show -17\nclaim 0\nana, shown ANA\nrui\n");
    harness_clear(h, other);
    harness_push_text(h, peer, "show eva Eva\n");
    harness_push_text(h, other, "show ana aNa\nwho\n");
    assert_bytes(harness_out(h, other),
                 "show 0\neva, shown Eva\nana, shown aNa\n");
    harness_destroy(h);
}

static void test_send_to_finds_a_key(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);
    int other = harness_connect(h);

    (void)state;
    harness_push_text(h, peer, "claim ana\n");
    harness_clear(h, peer);
    harness_push_text(h, other, "whom ana hi\nwhom rui hi\n");
    assert_bytes(harness_out(h, peer), "hi\n");
    assert_bytes(harness_out(h, other), "whom 0\nwhom -2\n");
    harness_destroy(h);
}

static void test_claim_refuses_bad_keys(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_push_text(h, peer, "claim \n");
    harness_push_text(h, peer,
                      "claim 0123456789012345678901234567890123456789"
                      "0123456789012345678901234\n");
    harness_push_text(h, peer, "show key \n");
    harness_push_text(h, peer,
                      "show key 0123456789012345678901234567890123456789"
                      "0123456789012345678901234\n");
    assert_bytes(harness_out(h, peer),
                 "claim -22\nclaim -22\nshow -22\nshow -22\n");
    harness_destroy(h);
}

/* ---- memory ----------------------------------------------------------- */

static void test_scratch_is_a_stack(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_push_text(h, peer, "scratch 60000\n");
    assert_bytes(harness_out(h, peer), "scratch 1\n");
    assert_int_equal(core->scratch_used, 0);
    harness_destroy(h);
}

static void test_scratch_over_the_limit_closes(void **state)
{
    int peer;
    struct harness *h = one_peer(PROBE, &peer);

    (void)state;
    harness_push_text(h, peer, "scratch 10000000\n");
    assert_true(harness_is_closed(h, peer));
    assert_int_equal(harness_close_why(h, peer), PG_WHY_LIMIT);
    harness_destroy(h);
}

/* A message that comes byte by byte costs linear time: the bytes that are
   moved are counted by the heap's growth, not by a clock. */
static void test_keep_holds_a_long_message(void **state)
{
    struct harness *h = harness_create(PG_STREAM, "[\"lines\", \"echo\"]");
    int peer = harness_connect(h);
    char piece[101] = {0};

    (void)state;
    memset(piece, 'y', 100);
    for (int i = 0; i < 600; i++)
        harness_push_text(h, peer, piece);
    assert_in_range(core->arena.header->kept, 60000, 4 * 60000);
    harness_push_text(h, peer, "\n");
    assert_int_equal(harness_out(h, peer).len, 60001);
    assert_int_equal(core->arena.header->kept, 0);
    harness_destroy(h);
}

static void test_keep_total_is_bounded(void **state)
{
    struct harness *h = harness_create_limits(
        PG_STREAM, "[\"lines\", \"echo\"]", "{\"kept_bytes_total\": 65536}");
    char piece[40001] = {0};
    int first = harness_connect(h), second = harness_connect(h);

    (void)state;
    memset(piece, 'y', 40000);
    harness_push_text(h, first, piece);
    harness_push_text(h, second, piece);
    assert_false(harness_is_closed(h, first));
    assert_true(harness_is_closed(h, second));
    assert_int_equal(harness_close_why(h, second), PG_WHY_LIMIT);
    harness_destroy(h);
}

static void test_sessions_are_capped(void **state)
{
    struct harness *h =
        harness_create_limits(PG_STREAM, PROBE, "{\"max_sessions\": 2}");
    int first = harness_connect(h), third;

    (void)state;
    harness_connect(h);
    third = harness_connect(h);
    assert_true(harness_is_closed(h, third));
    assert_int_equal(harness_counter(h, NULL, "refused: limits.max_sessions"),
                     1);
    harness_reset(h, first);
    assert_false(harness_is_closed(h, harness_connect(h)));
    harness_destroy(h);
}

/* Whatever happened, nothing stays behind. */
static void test_nothing_is_left_in_the_arena(void **state)
{
    struct harness *h = harness_create(PG_STREAM, PROBE);

    (void)state;
    for (int round = 0; round < 20; round++) {
        int peer = harness_connect(h);

        harness_block(h, peer, round & 1);
        harness_push_text(h, peer, "claim x\nsend um\nlater 5 z\nhalf");
        if (round % 3)
            harness_reset(h, peer);
        else
            harness_end(h, peer);
        harness_block(h, peer, false);
        harness_end(h, peer);
        harness_advance(h, 100000);
    }
    assert_int_equal(core->live_count, 0);
    assert_int_equal(core->arena.header->queued, 0);
    assert_int_equal(core->arena.header->kept, 0);
    harness_destroy(h);
}

static void test_records_stay_whole(void **state)
{
    struct harness *h = harness_create(PG_RECORDS, "[\"echo\"]");
    int peer = harness_connect(h);

    (void)state;
    harness_push_text(h, peer, "um");
    harness_push_text(h, peer, "");
    harness_push_text(h, peer, "dois");
    assert_int_equal(harness_record_count(h, peer), 3);
    assert_bytes(harness_record(h, peer, 0), "um");
    assert_bytes(harness_record(h, peer, 1), "");
    assert_bytes(harness_record(h, peer, 2), "dois");
    harness_destroy(h);
}

static void test_records_wait_for_a_blocked_socket(void **state)
{
    struct harness *h = harness_create(PG_RECORDS, "[\"echo\"]");
    int peer = harness_connect(h), other = harness_connect(h);

    (void)state;
    harness_block(h, peer, true);
    harness_push_text(h, peer, "um");
    harness_push_text(h, other, "dois");
    harness_push_text(h, peer, "tres");
    harness_block(h, peer, false);
    assert_bytes(harness_out(h, peer), "umtres");
    assert_bytes(harness_out(h, other), "dois");
    harness_destroy(h);
}

static void test_a_ctx_knows_where_it_is(void **state)
{
    struct harness *h = harness_create(PG_STREAM, PROBE);
    int peer = harness_connect(h);

    (void)state;
    harness_push_text(h, peer, "me\nclaim ana\nme\n");
    assert_bytes(harness_out(h, peer),
                 ", harness-stream of probe, records in\n"
                 "claim 0\n"
                 "ana, harness-stream of probe, records in\n");
    harness_destroy(h);
}

/* What the probe says its clock shows. */
static long asked_clock(struct harness *h, int peer)
{
    struct pg_bytes out;
    char text[32];
    long ms;

    harness_push_text(h, peer, "clock");
    out = harness_out(h, peer);
    snprintf(text, sizeof(text), "%.*s", (int)out.len, (const char *)out.data);
    assert_int_equal(sscanf(text, "clock %ld", &ms), 1);
    harness_clear(h, peer);
    return ms;
}

static void test_the_clock_is_the_harness_s(void **state)
{
    struct harness *h = harness_create(PG_RECORDS, "[\"probe\"]");
    int peer = harness_connect(h);
    long first = asked_clock(h, peer);

    (void)state;
    harness_advance(h, 1234);
    assert_int_equal(asked_clock(h, peer) - first, 1234);
    harness_destroy(h);
}

static void test_every_cut_gives_the_same(void **state)
{
    const char text[] = "send um\nsend dois\r\n\nclaim a\nclaim a\nsend x";

    (void)state;
    harness_cut_everywhere(PROBE, pg_text(text));
}

static void test_records_are_joined_by_who_says_so(void **state)
{
    const enum pg_kind kinds[] = {PG_STREAM, PG_RECORDS};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct harness *h = harness_create(kinds[i], "[\"joins\", \"echo\"]");
        int peer = harness_connect(h);

        harness_push_text(h, peer, "abc");
        harness_push_text(h, peer, "");
        harness_push_text(h, peer, "defghi");
        harness_push_text(h, peer, "jkl");
        assert_bytes(harness_out(h, peer), "abcdefghijkl");
        harness_destroy(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain_answers_below_the_sender),
        cmocka_unit_test(test_chain_counts_what_nobody_answers),
        cmocka_unit_test(test_chain_counts_drops_by_reason),
        cmocka_unit_test(test_chain_stops_after_close),
        cmocka_unit_test(test_chain_end_still_answers),
        cmocka_unit_test(test_chain_end_waits_for_timers),
        cmocka_unit_test(test_chain_end_waits_for_the_queue),
        cmocka_unit_test(test_chain_reset_counts_the_unfinished),
        cmocka_unit_test(test_timer_new_deadline_replaces_the_old),
        cmocka_unit_test(test_timer_can_be_stopped),
        cmocka_unit_test(test_timers_do_not_pile_up),
        cmocka_unit_test(test_later_keeps_the_order),
        cmocka_unit_test(test_later_outlives_the_end_of_input),
        cmocka_unit_test(test_later_of_a_closed_session_is_forgotten),
        cmocka_unit_test(test_entry_timer_reaches_every_session),
        cmocka_unit_test(test_pause_stops_reading_until_resume),
        cmocka_unit_test(test_pause_holds_the_end_of_input),
        cmocka_unit_test(test_full_queue_stops_reading),
        cmocka_unit_test(test_many_small_answers_wait),
        cmocka_unit_test(test_one_read_with_too_much_output_waits),
        cmocka_unit_test(test_broadcast_closes_slow_readers),
        cmocka_unit_test(test_broadcast_drops_for_slow_readers),
        cmocka_unit_test(test_broadcast_reaches_all_but_the_sender),
        cmocka_unit_test(test_broadcast_runs_unshared_layers_per_receiver),
        cmocka_unit_test(test_broadcast_runs_shared_layers_once),
        cmocka_unit_test(test_claims_are_unique_and_end_with_the_session),
        cmocka_unit_test(test_claims_show_another_text_than_the_key),
        cmocka_unit_test(test_send_to_finds_a_key),
        cmocka_unit_test(test_claim_refuses_bad_keys),
        cmocka_unit_test(test_scratch_is_a_stack),
        cmocka_unit_test(test_scratch_over_the_limit_closes),
        cmocka_unit_test(test_keep_holds_a_long_message),
        cmocka_unit_test(test_keep_total_is_bounded),
        cmocka_unit_test(test_sessions_are_capped),
        cmocka_unit_test(test_nothing_is_left_in_the_arena),
        cmocka_unit_test(test_records_stay_whole),
        cmocka_unit_test(test_records_wait_for_a_blocked_socket),
        cmocka_unit_test(test_a_ctx_knows_where_it_is),
        cmocka_unit_test(test_the_clock_is_the_harness_s),
        cmocka_unit_test(test_every_cut_gives_the_same),
        cmocka_unit_test(test_records_are_joined_by_who_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
