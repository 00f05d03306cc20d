/* A session's stages, callback by callback: open() that holds the others back,
   pg_ready(), pg_end(), bye(). The plugin `staged` does in each callback what
   it is told, and writes down what ran. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "stages.h"
#include "state/state.h"

#define CANCELED "-125"
#define TOO_LONG "-90"

static struct harness *h;

static int begin_limits(enum pg_kind kind, const char *handlers,
                        const char *limits)
{
    h = harness_create_limits(kind, chain(handlers), limits);
    journal[0] = '\0';
    return harness_connect(h);
}

static int begin(enum pg_kind kind, const char *handlers)
{
    return begin_limits(kind, handlers, "{}");
}

static void tell(int peer, const char *text)
{
    harness_push_text(h, peer, text);
}

/* ---- open() holds the others back -----------------------------------------
 */

static void test_stages_nothing_behind_a_holding_entry_runs(void **state)
{
    int peer = begin(PG_STREAM, "[" A HOLDS C "]");

    (void)state;
    ran("a.open h.open");
    tell(peer, "x");
    ran("a.recv(x) h.recv(x)");
    assert_int_equal(harness_counter(h, "h", "dropped: not ready yet"), 1);
    assert_int_equal(harness_counter(h, NULL, "unanswered"), 0);
    tell(peer, "@h forward=y timer");
    ran("a.recv(@h forward=y timer) h.told h.forward:" CANCELED);
    harness_advance(h, 10);
    ran("h.timer");
    harness_end(h, peer);
    ran("a.end h.end h.bye a.bye a.close h.close");
    assert_int_equal(harness_close_why(h, peer), PG_WHY_EOF);
    harness_destroy(h);
}

static void test_stages_nobody_behind_hears_a_broadcast(void **state)
{
    int peer = begin(PG_STREAM, "[" A HOLDS C "]"), other = harness_connect(h);

    (void)state;
    tell(other, "@h ready");
    tell(other, "@c shout=from-c;");
    assert_bytes(harness_out(h, peer), "");
    tell(other, "@h shout=from-h;");
    tell(other, "@c shout=from-c;");
    tell(other, "@a shout=from-a;");
    assert_bytes(harness_out(h, peer), "from-h;from-a;");
    tell(peer, "@h ready");
    tell(other, "@c shout=now;");
    assert_bytes(harness_out(h, peer), "from-h;from-a;now;");
    harness_destroy(h);
}

/* What is gathered when it becomes ready was said before. */
static void test_stages_who_becomes_ready_hears_what_comes_then(void **state)
{
    h = harness_create(PG_RECORDS, chain("[" HOLDS C "]"));
    int peer = harness_connect(h), other = harness_connect(h);

    (void)state;
    tell(other, "@h ready");
    harness_push_within(h, other, "@c shout=before;");
    harness_push_within(h, peer, "@h ready");
    harness_push_within(h, other, "@c shout=after;");
    harness_turn(h);

    assert_bytes(harness_out(h, peer), "after;");
    harness_destroy(h);
}

static void test_stages_ready_in_recv(void **state)
{
    int peer = begin(PG_STREAM, "[" A HOLDS C "]");

    (void)state;
    ran("a.open h.open");
    tell(peer, "@h ready forward=x");
    ran("a.recv(@h ready forward=x) h.told c.open c.recv(x)");
    tell(peer, "y");
    ran("a.recv(y) h.recv(y) c.recv(y)");
    assert_int_equal(harness_counter(h, NULL, "unanswered"), 2);
    assert_int_equal(harness_counter(h, "h", "dropped: not ready yet"), 0);
    harness_destroy(h);
}

/* The verdict on the bytes that made it ready counts as well. */
static void test_stages_ready_and_then_pass(void **state)
{
    int peer = begin(PG_STREAM, "[" HOLDS B C "]");

    (void)state;
    ran("h.open");
    tell(peer, "@h ready pass");
    ran("h.told b.open c.open b.recv(@h ready pass) c.recv(@h ready pass)");
    harness_destroy(h);
}

static void test_stages_ready_in_open(void **state)
{
    static const char *const orders[] = {"ready stop", "ready",
                                         "ready forward=x stop"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        char handlers[256];
        int peer;

        snprintf(handlers, sizeof(handlers),
                 "[" NAMED("h") ", 'open': '%s' }, " C "]", orders[i]);
        peer = begin(PG_STREAM, handlers);
        ran(i == 2 ? "h.open c.open c.recv(x)" : "h.open c.open");
        tell(peer, "y");
        ran("h.recv(y) c.recv(y)");
        harness_destroy(h);
    }
}

