/*
 * Memory runs out: each allocation of loading a config, making a core and
 * serving a few peers fails, one after the other.
 *
 * The linker puts the functions below between the core and the C library (see
 * CMakeLists.txt). Each try is a process of its own, because out of memory
 * while a config is read ends the program; the sanitizer's build also looks
 * for what is left behind at its end.
 */

#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/core.h"
#include "state/counter.h"

#define MOST 5000 /* more allocations than there are */

/* With sanitizers a fork costs ten times as much: one allocation in four,
   other ones in each run, is enough there. */
#ifdef __SANITIZE_ADDRESS__
#define STEP 4
#else
#define STEP 1
#endif

enum outcome {
    SERVED = 0,   /* all went as if nothing had happened */
    ENDED = 1,    /* the program ended with a message */
    REFUSED = 10, /* the chain was refused with a message */
    TURNED_AWAY,  /* a peer was, for a reason that is counted */
    NOT_REACHED,  /* there are fewer allocations than that */
};

static int fail_at = -1, allocations;

static bool fails(void)
{
    if (fail_at < 0 || harness_own || allocations++ != fail_at)
        return false;
    errno = ENOMEM;
    return true;
}

/* ---- in the place of the C library's ---------------------------------- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
char *__real_strdup(const char *text);
int __real_vasprintf(char **text, const char *format, va_list arguments);
void *__real_mmap(void *at, size_t size, int access, int flags, int fd,
                  off_t offset);
int __real_memfd_create(const char *name, unsigned flags);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_vasprintf(char **text, const char *format, va_list arguments);
void *__wrap_mmap(void *at, size_t size, int access, int flags, int fd,
                  off_t offset);
int __wrap_memfd_create(const char *name, unsigned flags);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(memory, count, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

int __wrap_vasprintf(char **text, const char *format, va_list arguments)
{
    return fails() ? -1 : __real_vasprintf(text, format, arguments);
}

void *__wrap_mmap(void *at, size_t size, int access, int flags, int fd,
                  off_t offset)
{
    return fails() ? MAP_FAILED
                   : __real_mmap(at, size, access, flags, fd, offset);
}

int __wrap_memfd_create(const char *name, unsigned flags)
{
    return fails() ? -1 : __real_memfd_create(name, flags);
}

/* ---- one try ---------------------------------------------------------- */

/* Two members of a room on each transport talk, wait, and leave. */
static void serve(struct harness *h)
{
    int ana = harness_connect_by(h, PG_STREAM);
    int bob = harness_connect_by(h, PG_RECORDS);

    harness_push_text(h, ana, "half a li");
    harness_push_text(h, bob, "hello\n/who\n/rooms\n");
    harness_push_text(h, ana, "ne\n/nick ana\n/join garden\n");
    harness_push_text(h, bob, "who\njoin a\nmine\ntell a hi\n/join garden\n");
    harness_advance(h, 1000);
    harness_end(h, ana);
    harness_advance(h, 400000);
}

static uint64_t refused(struct harness *h)
{
    return harness_counter(h, NULL, "refused: no memory") +
           counter_value(COUNTER_LISTENER | 1, "refused: no memory") +
           harness_counter(h, "probe", "no memory to list the keys") +
           harness_counter(h, "probe", "no memory to list the groups") +
           harness_counter(h, "chat-broadcast", "no memory to list the groups");
}

/* What comes after is served as ever. */
static void check_served(struct harness *h)
{
    int ana = harness_connect_by(h, PG_STREAM);
    int bob = harness_connect_by(h, PG_RECORDS);

    harness_push_text(h, bob, "/who\n");
    assert_bytes(harness_out(h, ana), "you are guest1, alone in main; /who "
                                      "/nick /join /rooms /quit\n"
                                      "guest2 joined\n");
    assert_bytes(harness_out(h, bob),
                 "you are guest2, in main with guest1; /who /nick /join /rooms "
                 "/quit\nhere are guest1, guest2\n");
}

#define CHAIN                                                                  \
    "[{ \"plugin\": \"lines\", \"max_bytes\": 100, \"// why\": [1, null] },"   \
    " { \"plugin\": \"knows\", \"words\": [\"a\", \"b\"],"                     \
    "   \"most\": 1000000, \"file\": \"" FIXTURES "/plugins/knows.c\" },"      \
    " \"probe\", { \"plugin\": \"chat-broadcast\", \"slow\": \"drop\","        \
    " \"rooms\": true }]"

static enum outcome attempt(void)
{
    struct harness *h = harness_try(PG_ANY, CHAIN, "{ \"max_sessions\": 10 }");
    enum outcome outcome;

    if (h)
        serve(h);
    if (allocations <= fail_at)
        return NOT_REACHED;
    fail_at = -1;
    if (!h)
        return REFUSED;
    outcome = refused(h) ? TURNED_AWAY : SERVED;
    harness_forget(h);
    check_served(h);
    harness_destroy(h);
    return outcome;
}

static int run_attempt(int number, FILE *said)
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(fileno(said), STDERR_FILENO);
        fail_at = number;
        exit((int)attempt());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status))
        fail_msg("allocation %d: signal %d", number, WTERMSIG(status));
    return WEXITSTATUS(status);
}

/* ---- all -------------------------------------------------------------- */

static void check_said(int number, int outcome, FILE *said)
{
    char text[4096];
    size_t len;

    fseek(said, 0, SEEK_SET);
    len = fread(text, 1, sizeof(text) - 1, said);
    text[len] = '\0';
    switch (outcome) {
    case SERVED:
    case TURNED_AWAY:
        if (len > 0)
            fail_msg("allocation %d: served, but says %s", number, text);
        break;
    case ENDED:
    case REFUSED:
        if (!strcasestr(text, "memory"))
            fail_msg("allocation %d: does not say why: %s", number, text);
        break;
    default:
        fail_msg("allocation %d: status %d: %s", number, outcome, text);
    }
}

static void test_chaos_no_allocation_is_taken_for_granted(void **state)
{
    int step = getenv("PLAYGROUND_LONG") ? 1 : STEP;
    int count[NOT_REACHED + 1] = {0}, number = (int)(time(NULL) % step);

    (void)state;
    for (int outcome; number < MOST; number += step) {
        FILE *said = tmpfile();

        assert_non_null(said);
        outcome = run_attempt(number, said);
        if (outcome != NOT_REACHED)
            check_said(number, outcome, said);
        fclose(said);
        if (outcome == NOT_REACHED)
            break;
        count[outcome]++;
    }
    print_message("%d allocations: %d end the program, %d are refused, %d turn "
                  "a peer away, %d do not matter\n",
                  number, count[ENDED], count[REFUSED], count[TURNED_AWAY],
                  count[SERVED]);
    assert_in_range(number, 100, MOST - 1);
    assert_true(count[ENDED] && count[REFUSED] && count[TURNED_AWAY]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chaos_no_allocation_is_taken_for_granted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
