/* A plugin crashes in one of the callbacks about a session's stages, and
   another process goes on with the arena: what was begun is not begun again,
   and who was not reached is not reached.

   The process that crashes becomes the other one, by exec in its handler of
   SIGABRT, because a descriptor of the arena is all that is left of it. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/turn.h"
#include "stages.h"
#include "state/slot.h"

static const struct crash_case {
    const char *handlers;
    const char *words; /* said first, then the peer ends if `ends` */
    bool ends;
    bool goes_on; /* the session is open still, and `word` is said */
    const char *word;
    const char *ran; /* by the other process */
    const char *heard;
    enum pg_why why;
} cases[] = {
    /* open() of who comes behind: nobody knows how far it came. */
    {"[" NAMED("a") ", 'bye': 'send=x' }, " HOLDS NAMED(
         "c") ", 'open': 'crash' }]",
     "@h ready", false, false, "", "a.close h.close c.close", "", PG_WHY_CRASH},
    /* It holds as before. */
    {"[" A HOLDS C "]", "@h crash", false, true, "@h ready forward=x",
     "a.recv(@h ready forward=x) h.told c.open c.recv(x)", "", 0},
    {"[" A NAMED("h") ", 'open': 'stop timer', 'timer': 'crash' }, " C "]", "x",
     false, true, "@h ready", "a.recv(@h ready) h.told c.open", "", 0},
    /* Those in front of it have not said goodbye, and do not. */
    {"[" SAYS_BYE("a") ", " NAMED("b") ", 'bye': 'crash' }, " SAYS_BYE("c") "]",
     "@a close", false, false, "", "a.close b.close c.close", "bye-c;",
     PG_WHY_HANDLER},
    /* Who has seen the end does not see it again. */
    {"[" SAYS_BYE("a") ", " NAMED("b") ", 'end': 'crash' }, " SAYS_BYE("c") "]",
     "x", true, false, "", "c.end c.bye b.bye a.bye a.close b.close c.close",
     "bye-c;bye-a;", PG_WHY_EOF},
    {"[" SAYS_BYE("a") ", " NAMED("b") ", 'end': 'crash' }, " SAYS_BYE("c") "]",
     "@a end", false, false, "",
     "c.end c.bye b.bye a.bye a.close b.close c.close", "bye-c;bye-a;",
     PG_WHY_EOF},
};

#define CASES (sizeof(cases) / sizeof(*cases))

/* ---- the process that crashes ----------------------------------------------
 */

static int arena_fd;
static char arena_text[16], case_text[16];

static void become_another(int number)
{
    sigset_t none;

    (void)number;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    fcntl(arena_fd, F_SETFD, 0);
    execl("/proc/self/exe", "test_stages_crash", arena_text, case_text,
          (char *)NULL);
    _exit(127);
}

static void crash(size_t number)
{
    const struct crash_case *it = &cases[number];
    struct harness *h = harness_create(PG_STREAM, chain(it->handlers));
    int peer;

    arena_fd = harness_arena_fd(h);
    snprintf(arena_text, sizeof(arena_text), "%d", arena_fd);
    snprintf(case_text, sizeof(case_text), "%zu", number);
    signal(SIGABRT, become_another);
    peer = harness_connect(h);
    harness_push_text(h, peer, it->words);
    if (it->ends)
        harness_end(h, peer);
    harness_advance(h, 1000);
    _exit(126); /* nobody has crashed */
}

static void test_stages_crash(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0)
            crash(i);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            fail_msg("case %zu: status %x", i, (unsigned)status);
    }
}

/* ---- the other one ---------------------------------------------------------
 */

static void test_stages_go_on(void **state)
{
    const struct crash_case *it = *(void **)*state;
    struct harness *h =
        harness_attach(PG_STREAM, chain(it->handlers), arena_fd, 1);

    turn_end();
    harness_advance(h, 100);
    assert_int_equal(harness_is_closed(h, 0), !it->goes_on);
    if (it->goes_on)
        harness_push_text(h, 0, it->word);
    else
        assert_int_equal(harness_close_why(h, 0), it->why);
    ran(it->ran);
    assert_bytes(harness_out(h, 0), it->heard);
    harness_destroy(h);
}

int main(int argc, char **argv)
{
    static void *state;
    const struct CMUnitTest first[] = {
        cmocka_unit_test(test_stages_crash),
    };
    const struct CMUnitTest second[] = {
        cmocka_unit_test_prestate(test_stages_go_on, &state),
    };

    if (argc != 3)
        return cmocka_run_group_tests(first, NULL, NULL);
    arena_fd = atoi(argv[1]);
    state = (void *)(uintptr_t)&cases[atoi(argv[2]) % (int)CASES];
    return cmocka_run_group_tests(second, NULL, NULL);
}
