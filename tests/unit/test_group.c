/* Groups: what is published goes to the members, and is gathered in a turn as a
   broadcast is. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "engine/core.h"
#include "engine/turn.h"
#include "workers/commons.h"

#define PROBE "[\"lines\", \"probe\"]"

static void clear_all(struct harness *h, int count)
{
    for (int peer = 0; peer < count; peer++)
        harness_clear(h, peer);
}

/* Peers 0 to 3, of whom 0, 1 and 2 are in "a". */
static struct harness *room_with(enum pg_kind provides, const char *handlers,
                                 const char *limits)
{
    struct harness *h = harness_create_limits(provides, handlers, limits);

    for (int peer = 0; peer < 4; peer++) {
        assert_int_equal(harness_connect(h), peer);
        harness_push_text(h, peer, "drop\n"); /* records: heard from twice */
        harness_push_text(h, peer, peer < 3 ? "join a\n" : "join b\n");
        assert_bytes(harness_out(h, peer), "join 0\n");
        harness_clear(h, peer);
    }
    return h;
}

static struct harness *room(enum pg_kind provides)
{
    return room_with(provides, PROBE, "{}");
}

static const enum pg_kind kinds[] = {PG_STREAM, PG_RECORDS};

/* ---- who hears it ------------------------------------------------------- */

static void test_group_hears_what_is_published_but_its_sender(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct harness *h = room(kinds[i]);

        harness_push_text(h, 1, "tell a one\n");
        harness_push_text(h, 3, "tell a two\n");
        harness_push_text(h, 0, "told a three\n");
        harness_push_text(h, 0, "tell nobody four\n");
        assert_bytes(harness_out(h, 0), "one\ntwo\nthree\n");
        assert_bytes(harness_out(h, 1), "two\nthree\n");
        assert_bytes(harness_out(h, 2), "one\ntwo\nthree\n");
        assert_bytes(harness_out(h, 3), "");
        harness_destroy(h);
    }
}

static void test_group_is_one_over_all_transports(void **state)
{
    struct harness *h = harness_create_both(PROBE, "{}");
    int ana = harness_connect_by(h, PG_STREAM);
    int bob = harness_connect_by(h, PG_RECORDS);
    int eve = harness_connect_by(h, PG_RECORDS);

    (void)state;
    harness_push_text(h, ana, "join a\n");
    harness_push_text(h, bob, "join a\n");
    clear_all(h, 3);
    harness_push_text(h, bob, "tell a one\n");
    harness_push_text(h, ana, "tell a two\n");
    harness_push_text(h, eve, "groups\n");
    assert_bytes(harness_out(h, ana), "one\n");
    assert_bytes(harness_out(h, bob), "two\n");
    assert_bytes(harness_out(h, eve), "a 2\n");
    harness_destroy(h);
}

static void test_group_members_leave_with_their_session(void **state)
{
    struct harness *h = room(PG_STREAM);

    (void)state;
    harness_push_text(h, 3, "join a\nclaim eve\n");
    harness_clear(h, 3);
    harness_push_text(h, 1, "close\n");
    harness_reset(h, 2);
    clear_all(h, 4);
    harness_push_text(h, 0, "in a\nmine\ngroups\n");
    assert_bytes(harness_out(h, 0), "\neve\na\na 2\nb 1\n");
    harness_push_text(h, 0, "leave a\nleave a\nmine\n");
    harness_clear(h, 0);
    harness_push_text(h, 3, "leave a\n");
    harness_push_text(h, 0, "groups\n");
    assert_bytes(harness_out(h, 0), "b 1\n");
    harness_destroy(h);
}

static void test_group_shows_the_key_a_member_has_now(void **state)
{
    struct harness *h = room(PG_STREAM);

    (void)state;
    harness_push_text(h, 1, "show ana Ana\n");
    harness_push_text(h, 2, "claim bob\nclaim rui\n");
    harness_push_text(h, 0, "in a\n");
    assert_bytes(harness_out(h, 0), "\nana, shown Ana\nrui\n");
    harness_destroy(h);
}

