/* Handlers that do what they should not: the core stands it, says so, and
   leaves nothing behind. */

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "capture.h"
#include "engine/core.h"

/* ["lines", rude, "echo"] */
static struct harness *create(const char *when, const char *what)
{
    char handlers[256];

    snprintf(handlers, sizeof(handlers),
             "[\"lines\", { \"plugin\": \"rude\", \"when\": \"%s\", "
             "\"what\": \"%s\" }, \"echo\"]",
             when, what);
    return harness_create(PG_STREAM, handlers);
}

/* A new peer is served, whatever the last one did. */
static void assert_serves(struct harness *h)
{
    int peer = harness_connect(h);

    harness_push_text(h, peer, "hello\n");
    assert_bytes(harness_out(h, peer), "hello\n");
    harness_end(h, peer);
    assert_true(harness_is_closed(h, peer));
}

static void finish(struct harness *h)
{
    harness_forget(h);
    harness_advance(h, 1000000);
    assert_int_equal(core->live_count, 0);
    assert_int_equal(core->arena.header->queued, 0);
    assert_int_equal(core->arena.header->kept, 0);
    assert_int_equal(core->timers.count, 0);
    harness_destroy(h);
}

static void expect_closed(const char *when, const char *what, enum pg_why why,
                          const char *reason)
{
    struct harness *h = create(when, what);
    int peer = harness_connect(h);

    harness_push_text(h, peer, "x\n");
    harness_advance(h, 100);
    assert_true(harness_is_closed(h, peer));
    assert_int_equal(harness_close_why(h, peer), why);
    assert_string_equal(harness_close_reason(h, peer), reason);
    assert_int_equal(harness_counter(h, NULL, reason), 1);
    assert_int_equal(harness_counter(h, "rude", "closed"), 1);
    finish(h);
}

static void test_rude_closes_whenever_it_likes(void **state)
{
    static const char *const times[] = {"open", "recv", "timer"};

    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
        expect_closed(times[i], "close", PG_WHY_HANDLER, "rude");
}

static void test_rude_close_in_open_is_the_first_and_last(void **state)
{
    struct harness *h = create("open", "close");
    int peer = harness_connect(h);

    (void)state;
    harness_push_text(h, peer, "hello\n");
    assert_int_equal(harness_out(h, peer).len, 0);
    assert_true(harness_is_closed(h, peer));
    finish(h);
}

static void test_rude_closes_in_end(void **state)
{
    struct harness *h = create("end", "close");
    int peer = harness_connect(h);

    (void)state;
    harness_push_text(h, peer, "hello\n");
    harness_end(h, peer);
    assert_bytes(harness_out(h, peer), "hello\n");
    assert_string_equal(harness_close_reason(h, peer), "rude");
    finish(h);
}

/* ---- verdicts --------------------------------------------------------- */

static void test_rude_bare_close_has_a_reason(void **state)
{
    (void)state;
    expect_closed("recv", "bare-close", PG_WHY_HANDLER,
                  "closed without a reason");
    expect_closed("open", "bare-close", PG_WHY_HANDLER,
                  "closed without a reason");
}

/* What is said on stderr while two peers, one after the other, see the same
   mistake twice. */
static void expect_said_once(const char *what, const char *expected)
{
    struct capture capture = capture_begin();
    struct harness *h = create("recv", what);
    char *text;

    for (int peer = 0; peer < 2; peer++) {
        harness_connect(h);
        harness_push_text(h, peer, "x\n");
        harness_push_text(h, peer, "x\n");
    }
    text = capture_text(&capture);
    capture_end(&capture);
    assert_string_equal(text, expected);
    free(text);
    finish(h);
}

static void test_rude_mistakes_are_said_once(void **state)
{
    (void)state;
    expect_said_once("bare-drop",
                     "rude: a callback returned PG_DROP without a reason; "
                     "write `return pg_drop(ctx, \"REASON\")`\n");
    expect_said_once("bare-close",
                     "rude: a callback returned PG_CLOSE without a reason; "
                     "write `return pg_close(ctx, \"REASON\")`\n");
    expect_said_once("wild-verdict",
                     "rude: a callback returned -77, which is no verdict; "
                     "return PG_PASS, PG_STOP, pg_drop() or pg_close()\n");
    expect_said_once("send-null",
                     "rude: gives 5 bytes at NULL to pg_send() or another "
                     "function, which are not taken; give the address of the "
                     "bytes\n");
    expect_said_once("close", "");
}

static void test_rude_bare_drop_is_counted(void **state)
{
    struct harness *h = create("recv", "bare-drop");
    int peer = harness_connect(h);

    (void)state;
    harness_push_text(h, peer, "x\nx\nhello\n");
    assert_bytes(harness_out(h, peer), "hello\n");
    assert_int_equal(harness_counter(h, "rude", "dropped without a reason"), 2);
    finish(h);
}

static void expect_no_verdict(const char *when, const char *what,
                              const char *number)
{
    struct capture capture = capture_begin();
    char expected[128], *text;

    expect_closed(when, what, PG_WHY_HANDLER, "a handler returned no verdict");
    text = capture_text(&capture);
    capture_end(&capture);
    snprintf(expected, sizeof(expected),
             "rude: a callback returned %s, which is no verdict; return "
             "PG_PASS, PG_STOP, pg_drop() or pg_close()\n",
             number);
    assert_string_equal(text, expected);
    free(text);
}

