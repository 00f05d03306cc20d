/* What workers share: claims under a robust lock, rings without one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workers/commons_layout.h"

static struct commons *make(unsigned workers)
{
    struct commons_plan plan = {workers, 100, 100, 65536};
    struct commons *commons = commons_create(-1, &plan);

    assert_non_null(commons);
    return commons;
}

static struct claim_owner owner(unsigned worker, uint64_t number)
{
    return (struct claim_owner){
        .entry = 1, .worker = (uint16_t)worker, .number = number};
}

/* ---- claims ----------------------------------------------------------- */

static void test_claims_are_unique_in_an_entry(void **state)
{
    struct commons *commons = make(2);
    struct claim_owner first = owner(0, 1), second = owner(1, 2);
    uint32_t place;

    (void)state;
    assert_int_equal(claim_take(commons, "ana", "ana", &first, &place), 0);
    assert_int_equal(claim_take(commons, "ana", "ana", &second, &place),
                     -EEXIST);
    second.entry = 2;
    assert_int_equal(claim_take(commons, "ana", "ana", &second, &place), 0);
    commons_destroy(commons);
}

static void test_claims_are_listed_in_their_order(void **state)
{
    struct commons *commons = make(1);
    struct claim_owner me = owner(0, 1);
    uint32_t place[3];
    size_t count;
    char *keys;

    (void)state;
    claim_take(commons, "c", "c", &me, &place[0]);
    claim_take(commons, "a", "a", &me, &place[1]);
    claim_take(commons, "b", "b", &me, &place[2]);
    claim_release(commons, place[1], 1);
    claim_take(commons, "a", "a", &me, &place[1]);
    keys = claim_list(commons, 1, &count);

    assert_int_equal(count, 3);
    assert_memory_equal(keys, "c\0c\0b\0b\0a\0a", 12);
    free(keys);
    commons_destroy(commons);
}

static void expect_one_claim(struct commons *commons, const char *pair,
                             size_t bytes)
{
    size_t count;
    char *keys = claim_list(commons, 1, &count);

    assert_int_equal(count, 1);
    assert_memory_equal(keys, pair, bytes);
    free(keys);
}

static void test_claims_are_shown_anew_by_their_owner(void **state)
{
    struct commons *commons = make(2);
    struct claim_owner me = owner(0, 7), other = owner(1, 8);
    uint32_t place, again = 100;

    (void)state;
    assert_int_equal(claim_take(commons, "ana", "Ana", &me, &place), 0);
    expect_one_claim(commons, "ana\0Ana", 8);
    assert_int_equal(claim_take(commons, "ana", "ANA", &other, &again),
                     -EEXIST);
    expect_one_claim(commons, "ana\0Ana", 8);
    assert_int_equal(claim_take(commons, "ana", "aNa", &me, &again), 0);
    assert_int_equal(again, place);
    expect_one_claim(commons, "ana\0aNa", 8);
    claim_release(commons, place, 7);
    assert_int_equal(claim_take(commons, "ana", "ANA", &other, &again), 0);
    expect_one_claim(commons, "ana\0ANA", 8);
    commons_destroy(commons);
}

static void test_claims_run_out_and_come_back(void **state)
{
    struct commons *commons = make(1);
    struct claim_owner me = owner(0, 7);
    uint32_t place = 0;
    char key[16];

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "key%d", i);
        assert_int_equal(claim_take(commons, key, key, &me, &place), 0);
    }
    assert_int_equal(claim_take(commons, "more", "more", &me, &place), -ENOSPC);
    claim_release(commons, 50, 7);
    assert_int_equal(claim_take(commons, "more", "more", &me, &place), 0);
    assert_int_equal(place, 50);
    commons_destroy(commons);
}

static void test_claims_of_others_are_not_released(void **state)
{
    struct commons *commons = make(1);
    struct claim_owner me = owner(0, 7), found;
    uint32_t place;

    (void)state;
    claim_take(commons, "ana", "ana", &me, &place);
    claim_release(commons, place, 8);
    assert_true(claim_find(commons, 1, "ana", &found));
    assert_int_equal(found.number, 7);
    commons_destroy(commons);
}