static void test_stages_ready_in_a_timer_without_input(void **state)
{
    int peer =
        begin(PG_STREAM, "[" NAMED("h") ", 'open': 'timer stop', 'timer':"
                                        " 'ready forward=x' }, " C "]");

    (void)state;
    ran("h.open");
    harness_advance(h, 10);
    ran("h.timer c.open c.recv(x)");
    tell(peer, "y");
    ran("h.recv(y) c.recv(y)");
    harness_destroy(h);
}

/* The peer has ended meanwhile: those who come now are told, too. */
static void test_stages_ready_after_the_end(void **state)
{
    int peer =
        begin(PG_STREAM, "[" A NAMED("h") ", 'open': 'timer stop', 'timer':"
                                          " 'ready forward=x' }, " B
                                          "{ 'plugin': 'echo' }]");

    (void)state;
    harness_end(h, peer);
    ran("a.open h.open a.end h.end");
    harness_advance(h, 20);
    ran("h.timer b.open b.recv(x) b.end b.bye h.bye a.bye a.close h.close "
        "b.close");
    assert_bytes(harness_out(h, peer), "x");
    assert_int_equal(harness_close_why(h, peer), PG_WHY_EOF);
    harness_destroy(h);
}

static void test_stages_ready_in_end(void **state)
{
    int peer = begin(PG_STREAM, "[" NAMED("h") ", 'open': 'stop', 'end':"
                                               " 'ready forward=x' }, " C "]");

    (void)state;
    harness_end(h, peer);
    ran("h.open h.end c.open c.recv(x) c.end c.bye h.bye h.close c.close");
    harness_destroy(h);
}

/* Twice, by who has not held, by who comes first or last: nothing happens. */
static void test_stages_ready_where_nobody_waits(void **state)
{
    int peer = begin(PG_STREAM, "[" A HOLDS C "]");

    (void)state;
    ran("a.open h.open");
    tell(peer, "@a ready");
    ran("a.told");
    tell(peer, "@h ready ready");
    ran("a.recv(@h ready ready) h.told c.open");
    tell(peer, "@h ready");
    tell(peer, "@a ready");
    tell(peer, "@c ready");
    ran("a.recv(@h ready) h.told a.told a.recv(@c ready) h.recv(@c ready) "
        "c.told");
    harness_destroy(h);
}

static void test_stages_several_hold_one_after_another(void **state)
{
    int peer =
        begin(PG_STREAM, "[" HOLDS NAMED("i") ", 'open': 'stop' }, " C "]");

    (void)state;
    ran("h.open");
    tell(peer, "@i ready");
    ran("h.recv(@i ready)");
    tell(peer, "@h ready forward=x");
    ran("h.told i.open i.recv(x)");
    tell(peer, "@h ready");
    ran("h.told");
    tell(peer, "@i ready forward=y");
    ran("h.recv(@i ready forward=y) i.told c.open c.recv(y)");
    harness_destroy(h);
}

/* A last entry holds nobody back. */
static void test_stages_the_last_may_hold(void **state)
{
    int peer = begin(PG_STREAM, "[" A NAMED("h") ", 'open': 'stop' }]");

    (void)state;
    tell(peer, "@h forward=x");
    tell(peer, "@h ready");
    ran("a.open h.open a.recv(@h forward=x) h.told a.recv(@h ready) h.told");
    assert_int_equal(harness_counter(h, NULL, "unanswered"), 1);
    harness_destroy(h);
}

static void
test_stages_kept_and_delayed_bytes_are_there_when_ready(void **state)
{
    int peer =
        begin(PG_STREAM, "[" NAMED("h") ", 'open': 'stop', 'recv':"
                                        " 'keep', 'timer': 'ready' }, " C "]");

    (void)state;
    tell(peer, "ab");
    tell(peer, "@h later=x ready kept");
    ran("h.open h.recv(ab) h.recv(ab@h later=x ready kept)");
    harness_destroy(h);

    peer = begin(PG_STREAM, "[" HOLDS C "]");
    tell(peer, "@h later=lost");
    harness_advance(h, 10);
    ran("h.open h.told");
    assert_int_equal(harness_counter(h, "h", "dropped: not ready yet"), 1);
    tell(peer, "@h later=x");
    tell(peer, "@h ready");
    harness_advance(h, 10);
    ran("h.told h.told c.open c.recv(x)");
    harness_destroy(h);
}