static void test_group_lists_its_members_as_they_joined(void **state)
{
    static const char *const names[] = {"claim b\njoin a\n",
                                        "join a\nclaim d\n",
                                        "claim a\njoin a\n", "claim c\n"};
    struct harness *h = harness_create_both(PROBE, "{}");

    (void)state;
    for (int peer = 0; peer < 4; peer++) {
        harness_connect_by(h, kinds[peer % 2]);
        harness_push_text(h, peer, names[peer]);
    }
    harness_push_text(h, 3, "join a\n");
    clear_all(h, 4);
    harness_push_text(h, 0, "in a\n");
    assert_bytes(harness_out(h, 0), "b\nd\na\nc\n");
    harness_destroy(h);
}

static void test_group_refuses_what_cannot_be(void **state)
{
    struct harness *h =
        harness_create_limits(PG_STREAM, PROBE, "{\"groups\": 2}");
    char text[200], *end;

    (void)state;
    harness_connect(h);
    harness_push_text(h, 0,
                      "join\nleave\nleave a\njoin a\njoin a\njoin b\njoin c\n"
                      "tell\nleave a\njoin c\nmine\n");
    assert_bytes(harness_out(h, 0),
                 "join -22\nleave -22\nleave -2\njoin 0\njoin -114\njoin 0\n"
                 "join -28\ntell -22\nleave 0\njoin 0\nc\nb\n");
    harness_clear(h, 0);
    for (int len = PG_KEY_BYTES; len <= PG_KEY_BYTES + 1; len++) {
        end = stpcpy(text, "leave c\njoin ");
        memset(end, 'x', (size_t)len);
        strcpy(end + len, "\n");
        harness_push_text(h, 0, text);
    }
    assert_bytes(harness_out(h, 0), "leave 0\njoin 0\nleave -2\njoin -22\n");
    harness_destroy(h);
}

static void test_group_answers_the_same_however_a_stream_is_cut(void **state)
{
    (void)state;
    harness_cut_everywhere(
        PROBE, pg_text("join a\njoin b\ntold a hi\nclaim me\nin a\nmine\n"
                       "groups\nleave a\ntold a no\ntold b yes\nleave a\n"));
}

/* ---- strangers, and who is slow ----------------------------------------- */

static void test_group_tells_strangers_nothing(void **state)
{
    struct harness *h = harness_create_forged(PROBE, "{}");

    (void)state;
    harness_unverified(h, 0);
    harness_datagram(h, 0, "join a");
    harness_datagram(h, 1, "join a");
    harness_datagram(h, 1, "drop"); /* heard from twice */
    harness_turn(h);
    clear_all(h, 2);
    harness_datagram(h, 2, "tell a one");
    harness_turn(h);
    assert_bytes(harness_out(h, 0), "");
    assert_bytes(harness_out(h, 1), "one\n");
    clear_all(h, 2);
    harness_datagram(h, 2, "tell a two");
    harness_datagram(h, 0, "drop"); /* what came before is not for it */
    harness_datagram(h, 2, "tell a three");
    harness_turn(h);
    assert_bytes(harness_out(h, 0), "three\n");
    assert_int_equal(harness_record_count(h, 1), 2);
    harness_destroy(h);
}

static void fill_lines(char *text, const char *line, int many)
{
    for (*text = '\0'; many > 0; many--)
        text = stpcpy(text, line);
}

/* `tell` closes who is slow, `told` leaves it out. */
static void test_group_deals_with_slow_members_as_it_is_told(void **state)
{
    static const char *const lines[] = {
        "tell a 0123456789012345678901234567890123456789\n",
        "told a 0123456789012345678901234567890123456789\n"};
    char text[60 * 300];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct harness *h =
            room_with(PG_STREAM, PROBE,
                      "{\"session_queue_bytes\": 4096, \"frame_bytes\": 1024}");

        harness_block(h, 1, true);
        fill_lines(text, lines[i], 300);
        harness_push_text(h, 0, text);
        harness_block(h, 1, false);
        assert_int_equal(harness_is_closed(h, 1), i == 0);
        assert_int_equal(
            harness_counter(h, NULL, "dropped: reads too slowly") > 0, i == 1);
        assert_int_equal(harness_out(h, 2).len % 41, i ? 0 : 23);
        assert_true(harness_out(h, 2).len >= 300 * 41);
        assert_int_equal(core->arena.header->queued, 0);
        harness_destroy(h);
    }
}

/* ---- in one turn -------------------------------------------------------- */

