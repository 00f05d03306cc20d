/* Groups and their members in the memory that workers share. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "workers/commons_layout.h"

#define MEMBERS 100
#define MOST    64

static struct commons *make(unsigned workers)
{
    struct commons_plan plan = {workers, 100, MEMBERS, 65536};
    struct commons *commons = commons_create(-1, &plan);

    assert_non_null(commons);
    return commons;
}

/* A ctx of entry 1 on listener 0; its slot is ten times its number. */
static struct member_owner owner(unsigned worker, uint64_t number)
{
    return (struct member_owner){.entry = 1,
                                 .worker = (uint16_t)worker,
                                 .slot = (uint32_t)number * 10,
                                 .number = number};
}

static int join(struct commons *commons, const char *group, unsigned worker,
                uint64_t number)
{
    struct member_owner who = owner(worker, number);

    return member_join(commons, group, &who, MOST);
}

static int leave(struct commons *commons, const char *group, unsigned worker,
                 uint64_t number)
{
    struct member_owner who = owner(worker, number);

    return member_leave(commons, group, &who);
}

/* The slots of a worker's members on listener 0, as "10 20 ". */
static void expect_slots(struct commons *commons, const char *group,
                         unsigned worker, const char *expected)
{
    uint32_t parts[4] = {0}, slots[MEMBERS];
    char text[1024] = "";
    size_t count = 0, len = 0;

    member_find(commons, 1, group, worker, parts);
    if (parts[0])
        count = member_slots(commons, parts[0] - 1, slots, MEMBERS);
    for (size_t i = 0; i < count; i++)
        len +=
            (size_t)snprintf(text + len, sizeof(text) - len, "%u ", slots[i]);
    assert_string_equal(text, expected);
}

static void expect_groups(struct commons *commons, uint64_t number,
                          const char *expected)
{
    size_t count, len = 0;
    struct group_seen *seen = member_groups(commons, 1, number, &count);
    char text[8192] = "";

    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s %zu ",
                                seen[i].name, seen[i].members);
    free(seen);
    assert_string_equal(text, expected);
}

/* ---- joining and leaving ------------------------------------------------ */

static void test_member_is_in_a_group_once(void **state)
{
    struct commons *commons = make(2);

    (void)state;
    assert_int_equal(leave(commons, "main", 0, 1), -ENOENT);
    assert_int_equal(join(commons, "main", 0, 1), 0);
    assert_int_equal(join(commons, "main", 0, 1), -EALREADY);
    assert_int_equal(join(commons, "Main", 0, 1), 0);
    expect_slots(commons, "main", 0, "10 ");
    assert_int_equal(leave(commons, "main", 0, 1), 0);
    assert_int_equal(leave(commons, "main", 0, 1), -ENOENT);
    expect_slots(commons, "main", 0, "");
    expect_slots(commons, "Main", 0, "10 ");
    commons_destroy(commons);
}

static void test_member_joins_behind_the_others(void **state)
{
    struct commons *commons = make(1);

    (void)state;
    for (uint64_t number = 1; number <= 4; number++)
        assert_int_equal(join(commons, "main", 0, number), 0);
    expect_slots(commons, "main", 0, "10 20 30 40 ");
    leave(commons, "main", 0, 2);
    leave(commons, "main", 0, 4);
    leave(commons, "main", 0, 1);
    join(commons, "main", 0, 1);
    expect_slots(commons, "main", 0, "30 10 ");
    commons_destroy(commons);
}

static void test_member_is_found_by_worker_and_listener(void **state)
{
    struct commons *commons = make(4);
    struct member_owner who = owner(2, 7), other = owner(2, 8);
    uint32_t parts[4] = {0}, slots[4];

    (void)state;
    who.listener = 3;
    other.entry = 2;
    assert_int_equal(member_join(commons, "main", &who, MOST), 0);
    assert_int_equal(member_join(commons, "main", &other, MOST), 0);
    join(commons, "main", 0, 1);
    join(commons, "main", 2, 2);
    assert_int_equal(member_find(commons, 1, "main", 2, parts),
                     1 << 0 | 1 << 2);
    assert_int_equal(parts[1] | parts[2], 0);
    assert_int_equal(member_slots(commons, parts[0] - 1, slots, 4), 1);
    assert_int_equal(slots[0], 20);
    assert_int_equal(member_slots(commons, parts[3] - 1, slots, 4), 1);
    assert_int_equal(slots[0], 70);
    assert_int_equal(member_find(commons, 2, "main", 0, parts), 1 << 2);
    assert_int_equal(member_find(commons, 3, "main", 0, parts), 0);
    commons_destroy(commons);
}