static void test_claims_of_a_dead_worker_are_free_again(void **state)
{
    struct commons *commons = make(2);
    struct claim_owner dead = owner(1, 5), alive = owner(0, 6), found;
    uint32_t place;

    (void)state;
    claim_take(commons, "ana", "ana", &dead, &place);
    claim_take(commons, "rui", "rui", &alive, &place);
    assert_true(commons_session_add(commons, 1, 10));
    commons_reset_worker(commons, 1);

    assert_false(claim_find(commons, 1, "ana", &found));
    assert_true(claim_find(commons, 1, "rui", &found));
    assert_int_equal(commons->header->sessions[1], 0);
    commons_destroy(commons);
}

/* A process that dies with the lock leaves half a change behind. */
static void test_claims_survive_a_death_with_the_lock(void **state)
{
    struct commons *commons = make(2);
    struct claim_owner me = owner(0, 1), you = owner(0, 2), found;
    uint32_t place;
    size_t count;
    char *keys;
    pid_t pid;
    int status;

    (void)state;
    claim_take(commons, "ana", "Ana", &me, &place);
    claim_take(commons, "rui", "Rui", &me, &place);
    pid = fork();
    if (pid == 0) {
        pthread_mutex_lock(&commons->header->lock);
        memset(commons->base + commons->header->buckets_at, 0, 256);
        commons->header->oldest = 0;
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);

    assert_true(claim_find(commons, 1, "ana", &found));
    assert_int_equal(claim_take(commons, "rui", "rui", &you, &place), -EEXIST);
    keys = claim_list(commons, 1, &count);
    assert_int_equal(count, 2);
    assert_memory_equal(keys, "ana\0Ana\0rui\0Rui", 16);
    free(keys);
    commons_destroy(commons);
}

static void test_who_has_more_sessions_than_the_living_is_ahead(void **state)
{
    struct commons *commons = make(3);

    (void)state;
    assert_false(commons_is_ahead(commons, 0));
    assert_true(commons_session_add(commons, 0, 100));
    assert_true(commons_is_ahead(commons, 0));
    assert_false(commons_is_ahead(commons, 1));
    assert_true(commons_session_add(commons, 1, 100));
    assert_true(commons_is_ahead(commons, 0));
    commons_worker_died(commons, 2); /* it accepts nothing */
    assert_false(commons_is_ahead(commons, 0));
    commons_destroy(commons);
}

static void test_sessions_are_counted_over_all_workers(void **state)
{
    struct commons *commons = make(2);

    (void)state;
    assert_true(commons_session_add(commons, 0, 2));
    assert_true(commons_session_add(commons, 1, 2));
    assert_false(commons_session_add(commons, 0, 2));
    commons_session_remove(commons, 1);
    assert_true(commons_session_add(commons, 0, 2));
    commons_destroy(commons);
}

/* ---- rings ------------------------------------------------------------ */

static bool put(struct commons *commons, uint32_t len, uint8_t fill)
{
    struct message message = {
        .len = len, .type = MESSAGE_BROADCAST, .number = fill};
    static uint8_t bytes[600000];

    memset(bytes, fill, len);
    return ring_put(commons, 0, 1, &message, bytes);
}

static void expect(struct commons *commons, uint32_t len, uint8_t fill)
{
    const struct message *message = ring_peek(commons, 0, 1);
    const uint8_t *bytes = (const uint8_t *)(message + 1);

    assert_non_null(message);
    assert_int_equal(message->len, len);
    assert_int_equal(message->number, fill);
    for (uint32_t i = 0; i < len; i++)
        assert_int_equal(bytes[i], fill);
}

/* Lengths that do not divide the ring, many times around it. */
static void test_ring_wraps(void **state)
{
    struct commons *commons = make(2);

    (void)state;
    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t len = i * 7919 % 70001;

        assert_true(put(commons, len, (uint8_t)i));
        expect(commons, len, (uint8_t)i);
        ring_next(commons, 0, 1);
        assert_null(ring_peek(commons, 0, 1));
    }
    commons_destroy(commons);
}