static void test_group_and_all_else_keep_their_order(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct harness *h = room(kinds[i]);

        harness_push_text(h, 1, "claim bob\n");
        harness_clear(h, 1);
        harness_push_text(h, 0,
                          "tell a one\nwhom bob two\nall three\ntell a four\n"
                          "tell b five\ntell a six\nsend seven\n");
        assert_bytes(harness_out(h, 0), "whom 0\nseven\n");
        assert_bytes(harness_out(h, 1), "one\ntwo\nthree\nfour\nsix\n");
        assert_bytes(harness_out(h, 2), "one\nthree\nfour\nsix\n");
        assert_bytes(harness_out(h, 3), "three\nfive\n");
        harness_destroy(h);
    }
}

static void test_group_hears_what_was_said_while_one_was_in_it(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct harness *h = room(kinds[i]);

        harness_push_within(h, 0, "tell a one\n");
        harness_push_within(h, 3, "join a\n");
        harness_push_within(h, 0, "tell a two\n");
        harness_push_within(h, 1, "leave a\n");
        harness_push_text(h, 0, "tell a three\n");
        assert_bytes(harness_out(h, 1), "one\ntwo\nleave 0\n");
        assert_bytes(harness_out(h, 2), "one\ntwo\nthree\n");
        assert_bytes(harness_out(h, 3), "join 0\ntwo\nthree\n");
        harness_destroy(h);
    }
}

/* The place that a group has in the table is another's in the same turn. */
static void test_group_that_ends_is_not_taken_for_the_next(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct harness *h = room(kinds[i]);

        harness_push_within(h, 0, "tell b one\n");
        harness_push_within(h, 3, "leave b\n");
        harness_push_text(h, 2, "join c\n");
        assert_bytes(harness_out(h, 3), "one\nleave 0\n");
        assert_bytes(harness_out(h, 2), "join 0\n");
        clear_all(h, 4);
        harness_push_within(h, 0, "tell c two\n");
        harness_push_text(h, 2, "close\n"); /* its close() tells all */
        assert_bytes(harness_out(h, 2), "two\n");
        assert_bytes(harness_out(h, 3), "left: told to close\n");
        harness_destroy(h);
    }
}

static void test_group_hears_one_who_leaves(void **state)
{
    struct harness *h = room(PG_STREAM);

    (void)state;
    harness_push_text(h, 0, "tell a bye\nclose\n");
    assert_bytes(harness_out(h, 1), "bye\nleft: told to close\n");
    assert_bytes(harness_out(h, 3), "left: told to close\n");
    harness_destroy(h);
}

/* ---- layers ------------------------------------------------------------- */

static void test_group_runs_a_shared_layer_once(void **state)
{
    struct harness *h = room_with(
        PG_STREAM, "[\"lines\", \"counting-shared\", \"probe\"]", "{}");
    uint64_t before = harness_counter(h, "counting-shared", "sent");

    (void)state;
    harness_push_text(h, 3, "tell a hi\n");
    assert_int_equal(harness_counter(h, "counting-shared", "sent"), before + 1);
    harness_push_text(h, 3, "tell nobody hi\n");
    assert_int_equal(harness_counter(h, "counting-shared", "sent"), before + 1);
    harness_destroy(h);
}

static void test_group_runs_other_layers_for_each_member(void **state)
{
    struct harness *h =
        room_with(PG_STREAM, "[\"lines\", \"counting\", \"probe\"]", "{}");
    uint64_t before = harness_counter(h, "counting", "sent");

    (void)state;
    harness_push_text(h, 3, "tell a hi\n");
    assert_int_equal(harness_counter(h, "counting", "sent"), before + 3);
    assert_bytes(harness_out(h, 2), "hi\n");
    harness_push_text(h, 0, "tell a hi\n");
    assert_int_equal(harness_counter(h, "counting", "sent"), before + 5);
    assert_bytes(harness_out(h, 2), "hi\nhi\n");
    harness_destroy(h);
}

/* ---- other workers ------------------------------------------------------ */

/* Peers 0 and 1 of worker 0, of whom 0 is in "a". */
static struct harness *beside_another_worker(struct commons **commons)
{
    struct commons_plan plan = {2, 100, 100, 65536};
    struct harness *h;

    *commons = commons_create(-1, &plan);
    assert_non_null(*commons);
    harness_share(*commons);
    h = harness_create(PG_STREAM, PROBE);
    harness_connect(h);
    harness_connect(h);
    harness_push_text(h, 0, "join a\n");
    clear_all(h, 2);
    return h;
}

