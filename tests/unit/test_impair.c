/* impair: what a bad link does to records and to a stream, by the seed. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/core.h"

#define RECORDS 10000
#define SEEDS   (getenv("PLAYGROUND_LONG") ? 20 : 5)

/* The entry alone, with these options. */
static const char *impair(const char *options)
{
    static char json[512];

    snprintf(json, sizeof(json), "[{\"plugin\": \"impair\", %s}]", options);
    return json;
}

/* ... with echo behind it. */
static const char *impaired_echo(const char *options)
{
    static char json[512];

    snprintf(json, sizeof(json), "[{\"plugin\": \"impair\", %s}, \"echo\"]",
             options);
    return json;
}

static uint64_t counted(struct harness *harness, const char *name)
{
    return harness_counter(harness, "impair", name);
}

/* ---- shares ----------------------------------------------------------- */

/* An entry that has seen RECORDS records. */
static struct harness *impaired(const char *options, int seed)
{
    struct harness *harness;
    char seeded[160];

    snprintf(seeded, sizeof(seeded), "%s, \"seed\": %d", options, seed);
    harness = harness_create(PG_RECORDS, impair(seeded));
    harness_connect(harness);
    for (int i = 0; i < RECORDS; i++)
        harness_push_text(harness, 0, "record");
    assert_int_equal(counted(harness, "in: records"), RECORDS);
    return harness;
}

/* Within three standard deviations of the binomial distribution. */
static void assert_share(struct harness *harness, const char *counter,
                         double percent, int seed)
{
    double chance = percent / 100, expected = RECORDS * chance;
    double deviation = sqrt(RECORDS * chance * (1 - chance));
    uint64_t got = counted(harness, counter);

    if (fabs((double)got - expected) > 3 * deviation)
        fail_msg("%s %g %%, seed %d: %d of %d", counter, percent, seed,
                 (int)got, RECORDS);
}

static void test_impair_loses_the_share_asked_for(void **state)
{
    static const double shares[] = {0, 1, 5, 100};

    (void)state;
    for (int seed = 1; seed <= SEEDS; seed++)
        for (size_t i = seed == 1 ? 0 : 1; i < (seed == 1 ? 4 : 3); i++) {
            struct harness *harness;
            char options[64];

            snprintf(options, sizeof(options), "\"loss_percent\": %g",
                     shares[i]);
            harness = impaired(options, seed);
            assert_share(harness, "in: lost", shares[i], seed);
            harness_destroy(harness);
        }
}

static void test_impair_does_the_rest_as_often_as_asked(void **state)
{
    (void)state;
    for (int seed = 1; seed <= SEEDS; seed++) {
        struct harness *harness =
            impaired("\"duplicate_percent\": 2, \"cut_percent\": 10, "
                     "\"reorder_percent\": 3",
                     seed);

        assert_share(harness, "in: duplicated", 2, seed);
        assert_share(harness, "in: cut", 10, seed);
        assert_share(harness, "in: held back", 3, seed);
        harness_destroy(harness);
    }
}

/* ---- the seed --------------------------------------------------------- */

/* Which of 1,000 records of each of two peers come back, as a text of 0 and
   1. To be freed. */
static char *pattern(const char *options)
{
    struct harness *harness =
        harness_create(PG_RECORDS, impaired_echo(options));
    char *text = calloc(1, 2001);

    assert_non_null(text);
    for (int peer = 0; peer < 2; peer++) {
        harness_connect(harness);
        for (int i = 0; i < 1000; i++) {
            harness_push_text(harness, peer, "x");
            text[1000 * peer + i] =
                (char)('0' + harness_record_count(harness, peer));
            harness_clear(harness, peer);
        }
    }
    harness_destroy(harness);
    return text;
}

static void assert_same(const char *one, const char *other, bool is_same)
{
    char *a = pattern(one), *b = pattern(other);

    assert_true((strcmp(a, b) == 0) == is_same);
    free(a);
    free(b);
}

static void test_impair_repeats_by_the_seed(void **state)
{
    char *text;

    (void)state;
    assert_same("\"loss_percent\": 20, \"seed\": 7",
                "\"loss_percent\": 20, \"seed\": 7", true);
    assert_same("\"loss_percent\": 20, \"seed\": 7",
                "\"loss_percent\": 20, \"seed\": 8", false);
    assert_same("\"loss_percent\": 20, \"direction\": \"in\"",
                "\"loss_percent\": 20, \"direction\": \"out\"", false);

    text = pattern("\"loss_percent\": 20"); /* each session has its own */
    assert_int_not_equal(strncmp(text, text + 1000, 1000), 0);
    free(text);
}