static void test_stages_kept_bytes_come_in_front_of_the_next(void **state)
{
    int peer = begin(PG_STREAM, "[" HOLDS C "]");

    (void)state;
    tell(peer, "@h timer keep");
    harness_advance(h, 10);
    ran("h.open h.told h.timer");
    tell(peer, " ready kept pass");
    ran("h.told c.open c.recv(@h timer keep ready kept pass) "
        "c.recv(@h timer keep ready kept pass)");
    harness_destroy(h);
}

static void test_stages_a_session_that_ends_while_it_holds(void **state)
{
    static const struct {
        const char *order, *ran;
        enum pg_why why;
    } ends[] = {
        {"@h close", "h.told h.bye a.bye a.close h.close", PG_WHY_HANDLER},
        {"@h close ready forward=x",
         "h.told h.forward:" CANCELED " h.bye a.bye a.close h.close",
         PG_WHY_HANDLER},
        {"@h reset", "h.told a.close h.close", PG_WHY_HANDLER},
        {"@h end", "h.told h.bye a.bye a.close h.close", PG_WHY_EOF},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        int peer = begin(PG_STREAM, "[" A HOLDS C "]");
        char wanted[256];

        tell(peer, ends[i].order);
        snprintf(wanted, sizeof(wanted), "a.open h.open a.recv(%s) %s",
                 ends[i].order, ends[i].ran);
        ran(wanted);
        assert_int_equal(harness_close_why(h, peer), ends[i].why);
        harness_destroy(h);
    }
}

static void test_stages_open_turns_away(void **state)
{
    int peer =
        begin(PG_STREAM, "[" SAYS_BYE("a") ", " NAMED(
                             "b") ", 'open': 'send=no; close' }, " C "]");

    (void)state;
    ran("a.open b.open b.bye a.bye a.close b.close");
    assert_bytes(harness_out(h, peer), "no;bye-a;");
    harness_destroy(h);
}

/* Who forwards in open() finds those ahead open. */
static void test_stages_forward_in_open(void **state)
{
    (void)begin(PG_STREAM, "[{ 'plugin': 'forwards-open' }, " B C "]");

    (void)state;
    ran("b.open c.open b.recv(first) c.recv(first)");
    harness_destroy(h);
    (void)begin(PG_STREAM, "[{ 'plugin': 'forwards-open' }, " HOLDS C "]");
    ran("h.open h.recv(first)");
    harness_destroy(h);
    (void)begin(PG_STREAM, "[" NAMED("h") ", 'open': 'forward=x' }, " C "]");
    ran("h.open h.forward:" CANCELED " c.open");
    harness_destroy(h);
}

static void test_stages_stop_without_ready_is_pass(void **state)
{
    struct capture capture = capture_begin();
    char *text;
    int peer = begin(PG_STREAM, "[{ 'plugin': 'stops-open' }, " C "]");

    (void)state;
    harness_connect(h);
    ran("c.open c.open");
    assert_bytes(harness_out(h, peer), "welcome;");
    tell(peer, "x");
    ran("c.recv(x)");
    text = capture_text(&capture);
    capture_end(&capture);
    assert_string_equal(
        text, "stops-open: open() returns PG_STOP, but nothing in it calls "
              "pg_ready(), so it is taken as PG_PASS; return PG_PASS\n");
    free(text);
    harness_destroy(h);
}

/* ---- bye() ----------------------------------------------------------------
 */

#define BYES "[" SAYS_BYE("a") ", " SAYS_BYE("b") ", " SAYS_BYE("c") "]"
#define LAST "c.bye b.bye a.bye a.close b.close c.close"

static void test_stages_bye_at_the_peers_end(void **state)
{
    int peer = begin(PG_STREAM, BYES);

    (void)state;
    harness_end(h, peer);
    ran("a.open b.open c.open a.end b.end c.end " LAST);
    assert_bytes(harness_out(h, peer), "bye-c;bye-b;bye-a;");
    harness_destroy(h);
}

static void test_stages_bye_when_a_handler_closes(void **state)
{
    int peer = begin(PG_STREAM, BYES);

    (void)state;
    tell(peer, "@a send=x; close");
    ran("a.open b.open c.open a.told " LAST);
    assert_bytes(harness_out(h, peer), "x;bye-c;bye-b;bye-a;");
    harness_destroy(h);
}

/* What goes out passes those in front, as ever. */
static void test_stages_bye_passes_the_layers_in_front(void **state)
{
    int peer = begin(PG_STREAM, "['lines', " SAYS_BYE("b") "]");

    (void)state;
    tell(peer, "@b close\n");
    assert_bytes(harness_out(h, peer), "bye-b;\n");
    harness_destroy(h);
}

