/* What a handler can know besides the bytes: files that its options name, lists
   of texts, the time, its worker, the address a peer came to. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "capture.h"

static char folder[] = "/tmp/test_knows.XXXXXX";

/* ---- helpers ---------------------------------------------------------- */

static int go_there(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tidy_up(void **state)
{
    static const char *const names[] = {"bytes",  "long", "closed", "pipe",
                                        "socket", "link", "empty"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        unlink(names[i]);
    return rmdir(folder);
}

static void write_file(const char *path, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

/* What the handler `knows` with these options answers, to be freed. */
static char *answer(const char *options, const char *question, size_t *len)
{
    char *handlers = must_printf("[{\"plugin\": \"knows\"%s}]", options);
    struct harness *h = harness_create(PG_RECORDS, handlers);
    int peer = harness_connect(h);
    struct pg_bytes out;
    char *copy;

    harness_push_text(h, peer, question);
    assert_int_equal(harness_record_count(h, peer), 1);
    out = harness_record(h, peer, 0);
    copy = must_calloc(out.len + 1, 1);
    if (out.len)
        memcpy(copy, out.data, out.len);
    if (len)
        *len = out.len;
    harness_destroy(h);
    free(handlers);
    return copy;
}

static void assert_answer(const char *options, const char *question,
                          const char *wanted)
{
    char *text = answer(options, question, NULL);

    assert_string_equal(text, wanted);
    free(text);
}

/* In init(): check() has found nothing. */
static void assert_refused_in_init(const char *options, const char *wanted)
{
    char *handlers = must_printf("[{\"plugin\": \"knows\"%s}]", options);
    struct capture capture = capture_begin();
    struct harness *h = harness_try(PG_RECORDS, handlers, "{}");
    char *said = capture_text(&capture);

    capture_end(&capture);
    assert_null(h);
    if (!strstr(said, wanted))
        fail_msg("%s: \"%s\" does not say \"%s\"", options, said, wanted);
    free(said);
    free(handlers);
}

static void assert_refused(const char *options, const char *wanted)
{
    char *handlers = must_printf("[{\"plugin\": \"knows\"%s}]", options);
    char *said = harness_refusal(PG_RECORDS, handlers);

    if (!strstr(said, wanted))
        fail_msg("%s: \"%s\" does not say \"%s\"", options, said, wanted);
    free(said);
    free(handlers);
}

/* ---- files ------------------------------------------------------------ */

static void test_knows_the_bytes_of_a_file(void **state)
{
    static const uint8_t bytes[] = {'a', 0, 0xff, '\n', 0};
    size_t len;
    char *text;

    (void)state;
    write_file("bytes", bytes, sizeof(bytes));
    text = answer(", \"file\": \"bytes\"", "file", &len);
    assert_int_equal(len, sizeof(bytes));
    assert_memory_equal(text, bytes, len);
    free(text);

    write_file("bytes", "", 0);
    text = answer(", \"file\": \"bytes\", \"most\": 0", "file", &len);
    assert_int_equal(len, 0);
    free(text);
}

/* Sizes around those of a first read, and each on both sides of `most`. */
static void test_knows_files_of_all_sizes(void **state)
{
    unsigned seed = (unsigned)time(NULL);

    (void)state;
    for (int i = 0; i < 40; i++) {
        size_t len = (size_t)rand_r(&seed) % (i % 2 ? 10 : 20000), got;
        char *bytes = must_calloc(len + 1, 1), options[80], *text;

        for (size_t at = 0; at < len; at++)
            bytes[at] = (char)rand_r(&seed);
        write_file("bytes", bytes, len);
        snprintf(options, sizeof(options),
                 ", \"file\": \"bytes\", \"most\": %zu",
                 len + (size_t)rand_r(&seed) % 2);
        text = answer(options, "file", &got);
        if (got != len || memcmp(text, bytes, len) != 0)
            fail_msg("%zu bytes became %zu others; seed %u", len, got, seed);
        free(text);
        free(bytes);
        if (len == 0)
            continue;
        snprintf(options, sizeof(options),
                 ", \"file\": \"bytes\", \"most\": %zu", len - 1);
        assert_refused(options, "bytes; shorten it");
    }
}

/* Such as /proc/version: its size is 0, and there are bytes all the same. */
static void test_knows_a_file_that_hides_its_size(void **state)
{
    size_t len;
    char *text =
        answer(", \"file\": \"/proc/version\", \"most\": 100000", "file", &len);

    (void)state;
    assert_true(len > 0);
    free(text);
    assert_refused(", \"file\": \"/proc/version\", \"most\": 5",
                   "/proc/version has more than 5 bytes; shorten it");
}

/* Whatever it does while it is read, it gives bytes that it had, and no more
   than `most`. */
static void test_knows_a_file_that_changes(void **state)
{
    static char bytes[100000];
    int fd;
    pid_t pid;

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    write_file("bytes", bytes, sizeof(bytes));
    fd = open("bytes", O_WRONLY | O_CLOEXEC);
    pid = fork();
    assert_true(fd >= 0 && pid >= 0);
    for (unsigned i = 0; pid == 0; i++) /* until it is killed */
        if (pwrite(fd, bytes, sizeof(bytes), 0) < 0 ||
            ftruncate(fd, i * 7919 % sizeof(bytes)))
            _exit(1);
    for (int i = 0; i < 200; i++) {
        size_t len;
        char *text =
            answer(", \"file\": \"bytes\", \"most\": 100000", "file", &len);

        assert_int_equal(strspn(text, "x"), len);
        assert_in_range(len, 0, sizeof(bytes));
        free(text);
    }
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(fd);
}

/* What init() asks for is what check() was given, but its own `most` counts. */
static void test_knows_one_file_in_check_and_init(void **state)
{
    (void)state;
    write_file("bytes", "12345", 5);
    assert_answer(", \"file\": \"bytes\", \"init_most\": 5", "file", "12345");
    assert_refused_in_init(", \"file\": \"bytes\", \"init_most\": 4",
                           "bytes has more than 4 bytes; shorten it");
    assert_answer(", \"file\": \"bytes\", \"most\": 1000000000000000000",
                  "file", "12345");
}

static void make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

/* None of them may be waited for. */
static void test_knows_what_is_no_file(void **state)
{
    (void)state;
    assert_int_equal(mkfifo("pipe", 0600), 0);
    make_socket("socket");
    assert_int_equal(symlink("nowhere", "link"), 0);
    assert_refused(", \"file\": \"missing\"",
                   "cannot read missing: No such file or directory; ");
    assert_refused(", \"file\": \"no/file\"", "there is no folder");
    assert_refused(", \"file\": \"link\"", "it is a link to");
    assert_refused(", \"file\": \".\"",
                   ". is a folder, not a regular file; name one");
    assert_refused(", \"file\": \"pipe\"",
                   "pipe is a pipe, not a regular file; name one");
    assert_refused(", \"file\": \"socket\"",
                   "socket is a socket, not a regular file; name one");
    assert_refused(", \"file\": \"/dev/zero\"",
                   "/dev/zero is a device, not a regular file; name one");
    assert_refused(", \"file\": \"\"",
                   "\"file\" names no file; write \"file\": \"FILE\"");
}

static void test_knows_a_key_that_names_no_file(void **state)
{
    (void)state;
    assert_refused(", \"count\": \"most\"",
                   "pg_read_file() is given \"most\", which is no PG_STRING");
    assert_refused(", \"count\": \"words\"", "which is no PG_STRING");
    assert_refused(", \"count\": \"nothing\"", "which is no PG_STRING");
    assert_refused(", \"count\": \"file\"", "\"file\" names no file");
}

/* ---- lists ------------------------------------------------------------ */

static void test_knows_lists_of_texts(void **state)
{
    (void)state;
    assert_answer("", "words", "(um)(dois)");
    assert_answer(", \"words\": [\"a b\", \"\", \"\xc3\xa1\"]", "words",
                  "(a b)()(\xc3\xa1)");
}

/* Wrong texts each have a place of their own. */
static void test_knows_what_is_wrong_with_a_list(void **state)
{
    (void)state;
    assert_refused(", \"words\": \"a\"",
                   "\"words\" is \"a\", not a list of texts; write \"words\": "
                   "[\"...\"]");
    assert_refused(", \"words\": \"[1]\"", "not a list of texts; delete the "
                                           "quotes");
    assert_refused(", \"words\": null", "delete the key to take the default");
    assert_refused(", \"words\": []", "\"words\" has 0 texts; give 1 to 4");
    assert_refused(", \"words\": [\"\", \"\", \"\", \"\", \"\"]",
                   "\"words\" has 5 texts; give 1 to 4");
    assert_refused(", \"words\": [\"a\", 2, null]",
                   "\"words[1]\" is 2, not a text in quotes; put quotes");
    assert_refused(", \"words\": [\"a\", 2, null]",
                   "\"words[2]\" is null, not a text in quotes; write \"...\"");
    assert_refused(", \"words\": [[]]", "\"words[0]\" is a list, not a text");
}

/* ---- the rest --------------------------------------------------------- */

static void test_knows_its_worker(void **state)
{
    (void)state;
    assert_answer("", "worker", "0 of 1");
}

static void test_knows_where_a_peer_came_to(void **state)
{
    (void)state;
    assert_answer("", "local",
                  "harness-records harness from harness-records peer 0");
}

static void test_knows_the_time_of_a_simulation(void **state)
{
    struct harness *h = harness_create(PG_RECORDS, "[\"knows\"]");
    int peer = harness_connect(h);

    (void)state;
    harness_push_text(h, peer, "wall");
    harness_advance(h, 86400000);
    harness_push_text(h, peer, "wall");
    assert_bytes(harness_record(h, peer, 0), "946684800000");
    assert_bytes(harness_record(h, peer, 1), "946771200000");
    harness_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_knows_the_bytes_of_a_file),
        cmocka_unit_test(test_knows_files_of_all_sizes),
        cmocka_unit_test(test_knows_a_file_that_hides_its_size),
        cmocka_unit_test(test_knows_a_file_that_changes),
        cmocka_unit_test(test_knows_one_file_in_check_and_init),
        cmocka_unit_test(test_knows_what_is_no_file),
        cmocka_unit_test(test_knows_a_key_that_names_no_file),
        cmocka_unit_test(test_knows_lists_of_texts),
        cmocka_unit_test(test_knows_what_is_wrong_with_a_list),
        cmocka_unit_test(test_knows_its_worker),
        cmocka_unit_test(test_knows_where_a_peer_came_to),
        cmocka_unit_test(test_knows_the_time_of_a_simulation),
    };

    return cmocka_run_group_tests(tests, go_there, tidy_up);
}