/* What else is asked for changes nothing about which records are lost. */
static void test_impair_draws_the_same_whatever_else_happens(void **state)
{
    struct harness *harness;
    char *plain = pattern("\"loss_percent\": 20, \"direction\": \"in\"");
    size_t lost = 0;

    (void)state;
    harness = harness_create(
        PG_RECORDS, impaired_echo("\"loss_percent\": 20, \"direction\": "
                                  "\"in\", \"duplicate_percent\": 100, "
                                  "\"cut_percent\": 50"));
    harness_connect(harness);
    for (int i = 0; i < 1000; i++) {
        harness_push_text(harness, 0, "x");
        assert_int_equal(harness_record_count(harness, 0),
                         plain[i] == '1' ? 2 : 0);
        harness_clear(harness, 0);
        lost += plain[i] == '0';
    }
    assert_in_range(lost, 150, 250);
    harness_destroy(harness);
    free(plain);
}

static void test_impair_direction(void **state)
{
    static const struct {
        const char *direction;
        int in, out;
    } cases[] = {{"in", 3, 0}, {"out", 0, 3}, {"both", 3, 3}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct harness *harness;
        char options[64];

        snprintf(options, sizeof(options), "\"direction\": \"%s\"",
                 cases[i].direction);
        harness = harness_create(PG_RECORDS, impaired_echo(options));
        harness_connect(harness);
        for (int n = 0; n < 3; n++)
            harness_push_text(harness, 0, "x");
        assert_int_equal(counted(harness, "in: records"), cases[i].in);
        assert_int_equal(counted(harness, "out: records"), cases[i].out);
        assert_int_equal(harness_record_count(harness, 0), 3);
        harness_destroy(harness);
    }
}

/* ---- time ------------------------------------------------------------- */

static struct harness *one_peer(enum pg_kind provides, const char *handlers)
{
    struct harness *harness = harness_create(provides, handlers);

    harness_connect(harness);
    return harness;
}

static void test_impair_delays_both_ways(void **state)
{
    struct harness *harness =
        one_peer(PG_RECORDS, impaired_echo("\"delay_ms\": 100"));

    (void)state;
    harness_push_text(harness, 0, "um");
    harness_advance(harness, 199);
    assert_int_equal(harness_record_count(harness, 0), 0);
    harness_push_text(harness, 0, "dois");
    harness_advance(harness, 1);
    assert_int_equal(harness_record_count(harness, 0), 1);
    harness_advance(harness, 199);
    assert_int_equal(harness_record_count(harness, 0), 2);
    assert_bytes(harness_record(harness, 0, 1), "dois");
    harness_destroy(harness);
}

/* 8 kbit/s are one byte a millisecond. */
static void test_impair_rate_and_delay_add_up(void **state)
{
    struct harness *harness = one_peer(
        PG_RECORDS, impaired_echo("\"rate_kbit_s\": 8, \"delay_ms\": 50, "
                                  "\"direction\": \"in\""));

    (void)state;
    harness_push_text(harness, 0, "1234567890");
    harness_push_text(harness, 0, "12345");
    harness_push_text(harness, 0, "");
    harness_advance(harness, 59);
    assert_int_equal(harness_record_count(harness, 0), 0);
    harness_advance(harness, 1); /* 10 for the bytes, 50 for the way */
    assert_int_equal(harness_record_count(harness, 0), 1);
    harness_advance(harness, 4);
    assert_int_equal(harness_record_count(harness, 0), 1);
    harness_advance(harness, 1); /* behind the first: 10 + 5 + 50 */
    assert_int_equal(harness_record_count(harness, 0), 3);

    harness_advance(harness, 1000); /* an idle link saves nothing up */
    harness_push_text(harness, 0, "1234567890");
    harness_advance(harness, 59);
    assert_int_equal(harness_record_count(harness, 0), 3);
    harness_advance(harness, 1);
    assert_int_equal(harness_record_count(harness, 0), 4);
    harness_destroy(harness);
}