/* Of the entry `probe`, which is the second. */
static void join_there(struct commons *commons, const char *group,
                       uint64_t number)
{
    struct member_owner who = {.entry = 1, .worker = 1, .number = number};

    assert_int_equal(member_join(commons, group, &who, 64), 0);
}

static void test_group_is_told_on_workers_that_have_members(void **state)
{
    struct commons *commons;
    struct harness *h = beside_another_worker(&commons);
    const struct message *message;

    (void)state;
    harness_push_text(h, 0, "tell a nobody there\n");
    assert_null(ring_peek(commons, 0, 1));
    join_there(commons, "a", 1000);
    join_there(commons, "a", 1001);
    harness_push_text(h, 1, "tell a hi\ntold a there\ntell b no\n");
    for (int i = 0; i < 2; i++) {
        message = ring_peek(commons, 0, 1);
        assert_non_null(message);
        assert_int_equal(message->type, MESSAGE_PUBLISH);
        assert_int_equal(message->entry, 1);
        assert_int_equal(message->slow, i ? PG_SLOW_DROP : PG_SLOW_CLOSE);
        assert_int_equal(message->len, i ? 7 : 4);
        assert_memory_equal(message + 1, i ? "a\0there" : "a\0hi",
                            message->len);
        ring_next(commons, 0, 1);
    }
    assert_null(ring_peek(commons, 0, 1));
    assert_bytes(harness_out(h, 0), "hi\nthere\n");
    harness_destroy(h);
}

static void test_group_hears_other_workers(void **state)
{
    struct commons *commons;
    struct harness *h = beside_another_worker(&commons);
    struct message message = {
        .len = 4, .type = MESSAGE_PUBLISH, .entry = 1, .slow = PG_SLOW_DROP};

    (void)state;
    assert_true(ring_put(commons, 1, 0, &message, (const uint8_t *)"a\0hi"));
    assert_true(ring_put(commons, 1, 0, &message, (const uint8_t *)"b\0no"));
    message.len = 2;
    assert_true(ring_put(commons, 1, 0, &message, (const uint8_t *)"a"));
    harness_mail(h);
    assert_bytes(harness_out(h, 0), "hi\n\n");
    assert_bytes(harness_out(h, 1), "");
    harness_destroy(h);
}

static void test_group_is_one_over_all_workers(void **state)
{
    struct commons *commons;
    struct harness *h = beside_another_worker(&commons);

    (void)state;
    join_there(commons, "a", 1000);
    join_there(commons, "b", 1000);
    harness_push_text(h, 1, "groups\nin a\n");
    assert_bytes(harness_out(h, 1), "a 2\nb 1\n\n\n");
    harness_clear(h, 1);
    commons_reset_worker(commons, 1); /* it died, and another begins */
    harness_push_text(h, 1, "groups\n");
    assert_bytes(harness_out(h, 1), "a 1\n");
    harness_destroy(h);
}

/* ---- a process that goes on --------------------------------------------- */

/* Dies with something gathered; what it had in the shared memory is there. */
static void go_on_with_the_arena(void)
{
    struct commons_plan plan = {1, 100, 100, 65536};
    struct commons *commons = commons_create(-1, &plan);
    int fd = dup(commons_fd(commons)), arena;
    struct harness *h;

    harness_share(commons);
    h = room(PG_STREAM);
    harness_push_within(h, 3, "tell a one\n");
    arena = dup(harness_arena_fd(h));
    core = NULL; /* the process is no more */
    harness_share(commons_attach(fd));
    h = harness_attach(PG_STREAM, PROBE, arena, 4);
    turn_end();
    harness_push_text(h, 0, "tell a two\n");
    harness_push_text(h, 2, "close\n");
    harness_push_text(h, 3, "told a three\ngroups\n");
    assert_bytes(harness_out(h, 0), "one\nleft: told to close\nthree\n");
    assert_bytes(harness_out(h, 1), "one\ntwo\nleft: told to close\nthree\n");
    assert_bytes(harness_out(h, 3), "left: told to close\na 2\nb 1\n");
    _exit(0);
}

static void test_group_survives_its_worker(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0)
        go_on_with_the_arena();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- at random ---------------------------------------------------------- */

enum { PEERS = 8, GROUPS = 4, TURNS = 300 };

static bool is_in[GROUPS][PEERS];
static char heard[PEERS][1 << 16];
static uint64_t seed;

static unsigned draw(unsigned below)
{
    return (unsigned)(hash_random(&seed) % below);
}