static void test_stages_no_bye_at_a_reset(void **state)
{
    int peer = begin(PG_STREAM, BYES);

    (void)state;
    harness_reset(h, peer);
    ran("a.open b.open c.open a.close b.close c.close");
    harness_destroy(h);
    peer = begin(PG_STREAM, BYES);
    tell(peer, "@a reset");
    ran("a.open b.open c.open a.told a.close b.close c.close");
    assert_bytes(harness_out(h, peer), "");
    harness_destroy(h);
}

/* Who reads nothing for unread_s is reset. */
static void test_stages_no_bye_for_who_does_not_read(void **state)
{
    int peer = begin_limits(PG_STREAM, BYES, "{ \"unread_s\": 4 }");

    (void)state;
    harness_block(h, peer, true);
    tell(peer, "@a send=x");
    harness_advance(h, 20000);
    ran("a.open b.open c.open a.told a.close b.close c.close");
    assert_int_equal(harness_close_why(h, peer), PG_WHY_LIMIT);
    harness_destroy(h);
}

static void test_stages_bye_of_silent_records(void **state)
{
    int peer;

    (void)state;
    h = harness_create(PG_RECORDS, chain(BYES));
    harness_idle(h, 1000);
    journal[0] = '\0';
    peer = harness_connect(h);
    tell(peer, "x");
    harness_advance(h, 2000);
    ran("a.open b.open c.open a.recv(x) b.recv(x) c.recv(x) " LAST);
    assert_int_equal(harness_record_count(h, peer), 3);
    assert_bytes(harness_record(h, peer, 0), "bye-c;");
    harness_destroy(h);
}

/* Who goes for another's sake hears it, too. */
static void test_stages_bye_of_an_evicted_peer(void **state)
{
    int peer, other;

    (void)state;
    h = harness_create(PG_RECORDS, chain(BYES));
    harness_peers(h, 1);
    journal[0] = '\0';
    peer = harness_connect(h);
    other = harness_connect(h);
    ran("a.open b.open c.open a.open b.open c.open " LAST);
    assert_bytes(harness_out(h, peer), "bye-c;bye-b;bye-a;");
    assert_bytes(harness_out(h, other), "");
    assert_true(harness_is_gone(h, peer));
    harness_destroy(h);
}

/* Its place is another's: what it says late is not waited for. */
static void test_stages_a_late_bye_of_an_evicted_peer(void **state)
{
    static const char late[] = "[" NAMED("a") ", 'send': 'later=late stop' }, "
                                              "" SAYS_BYE("b") "]";
    int peer;

    (void)state;
    h = harness_create(PG_RECORDS, chain(late));
    harness_peers(h, 1);
    peer = harness_connect(h);
    harness_connect(h);
    assert_true(harness_is_gone(h, peer));
    harness_destroy(h);

    peer = begin(PG_STREAM, late);
    tell(peer, "@a close");
    assert_false(harness_is_closed(h, peer));
    harness_advance(h, 10);
    assert_bytes(harness_out(h, peer), "late");
    assert_true(harness_is_closed(h, peer));
    harness_destroy(h);
}

static void test_stages_bye_of_the_unfinished(void **state)
{
    int peer =
        begin_limits(PG_STREAM, "[" NAMED("a") ", 'recv': 'keep' }, " C "]",
                     "{ \"frame_bytes\": 100 }");
    char much[150];

    (void)state;
    memset(much, 'x', sizeof(much));
    ran("a.open c.open");
    harness_push(h, peer, pg_bytes(much, sizeof(much)));
    harness_push(h, peer, pg_bytes(much, sizeof(much)));
    assert_int_equal(harness_close_why(h, peer), PG_WHY_LIMIT);
    assert_non_null(strstr(journal, " c.bye a.bye a.close c.close"));
    harness_destroy(h);
}

static void test_stages_bye_is_frame_bytes_long(void **state)
{
    int peer = begin_limits(
        PG_STREAM,
        "[" A NAMED("b") ", 'bye': 'much=60 much=41 much=40 send=x' }, " NAMED(
            "c") ", 'bye': 'much=100' }]",
        "{ \"frame_bytes\": 100, \"session_queue_bytes\": 4096 }");

    (void)state;
    tell(peer, "@a close");
    ran("a.open b.open c.open a.told c.bye b.bye b.much:" TOO_LONG
        " b.send:" TOO_LONG " a.bye a.close b.close c.close");
    assert_int_equal(harness_out(h, peer).len, 200);
    assert_int_equal(
        harness_counter(h, "b",
                        "dropped: more than limits.frame_bytes in bye()"),
        2);
    harness_destroy(h);
}

