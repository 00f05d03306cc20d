#include "compare/load/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define MOST 64

static struct messages messages;
static struct delivery deliveries[MOST];

static struct match made(enum match_how how, bool is_stream, unsigned clients,
                         bool self, bool others)
{
    const struct match_plan plan = {
        .messages = &messages,
        .how = how,
        .is_stream = is_stream,
        .hears_self = self,
        .hears_others = others,
        .clients = clients,
        .count = MOST,
        .first = 100,
        .window_ms = 1000,
        .most = MOST,
    };
    struct match match;

    match_init(&match, &plan, deliveries);
    return match;
}

static void send_all(struct match *match, size_t count)
{
    for (size_t i = 0; i < count; i++)
        match_sent(match, 10 * (double)i);
}

/* Message `number` with something before and behind it. */
static void arrive(struct match *match, unsigned receiver, uint64_t number,
                   double now_ms)
{
    struct pg_bytes message = messages_get(&messages, 100 + number);
    char text[256];
    int len = snprintf(text, sizeof(text), "guest1: %.*s\n", (int)message.len,
                       message.data);

    match_arrived(match, receiver, pg_bytes(text, (size_t)len), now_ms);
}

static void test_match_tells_who_got_what_when(void **state)
{
    struct match match = made(MATCH_TOKEN, false, 2, false, true);

    (void)state;
    send_all(&match, 3);
    arrive(&match, 1, 2, 25);
    arrive(&match, 0, 1, 40);
    arrive(&match, 1, 0, 41);

    assert_int_equal(match.delivered, 3);
    assert_int_equal(deliveries[0].number, 2);
    assert_int_equal(deliveries[0].receiver, 1);
    assert_true(deliveries[0].latency_ms == 5);
    assert_true(deliveries[1].latency_ms == 30);
    assert_int_equal(match.reordered, 1); /* 0 came behind 2, at 1 */
    match_finish(&match);
}

static void test_match_counts_only_who_should_hear(void **state)
{
    struct match match = made(MATCH_TOKEN, false, 2, false, true);

    (void)state;
    send_all(&match, 2);
    arrive(&match, 0, 0, 5); /* its own */
    arrive(&match, 1, 7, 5); /* never sent */
    match_arrived(&match, 1, pg_text("you are guest2"), 5);

    assert_int_equal(match.delivered, 0);
    assert_int_equal(match.strangers, 3);
    match_finish(&match);
}

static void test_match_sees_duplicates(void **state)
{
    struct match match = made(MATCH_TOKEN, false, 3, false, true);

    (void)state;
    send_all(&match, 1);
    arrive(&match, 1, 0, 5);
    arrive(&match, 2, 0, 5);
    arrive(&match, 2, 0, 6);

    assert_int_equal(match.delivered, 2);
    assert_int_equal(match.duplicates, 1);
    assert_int_equal(match.reordered, 0);
    match_finish(&match);
}

static void test_match_is_complete_when_all_have_all(void **state)
{
    struct match match = made(MATCH_TOKEN, false, 3, true, true);

    (void)state;
    assert_int_equal(match_fan(&match), 3);
    send_all(&match, MOST);
    for (unsigned i = 0; i < MOST; i++)
        for (unsigned receiver = 0; receiver < 3; receiver++) {
            assert_false(match_is_complete(&match));
            arrive(&match, receiver, i, 1000);
        }
    assert_true(match_is_complete(&match));
    assert_int_equal(match.delivered, 3 * MOST);
    match_finish(&match);
}

static void test_match_finds_tokens_in_a_stream_cut_anywhere(void **state)
{
    uint8_t stream[5 * MESSAGES_DEFAULT_BYTES];

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        memcpy(stream + i * MESSAGES_DEFAULT_BYTES,
               messages_get(&messages, 100 + i).data, MESSAGES_DEFAULT_BYTES);
    for (size_t cut = 0; cut <= sizeof(stream); cut++) {
        struct match match = made(MATCH_TOKEN, true, 1, true, false);

        send_all(&match, 5);
        match_arrived(&match, 0, pg_bytes(stream, cut), 50);
        assert_int_equal(match.delivered, cut / MESSAGES_DEFAULT_BYTES);
        match_arrived(&match, 0, pg_bytes(stream + cut, sizeof(stream) - cut),
                      60);
        assert_int_equal(match.delivered, 5);
        assert_int_equal(match.reordered, 0);
        match_finish(&match);
    }
}

/* ---- messages of a file ----------------------------------------------- */

static void read_file(const char *text)
{
    char error[256];

    assert_true(messages_parse(&messages, pg_text(text), "file", false, error,
                               sizeof(error)));
}

static int forget_file(void **state)
{
    (void)state;
    messages_finish(&messages);
    return 0;
}