static void test_member_is_in_as_many_groups_as_it_may(void **state)
{
    struct commons *commons = make(1);
    struct member_owner who = owner(0, 1), elsewhere = who;
    char name[16];

    (void)state;
    elsewhere.entry = 2; /* of the same session */
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "room%d", i);
        assert_int_equal(
            member_join(commons, name, i % 2 ? &who : &elsewhere, 5), 0);
    }
    assert_int_equal(member_join(commons, "more", &who, 5), -ENOSPC);
    assert_int_equal(member_join(commons, "room1", &who, 5), -EALREADY);
    assert_int_equal(join(commons, "more", 0, 2), 0);
    member_leave(commons, "room0", &elsewhere);
    assert_int_equal(member_join(commons, "more", &who, 5), 0);
    commons_destroy(commons);
}

static void test_member_finds_a_full_table_and_a_place_that_is_free(void **s)
{
    struct commons *commons = make(1);
    char name[16];

    (void)s;
    for (uint64_t i = 1; i <= MEMBERS; i++) {
        snprintf(name, sizeof(name), "room%u", (unsigned)i);
        assert_int_equal(join(commons, name, 0, i), 0);
    }
    assert_int_equal(join(commons, "more", 0, 7), -ENOSPC);
    assert_int_equal(join(commons, "room8", 0, 7), -ENOSPC);
    assert_int_equal(leave(commons, "room50", 0, 50), 0);
    assert_int_equal(join(commons, "more", 0, 7), 0);
    assert_int_equal(join(commons, "room8", 0, 9), -ENOSPC);
    expect_groups(commons, 7, "more 1 room7 1 ");
    commons_destroy(commons);
}

static void test_member_leaves_all_at_once(void **state)
{
    struct commons *commons = make(2);

    (void)state;
    for (uint64_t number = 1; number <= 3; number++) {
        join(commons, "a", 0, number);
        join(commons, "b", 0, number);
    }
    join(commons, "b", 1, 4);
    member_leave_all(commons, 2);
    member_leave_all(commons, 9);
    expect_slots(commons, "a", 0, "10 30 ");
    expect_slots(commons, "b", 0, "10 30 ");
    expect_groups(commons, 2, "");
    expect_groups(commons, 0, "a 2 b 3 ");
    commons_destroy(commons);
}

/* ---- who is where ------------------------------------------------------- */

static void expect_members(struct commons *commons, const char *pairs,
                           size_t bytes, size_t expected)
{
    size_t count;
    char *keys = member_list(commons, 1, "main", &count);

    assert_int_equal(count, expected);
    assert_memory_equal(keys, pairs, bytes);
    free(keys);
}

static void test_members_are_listed_by_their_keys(void **state)
{
    struct commons *commons = make(2);
    struct claim_owner claimer = {.entry = 1, .worker = 1, .number = 2};
    struct member_owner who = owner(1, 2);
    uint32_t place, again;

    (void)state;
    join(commons, "main", 0, 1);
    join(commons, "main", 1, 2);
    expect_members(commons, "\0\0\0", 4, 2);
    claim_take(commons, "ana", "Ana", &claimer, &place);
    who.claim = place + 1;
    member_show(commons, &who);
    expect_members(commons, "\0\0ana\0Ana", 10, 2);
    claim_take(commons, "ana", "ANA", &claimer, &again);
    expect_members(commons, "\0\0ana\0ANA", 10, 2);

    /* A name that is somebody else's by now is not this one's. */
    claim_release(commons, place, 2);
    claimer.number = 3;
    claim_take(commons, "rui", "Rui", &claimer, &again);
    assert_int_equal(again, place);
    expect_members(commons, "\0\0\0", 4, 2);
    commons_destroy(commons);
}