static void test_impair_two_entries_add_up(void **state)
{
    struct harness *harness = one_peer(
        PG_RECORDS, "[{\"plugin\": \"impair\", \"delay_ms\": 30}, {\"plugin\": "
                    "\"impair\", \"delay_ms\": 12}, \"echo\"]");

    (void)state;
    harness_push_text(harness, 0, "x");
    harness_advance(harness, 83);
    assert_int_equal(harness_record_count(harness, 0), 0);
    harness_advance(harness, 1);
    assert_int_equal(harness_record_count(harness, 0), 1);
    harness_destroy(harness);
}

static void test_impair_drops_what_finds_the_queue_full(void **state)
{
    struct harness *harness = one_peer(
        PG_RECORDS, impaired_echo("\"rate_kbit_s\": 8, \"queue_bytes\": 100, "
                                  "\"direction\": \"in\""));

    (void)state;
    for (int i = 0; i < 15; i++)
        harness_push_text(harness, 0, "1234567890");
    assert_int_equal(counted(harness, "in: dropped: queue full"), 5);
    harness_advance(harness, 100);
    assert_int_equal(harness_record_count(harness, 0), 10);
    harness_push(harness, 0, pg_bytes(harness, 500)); /* room for any one */
    harness_advance(harness, 500);
    assert_int_equal(harness_record_count(harness, 0), 11);
    harness_destroy(harness);
}

/* ---- order ------------------------------------------------------------ */

/* Pushes numbers, one a millisecond, and checks the order they come back in;
   returns how many are smaller than one before. */
static size_t overtaken(const char *options, int records)
{
    struct harness *harness = one_peer(PG_RECORDS, impaired_echo(options));
    size_t count = 0;
    int most = -1;

    for (int i = 0; i < records; i++) {
        char text[16];

        snprintf(text, sizeof(text), "%d", i);
        harness_push_text(harness, 0, text);
        harness_advance(harness, 1);
    }
    harness_advance(harness, 10000);
    assert_int_equal(harness_record_count(harness, 0), records);
    for (int i = 0; i < records; i++) {
        int number = atoi((const char *)harness_record(harness, 0, i).data);

        count += number < most;
        most = number > most ? number : most;
    }
    harness_destroy(harness);
    return count;
}

static void test_impair_keeps_order_unless_asked(void **state)
{
    (void)state;
    assert_int_equal(overtaken("\"delay_ms\": 20, \"jitter_ms\": 20", 1000), 0);
    assert_int_equal(overtaken("\"jitter_ms\": 50, \"rate_kbit_s\": 50", 1000),
                     0);
}

static void test_impair_reorders_the_share_asked_for(void **state)
{
    size_t count = overtaken("\"reorder_percent\": 10, \"reorder_ms\": 5, "
                             "\"direction\": \"in\"",
                             2000);

    (void)state;
    assert_in_range(count, 160, 240); /* 200, three deviations of 13.4 */
}

static void test_impair_duplicates_come_side_by_side(void **state)
{
    struct harness *harness =
        one_peer(PG_RECORDS, impaired_echo("\"duplicate_percent\": 100, "
                                           "\"direction\": \"in\""));

    (void)state;
    harness_push_text(harness, 0, "um");
    harness_push_text(harness, 0, "");
    assert_int_equal(harness_record_count(harness, 0), 4);
    assert_bytes(harness_record(harness, 0, 1), "um");
    assert_bytes(harness_record(harness, 0, 3), "");
    harness_destroy(harness);
}

static void test_impair_cuts_the_end_off_a_record(void **state)
{
    struct harness *harness =
        one_peer(PG_RECORDS,
                 impaired_echo("\"cut_percent\": 100, \"direction\": \"in\""));
    bool seen[10] = {false};

    (void)state;
    for (int i = 0; i < 500; i++) {
        struct pg_bytes bytes;

        harness_push_text(harness, 0, "0123456789");
        bytes = harness_record(harness, 0, 0);
        assert_true(bytes.len < 10);
        assert_memory_equal(bytes.data, "0123456789", bytes.len);
        seen[bytes.len] = true;
        harness_clear(harness, 0);
    }
    for (size_t i = 0; i < 10; i++)
        assert_true(seen[i]);
    harness_push_text(harness, 0, ""); /* has no end */
    assert_int_equal(harness_record_count(harness, 0), 1);
    harness_destroy(harness);
}