static void expect(int peer, const char *line)
{
    strcat(heard[peer], line);
    strcat(heard[peer], "\n");
}

static void model_tell(int sender, unsigned group, const char *text, bool all)
{
    for (int peer = 0; peer < PEERS; peer++)
        if (is_in[group][peer] && (all || peer != sender))
            expect(peer, text);
}

static void random_command(int peer, char *command)
{
    static unsigned number;
    unsigned group = draw(GROUPS), what = draw(6);
    bool *mine = &is_in[group][peer];
    char text[32];

    snprintf(text, sizeof(text), "says %u", ++number);
    if (what == 0) {
        sprintf(command, "join %u\n", group);
        expect(peer, *mine ? "join -114" : "join 0");
        *mine = true;
    } else if (what == 1) {
        sprintf(command, "leave %u\n", group);
        expect(peer, *mine ? "leave 0" : "leave -2");
        *mine = false;
    } else if (what == 2) {
        sprintf(command, "send %s\n", text);
        expect(peer, text);
    } else {
        sprintf(command, "tel%c %u %s\n", what == 3 ? 'd' : 'l', group, text);
        if (what == 3)
            memcpy(command, "told", 4);
        model_tell(peer, group, text, what == 3);
    }
}

/* Several peers say several things in one turn. */
static void random_turn(struct harness *h)
{
    for (unsigned i = draw(6); i > 0; i--) {
        int peer = (int)draw(PEERS);
        char text[1024] = "", command[64];

        for (unsigned k = draw(5); k > 0; k--) {
            random_command(peer, command);
            strcat(text, command);
        }
        if (text[0])
            harness_push_within(h, peer, text);
    }
    harness_push_text(h, 0, "drop\n");
}

static void run_random(enum pg_kind provides, uint64_t with)
{
    struct harness *h;

    print_message("seed %u\n", (unsigned)with);
    seed = with;
    memset(is_in, 0, sizeof(is_in));
    memset(heard, 0, sizeof(heard));
    h = provides == PG_ANY ? harness_create_both(PROBE, "{}")
                           : harness_create(provides, PROBE);
    for (int peer = 0; peer < PEERS; peer++)
        harness_connect_by(h, provides == PG_ANY ? kinds[peer % 2] : provides);
    for (int i = 0; i < TURNS; i++)
        random_turn(h);
    for (int peer = 0; peer < PEERS; peer++)
        assert_bytes(harness_out(h, peer), heard[peer]);
    harness_destroy(h);
}

static void test_group_at_random_hears_what_the_model_says(void **state)
{
    const char *only = getenv("PLAYGROUND_SEED");

    (void)state;
    for (uint64_t with = 1; with <= 6; with++) {
        uint64_t chosen = only ? strtoull(only, NULL, 10) : with;

        run_random(PG_STREAM, chosen);
        run_random(PG_RECORDS, chosen);
        run_random(PG_ANY, chosen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_group_hears_what_is_published_but_its_sender),
        cmocka_unit_test(test_group_is_one_over_all_transports),
        cmocka_unit_test(test_group_members_leave_with_their_session),
        cmocka_unit_test(test_group_shows_the_key_a_member_has_now),
        cmocka_unit_test(test_group_lists_its_members_as_they_joined),
        cmocka_unit_test(test_group_refuses_what_cannot_be),
        cmocka_unit_test(test_group_answers_the_same_however_a_stream_is_cut),
        cmocka_unit_test(test_group_tells_strangers_nothing),
        cmocka_unit_test(test_group_deals_with_slow_members_as_it_is_told),
        cmocka_unit_test(test_group_and_all_else_keep_their_order),
        cmocka_unit_test(test_group_hears_what_was_said_while_one_was_in_it),
        cmocka_unit_test(test_group_that_ends_is_not_taken_for_the_next),
        cmocka_unit_test(test_group_hears_one_who_leaves),
        cmocka_unit_test(test_group_runs_a_shared_layer_once),
        cmocka_unit_test(test_group_runs_other_layers_for_each_member),
        cmocka_unit_test(test_group_is_told_on_workers_that_have_members),
        cmocka_unit_test(test_group_hears_other_workers),
        cmocka_unit_test(test_group_is_one_over_all_workers),
        cmocka_unit_test(test_group_survives_its_worker),
        cmocka_unit_test(test_group_at_random_hears_what_the_model_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