static void test_groups_of_all_workers_are_seen_as_one(void **state)
{
    struct commons *commons = make(3);

    (void)state;
    join(commons, "b", 0, 1);
    join(commons, "a", 1, 2);
    join(commons, "b", 2, 3);
    join(commons, "b", 2, 4);
    expect_groups(commons, 0, "b 3 a 1 ");
    expect_groups(commons, 3, "b 3 ");
    expect_groups(commons, 5, "");
    commons_destroy(commons);
}

/* ---- deaths ------------------------------------------------------------- */

static void test_members_of_a_worker_that_begins_anew_are_gone(void **state)
{
    struct commons *commons = make(2);

    (void)state;
    join(commons, "a", 0, 1);
    join(commons, "a", 1, 2);
    join(commons, "b", 1, 2);
    commons_worker_died(commons, 1);
    expect_groups(commons, 0, "a 2 b 1 "); /* its arena may go on */
    commons_reset_worker(commons, 1);
    expect_groups(commons, 0, "a 1 ");
    expect_slots(commons, "a", 0, "10 ");
    expect_slots(commons, "a", 1, "");
    commons_destroy(commons);
}

/* What a process may leave behind that dies between two lines. */
static void tear(struct commons *commons, struct commons_header *header)
{
    struct member *members =
        (struct member *)(commons->base + header->members_at);
    struct group_part *parts =
        (struct group_part *)(commons->base + header->parts_at);

    pthread_mutex_lock(&header->lock);
    memset(commons->base + header->group_buckets_at, 0, 256);
    memset(commons->base + header->session_buckets_at, 0, 256);
    members[1].is_taken = false;      /* half gone */
    members[header->used_members++] = /* half there */
        (struct member){.number = 99, .part = 0};
    parts[header->used_parts++].count = 1;
    parts[0].count = 77;
    parts[0].newest = 0;
    header->free_member = 1;
    header->free_part = 1;
    _exit(0);
}

static void test_members_survive_a_death_with_the_lock(void **state)
{
    struct commons *commons = make(2);
    pid_t pid;
    int status;

    (void)state;
    join(commons, "a", 0, 1);
    join(commons, "a", 0, 2);
    join(commons, "a", 1, 3);
    join(commons, "b", 0, 1);
    pid = fork();
    if (pid == 0)
        tear(commons, commons->header);
    assert_int_equal(waitpid(pid, &status, 0), pid);

    expect_slots(commons, "a", 0, "10 ");
    expect_slots(commons, "a", 1, "30 ");
    expect_groups(commons, 1, "b 1 a 2 ");
    expect_groups(commons, 99, "");
    assert_int_equal(join(commons, "a", 0, 1), -EALREADY);
    assert_int_equal(join(commons, "c", 0, 2), 0);
    expect_slots(commons, "c", 0, "20 ");
    for (uint64_t i = 0; i < MEMBERS - 4; i++)
        assert_int_equal(join(commons, "d", 0, 100 + i), 0);
    assert_int_equal(join(commons, "d", 0, 9), -ENOSPC);
    commons_destroy(commons);
}

/* ---- at random ---------------------------------------------------------- */

enum { WORKERS = 3, SESSIONS = 12, GROUPS = 7, STEPS = 3000 };

static bool is_in[GROUPS][SESSIONS];
static uint64_t seed;

static unsigned draw(unsigned below)
{
    return (unsigned)(hash_random(&seed) % below);
}

static unsigned model_count(unsigned session)
{
    unsigned count = 0;

    for (int group = 0; group < GROUPS; group++)
        count += is_in[group][session];
    return count;
}

static void forget(unsigned session)
{
    for (int group = 0; group < GROUPS; group++)
        is_in[group][session] = false;
}

static const char *name_of(unsigned group)
{
    static const char *const names[GROUPS] = {"a", "b", "c", "d",
                                              "e", "f", "g"};

    return names[group];
}

/* Sessions are of worker session % WORKERS, and numbered from 1. */
static void random_join(struct commons *commons, unsigned group,
                        unsigned session)
{
    struct member_owner who = owner(session % WORKERS, session + 1);
    int expected = is_in[group][session]       ? -EALREADY
                   : model_count(session) == 4 ? -ENOSPC
                                               : 0;

    assert_int_equal(member_join(commons, name_of(group), &who, 4), expected);
    is_in[group][session] |= !expected;
}