static void test_ring_says_when_it_is_full_and_wakes_the_writer(void **state)
{
    struct commons *commons = make(2);
    int count = 0;

    (void)state;
    while (put(commons, 60000, (uint8_t)count))
        count++;
    assert_true(count >= 16);
    expect(commons, 60000, 0);
    assert_true(ring_next(commons, 0, 1));
    expect(commons, 60000, 1);
    assert_false(ring_next(commons, 0, 1));
    assert_true(put(commons, 60000, 200));
    commons_destroy(commons);
}

static void test_ring_to_a_dead_worker_holds_up_nobody(void **state)
{
    struct commons *commons = make(2);

    (void)state;
    while (put(commons, 60000, 1))
        ;
    commons_worker_died(commons, 1);
    assert_true(put(commons, 60000, 2)); /* and nobody reads it */
    assert_null(ring_peek(commons, 0, 1));
    commons_reset_worker(commons, 1);
    assert_null(ring_peek(commons, 0, 1));
    assert_true(put(commons, 60000, 3));
    expect(commons, 60000, 3);
    commons_destroy(commons);
}

static void test_ring_takes_its_longest_message(void **state)
{
    struct commons *commons = make(2);
    uint32_t most = (uint32_t)ring_most(commons);

    (void)state;
    assert_true(most >= 65536);
    for (int i = 0; i < 9; i++) {
        assert_true(put(commons, most, (uint8_t)i));
        expect(commons, most, (uint8_t)i);
        ring_next(commons, 0, 1);
    }
    commons_destroy(commons);
}

/* Two processes, a million bytes a second and more: nothing is torn. */
static void test_ring_between_two_processes(void **state)
{
    struct commons *commons = make(2);
    uint32_t got = 0;
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0) {
        for (uint32_t i = 0; i < 20000; i++)
            while (!put(commons, i % 3000, (uint8_t)i))
                sched_yield();
        _exit(0);
    }
    while (got < 20000) {
        if (!ring_peek(commons, 0, 1)) {
            sched_yield();
            continue;
        }
        expect(commons, got % 3000, (uint8_t)got);
        ring_next(commons, 0, 1);
        got++;
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    commons_destroy(commons);
}

static void test_commons_are_found_by_descriptor(void **state)
{
    struct commons *commons = make(2), *again;
    struct claim_owner me = owner(0, 1), found;
    uint32_t place;

    (void)state;
    claim_take(commons, "ana", "ana", &me, &place);
    again = commons_attach(dup(commons_fd(commons)));
    assert_non_null(again);
    assert_ptr_not_equal(again->base, commons->base);
    assert_true(claim_find(again, 1, "ana", &found));
    commons_destroy(again);
    commons_destroy(commons);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claims_are_unique_in_an_entry),
        cmocka_unit_test(test_claims_are_listed_in_their_order),
        cmocka_unit_test(test_who_has_more_sessions_than_the_living_is_ahead),
        cmocka_unit_test(test_claims_are_shown_anew_by_their_owner),
        cmocka_unit_test(test_claims_run_out_and_come_back),
        cmocka_unit_test(test_claims_of_others_are_not_released),
        cmocka_unit_test(test_claims_of_a_dead_worker_are_free_again),
        cmocka_unit_test(test_claims_survive_a_death_with_the_lock),
        cmocka_unit_test(test_sessions_are_counted_over_all_workers),
        cmocka_unit_test(test_ring_wraps),
        cmocka_unit_test(test_ring_says_when_it_is_full_and_wakes_the_writer),
        cmocka_unit_test(test_ring_to_a_dead_worker_holds_up_nobody),
        cmocka_unit_test(test_ring_takes_its_longest_message),
        cmocka_unit_test(test_ring_between_two_processes),
        cmocka_unit_test(test_commons_are_found_by_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