/* ---- a stream --------------------------------------------------------- */

static void
test_impair_on_a_stream_loses_nothing_however_it_is_cut(void **state)
{
    static uint8_t bytes[200];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    harness_cut_everywhere(impaired_echo("\"cut_percent\": 30"),
                           pg_bytes(bytes, sizeof(bytes)));
    harness_cut_everywhere(
        impaired_echo("\"delay_ms\": 100, \"jitter_ms\": 50, \"rate_kbit_s\": "
                      "100, \"cut_percent\": 10"),
        pg_bytes(bytes, sizeof(bytes)));
    harness_cut_everywhere("[{\"plugin\": \"impair\", \"delay_ms\": 100}, "
                           "\"lines\", \"echo\"]",
                           pg_text("um\ndois\r\nlast"));
}

/* The places depend on the bytes, not on the reads. */
static void cuts(const char *first, const char *second, size_t *lens)
{
    struct harness *harness = one_peer(
        PG_STREAM, "[{\"plugin\": \"impair\", \"cut_percent\": 30, "
                   "\"direction\": \"in\"}, \"raw\", {\"plugin\": \"impair\", "
                   "\"delay_ms\": 1, \"direction\": \"out\"}, \"echo\"]");
    size_t count;

    harness_push_text(harness, 0, first);
    harness_advance(harness, 10);
    if (second)
        harness_push_text(harness, 0, second);
    harness_advance(harness, 10);
    count = harness_counter(harness, "impair-2", "out: records");
    *lens = count;
    harness_destroy(harness);
}

static void test_impair_cuts_reads_by_the_byte(void **state)
{
    size_t whole, parts;

    (void)state;
    cuts("0123456789012345678901234567890123456789", NULL, &whole);
    cuts("01234567890123456789", "01234567890123456789", &parts);
    assert_in_range(whole, 5, 25);
    assert_in_range(parts, whole, whole + 1); /* where the reads met */
}

static void test_impair_cuts_what_goes_out_in_time(void **state)
{
    struct harness *harness =
        one_peer(PG_STREAM,
                 impaired_echo("\"cut_percent\": 100, \"direction\": \"out\""));

    (void)state;
    harness_push_text(harness, 0, "abc");
    harness_advance(harness, 10);
    assert_bytes(harness_out(harness, 0), "abc");
    assert_int_equal(harness_record_count(harness, 0), 3); /* writes */
    harness_destroy(harness);
}

static void test_impair_resets_a_stream_where_the_seed_says(void **state)
{
    size_t first = 0;

    (void)state;
    for (int seed = 1; seed <= 20; seed++) {
        struct harness *harness;
        char options[96];
        size_t sent = 0;

        snprintf(options, sizeof(options),
                 "\"reset_within_bytes\": 50, \"direction\": \"in\", \"seed\": "
                 "%d",
                 seed);
        harness = one_peer(PG_STREAM, impaired_echo(options));
        while (!harness_is_closed(harness, 0)) {
            assert_true(++sent <= 50);
            harness_push_text(harness, 0, "x");
        }
        assert_string_equal(harness_close_reason(harness, 0),
                            "reset by impair");
        assert_int_equal(harness_close_why(harness, 0), PG_WHY_HANDLER);
        assert_int_equal(counted(harness, "in: reset"), 1);
        if (seed == 1)
            first = sent;
        else if (first && sent != first)
            first = 0; /* not always the same place */
        harness_destroy(harness);
    }
    assert_int_equal(first, 0);
}

/* 80 kbit/s are ten bytes a millisecond; a long read trickles. */
static void test_impair_slows_a_stream_down(void **state)
{
    struct harness *harness = one_peer(
        PG_STREAM, impaired_echo("\"rate_kbit_s\": 80, \"direction\": \"in\""));
    static uint8_t bytes[10000];

    (void)state;
    harness_push(harness, 0, pg_bytes(bytes, sizeof(bytes)));
    for (size_t ms = 0; ms <= 1000; ms += 100) {
        size_t out = harness_out(harness, 0).len;

        assert_in_range(out, ms < 10 ? 0 : 10 * (ms - 10), 10 * ms);
        harness_advance(harness, 100);
    }
    assert_int_equal(harness_out(harness, 0).len, sizeof(bytes));
    harness_destroy(harness);
}