static void random_leave(struct commons *commons, unsigned group,
                         unsigned session)
{
    assert_int_equal(
        leave(commons, name_of(group), session % WORKERS, session + 1),
        is_in[group][session] ? 0 : -ENOENT);
    is_in[group][session] = false;
}

static void random_death(struct commons *commons, unsigned worker)
{
    if (draw(2)) {
        commons_lock(commons);
        member_rebuild(commons);
        commons_unlock(commons);
        return;
    }
    commons_reset_worker(commons, worker);
    for (unsigned session = worker; session < SESSIONS; session += WORKERS)
        forget(session);
}

static void random_step(struct commons *commons)
{
    unsigned session = draw(SESSIONS);

    switch (draw(20)) {
    case 0:
        random_death(commons, draw(WORKERS));
        break;
    case 1:
        member_leave_all(commons, session + 1);
        forget(session);
        break;
    default:
        if (draw(2))
            random_join(commons, draw(GROUPS), session);
        else
            random_leave(commons, draw(GROUPS), session);
    }
}

/* Whatever the order, which a death may change. */
static void check_group(struct commons *commons, unsigned group)
{
    uint64_t expected = 0;

    for (unsigned worker = 0; worker < WORKERS; worker++) {
        uint32_t parts[4] = {0}, slots[SESSIONS];
        uint64_t workers =
            member_find(commons, 1, name_of(group), worker, parts);
        size_t count =
            parts[0] ? member_slots(commons, parts[0] - 1, slots, SESSIONS) : 0;
        size_t of_model = 0;

        for (unsigned i = worker; i < SESSIONS; i += WORKERS)
            of_model += is_in[group][i];
        assert_int_equal(count, of_model);
        assert_int_equal(workers >> worker & 1, of_model > 0);
        for (size_t i = 0; i < count; i++)
            assert_true(is_in[group][slots[i] / 10 - 1]);
        expected += of_model;
    }
    for (unsigned session = 0; session < SESSIONS; session++) {
        size_t count;
        struct group_seen *seen =
            member_groups(commons, 1, session + 1, &count);

        assert_int_equal(count, model_count(session));
        for (size_t i = 0; i < count; i++)
            if (!strcmp(seen[i].name, name_of(group)))
                assert_int_equal(seen[i].members, expected);
        free(seen);
    }
}

static void run_random(uint64_t with)
{
    struct commons *commons = make(WORKERS);

    print_message("seed %u\n", (unsigned)with);
    seed = with;
    memset(is_in, 0, sizeof(is_in));
    for (int step = 0; step < STEPS; step++) {
        random_step(commons);
        check_group(commons, draw(GROUPS));
    }
    for (unsigned session = 0; session < SESSIONS; session++)
        member_leave_all(commons, session + 1);
    expect_groups(commons, 0, "");
    for (uint64_t i = 0; i < MEMBERS; i++) /* no place was lost */
        assert_int_equal(join(commons, "z", 0, 1000 + i), 0);
    commons_destroy(commons);
}

static void test_members_at_random_are_as_the_model_says(void **state)
{
    const char *only = getenv("PLAYGROUND_SEED");

    (void)state;
    for (uint64_t with = 1; with <= 10; with++)
        run_random(only ? strtoull(only, NULL, 10) : with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_member_is_in_a_group_once),
        cmocka_unit_test(test_member_joins_behind_the_others),
        cmocka_unit_test(test_member_is_found_by_worker_and_listener),
        cmocka_unit_test(test_member_is_in_as_many_groups_as_it_may),
        cmocka_unit_test(
            test_member_finds_a_full_table_and_a_place_that_is_free),
        cmocka_unit_test(test_member_leaves_all_at_once),
        cmocka_unit_test(test_members_are_listed_by_their_keys),
        cmocka_unit_test(test_groups_of_all_workers_are_seen_as_one),
        cmocka_unit_test(test_members_of_a_worker_that_begins_anew_are_gone),
        cmocka_unit_test(test_members_survive_a_death_with_the_lock),
        cmocka_unit_test(test_members_at_random_are_as_the_model_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
