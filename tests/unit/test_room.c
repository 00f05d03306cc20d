/* Who gets a place, and who goes for it: strangers, known peers, connections.
   Random cases against a model, and what strangers cost others. */

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "engine/core.h"
#include "harness_transport.h"
#include "state/slot.h"

#define ECHO "[\"echo\"]"
#define CHAT "[\"lines\", \"chat-broadcast\"]"

/* ---- a model ----------------------------------------------------------- */

#define ADDRESSES 40
#define STREAM_0  100 /* numbers of connections begin here */
#define STEPS     400

struct list {
    int who[ADDRESSES];
    int count;
};

/* The oldest, or the longest silent, is first in its list. */
struct model {
    struct list strangers, known;
    bool is_stream[STEPS];
    int streams, refused, evicted;
    int sessions_most, peers_most, strangers_most;
    int answers[ADDRESSES]; /* that are due */
};

static int list_find(const struct list *list, int who)
{
    for (int i = 0; i < list->count; i++)
        if (list->who[i] == who)
            return i;
    return -1;
}

static bool list_remove(struct list *list, int who)
{
    int at = list_find(list, who);

    if (at < 0)
        return false;
    memmove(list->who + at, list->who + at + 1,
            (size_t)(--list->count - at) * sizeof(*list->who));
    return true;
}

static void list_add(struct list *list, int who)
{
    list->who[list->count++] = who;
}

static void model_evict(struct model *model, struct list *list)
{
    list_remove(list, list->who[0]);
    model->evicted++;
}

/* A place among limits.max_sessions. */
static bool model_takes_place(struct model *model)
{
    if (model->streams + model->known.count < model->sessions_most)
        return true;
    if (model->known.count)
        model_evict(model, &model->known);
    else
        model->refused++;
    return model->streams + model->known.count < model->sessions_most;
}

static bool model_makes_known(struct model *model, int who)
{
    if (model->known.count == model->peers_most)
        model_evict(model, &model->known);
    if (!model_takes_place(model))
        return false;
    list_remove(&model->strangers, who);
    list_add(&model->known, who);
    return true;
}

/* True: it is answered. */
static bool model_hears(struct model *model, int who)
{
    if (list_find(&model->strangers, who) >= 0)
        return model_makes_known(model, who);
    if (list_remove(&model->known, who)) {
        list_add(&model->known, who); /* the one heard from last */
        return true;
    }
    if (model->strangers.count == model->strangers_most)
        model_evict(model, &model->strangers);
    list_add(&model->strangers, who);
    return true;
}

/* ---- the core, held against it ----------------------------------------- */

static void case_check_session(const struct model *model,
                               const struct pg_session *session)
{
    const struct harness_session *data = pg_session_data_const(session);
    int who = (int)data->peer;

    if (who >= STREAM_0)
        assert_true(model->is_stream[who - STREAM_0]);
    else
        assert_true(list_find(session->flags & SESSION_STRANGER
                                  ? &model->strangers
                                  : &model->known,
                              who) >= 0);
}

static void case_check(struct harness *h, struct model *model)
{
    assert_int_equal(core->live_count, model->streams + model->known.count +
                                           model->strangers.count);
    assert_int_equal(core->known_count, model->streams + model->known.count);
    for (uint32_t i = 0; i < core->live_count; i++)
        case_check_session(model, session_at(core->live[i]));
    for (int who = 0; who < ADDRESSES; who++) {
        assert_int_equal(harness_record_count(h, who), model->answers[who]);
        harness_clear(h, who);
        model->answers[who] = 0;
    }
}

static int case_draw(unsigned *seed, int least, int most)
{
    return least + rand_r(seed) % (most - least + 1);
}

static void case_datagrams(struct harness *h, struct model *model,
                           unsigned *seed)
{
    int who = case_draw(seed, 0, ADDRESSES - 1);

    for (int times = case_draw(seed, 1, 2); times > 0; times--) {
        harness_datagram(h, who, "x");
        model->answers[who] += model_hears(model, who);
    }
}

static void case_connect(struct harness *h, struct model *model)
{
    bool is_in = model_takes_place(model);
    int number = harness_connect(h) - STREAM_0;

    assert_int_equal(!harness_is_closed(h, STREAM_0 + number), is_in);
    model->is_stream[number] = is_in;
    model->streams += is_in;
}

static void case_reset_one(struct harness *h, struct model *model,
                           unsigned *seed)
{
    int number = case_draw(seed, 0, STEPS - 1);

    if (!model->is_stream[number])
        return;
    harness_reset(h, STREAM_0 + number);
    model->is_stream[number] = false;
    model->streams--;
}

/* Several datagrams a turn, at times; whoever connects ends the turn. */
static void case_step(struct harness *h, struct model *model, unsigned *seed)
{
    switch (case_draw(seed, 0, 9)) {
    case 0:
        case_connect(h, model);
        break;
    case 1:
        case_reset_one(h, model, seed);
        break;
    case 2:
    case 3:
        harness_advance(h, 1);
        break;
    default:
        case_datagrams(h, model, seed);
        return;
    }
    harness_turn(h);
    case_check(h, model);
}