static void test_rude_no_verdict_closes_and_is_told(void **state)
{
    (void)state;
    expect_no_verdict("recv", "no-verdict", "0");
    expect_no_verdict("recv", "wild-verdict", "-77");
    expect_no_verdict("open", "no-verdict", "0");
}

static void test_rude_no_verdict_outward_closes_too(void **state)
{
    struct capture capture = capture_begin();
    struct harness *h = create("send", "no-verdict");
    int peer = harness_connect(h);

    (void)state;
    harness_push_text(h, peer, "x\n"); /* passes, and echo's answer comes */
    assert_true(harness_is_closed(h, peer));
    assert_int_equal(harness_out(h, peer).len, 0);
    capture_end(&capture);
    finish(h);
}

/* ---- bytes that are none ---------------------------------------------- */

static void test_rude_gives_bytes_at_null(void **state)
{
    struct capture capture = capture_begin();
    struct harness *h = create("recv", "send-null");
    int peer = harness_connect(h);
    char *text;

    (void)state;
    harness_push_text(h, peer, "x\nhello\n");
    assert_bytes(harness_out(h, peer), "hello\n");
    assert_int_equal(harness_counter(h, "rude", "dropped: bytes at NULL"), 7);
    text = capture_text(&capture);
    capture_end(&capture);
    assert_non_null(strstr(text, "rude: gives 5 bytes at NULL to pg_send()"));
    free(text);
    finish(h);
}

/* ---- too much --------------------------------------------------------- */

static void test_rude_keeps_too_much(void **state)
{
    (void)state;
    expect_closed("recv", "keep", PG_WHY_LIMIT, "too much unfinished input");
}

static void test_rude_takes_too_much_scratch(void **state)
{
    (void)state;
    expect_closed("recv", "scratch", PG_WHY_LIMIT,
                  "more scratch memory than limits.frame_bytes");
}

/* ---- after the end ---------------------------------------------------- */

/* Others go on, nobody hears it twice, nothing is left. */
static void expect_harmless_in_close(const char *what)
{
    struct harness *h = create("close", what);
    int leaver = harness_connect(h), other = harness_connect(h);

    harness_push_text(h, leaver, "hello\n");
    harness_reset(h, leaver);
    harness_advance(h, 1000);
    assert_true(harness_is_closed(h, leaver));
    assert_int_equal(harness_close_why(h, leaver), PG_WHY_RESET);
    assert_int_equal(harness_counter(h, "rude", "closed"), 1);
    assert_bytes(harness_out(h, leaver), "hello\n");
    assert_bytes(harness_out(h, other),
                 strcmp(what, "broadcast") ? "" : "to all\n");
    assert_serves(h);
    finish(h);
}

static void test_rude_acts_in_close(void **state)
{
    static const char *const acts[] = {
        "close",     "bare-close", "no-verdict",  "forward", "send",
        "broadcast", "keep",       "keep-little", "timer",   "later",
        "claim",     "pause",      "resume"};

    (void)state;
    for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++)
        expect_harmless_in_close(acts[i]);
}

/* A name that was taken in close() is free for the next one. */
static void test_rude_claim_in_close_ends_with_it(void **state)
{
    struct harness *h = create("close", "claim");

    (void)state;
    for (int i = 0; i < 3; i++) {
        int peer = harness_connect(h);

        harness_reset(h, peer);
        assert_true(harness_is_closed(h, peer));
    }
    finish(h);
}

/* More pg_resume() than pg_pause() is none. */
static void test_rude_resumes_what_is_not_paused(void **state)
{
    struct harness *h = create("recv", "resume");
    int peer = harness_connect(h);

    (void)state;
    harness_push_text(h, peer, "x\nx\nhello\n");
    assert_bytes(harness_out(h, peer), "hello\n");
    assert_true(harness_is_read(h, peer));
    finish(h);
}

static void test_rude_acts_in_timer(void **state)
{
    static const char *const acts[] = {"forward", "send", "broadcast"};
    static const char *const heard[] = {"forwarded\n", "sent\n", ""};

    (void)state;
    for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
        struct harness *h = create("timer", acts[i]);
        int peer = harness_connect(h);

        harness_advance(h, 100);
        assert_bytes(harness_out(h, peer), heard[i]);
        assert_false(harness_is_closed(h, peer));
        finish(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rude_closes_whenever_it_likes),
        cmocka_unit_test(test_rude_close_in_open_is_the_first_and_last),
        cmocka_unit_test(test_rude_closes_in_end),
        cmocka_unit_test(test_rude_bare_close_has_a_reason),
        cmocka_unit_test(test_rude_mistakes_are_said_once),
        cmocka_unit_test(test_rude_bare_drop_is_counted),
        cmocka_unit_test(test_rude_no_verdict_closes_and_is_told),
        cmocka_unit_test(test_rude_no_verdict_outward_closes_too),
        cmocka_unit_test(test_rude_gives_bytes_at_null),
        cmocka_unit_test(test_rude_keeps_too_much),
        cmocka_unit_test(test_rude_takes_too_much_scratch),
        cmocka_unit_test(test_rude_acts_in_close),
        cmocka_unit_test(test_rude_claim_in_close_ends_with_it),
        cmocka_unit_test(test_rude_resumes_what_is_not_paused),
        cmocka_unit_test(test_rude_acts_in_timer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