/* A sender faster than the link waits: memory is bounded, nothing is lost. */
static void test_impair_makes_a_fast_sender_wait(void **state)
{
    struct harness *harness =
        one_peer(PG_STREAM, impaired_echo("\"delay_ms\": 100"));
    static uint8_t chunk[32 * 1024];
    size_t sent = 0;

    (void)state;
    while (harness_is_read(harness, 0)) {
        harness_push(harness, 0, pg_bytes(chunk, sizeof(chunk)));
        sent += sizeof(chunk);
        assert_true(sent <= 1 << 20);
    }
    harness_advance(harness, 1000);
    assert_true(harness_is_read(harness, 0));
    assert_int_equal(harness_out(harness, 0).len, sent);
    assert_int_equal(core->arena.header->kept, 0);
    harness_destroy(harness);
}

/* ---- what the core promises about pg_later() -------------------------- */

static void test_impair_the_end_comes_after_what_is_delayed(void **state)
{
    struct harness *harness =
        one_peer(PG_STREAM, "[{\"plugin\": \"impair\", \"delay_ms\": 100}, "
                            "\"lines\", {\"plugin\": \"impair\", "
                            "\"delay_ms\": 100}, \"echo\"]");

    (void)state;
    harness_push_text(harness, 0, "um\ndois");
    harness_end(harness, 0);
    harness_advance(harness, 399);
    assert_bytes(harness_out(harness, 0), "");
    assert_false(harness_is_closed(harness, 0));
    harness_advance(harness, 1);
    assert_bytes(harness_out(harness, 0), "um\ndois\n");
    assert_true(harness_is_closed(harness, 0));
    assert_int_equal(harness_close_why(harness, 0), PG_WHY_EOF);
    harness_destroy(harness);
}

static void test_impair_the_last_words_are_sent_before_the_close(void **state)
{
    struct harness *harness =
        one_peer(PG_STREAM, "[{\"plugin\": \"impair\", \"delay_ms\": 100, "
                            "\"direction\": \"out\"}, \"lines\", \"probe\"]");

    (void)state;
    harness_push_text(harness, 0, "send bye\nclose\nsend more\n");
    assert_false(harness_is_closed(harness, 0));
    assert_false(harness_is_read(harness, 0)); /* takes nothing in any more */
    harness_advance(harness, 99);
    assert_false(harness_is_closed(harness, 0));
    harness_advance(harness, 1);
    assert_bytes(harness_out(harness, 0), "bye\n");
    assert_true(harness_is_closed(harness, 0));
    assert_string_equal(harness_close_reason(harness, 0), "told to close");
    harness_destroy(harness);
}

static void test_impair_what_a_reset_catches_is_counted(void **state)
{
    struct harness *harness =
        one_peer(PG_STREAM, impaired_echo("\"delay_ms\": 100"));

    (void)state;
    harness_push_text(harness, 0, "one");
    harness_reset(harness, 0);
    assert_true(harness_is_closed(harness, 0));
    harness_connect(harness); /* takes the slot */
    harness_advance(harness, 1000);
    assert_bytes(harness_out(harness, 1), "");
    assert_int_equal(counted(harness, "dropped: session over before its delay"),
                     1);
    harness_destroy(harness);
}

static void test_impair_without_room_for_a_delay(void **state)
{
    static uint8_t bytes[60000];
    struct harness *harness = harness_create_limits(
        PG_RECORDS, impaired_echo("\"delay_ms\": 10, \"direction\": \"in\""),
        "{\"kept_bytes_total\": 65536}");

    (void)state;
    harness_connect(harness);
    harness_push(harness, 0, pg_bytes(bytes, 40000));
    harness_push(harness, 0, pg_bytes(bytes, 40000));
    harness_advance(harness, 100);
    assert_int_equal(harness_record_count(harness, 0), 1);
    assert_int_equal(counted(harness, "in: dropped: no room for a delay"), 1);
    harness_destroy(harness);

    harness =
        harness_create_limits(PG_STREAM, impaired_echo("\"delay_ms\": 10"),
                              "{\"kept_bytes_total\": 65536}");
    harness_connect(harness);
    harness_connect(harness);
    harness_push(harness, 0, pg_bytes(bytes, 12000)); /* then is not read */
    harness_push(harness, 0, pg_bytes(bytes, 12000));
    harness_advance(harness, 100);
    assert_int_equal(harness_out(harness, 0).len, 24000);
    harness_push(harness, 1, pg_bytes(bytes, sizeof(bytes)));
    harness_advance(harness, 100); /* what was read is not lost */
    assert_int_equal(harness_out(harness, 1).len, sizeof(bytes));
    harness_destroy(harness);
}