/* However full its queue is. */
static void test_stages_bye_has_room(void **state)
{
    int peer = begin_limits(
        PG_STREAM,
        "[" NAMED("b") ", 'bye': 'much=4096' }, " NAMED(
            "c") ", 'bye': 'much=4096', 'recv': 'fill close' }]",
        "{ \"frame_bytes\": 4096, \"session_queue_bytes\": 10240 }");
    size_t filled;

    (void)state;
    harness_block(h, peer, true);
    tell(peer, "x");
    ran("b.open c.open b.recv(x) c.recv(x) c.fill:1 c.bye b.bye b.close "
        "c.close");
    harness_block(h, peer, false);
    filled = harness_out(h, peer).len - 8192;
    assert_in_range(filled, 5000, 10240);
    assert_int_equal(filled % 500, 0);
    harness_destroy(h);
}

/* Nothing that bye() calls begins anything anew. */
static void test_stages_in_bye_the_rest_is_over(void **state)
{
    static const char *const words[] = {
        "forward=x", "later=x", "keep",  "pause",   "resume",  "timer",
        "ready",     "end",     "close", "claim=x", "shout=x", "tell=me",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        char handlers[512], wanted[256];
        int peer;

        snprintf(handlers, sizeof(handlers),
                 "[" SAYS_BYE("a") ", " NAMED(
                     "b") ", 'open': 'claim=me',"
                          " 'bye': '%s send=b;' }, " SAYS_BYE("c") "]",
                 words[i]);
        peer = begin(PG_STREAM, handlers);
        tell(peer, "@a close");
        snprintf(wanted, sizeof(wanted),
                 "a.open b.open c.open a.told c.bye b.bye%s a.bye a.close "
                 "b.close c.close",
                 i == 0    ? " b.forward:" CANCELED
                 : i == 1  ? " b.later:" CANCELED
                 : i == 11 ? " b.tell:-2"
                           : "");
        ran(wanted);
        assert_bytes(harness_out(h, peer), "bye-c;b;bye-a;");
        harness_advance(h, 60000);
        assert_true(harness_is_gone(h, peer));
        ran("");
        harness_destroy(h);
    }
}

static void test_stages_reset_in_bye(void **state)
{
    int peer =
        begin(PG_STREAM, "[" SAYS_BYE("a") ", " NAMED(
                             "b") ", 'bye': 'reset' }, " SAYS_BYE("c") "]");

    (void)state;
    tell(peer, "@a close");
    ran("a.open b.open c.open a.told c.bye b.bye a.close b.close c.close");
    assert_true(harness_is_gone(h, peer));
    harness_destroy(h);
}

static void test_stages_bye_to_others(void **state)
{
    int peer = begin(PG_STREAM, "[" NAMED("a") ", 'bye': 'shout=gone;' }]");
    int other = harness_connect(h);

    (void)state;
    tell(peer, "@a close");
    assert_bytes(harness_out(h, other), "gone;");
    assert_bytes(harness_out(h, peer), "");
    harness_destroy(h);
}

/* ---- pg_end() --------------------------------------------------------------
 */

#define BEHIND "b.end c.end"
#define OVER   "c.bye b.bye a.bye a.close b.close c.close"
#define ANSWER "[" A B NAMED("c") ", 'end': 'send=answer;' }]"

static void test_stages_end_in_recv(void **state)
{
    int peer = begin(PG_STREAM, ANSWER);

    (void)state;
    tell(peer, "@a forward=x end forward=y later=z");
    ran("a.open b.open c.open a.told b.recv(x) c.recv(x) " BEHIND
        " a.forward:" CANCELED " a.later:" CANCELED " " OVER);
    assert_bytes(harness_out(h, peer), "answer;");
    assert_int_equal(harness_close_why(h, peer), PG_WHY_EOF);
    harness_destroy(h);
}

/* As does what came with it: the layers in front hand nothing on any more. */
static void test_stages_end_before_the_rest_of_the_input(void **state)
{
    int peer = begin(PG_STREAM, "['lines', " A B C "]");

    (void)state;
    tell(peer, "x\n@a end pass\ny\n");
    ran("a.open b.open c.open a.recv(x) b.recv(x) c.recv(x) a.told " BEHIND
        " " OVER);
    harness_destroy(h);
}

/* Nor does the verdict on the bytes, not even to who has just been opened. */
static void test_stages_end_and_then_pass(void **state)
{
    int peer = begin(PG_STREAM, "[" A B C "]");

    (void)state;
    tell(peer, "@a end pass");
    ran("a.open b.open c.open a.told " BEHIND " " OVER);
    harness_destroy(h);

    peer = begin(PG_STREAM, "[" HOLDS C "]");
    tell(peer, "@h ready end pass");
    ran("h.open h.told c.open c.end c.bye h.bye h.close c.close");
    harness_destroy(h);
}

