/* A layer with a handshake of its own, greeting.c, in front of a chat. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#define CHAT "[\"greeting\", \"lines\", \"chat-broadcast\"]"
#define ECHO "[\"greeting\", \"lines\", \"echo\"]"

static void test_greeting_nobody_joins_before_it_is_through(void **state)
{
    struct harness *h = harness_create(PG_STREAM, CHAT);
    int ana = harness_connect(h), bob = harness_connect(h);

    (void)state;
    harness_push_text(h, ana, "hello ana\nbegin\n/who\n");
    assert_bytes(harness_out(h, ana),
                 "hello\nwelcome ana\n"
                 "you are guest1, alone here; /who /nick /quit\n"
                 "here are guest1\n");
    harness_clear(h, ana);
    harness_push_text(h, bob, "hello bob\n");
    harness_push_text(h, ana, "is anybody here?\n");
    assert_bytes(harness_out(h, bob), "hello\n");
    assert_bytes(harness_out(h, ana), "");
    harness_push_text(h, bob, "begin\nyes\n");
    harness_push_text(h, ana, "welcome\n");
    assert_bytes(harness_out(h, ana), "guest2 joined\nguest2: yes\n");
    assert_bytes(harness_out(h, bob),
                 "hello\nwelcome bob\n"
                 "you are guest2, with guest1; /who /nick /quit\n"
                 "guest1: welcome\n");
    harness_destroy(h);
}

/* Whoever only knocks is never in the chat, however it ends. */
static void test_greeting_who_is_turned_away_has_not_been_there(void **state)
{
    static const char *const knocks[] = {"GET / HTTP/1.1\r\n", "hello\n",
                                         "hello x\nstart\n", "hello x\n"};
    struct harness *h = harness_create(PG_STREAM, CHAT);
    int ana = harness_connect(h);

    (void)state;
    harness_push_text(h, ana, "hello ana\nbegin\n");
    harness_clear(h, ana);
    for (size_t i = 0; i < 4; i++) {
        int peer = harness_connect(h);

        harness_push_text(h, peer, knocks[i]);
        harness_advance(h, 10000); /* wait_s */
        assert_true(harness_is_closed(h, peer));
        assert_string_equal(harness_close_reason(h, peer),
                            i == 3 ? "no greeting in time" : "no greeting");
        assert_bytes(harness_out(h, peer), "hello\ngoodbye\n");
    }
    assert_bytes(harness_out(h, ana), "");
    harness_destroy(h);
}

static void test_greeting_has_the_last_word(void **state)
{
    static const struct {
        const char *says, *hears, *others_hear;
    } ends[] = {
        {"/quit\n", "goodbye, guest2\ngoodbye\n", "guest2 left\n"},
        {"x\n\4y\n", "goodbye\n", "guest3: x\nguest3 left\n"},
        {NULL, "goodbye\n", "guest4 left\n"},
    };
    struct harness *h = harness_create(PG_STREAM, CHAT);
    int ana = harness_connect(h);

    (void)state;
    harness_push_text(h, ana, "hello ana\nbegin\n");
    for (size_t i = 0; i < 3; i++) {
        int bob = harness_connect(h);

        harness_push_text(h, bob, "hello bob\nbegin\n");
        harness_clear(h, ana);
        harness_clear(h, bob);
        if (ends[i].says)
            harness_push_text(h, bob, ends[i].says);
        else
            harness_end(h, bob);
        harness_advance(h, 1);
        assert_true(harness_is_closed(h, bob));
        assert_bytes(harness_out(h, bob), ends[i].hears);
        assert_bytes(harness_out(h, ana), ends[i].others_hear);
    }
    harness_destroy(h);
}

/* The last line has no end, and is answered all the same. */
static void test_greeting_is_the_same_however_it_is_cut(void **state)
{
    static const char *const inputs[] = {
        "hello ana\nbegin\none\ntwo\4three\n",
        "hello ana\nbegin\n\4",
        "hello ana\nbegin\none\n",
        "hello ana\nstart\none\n",
        "he",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(inputs) / sizeof(*inputs); i++)
        harness_cut_everywhere(ECHO, pg_text(inputs[i]));
    harness_cut_everywhere(CHAT,
                           pg_text("hello ana\nbegin\n/who\nx\n/quit\ny\n"));
}

static void test_greeting_answers_an_end_inside(void **state)
{
    struct harness *h = harness_create(PG_STREAM, ECHO);
    int ana = harness_connect(h);

    (void)state;
    harness_push_text(h, ana, "hello ana\nbegin\none\ntwo\4three\n");
    harness_advance(h, 1);
    assert_bytes(harness_out(h, ana),
                 "hello\nwelcome ana\none\ntwo\ngoodbye\n");
    assert_string_equal(harness_close_reason(h, ana), "end of input");
    harness_destroy(h);
}

static void test_greeting_takes_a_stream(void **state)
{
    char *said = harness_refusal(PG_RECORDS, CHAT);

    (void)state;
    assert_non_null(strstr(said, "takes a stream, and \"harness-records\" "
                                 "makes records; put it first"));
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_greeting_nobody_joins_before_it_is_through),
        cmocka_unit_test(test_greeting_who_is_turned_away_has_not_been_there),
        cmocka_unit_test(test_greeting_has_the_last_word),
        cmocka_unit_test(test_greeting_is_the_same_however_it_is_cut),
        cmocka_unit_test(test_greeting_answers_an_end_inside),
        cmocka_unit_test(test_greeting_takes_a_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
