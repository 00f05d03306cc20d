/* chat-broadcast with "rooms": who is in one room hears nothing of the others.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#define CHAT  "{\"plugin\": \"chat-broadcast\", \"rooms\": true}"
#define ROOMS "[\"lines\", " CHAT "]"

static void clear_all(struct harness *harness, int count)
{
    for (int i = 0; i < count; i++)
        harness_clear(harness, i);
}

/* Members who have heard each other come; those from `others` on are in
   "garden". */
static struct harness *rooms_of(enum pg_kind provides, int count, int others)
{
    struct harness *harness = harness_create(provides, ROOMS);

    for (int i = 0; i < count; i++) {
        assert_int_equal(harness_connect(harness), i);
        if (i >= others)
            harness_push_text(harness, i, "/join garden\n");
    }
    clear_all(harness, count);
    return harness;
}

static void expect_answer(struct harness *harness, int peer, const char *said,
                          const char *answer)
{
    harness_clear(harness, peer);
    harness_push_text(harness, peer, said);
    assert_bytes(harness_out(harness, peer), answer);
}

static void test_rooms_begin_with_main(void **state)
{
    struct harness *harness = harness_create(PG_STREAM, ROOMS);

    (void)state;
    harness_connect(harness);
    harness_connect(harness);
    assert_bytes(
        harness_out(harness, 0),
        "you are guest1, alone in main; /who /nick /join /rooms /quit\n"
        "guest2 joined\n");
    assert_bytes(harness_out(harness, 1),
                 "you are guest2, in main with guest1; /who /nick /join /rooms "
                 "/quit\n");
    harness_destroy(harness);
}

static void test_rooms_hear_who_is_in_them(void **state)
{
    (void)state;
    for (enum pg_kind kind = PG_STREAM; kind <= PG_RECORDS; kind++) {
        struct harness *harness = rooms_of(kind, 5, 2);

        harness_push_text(harness, 0, "one\n");
        harness_push_text(harness, 3, "two\n");
        assert_bytes(harness_out(harness, 0), "");
        assert_bytes(harness_out(harness, 1), "guest1: one\n");
        assert_bytes(harness_out(harness, 2), "guest4: two\n");
        assert_bytes(harness_out(harness, 3), "");
        assert_bytes(harness_out(harness, 4), "guest4: two\n");
        harness_destroy(harness);
    }
}

static void test_rooms_are_told_who_comes_and_goes(void **state)
{
    struct harness *harness = rooms_of(PG_STREAM, 4, 2);

    (void)state;
    harness_push_text(harness, 0, "/join garden\n");
    assert_bytes(harness_out(harness, 0),
                 "you are in garden with guest3, guest4\n");
    assert_bytes(harness_out(harness, 1), "guest1 left for garden\n");
    assert_bytes(harness_out(harness, 2), "guest1 joined\n");
    assert_bytes(harness_out(harness, 3), "guest1 joined\n");
    clear_all(harness, 4);
    harness_push_text(harness, 2, "/nick ana\n");
    harness_push_text(harness, 2, "/quit\n");
    harness_reset(harness, 3);
    assert_bytes(harness_out(harness, 0),
                 "guest3 is now ana\nana left\nguest4 left (connection "
                 "reset)\n");
    assert_bytes(harness_out(harness, 1), "");
    harness_destroy(harness);
}

static void test_rooms_answer_who_is_where(void **state)
{
    struct harness *harness = rooms_of(PG_STREAM, 5, 2);

    (void)state;
    expect_answer(harness, 0, "/who\n", "here are guest1, guest2\n");
    expect_answer(harness, 4, "/who\n", "here are guest3, guest4, guest5\n");
    expect_answer(harness, 0, "/rooms\n", "rooms are main (2), garden (3)\n");
    harness_end(harness, 0);
    harness_end(harness, 1);
    expect_answer(harness, 4, "/rooms\n", "rooms are garden (3)\n");
    expect_answer(harness, 4, "/join attic\n", "you are in attic, alone\n");
    expect_answer(harness, 4, "/join main\n", "you are in main, alone\n");
    harness_destroy(harness);
}

static void test_rooms_share_their_names(void **state)
{
    struct harness *harness = rooms_of(PG_STREAM, 3, 2);

    (void)state;
    expect_answer(harness, 0, "/nick guest3\n",
                  "guest3 is taken; /who lists the names\n");
    expect_answer(harness, 2, "/nick GUEST1\n",
                  "GUEST1 is taken; /who lists the names\n");
    harness_destroy(harness);
}

static void test_rooms_have_one_name_however_it_is_spelt(void **state)
{
    struct harness *harness = rooms_of(PG_STREAM, 3, 2);

    (void)state;
    expect_answer(harness, 0, "/join GARDEN\n",
                  "you are in garden with guest3\n");
    expect_answer(harness, 0, "/join  Garden \n",
                  "you are in garden already\n");
    expect_answer(harness, 0, "/join caf\xc3\xa9\n",
                  "you are in caf\xc3\xa9, alone\n");
    expect_answer(harness, 1, "/join CAFE\xcc\x81\n",
                  "you are in caf\xc3\xa9 with guest1\n");
    harness_destroy(harness);
}