static void test_stages_end_wherever_it_is_called(void **state)
{
    static const struct {
        const char *options, *order, *ran;
    } ends[] = {
        {"'open': 'end'", "", "a.open b.open c.open " BEHIND},
        {"'open': 'ready end stop'", "", "a.open b.open c.open " BEHIND},
        {"'open': 'stop end ready'", "", "a.open b.open c.open " BEHIND},
        {"'timer': 'end'", "@a timer",
         "a.open b.open c.open a.told a.timer " BEHIND},
        {"'room': 'end'", "@a fill",
         "a.open b.open c.open a.told a.fill:1 a.room " BEHIND},
        {"'send': 'end'", "@b send=x later=y forward=y",
         "a.open b.open c.open a.recv(@b send=x later=y forward=y) b.told "
         "a.send(x) c.recv(y) b.end c.recv(y) c.end"},
        {"'end': 'end end'", "", "a.open b.open c.open a.end " BEHIND},
        {"'open': 'end end'", "", "a.open b.open c.open " BEHIND},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        char handlers[512], wanted[512];
        int peer;

        snprintf(handlers, sizeof(handlers), "[" NAMED("a") ", %s }, " B C "]",
                 ends[i].options);
        peer = begin(PG_STREAM, handlers);
        harness_block(h, peer, true); /* or there is always room */
        if (ends[i].order[0])
            tell(peer, ends[i].order);
        harness_block(h, peer, false);
        if (strstr(ends[i].options, "'end':"))
            harness_end(h, peer);
        harness_advance(h, 100);
        snprintf(wanted, sizeof(wanted), "%s %s", ends[i].ran, OVER);
        print_message("%s\n", ends[i].options);
        ran(wanted);
        assert_int_equal(harness_close_why(h, peer), PG_WHY_EOF);
        harness_destroy(h);
    }
}

static void test_stages_end_while_it_holds(void **state)
{
    int peer =
        begin(PG_STREAM, "[" A NAMED("h") ", 'open': 'timer end stop', 'timer':"
                                          " 'ready' }, " C "]");

    (void)state;
    tell(peer, "x");
    ran("a.open h.open");
    harness_advance(h, 10);
    ran("h.timer c.open c.end c.bye h.bye a.bye a.close h.close c.close");
    harness_destroy(h);

    (void)begin(PG_STREAM, "[" NAMED("h") ", 'open': 'end stop' }, " C "]");
    harness_advance(h, 1);
    ran("h.open h.bye h.close");
    harness_destroy(h);
}

/* An entry behind is done with what it has first, paused, held or delayed. */
static void test_stages_end_waits_for_those_behind(void **state)
{
    int peer = begin(PG_STREAM, "[" A "{ 'plugin': 'stepwise' }, " C "]");

    (void)state;
    tell(peer, "@a forward=xyz end");
    ran("a.open c.open a.told c.recv(x) a.forward:1");
    harness_advance(h, 1000);
    ran("c.recv(y) c.recv(z) a.room c.end c.bye a.bye a.close c.close");
    harness_destroy(h);

    peer = begin(PG_STREAM,
                 "[" A "{ 'plugin': 'impair', 'delay_ms': 50 }, " C "]");
    tell(peer, "@a forward=x end");
    ran("a.open c.open a.told");
    harness_advance(h, 1000);
    ran("c.recv(x) c.end c.bye a.bye a.close c.close");
    harness_destroy(h);
}

static void test_stages_end_of_what_is_on_its_way(void **state)
{
    int peer = begin(PG_STREAM, "[" A B C "]");

    (void)state;
    tell(peer, "@a later=front");
    tell(peer, "@b later=own end");
    harness_advance(h, 100);
    ran("a.open b.open c.open a.told a.recv(@b later=own end) b.told "
        "c.recv(own) c.end c.bye b.bye a.bye a.close b.close c.close");
    assert_int_equal(
        harness_counter(h, "a", "dropped: session over before its delay"), 1);
    harness_destroy(h);
}

static void test_stages_end_while_paused(void **state)
{
    int peer =
        begin(PG_STREAM, "[" NAMED("a") ", 'timer': 'resume' }, " B C "]");

    (void)state;
    tell(peer, "@a pause timer end");
    ran("a.open b.open c.open a.told");
    harness_advance(h, 10);
    ran("a.timer " BEHIND " " OVER);
    harness_destroy(h);
}