static void case_run(unsigned seed)
{
    struct model model = {.sessions_most = case_draw(&seed, 1, 12)};
    char limits[100];
    struct harness *h;

    model.peers_most = case_draw(&seed, 1, 6);
    model.strangers_most = case_draw(&seed, 1, 8);
    snprintf(limits, sizeof(limits),
             "{\"max_sessions\": %d, \"strangers\": %d}", model.sessions_most,
             model.strangers_most);
    h = harness_create_forged(ECHO, limits);
    harness_peers(h, (uint64_t)model.peers_most);
    harness_begin_at(h, STREAM_0);
    for (int i = 0; i < STEPS; i++)
        case_step(h, &model, &seed);
    harness_turn(h);
    case_check(h, &model);
    assert_true(model.evicted > 0);
    harness_destroy(h);
}

static void test_room_is_for_who_the_limits_say(void **state)
{
    const char *given = getenv("PLAYGROUND_SEED");
    unsigned first = given ? (unsigned)strtoul(given, NULL, 10)
                           : (unsigned)(uintptr_t)state ^ (unsigned)getpid();

    print_message("PLAYGROUND_SEED=%u\n", first);
    for (unsigned seed = first; seed < first + 50; seed++)
        case_run(seed);
}

/* ---- what strangers cost others ---------------------------------------- */

/* Of 10,500 addresses each says one thing, 64 in each turn. */
static void flood(struct harness *h, int times)
{
    for (int who = 0; who < 10500; who++) {
        for (int i = 0; i < times; i++)
            harness_datagram(h, who, "x");
        if (who % 64 == 63)
            harness_turn(h);
        assert_int_equal(harness_counter(h, NULL, "refused: limits.strangers"),
                         0);
    }
    harness_turn(h);
}

static void test_room_of_connections_is_not_strangers(void **state)
{
    struct harness *h = harness_create_forged(ECHO, "{}");
    int peer;

    (void)state;
    flood(h, 1);
    assert_int_equal(core->live_count, 1000);
    peer = harness_connect(h);
    harness_push_text(h, peer, "served");
    assert_bytes(harness_out(h, peer), "served");
    harness_destroy(h);
}

static void test_room_of_forged_peers_is_given_to_connections(void **state)
{
    struct harness *h = harness_create_forged(ECHO, "{}");

    (void)state;
    flood(h, 2);
    assert_int_equal(core->known_count, 10000);
    for (int i = 0; i < 100; i++) {
        int peer = harness_connect(h);

        harness_push_text(h, peer, "served");
        assert_bytes(harness_out(h, peer), "served");
    }
    assert_int_equal(core->known_count, 10000);
    assert_int_equal(harness_counter(h, NULL, "refused: limits.max_sessions"),
                     0);
    harness_destroy(h);
}

static void test_room_is_visited_for_members_alone(void **state)
{
    struct harness *h = harness_create_forged(CHAT, "{\"strangers\": 10000}");
    int member;

    (void)state;
    harness_begin_at(h, 11000);
    member = harness_connect(h);
    flood(h, 1);
    assert_int_equal(core->live_count, 10001);
    assert_int_equal(core->known_count, 1); /* where a broadcast looks */
    harness_push_text(h, member, "hello\n");
    for (int who = 500; who < 10500; who++)
        assert_int_equal(harness_record_count(h, who), 1); /* its answer */
    harness_destroy(h);
}

/* ---- three times what it sent ------------------------------------------ */

/* The bytes on the wire that one datagram of `len` line ends is answered with.
 */
static size_t answered(int len, uint64_t ratio)
{
    struct harness *h = harness_create_forged("[\"lines\", \"echo\"]", "{}");
    char text[2001];
    size_t bytes;

    memset(text, '\n', (size_t)len);
    text[len] = '\0';
    harness_unverified(h, ratio);
    harness_datagram(h, 0, text);
    harness_turn(h);
    bytes = harness_out(h, 0).len + 28 * harness_record_count(h, 0);
    harness_destroy(h);
    return bytes;
}

static void test_room_for_answers_counts_headers(void **state)
{
    struct capture capture = capture_begin();
    char *said;

    (void)state;
    for (int len = 1; len <= 2000; len = len * 2 + 7)
        for (uint64_t ratio = 1; ratio < 5; ratio++) {
            size_t most = ratio * (28 + (size_t)len);
            size_t got = answered(len, ratio);

            assert_true(got <= most);
            assert_true(got + 29 > most || got == 29 * (size_t)len);
        }
    assert_int_equal(answered(1400, 0), 29 * 1400);
    said = capture_text(&capture);
    capture_end(&capture);
    assert_non_null(
        strstr(said, "echo: what it sends to harness-forged peers"));
    free(said);
}