static void expect_no_room(const char *said, const char *problem)
{
    struct harness *harness = rooms_of(PG_STREAM, 2, 2);
    char answer[300];

    snprintf(answer, sizeof(answer),
             "no such room can be had: it %s; /join ROOM takes letters and "
             "digits of one script, - _ . behind the first of them, up to 32 "
             "bytes\n",
             problem);
    expect_answer(harness, 0, said, answer);
    expect_answer(harness, 0, "/who\n", "here are guest1, guest2\n");
    assert_bytes(harness_out(harness, 1), "");
    harness_destroy(harness);
}

static void test_rooms_are_named_as_members_are(void **state)
{
    (void)state;
    expect_no_room("/join\n", "is empty");
    expect_no_room("/join #main\n", "begins with neither a letter nor a digit");
    expect_no_room("/join a room\n",
                   "holds something else than letters, digits and - _ .");
    expect_no_room("/join 123456789012345678901234567890123\n", "is too long");
}

static void test_rooms_stay_where_there_is_no_room_for_another(void **state)
{
    struct harness *harness =
        harness_create_limits(PG_STREAM, ROOMS, "{\"groups\": 1}");

    (void)state;
    harness_connect(harness);
    harness_connect(harness);
    clear_all(harness, 2);
    expect_answer(harness, 0, "/join garden\n",
                  "there is no room for another room; you stay in main\n");
    expect_answer(harness, 0, "/rooms\n", "rooms are main (2)\n");
    harness_push_text(harness, 0, "hello\n");
    assert_bytes(harness_out(harness, 1), "guest1: hello\n");
    harness_destroy(harness);
}

static void test_rooms_are_among_the_commands(void **state)
{
    struct harness *harness = rooms_of(PG_STREAM, 1, 1);

    (void)state;
    expect_answer(harness, 0, "/help\n",
                  "no such command; there are /who, /nick NAME, /join ROOM, "
                  "/rooms and /quit; to say this to all, put a space in "
                  "front\n");
    harness_destroy(harness);
}

static void test_rooms_answer_the_same_however_a_stream_is_cut(void **state)
{
    (void)state;
    harness_cut_everywhere(
        ROOMS, pg_text("/who\n/join garden\r\n/join\n/rooms\nhello\n/nick ana\n"
                       "/join main\n/join main\n/who\n/quit\n/rooms\n"));
}

static void test_rooms_take_several_lines_for_many(void **state)
{
    struct harness *harness = rooms_of(PG_RECORDS, 60, 60);
    char line[64];

    (void)state;
    for (int i = 0; i < 60; i++) {
        snprintf(line, sizeof(line), "/join a-room-of-the-longest-length--%02d",
                 i);
        harness_push_text(harness, i, line);
    }
    clear_all(harness, 60);
    harness_push_text(harness, 7, "/rooms");
    assert_int_equal(harness_record_count(harness, 7), 3);
    assert_memory_equal(harness_record(harness, 7, 0).data, "rooms are a-", 12);
    assert_memory_equal(harness_record(harness, 7, 2).data, "and a-", 6);
    harness_destroy(harness);
}

/* A UDP peer heard from once speaks in the first room, and is in none. */
static void test_rooms_hear_strangers_in_main(void **state)
{
    struct harness *harness = harness_create_forged(ROOMS, "{}");

    (void)state;
    harness_unverified(harness, 0);
    for (int i = 0; i < 2; i++) {
        harness_datagram(harness, i, "/nobody");
        harness_datagram(harness, i, i ? "/join garden" : "/who");
    }
    harness_turn(harness);
    clear_all(harness, 2);
    harness_datagram(harness, 2, "hello");
    harness_datagram(harness, 3, "/join garden");
    harness_turn(harness);
    assert_bytes(harness_out(harness, 0), "guest3: hello\n");
    assert_bytes(harness_out(harness, 1), "");
    assert_bytes(harness_out(harness, 2),
                 "you will be guest3; say one thing more to join\n");
    assert_bytes(harness_out(harness, 3),
                 "say one thing more to join; /who /nick NAME /quit\n");
    harness_datagram(harness, 1, "/rooms");
    harness_turn(harness);
    assert_bytes(harness_out(harness, 1), "rooms are main (1), garden (1)\n");
    harness_destroy(harness);
}

static void test_rooms_need_names(void **state)
{
    char *said = harness_refusal(
        PG_RECORDS, "[{\"plugin\": \"chat-broadcast\", \"rooms\": true, "
                    "\"names\": false}]");

    (void)state;
    assert_non_null(strstr(said, "\"rooms\" needs names"));
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rooms_begin_with_main),
        cmocka_unit_test(test_rooms_hear_who_is_in_them),
        cmocka_unit_test(test_rooms_are_told_who_comes_and_goes),
        cmocka_unit_test(test_rooms_answer_who_is_where),
        cmocka_unit_test(test_rooms_share_their_names),
        cmocka_unit_test(test_rooms_have_one_name_however_it_is_spelt),
        cmocka_unit_test(test_rooms_are_named_as_members_are),
        cmocka_unit_test(test_rooms_stay_where_there_is_no_room_for_another),
        cmocka_unit_test(test_rooms_are_among_the_commands),
        cmocka_unit_test(test_rooms_answer_the_same_however_a_stream_is_cut),
        cmocka_unit_test(test_rooms_take_several_lines_for_many),
        cmocka_unit_test(test_rooms_hear_strangers_in_main),
        cmocka_unit_test(test_rooms_need_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
