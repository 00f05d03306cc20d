/* The parts of unix.c that cannot be seen from outside; the rest is in
   e2e/test_unix.py. */
#include "transport/unix.c"

#include <time.h>

#include "state/slot.h"
#include "transport_fixture.h"

/* A session made by hand, with the transport's data right behind it. */
static struct {
    struct pg_session session;
    struct unix_session data;
} made;

static struct unix_options options;
static struct listener_run run;
static struct config made_config;
static struct pg_listener listener, *listeners[] = {&listener};
static struct core made_core;

static struct pg_session *session_of(const char *type)
{
    memset(&made, 0, sizeof(made));
    options = (struct unix_options){.type = type, .path = "x", .mode = "600"};
    run = (struct listener_run){
        .data_at = (uint32_t)((char *)&made.data - (char *)&made)};
    made_config = (struct config){
        .listeners = listeners, .listener_count = 1, .folder = (char *)"."};
    listener = (struct pg_listener){.transport = &pg_transport,
                                    .options = &options,
                                    .config = &made_config,
                                    .run = &run};
    made_core.config = &made_config;
    core = &made_core;
    return &made.session;
}

static void make_pair(int type, int ends[2])
{
    assert_int_equal(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ends), 0);
}

static void test_a_record_an_empty_one_and_the_end_are_told_apart(void **state)
{
    struct pg_session *session = session_of("seqpacket");
    static char buffer[1000], bytes[2000];
    unsigned seed = (unsigned)time(NULL);
    int ends[2], lengths[40];

    (void)state;
    make_pair(SOCK_SEQPACKET, ends);
    srand(seed);
    for (int i = 0; i < 40; i++) {
        lengths[i] = rand() % 3 ? rand() % 1200 : 0;
        assert_int_equal(send(ends[1], bytes, (size_t)lengths[i], 0),
                         lengths[i]);
    }
    unix_mark_records(&listener, ends[0]); /* they were sent before */
    shutdown(ends[1], SHUT_WR);
    for (int i = 0; i < 40; i++) {
        ssize_t got = unix_recv(session, ends[0], buffer, sizeof(buffer));

        if (got != (lengths[i] > 1000 ? -EMSGSIZE : lengths[i]))
            fail_msg("%d: %zd of %d, seed %u", i, got, lengths[i], seed);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(unix_recv(session, ends[0], buffer, 1000), -ESHUTDOWN);
    close(ends[0]);
    close(ends[1]);
}

static void test_a_stream_ends_with_nothing(void **state)
{
    struct pg_session *session = session_of("stream");
    char buffer[10];
    int ends[2];

    (void)state;
    make_pair(SOCK_STREAM, ends);
    unix_mark_records(&listener, ends[0]);
    assert_int_equal(unix_recv(session, ends[0], buffer, 10), -EAGAIN);
    assert_int_equal(send(ends[1], "abc", 3, 0), 3);
    unix_finish(session, ends[1]);
    assert_int_equal(unix_recv(session, ends[0], buffer, 2), 2);
    assert_int_equal(unix_recv(session, ends[0], buffer, 2), 1);
    assert_int_equal(unix_recv(session, ends[0], buffer, 2), 0);
    close(ends[0]);
    close(ends[1]);
}

static void say(struct pg_session *session, int fd, size_t len)
{
    static char bytes[5000];
    const struct iovec part = {bytes, len};

    assert_int_equal(unix_send(session, fd, &part, 1), len);
}

static struct pg_look look_at(struct pg_session *session, int fd)
{
    struct pg_look look = {0};

    unix_look(session, fd, &look);
    return look;
}

/* Whatever we say meanwhile, only a peer that reads counts as one that does. */
static void test_what_is_taken_grows_only_when_the_peer_reads(void **state)
{
    static const char *const types[] = {"stream", "seqpacket"};
    unsigned seed = (unsigned)time(NULL);
    char buffer[5000];

    (void)state;
    srand(seed);
    for (int at = 0; at < 2; at++) {
        struct pg_session *session = session_of(types[at]);
        struct pg_look first, look;
        int ends[2];

        make_pair(at ? SOCK_SEQPACKET : SOCK_STREAM, ends);
        assert_false(look_at(session, ends[0]).is_waiting);
        say(session, ends[0], 100);
        first = look_at(session, ends[0]);
        assert_true(first.is_waiting);
        for (int i = 0; i < 30; i++) {
            say(session, ends[0], (size_t)(1 + rand() % 2000));
            look = look_at(session, ends[0]);
            if (look.taken != first.taken || !look.is_waiting)
                fail_msg("%s: taken unread, seed %u", types[at], seed);
        }
        assert_true(recv(ends[1], buffer, sizeof(buffer), 0) > 0);
        look = look_at(session, ends[0]);
        assert_true(look.taken != first.taken && look.is_waiting);
        while (recv(ends[1], buffer, sizeof(buffer), 0) > 0)
            ;
        assert_false(look_at(session, ends[0]).is_waiting);
        assert_false(made.data.is_counting); /* who reads costs nothing */
        close(ends[0]);
        close(ends[1]);
    }
}

static void test_a_peer_in_words(void **state)
{
    char expected[32], text[128];
    int ends[2];

    (void)state;
    session_of("stream");
    make_pair(SOCK_STREAM, ends);
    unix_address(&listener, &made.session, ends[0], text, sizeof(text));
    assert_string_equal(text, "x"); /* we have called: where to */
    unix_meet(ends[0], &made.data);
    unix_address(&listener, &made.session, ends[0], text, sizeof(text));
    snprintf(expected, sizeof(expected), "pid %d, ", getpid());
    assert_memory_equal(text, expected, strlen(expected));
    assert_non_null(strstr(text, ", test_unix"));
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_an_empty_one_and_the_end_are_told_apart),
        cmocka_unit_test(test_a_stream_ends_with_nothing),
        cmocka_unit_test(test_what_is_taken_grows_only_when_the_peer_reads),
        cmocka_unit_test(test_a_peer_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