static void test_room_for_answers_is_told_once_an_entry(void **state)
{
    struct capture capture = capture_begin();
    struct harness *h = harness_create_forged("[\"lines\", \"echo\"]", "{}");
    const char *found;
    char *said;

    (void)state;
    for (int who = 0; who < 10; who++)
        harness_datagram(h, who, "\n\n\n\n\n\n\n\n");
    harness_turn(h);
    said = capture_text(&capture);
    capture_end(&capture);
    found = strstr(said, "\"unverified_ratio\" (0: no limit)\n");
    assert_non_null(found);
    assert_string_equal(strchr(found, '\n'), "\n");
    free(said);
    harness_destroy(h);
}

/* ---- first and second datagram ----------------------------------------- */

#define GREETS "[{\"plugin\": \"greets\"}]"

static void test_room_open_may_greet_a_stranger(void **state)
{
    struct harness *h = harness_create_forged(GREETS, "{}");

    (void)state;
    harness_datagram(h, 0, "");
    harness_datagram(h, 0, "");
    harness_datagram(h, 0, "");
    harness_turn(h);
    assert_int_equal(harness_record_count(h, 0), 5);
    assert_bytes(harness_record(h, 0, 0), "hello, stranger");
    assert_bytes(harness_record(h, 0, 1), "again");
    assert_bytes(harness_record(h, 0, 2), "known");
    assert_bytes(harness_record(h, 0, 3), "again");
    assert_bytes(harness_record(h, 0, 4), "again");
    harness_destroy(h);
}

static void test_room_connections_are_no_strangers(void **state)
{
    struct harness *h = harness_create_forged(GREETS, "{}");
    int peer = harness_connect(h);

    (void)state;
    harness_push_text(h, peer, "x");
    assert_bytes(harness_out(h, peer), "hello, friendagain");
    harness_destroy(h);
}

/* ---- at the end -------------------------------------------------------- */

static void test_room_counts_what_comes_after_the_end(void **state)
{
    struct harness *h = harness_create_forged(CHAT, "{}");

    (void)state;
    harness_datagram(h, 0, "hello");
    harness_datagram(h, 0, "/quit");
    harness_datagram(h, 0, "one");
    harness_datagram(h, 0, "two");
    harness_turn(h);
    assert_true(harness_is_closed(h, 0));
    assert_int_equal(harness_counter(h, NULL, "dropped: session is over"), 2);
    harness_destroy(h);
}

/* The names of those who went in this turn are free only at its end. */
static void test_room_has_names_for_a_whole_batch(void **state)
{
    struct harness *h =
        harness_create_forged(CHAT, "{\"max_sessions\": 1, \"strangers\": 1}");

    (void)state;
    for (int who = 0; who < 64; who++) {
        harness_datagram(h, who, "hello");
        harness_datagram(h, who, "again");
    }
    harness_turn(h);
    assert_int_equal(harness_counter(h, NULL, "no room for another name"), 0);
    assert_int_equal(core->live_count, 1);
    harness_destroy(h);
}

/* What goes out when the sockets take it, and what was counted instead. */
static uint64_t answers_after_all(struct harness *h, int addresses)
{
    uint64_t answers = 0;

    for (int who = 0; who < addresses; who++)
        harness_block(h, who, false);
    for (int who = 0; who < addresses; who++)
        answers += harness_record_count(h, who);
    return answers + harness_counter(h, NULL, "dropped: session is over");
}

/* A socket that takes nothing holds up nobody who comes by another. */
static void test_room_is_not_held_by_a_full_socket(void **state)
{
    struct harness *h =
        harness_create_forged(ECHO, "{\"max_sessions\": 20, \"strangers\": 2}");
    int peer;

    (void)state;
    harness_begin_at(h, 11000);
    for (int who = 0; who < 2000; who++) {
        harness_block(h, who, true);
        harness_datagram(h, who, "x");
        if (who % 2)
            harness_datagram(h, who, "x");
        harness_turn(h);
    }
    peer = harness_connect(h);
    harness_push_text(h, peer, "served");
    assert_bytes(harness_out(h, peer), "served");
    assert_int_equal(harness_counter(h, NULL, "refused: limits.strangers"), 0);
    assert_int_equal(answers_after_all(h, 2000), 3000);
    harness_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room_is_for_who_the_limits_say),
        cmocka_unit_test(test_room_of_connections_is_not_strangers),
        cmocka_unit_test(test_room_of_forged_peers_is_given_to_connections),
        cmocka_unit_test(test_room_is_visited_for_members_alone),
        cmocka_unit_test(test_room_for_answers_counts_headers),
        cmocka_unit_test(test_room_for_answers_is_told_once_an_entry),
        cmocka_unit_test(test_room_open_may_greet_a_stranger),
        cmocka_unit_test(test_room_connections_are_no_strangers),
        cmocka_unit_test(test_room_counts_what_comes_after_the_end),
        cmocka_unit_test(test_room_has_names_for_a_whole_batch),
        cmocka_unit_test(test_room_is_not_held_by_a_full_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