static void test_stages_end_of_records(void **state)
{
    int peer = begin(PG_RECORDS, ANSWER);

    (void)state;
    harness_push_within(h, peer, "@a end");
    harness_push_within(h, peer, "late");
    harness_turn(h);
    harness_advance(h, 1);
    ran("a.open b.open c.open a.told " BEHIND " " OVER);
    assert_bytes(harness_out(h, peer), "answer;");
    assert_int_equal(harness_counter(h, NULL, "dropped: session is over"), 1);
    assert_true(harness_is_gone(h, peer));
    harness_destroy(h);
}

/* The answers are sent first, however slowly they are read. */
static void test_stages_end_sends_what_is_answered(void **state)
{
    int peer = begin(PG_STREAM, ANSWER);

    (void)state;
    harness_block(h, peer, true);
    tell(peer, "@a end");
    harness_advance(h, 1000);
    ran("a.open b.open c.open a.told " BEHIND);
    harness_block(h, peer, false);
    harness_advance(h, 1);
    ran(OVER);
    assert_bytes(harness_out(h, peer), "answer;");
    harness_destroy(h);
}

/* As after any goodbye, its peer has linger_ms to say its own. */
static void test_stages_end_and_then_the_peers(void **state)
{
    int peer = begin(PG_STREAM, ANSWER);

    (void)state;
    tell(peer, "@a end");
    assert_true(harness_is_closed(h, peer));
    assert_false(harness_is_gone(h, peer));
    tell(peer, "more");
    assert_false(harness_is_gone(h, peer));
    harness_end(h, peer);
    assert_true(harness_is_gone(h, peer));
    harness_destroy(h);
}

/* Delayed bytes that wait behind held ones go with their session. */
static void test_stages_nothing_is_left_of_what_was_held_up(void **state)
{
    int peer = begin(PG_STREAM, "[" A B C "]");

    (void)state;
    harness_block(h, peer, true);
    tell(peer, "@a later=z");
    tell(peer, "@b fill keep");
    harness_advance(h, 20);
    harness_reset(h, peer);
    harness_block(h, peer, false); /* what is sent now fails */
    harness_advance(h, 20);
    assert_int_equal(core->live_count, 0);
    assert_int_equal(core->arena.header->kept, 0);
    assert_int_equal(
        harness_counter(h, "a", "dropped: session over before its delay"), 1);
    harness_destroy(h);
}

/* ---- strangers -------------------------------------------------------------
 */

static void test_stages_known_once(void **state)
{
    (void)state;
    h = harness_create_forged(
        chain("[" A NAMED("h") ", 'open': 'stop', 'known': 'ready' }, " C "]"),
        "{}");
    journal[0] = '\0';
    harness_datagram(h, 0, "x");
    harness_turn(h);
    ran("a.open h.open a.recv(x) h.recv(x)");
    harness_datagram(h, 0, "y");
    harness_turn(h);
    ran("a.known h.known c.open a.recv(y) h.recv(y) c.recv(y)");
    harness_destroy(h);

    h = harness_create_forged(chain("[" A HOLDS C "]"), "{}");
    journal[0] = '\0';
    harness_datagram(h, 0, "@h ready");
    harness_turn(h);
    ran("a.open h.open a.recv(@h ready) h.told c.open");
    harness_datagram(h, 0, "y");
    harness_turn(h);
    ran("a.known h.known c.known a.recv(y) h.recv(y) c.recv(y)");
    harness_destroy(h);
}

/* ---- what may be called where ----------------------------------------------
 */

static void test_stages_keep_is_for_recv_and_end(void **state)
{
    static const char *const stages[] = {"open", "known", "send", "timer",
                                         "room", "bye",   "close"};

    (void)state;
    for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++) {
        char handlers[256];
        int peer;

        snprintf(handlers, sizeof(handlers),
                 "[" NAMED("a") ", 'recv': 'keep', '%s': 'keep%s' }, " C "]",
                 stages[i], !strcmp(stages[i], "send") ? " pass" : "");
        peer = begin(PG_STREAM, handlers);
        tell(peer, "x");
        harness_advance(h, 20);
        tell(peer, "y");
        assert_non_null(strstr(journal, "a.recv(x) a.recv(xy)"));
        harness_destroy(h);
    }
}

/* After close() there is nobody to send to, in whatever callback. */
static void test_stages_in_close_nothing_is_sent(void **state)
{
    int peer =
        begin(PG_STREAM, "[" NAMED("a") ", 'close': 'send=x forward=x later=x"
                                        " timer ready end' }, " C "]");

    (void)state;
    tell(peer, "@a close");
    ran("a.open c.open a.told c.bye a.bye a.close a.send:" CANCELED
        " a.forward:" CANCELED " a.later:" CANCELED " c.close");
    harness_advance(h, 60000);
    ran("");
    assert_true(harness_is_gone(h, peer));
    harness_destroy(h);
}

