/* A busy machine: how late it is, and what that makes of a check. */

#include "compare/lab/lab_parts.h"
#include "compare/report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEVER_MS 1e9 /* no machine is so late */

static const struct experiment experiment = {
    .name = "made-up", .title = "Made up", .question = "Is it busy?"};

/* The only child of this process: the one that measures. */
static pid_t only_child(void)
{
    FILE *file = fopen("/proc/thread-self/children", "re");
    int child = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &child), 1);
    fclose(file);
    return child;
}

static void end_child(void)
{
    pid_t child = only_child();

    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_lateness_keeps_the_worst(void **state)
{
    struct lateness *lateness = lateness_start();
    (void)state;

    assert_non_null(lateness);
    lateness_note(lateness, 1e6);
    lateness_note(lateness, 1e5);
    lateness_note(lateness, -1);

    assert_true(lateness_worst_ms(lateness) == 1e6);
    assert_true(lateness_worst_ms(NULL) == 0);
    end_child();
}

static void test_lateness_grows_while_its_process_waits(void **state)
{
    struct lateness *lateness = lateness_start();
    (void)state;

    assert_non_null(lateness);
    kill(only_child(), SIGSTOP);

    while (lateness_worst_ms(lateness) < 50)
        sched_yield();
    end_child();
}

/* Adds the check to the result of a lab that was a second late. */
static json_t *result_of(bool holds, double slack_ms)
{
    static const struct settings none;
    json_t *result;
    struct lab lab;

    lab_init(&lab, &experiment, &none, "", -1);
    lab_note_late(&lab, 1000);
    result_check(&lab, "plain", true, "what holds without a clock");
    assert_int_equal(
        result_check_timed(&lab, "timed", holds, "what takes time", slack_ms),
        holds);
    result = lab.result;
    assert_int_equal(lab.is_busy, !holds && slack_ms <= 1000);
    end_child();
    return result;
}

static int status_of(json_t *results)
{
    json_t *report = json_pack("{s:o}", "experiments", results);
    int status = report_exit_status(report);

    json_decref(report);
    return status;
}

static void test_a_check_is_lost_in_lateness_it_cannot_bear(void **state)
{
    (void)state;

    assert_int_equal(status_of(json_pack("[o]", result_of(true, 1))), 0);
    assert_int_equal(status_of(json_pack("[o]", result_of(false, 1000))), 3);
    assert_int_equal(status_of(json_pack("[o]", result_of(false, NEVER_MS))),
                     1);
}

static void test_a_failure_outweighs_what_could_not_be_told(void **state)
{
    (void)state;

    assert_int_equal(status_of(json_pack("[oo]", result_of(false, 1000),
                                         result_of(false, NEVER_MS))),
                     1);
    assert_int_equal(status_of(json_pack("[oo]", result_of(false, 1000),
                                         result_of(true, 1))),
                     3);
    assert_int_equal(
        status_of(json_pack("[o{s:s}]", result_of(true, 1), "error", "x")), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lateness_keeps_the_worst),
        cmocka_unit_test(test_lateness_grows_while_its_process_waits),
        cmocka_unit_test(test_a_check_is_lost_in_lateness_it_cannot_bear),
        cmocka_unit_test(test_a_failure_outweighs_what_could_not_be_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