/* The first message is number 100, of two: "long message". */
static void test_match_by_content_takes_the_longest(void **state)
{
    struct match match;

    (void)state;
    read_file("long message\na\n");
    match = made(MATCH_CONTENT, false, 2, false, true);
    send_all(&match, 2);
    match_arrived(&match, 1, pg_text("guest1: long message"), 15);
    match_arrived(&match, 0, pg_text("guest2: a"), 16);

    assert_int_equal(match.delivered, 2);
    assert_int_equal(deliveries[0].number, 0);
    assert_int_equal(deliveries[1].number, 1);
    assert_int_equal(match.duplicates, 0);
    match_finish(&match);
}

static void test_match_by_content_takes_equal_ones_in_turn(void **state)
{
    struct match match;

    (void)state;
    read_file("same\n");
    match = made(MATCH_CONTENT, false, 1, true, false);
    send_all(&match, 3);
    for (int i = 0; i < 4; i++)
        match_arrived(&match, 0, pg_text("same"), 30);
    match_arrived(&match, 0, pg_text("other"), 30);

    assert_int_equal(match.delivered, 3);
    assert_int_equal(match.duplicates, 1);
    assert_int_equal(match.strangers, 1);
    assert_int_equal(match.reordered, 0);
    match_finish(&match);
}

static void test_match_by_content_in_a_stream_cut_anywhere(void **state)
{
    static const char stream[] = "one two one two ";

    (void)state;
    read_file("one \ntwo \n");
    for (size_t cut = 0; cut < sizeof(stream); cut++) {
        struct match match = made(MATCH_CONTENT, true, 1, true, false);

        send_all(&match, 4);
        match_arrived(&match, 0, pg_bytes(stream, cut), 50);
        match_arrived(&match, 0,
                      pg_bytes(stream + cut, sizeof(stream) - 1 - cut), 60);
        assert_int_equal(match.delivered, 4);
        assert_int_equal(match.reordered, 0);
        for (uint32_t i = 0; i < 4; i++)
            assert_int_equal(deliveries[i].number, i);
        match_finish(&match);
    }
}

static void test_match_by_content_forgets_what_is_old(void **state)
{
    struct match match;

    (void)state;
    read_file("same\n");
    match = made(MATCH_CONTENT, false, 1, true, false);
    match_sent(&match, 0);
    match_sent(&match, 900);
    match_arrived(&match, 0, pg_text("same"), 1500);

    assert_int_equal(match.delivered, 1);
    assert_int_equal(deliveries[0].number, 1);
    match_finish(&match);
}

static void test_match_by_turn_takes_whatever_comes(void **state)
{
    struct match match = made(MATCH_TURN, false, 2, true, false);

    (void)state;
    match_sent(&match, 0);
    match_arrived(&match, 1, pg_text("pong"), 3); /* not to who asked */
    match_arrived(&match, 0, pg_text("pong"), 4);
    match_arrived(&match, 0, pg_text("pong"), 5);
    match_sent(&match, 10);
    match_arrived(&match, 1, pg_text("pong"), 12);

    assert_int_equal(match.delivered, 2);
    assert_int_equal(match.strangers, 2);
    assert_true(deliveries[0].latency_ms == 4);
    assert_true(deliveries[1].latency_ms == 2);
    match_finish(&match);
}

static void test_match_notes_no_more_than_there_is_room_for(void **state)
{
    struct match match = made(MATCH_TOKEN, false, 3, true, true);

    (void)state;
    match.plan.most = 2;
    deliveries[2] = (struct delivery){7, 7, 7};
    send_all(&match, 1);
    for (unsigned receiver = 0; receiver < 3; receiver++)
        arrive(&match, receiver, 0, 1);

    assert_int_equal(match.delivered, 3);
    assert_int_equal(deliveries[2].number, 7);
    match_finish(&match);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match_tells_who_got_what_when),
        cmocka_unit_test(test_match_counts_only_who_should_hear),
        cmocka_unit_test(test_match_sees_duplicates),
        cmocka_unit_test(test_match_is_complete_when_all_have_all),
        cmocka_unit_test(test_match_finds_tokens_in_a_stream_cut_anywhere),
        cmocka_unit_test_teardown(test_match_by_content_takes_the_longest,
                                  forget_file),
        cmocka_unit_test_teardown(
            test_match_by_content_takes_equal_ones_in_turn, forget_file),
        cmocka_unit_test_teardown(
            test_match_by_content_in_a_stream_cut_anywhere, forget_file),
        cmocka_unit_test_teardown(test_match_by_content_forgets_what_is_old,
                                  forget_file),
        cmocka_unit_test(test_match_by_turn_takes_whatever_comes),
        cmocka_unit_test(test_match_notes_no_more_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