/* pg_claims() goes through a copy. */
static void test_stages_claims_may_be_changed_meanwhile(void **state)
{
    int one = begin(PG_STREAM, "[" NAMED("a") " }]"), two = harness_connect(h);

    (void)state;
    tell(one, "@a claim=one");
    tell(two, "@a claim=two");
    journal[0] = '\0';
    tell(two, "@a who");
    ran("a.told a.tell:-2");
    assert_bytes(harness_out(h, one), "hi;");
    assert_bytes(harness_out(h, two), "");
    tell(one, "@a tell=renamed");
    assert_bytes(harness_out(h, two), "hi;");
    harness_destroy(h);
}

static void test_stages_who_called(void **state)
{
    int peer = begin(PG_STREAM, "[" NAMED("a") " }]");

    (void)state;
    tell(peer, "@a client");
    core->config->listeners[0]->is_to_connect = true;
    tell(peer, "@a client");
    ran("a.open a.told a.server a.told a.client");
    harness_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stages_nothing_behind_a_holding_entry_runs),
        cmocka_unit_test(test_stages_nobody_behind_hears_a_broadcast),
        cmocka_unit_test(test_stages_who_becomes_ready_hears_what_comes_then),
        cmocka_unit_test(test_stages_ready_in_recv),
        cmocka_unit_test(test_stages_ready_and_then_pass),
        cmocka_unit_test(test_stages_ready_in_open),
        cmocka_unit_test(test_stages_ready_in_a_timer_without_input),
        cmocka_unit_test(test_stages_ready_after_the_end),
        cmocka_unit_test(test_stages_ready_in_end),
        cmocka_unit_test(test_stages_ready_where_nobody_waits),
        cmocka_unit_test(test_stages_several_hold_one_after_another),
        cmocka_unit_test(test_stages_the_last_may_hold),
        cmocka_unit_test(
            test_stages_kept_and_delayed_bytes_are_there_when_ready),
        cmocka_unit_test(test_stages_kept_bytes_come_in_front_of_the_next),
        cmocka_unit_test(test_stages_a_session_that_ends_while_it_holds),
        cmocka_unit_test(test_stages_open_turns_away),
        cmocka_unit_test(test_stages_forward_in_open),
        cmocka_unit_test(test_stages_stop_without_ready_is_pass),
        cmocka_unit_test(test_stages_bye_at_the_peers_end),
        cmocka_unit_test(test_stages_bye_when_a_handler_closes),
        cmocka_unit_test(test_stages_bye_passes_the_layers_in_front),
        cmocka_unit_test(test_stages_no_bye_at_a_reset),
        cmocka_unit_test(test_stages_no_bye_for_who_does_not_read),
        cmocka_unit_test(test_stages_bye_of_silent_records),
        cmocka_unit_test(test_stages_bye_of_an_evicted_peer),
        cmocka_unit_test(test_stages_a_late_bye_of_an_evicted_peer),
        cmocka_unit_test(test_stages_bye_of_the_unfinished),
        cmocka_unit_test(test_stages_bye_is_frame_bytes_long),
        cmocka_unit_test(test_stages_bye_has_room),
        cmocka_unit_test(test_stages_in_bye_the_rest_is_over),
        cmocka_unit_test(test_stages_reset_in_bye),
        cmocka_unit_test(test_stages_bye_to_others),
        cmocka_unit_test(test_stages_end_in_recv),
        cmocka_unit_test(test_stages_end_before_the_rest_of_the_input),
        cmocka_unit_test(test_stages_end_and_then_pass),
        cmocka_unit_test(test_stages_end_wherever_it_is_called),
        cmocka_unit_test(test_stages_end_while_it_holds),
        cmocka_unit_test(test_stages_end_waits_for_those_behind),
        cmocka_unit_test(test_stages_end_of_what_is_on_its_way),
        cmocka_unit_test(test_stages_end_while_paused),
        cmocka_unit_test(test_stages_end_of_records),
        cmocka_unit_test(test_stages_end_sends_what_is_answered),
        cmocka_unit_test(test_stages_end_and_then_the_peers),
        cmocka_unit_test(test_stages_nothing_is_left_of_what_was_held_up),
        cmocka_unit_test(test_stages_known_once),
        cmocka_unit_test(test_stages_keep_is_for_recv_and_end),
        cmocka_unit_test(test_stages_in_close_nothing_is_sent),
        cmocka_unit_test(test_stages_claims_may_be_changed_meanwhile),
        cmocka_unit_test(test_stages_who_called),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