/* ---- refusals --------------------------------------------------------- */

static void assert_refused(enum pg_kind provides, const char *handlers,
                           const char *text)
{
    char *said = harness_refusal(provides, handlers);

    if (!strstr(said, text))
        fail_msg("not said: %s\nbut: %s", text, said);
    free(said);
}

static void test_impair_refuses_what_cannot_be(void **state)
{
    static const char *const keys[] = {"loss_percent", "duplicate_percent",
                                       "reorder_percent"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char options[64], text[256];

        snprintf(options, sizeof(options), "\"%s\": 1", keys[i]);
        snprintf(text, sizeof(text),
                 "\"%s\" cannot be on the stream of harness-stream: TCP never "
                 "loses, doubles or reorders a piece of a stream: what is lost "
                 "is a segment below it, which TCP sends again; ",
                 keys[i]);
        assert_refused(PG_STREAM, impair(options), text);
        harness_destroy(harness_create(PG_RECORDS, impair(options)));
    }
    assert_refused(PG_RECORDS, impair("\"reset_within_bytes\": 1"),
                   "only a stream can be reset, and records reach impair from "
                   "harness-records; ");
    assert_refused(PG_RECORDS, impair("\"loss_percent\": 101"),
                   "\"loss_percent\" is 101; choose 0 to 100 percent");
    assert_refused(PG_RECORDS, impair("\"loss_percent\": \"1%\""),
                   "\"loss_percent\" is \"1%\", not a number");
}

/* Behind a framing layer there are records, whatever the transport. */
static void test_impair_loses_messages_behind_a_framing_layer(void **state)
{
    struct harness *harness = one_peer(
        PG_STREAM, "[\"lines\", {\"plugin\": \"impair\", \"loss_percent\": "
                   "100, \"direction\": \"in\"}, \"echo\"]");

    (void)state;
    harness_push_text(harness, 0, "um\ndois\n");
    assert_bytes(harness_out(harness, 0), "");
    assert_int_equal(counted(harness, "in: lost"), 2);
    harness_destroy(harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_impair_loses_the_share_asked_for),
        cmocka_unit_test(test_impair_does_the_rest_as_often_as_asked),
        cmocka_unit_test(test_impair_repeats_by_the_seed),
        cmocka_unit_test(test_impair_draws_the_same_whatever_else_happens),
        cmocka_unit_test(test_impair_direction),
        cmocka_unit_test(test_impair_delays_both_ways),
        cmocka_unit_test(test_impair_rate_and_delay_add_up),
        cmocka_unit_test(test_impair_two_entries_add_up),
        cmocka_unit_test(test_impair_drops_what_finds_the_queue_full),
        cmocka_unit_test(test_impair_keeps_order_unless_asked),
        cmocka_unit_test(test_impair_reorders_the_share_asked_for),
        cmocka_unit_test(test_impair_duplicates_come_side_by_side),
        cmocka_unit_test(test_impair_cuts_the_end_off_a_record),
        cmocka_unit_test(
            test_impair_on_a_stream_loses_nothing_however_it_is_cut),
        cmocka_unit_test(test_impair_cuts_reads_by_the_byte),
        cmocka_unit_test(test_impair_cuts_what_goes_out_in_time),
        cmocka_unit_test(test_impair_resets_a_stream_where_the_seed_says),
        cmocka_unit_test(test_impair_slows_a_stream_down),
        cmocka_unit_test(test_impair_makes_a_fast_sender_wait),
        cmocka_unit_test(test_impair_the_end_comes_after_what_is_delayed),
        cmocka_unit_test(test_impair_the_last_words_are_sent_before_the_close),
        cmocka_unit_test(test_impair_what_a_reset_catches_is_counted),
        cmocka_unit_test(test_impair_without_room_for_a_delay),
        cmocka_unit_test(test_impair_refuses_what_cannot_be),
        cmocka_unit_test(test_impair_loses_messages_behind_a_framing_layer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
