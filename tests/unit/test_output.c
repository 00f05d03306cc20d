/* output: lines reach the file whole and in order, never block the caller,
   and what had to be left out is announced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/output.h"
#include "base/text.h"

#define LONG_MS 60000 /* never reached when all is well */

struct folder {
    char path[64], file[96];
};

static int setup(void **state)
{
    struct folder *folder = calloc(1, sizeof(*folder));

    strcpy(folder->path, "/tmp/test_output.XXXXXX");
    if (!mkdtemp(folder->path))
        return -1;
    snprintf(folder->file, sizeof(folder->file), "%s/out", folder->path);
    *state = folder;
    return 0;
}

static int teardown(void **state)
{
    struct folder *folder = *state;

    unlink(folder->file);
    rmdir(folder->path);
    free(folder);
    return 0;
}

static void read_all(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

/* ---- escaping --------------------------------------------------------- */

static void assert_escaped(const char *in, size_t len, const char *expected)
{
    char out[256];
    size_t used;
    size_t written =
        text_show(out, sizeof(out), pg_bytes(in, len), PG_UTF8_LINE, &used);

    assert_string_equal(out, expected);
    assert_int_equal(written, strlen(expected));
    assert_int_equal(used, len);
}

static void test_output_escapes_what_drives_a_terminal(void **state)
{
    (void)state;
    assert_escaped("a\nb\tc\\d\r", 8, "a\\nb\\tc\\\\d\\r");
    assert_escaped("\x1b[2J\x7f", 5, "\\x1b[2J\\x7f");
    assert_escaped("\0x", 2, "\\x00x");
    assert_escaped("ol\xc3\xa1 \xe2\x82\xac \xf0\x9f\x98\x80", 13,
                   "ol\xc3\xa1 \xe2\x82\xac \xf0\x9f\x98\x80");
    assert_escaped("\xc2\x9b", 2, "\\u009b"); /* C1: CSI in one character */
}

static void test_output_escapes_what_is_no_utf8(void **state)
{
    (void)state;
    assert_escaped("\xff\xfe", 2, "\\xff\\xfe");
    assert_escaped("\xc0\xaf", 2, "\\xc0\\xaf");          /* overlong */
    assert_escaped("\xed\xa0\x80", 3, "\\xed\\xa0\\x80"); /* surrogate */
    assert_escaped("\xf4\x90\x80\x80", 4,
                   "\\xf4\\x90\\x80\\x80");      /* > 10FFFF */
    assert_escaped("\xe2\x82", 2, "\\xe2\\x82"); /* cut off */
    assert_escaped("\x80", 1, "\\x80");
}

static void test_output_escape_stops_between_characters(void **state)
{
    char out[6];
    size_t used;

    (void)state;
    /* The escape of the second byte would need four more places. */
    assert_int_equal(text_show(out, sizeof(out), pg_bytes("\x01\x02", 2),
                               PG_UTF8_LINE, &used),
                     4);
    assert_string_equal(out, "\\x01");
    assert_int_equal(used, 1);

    assert_int_equal(
        text_show(out, 4, pg_text("ab\xe2\x82\xac"), PG_UTF8_LINE, &used), 2);
    assert_int_equal(used, 2);

    assert_int_equal(text_show(out, 1, pg_text("a"), PG_UTF8_LINE, &used), 0);
    assert_int_equal(used, 0);
    assert_string_equal(out, "");
}

/* ---- files ------------------------------------------------------------ */

static void test_output_appends_lines_in_order(void **state)
{
    struct folder *folder = *state;
    struct pg_file *file = output_open(folder->file);
    static char text[65536], expected[65536];
    size_t len = 0;

    assert_non_null(file);
    for (int i = 0; i < 2000; i++) {
        output_line(file, "line %d\n", i);
        len += (size_t)sprintf(expected + len, "line %d\n", i);
    }
    output_close(file, LONG_MS);
    read_all(folder->file, text, sizeof(text));

    assert_string_equal(text, expected);
}

static void test_output_opens_to_append_with_mode_0640(void **state)
{
    struct folder *folder = *state;
    mode_t before = umask(0);
    struct pg_file *file = output_open(folder->file);
    struct stat status;
    char text[64];

    umask(before);
    output_line(file, "first");
    output_close(file, LONG_MS);
    file = output_open(folder->file);
    output_line(file, "second");
    output_close(file, LONG_MS);
    read_all(folder->file, text, sizeof(text));

    assert_string_equal(text, "first\nsecond\n");
    assert_int_equal(stat(folder->file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void test_output_refuses_what_it_cannot_open(void **state)
{
    struct folder *folder = *state;

    assert_null(output_open("/nowhere/at/all"));
    assert_int_equal(errno, ENOENT);
    assert_null(output_open(folder->path));
    assert_int_equal(errno, EISDIR);
}

static void test_output_line_escapes_and_keeps_one_line(void **state)
{
    struct folder *folder = *state;
    struct pg_file *file = output_open(folder->file);
    char text[128];

    output_line(file, "%s", "a\nb\x1b\n");
    output_line(file, "%s", "");
    output_close(file, LONG_MS);
    read_all(folder->file, text, sizeof(text));

    assert_string_equal(text, "a\\nb\\x1b\n\n");
}

static void test_output_line_cuts_after_4_kib(void **state)
{
    struct folder *folder = *state;
    struct pg_file *file = output_open(folder->file);
    static char wide[6000], text[20000];

    memset(wide, 'x', sizeof(wide) - 1);
    output_line(file, "%.4096s", wide);
    output_line(file, "%.4097s", wide);
    memset(wide, 1, sizeof(wide) - 1); /* each becomes four */
    output_line(file, "%.1024s", wide);
    output_line(file, "%.1025s", wide);
    output_close(file, LONG_MS);
    read_all(folder->file, text, sizeof(text));

    char *second = strchr(text, '\n') + 1, *third = strchr(second, '\n') + 1,
         *fourth = strchr(third, '\n') + 1;

    assert_int_equal(second - text, 4096 + 1);
    assert_int_equal(third - second, 4096 + 3 + 1);
    assert_memory_equal(third - 4, "...\n", 4);
    assert_int_equal(fourth - third, 4096 + 1);
    assert_int_equal(strlen(fourth), 4096 + 3 + 1);
    assert_memory_equal(fourth + 4096, "...\n", 4);
}

static void test_output_closes_only_the_owners_files(void **state)
{
    struct folder *folder = *state;
    struct pg_file *mine = output_open(folder->file);
    struct pg_file *other = output_open(folder->file);
    char text[64];
    int me;

    output_set_owner(mine, &me);
    output_write(mine, pg_text("mine\n"));
    output_close_owned(&me, LONG_MS);
    output_close_owned(&me, LONG_MS);
    output_write(other, pg_text("other\n"));
    output_close(other, LONG_MS);
    output_close(NULL, LONG_MS);
    read_all(folder->file, text, sizeof(text));

    assert_string_equal(text, "mine\nother\n");
}

/* ---- a reader that does not read -------------------------------------- */

/* The read end of a pipe whose write end is an output. */
static struct pg_file *open_pipe(const struct folder *folder, int *reader)
{
    struct pg_file *file;

    assert_int_equal(mkfifo(folder->file, 0600), 0);
    *reader = open(folder->file, O_RDONLY | O_NONBLOCK);
    assert_true(*reader >= 0);
    file = output_open(folder->file);
    assert_non_null(file);
    return file;
}

/* Writes numbered lines until one is lost; returns how many, with that one. */
static unsigned overflow(struct pg_file *file, const char *format)
{
    char line[256];
    unsigned count = 0;
    int result = 0;

    while (result == 0) {
        snprintf(line, sizeof(line), format, count);
        result = output_write(file, pg_text(line));
        count++;
        assert_true(count < 1000000);
    }
    assert_int_equal(result, -EAGAIN);
    return count;
}

static char *read_until(int reader, const char *last)
{
    size_t size = 1 << 20, len = 0;
    char *text = malloc(size);
    struct pollfd readable = {.fd = reader, .events = POLLIN};

    for (;;) {
        assert_true(len < size - 1);
        assert_int_equal(poll(&readable, 1, LONG_MS), 1);
        ssize_t got = read(reader, text + len, size - 1 - len);

        assert_true(got > 0);
        len += (size_t)got;
        text[len] = '\0';
        if (strstr(text, last))
            return text;
    }
}

static void test_output_announces_what_was_lost(void **state)
{
    struct folder *folder = *state;
    int reader;
    struct pg_file *file = open_pipe(folder, &reader);
    unsigned sent = overflow(file, "line %u of those that matter\n");
    unsigned shown = 0, lost = 0, announced = 0;
    char *text = read_until(reader, "or gone)\n");

    /* Every line is either there, in order, or announced. */
    for (char *line = text; *line; line = strchr(line, '\n') + 1) {
        unsigned number;

        if (sscanf(line, "(%u lines lost here", &number) == 1) {
            announced++;
            lost += number;
        } else {
            assert_int_equal(sscanf(line, "line %u of", &number), 1);
            assert_int_equal(number, shown + lost);
            shown++;
        }
    }
    assert_int_equal(announced, 1);
    assert_int_equal(shown + lost, sent);
    assert_true(shown >= OUTPUT_RING_BYTES / sizeof("line 12345 of those that "
                                                    "matter"));
    /* From here on lines are taken again. */
    assert_int_equal(output_write(file, pg_text("after\n")), 0);
    free(text);
    text = read_until(reader, "after\n");
    assert_string_equal(text, "after\n");
    free(text);
    output_close(file, LONG_MS);
    close(reader);
}

static void test_output_announces_in_json_among_json(void **state)
{
    struct folder *folder = *state;
    int reader;
    struct pg_file *file = open_pipe(folder, &reader);
    char *text;

    overflow(file, "{\"number\":%u,\"text\":\"of those that matter\"}\n");
    text = read_until(reader, "lost_lines\":1}\n");

    assert_non_null(strstr(text, "\n{\"lost_lines\":1}\n"));
    free(text);
    output_close(file, LONG_MS);
    close(reader);
}

static void test_output_close_does_not_wait_for_a_stuck_reader(void **state)
{
    struct folder *folder = *state;
    int reader;
    struct pg_file *file = open_pipe(folder, &reader);

    uint64_t before = output_finish(LONG_MS);
    const uint64_t some = OUTPUT_RING_BYTES / 2 / sizeof("line 1234");

    overflow(file, "line %u\n");
    assert_true(output_finish(1) > before + some);
    output_close(file, 1);

    /* The lines are still missing when the file is gone. */
    assert_true(output_finish(LONG_MS) > before + some);
    close(reader);
}

static void test_output_one_stuck_output_does_not_hold_up_another(void **state)
{
    struct folder *folder = *state;
    int reader;
    struct pg_file *stuck = open_pipe(folder, &reader);
    char path[128], text[16];
    struct pg_file *file;

    overflow(stuck, "line %u\n");
    snprintf(path, sizeof(path), "%s/other", folder->path);
    file = output_open(path);
    output_write(file, pg_text("through\n"));
    output_close(file, LONG_MS);
    read_all(path, text, sizeof(text));
    unlink(path);

    assert_string_equal(text, "through\n");
    output_close(stuck, 1);
    close(reader);
}

struct lost {
    const char *wanted;
    uint64_t lines;
};

static void note_lost(const char *name, const void *owner, uint64_t lines,
                      void *arg)
{
    struct lost *lost = arg;

    assert_null(owner);
    if (!strcmp(name, lost->wanted))
        lost->lines = lines;
}

static uint64_t lost_of(const char *wanted)
{
    struct lost lost = {wanted, 0};

    output_each_lost(note_lost, &lost);
    return lost.lines;
}

static void test_output_comes_back_when_its_reader_does(void **state)
{
    struct folder *folder = *state;
    int reader;
    struct pg_file *file = open_pipe(folder, &reader);
    uint64_t before = output_finish(LONG_MS);
    char *text;

    close(reader);
    output_write(file, pg_text("nobody reads this\n"));
    assert_int_equal(output_finish(LONG_MS), before + 1);
    output_write(file, pg_text("nor this\n"));
    assert_int_equal(output_finish(LONG_MS), before + 2);
    assert_int_equal(lost_of(folder->file), 2);

    reader = open(folder->file, O_RDONLY | O_NONBLOCK);
    output_write(file, pg_text("but this\n"));
    assert_int_equal(output_finish(LONG_MS), before);
    text = read_until(reader, "this\n");
    assert_string_equal(text,
                        "(2 lines lost here: the output was full or gone)\n"
                        "but this\n");
    /* Told, but lost they are. */
    assert_int_equal(lost_of(folder->file), 2);
    free(text);
    output_close(file, LONG_MS);
    close(reader);
}

static void test_output_may_begin_before_its_reader(void **state)
{
    struct folder *folder = *state;
    uint64_t before = output_finish(LONG_MS);
    struct pg_file *file;
    int reader;
    char *text;

    assert_int_equal(mkfifo(folder->file, 0600), 0);
    file = output_open(folder->file);
    assert_non_null(file);
    output_write(file, pg_text("nobody reads this\n"));
    assert_int_equal(output_finish(LONG_MS), before + 1);
    reader = open(folder->file, O_RDONLY | O_NONBLOCK);
    output_write(file, pg_text("but this\n"));
    text = read_until(reader, "but this\n");
    assert_non_null(strstr(text, "(1 lines lost"));
    free(text);
    output_close(file, LONG_MS);
    close(reader);
}

static void test_output_counts_what_a_reader_missed_again(void **state)
{
    struct folder *folder = *state;
    int reader;
    struct pg_file *file = open_pipe(folder, &reader);
    uint64_t before = output_finish(LONG_MS);

    close(reader);
    for (unsigned i = 0; i < 100; i++) {
        output_write(file, pg_text("nobody reads this\n"));
        if (i % 3 == 0)
            output_finish(LONG_MS);
    }
    assert_int_equal(output_finish(LONG_MS), before + 100);
    assert_int_equal(lost_of(folder->file), 100);
    output_close(file, LONG_MS);
}

static void test_output_a_full_disk_costs_lines_only(void **state)
{
    struct pg_file *file = output_open("/dev/full");
    uint64_t before = output_finish(LONG_MS);
    unsigned sent;

    (void)state;
    assert_non_null(file);
    sent = overflow(file, "line %u\n");
    assert_int_equal(output_finish(1), before + sent);
    output_close(file, 1);
}

/* ---- files that are moved --------------------------------------------- */

static void assert_text(const char *path, const char *expected)
{
    char text[256];

    read_all(path, text, sizeof(text));
    assert_string_equal(text, expected);
}

static void test_output_begins_anew_what_was_moved(void **state)
{
    struct folder *folder = *state;
    struct pg_file *file = output_open(folder->file);
    char old[128];

    snprintf(old, sizeof(old), "%s.1", folder->file);
    output_line(file, "before");
    output_finish(LONG_MS);
    assert_int_equal(rename(folder->file, old), 0);
    output_line(file, "after");
    output_finish(LONG_MS);
    assert_text(old, "before\n");
    assert_text(folder->file, "after\n");

    unlink(folder->file);
    output_line(file, "again");
    output_close(file, LONG_MS);
    assert_text(folder->file, "again\n");
    unlink(old);
}

/* Where none can be made in its place the old one goes on; when that is gone,
   too, lines are lost, and counted. */
static void test_output_loses_no_line_where_none_can_be_made(void **state)
{
    struct folder *folder = *state;
    struct pg_file *file = output_open(folder->file);
    char old[128];
    uint64_t before = output_finish(LONG_MS);

    snprintf(old, sizeof(old), "%s.1", folder->file);
    output_line(file, "before");
    output_finish(LONG_MS);
    rename(folder->file, old);
    mkdir(folder->file, 0700);
    output_line(file, "after");
    output_finish(LONG_MS);
    assert_text(old, "before\nafter\n");

    unlink(old);
    output_line(file, "lost");
    assert_int_equal(output_finish(LONG_MS), before + 1);
    rmdir(folder->file);
    output_line(file, "again");
    output_close(file, LONG_MS);
    assert_text(folder->file,
                "(1 lines lost here: the output was full or gone)\nagain\n");
}

/* ---- threads ---------------------------------------------------------- */

static unsigned threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    unsigned count = 0;

    assert_non_null(tasks);
    for (struct dirent *entry; (entry = readdir(tasks));)
        count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

static void test_output_has_one_thread_for_all_files(void **state)
{
    struct folder *folder = *state;
    struct pg_file *files[40];
    unsigned before;

    output_line(output_stderr(), "The writer runs.");
    before = threads();
    for (unsigned i = 0; i < 40; i++) {
        files[i] = output_open(folder->file);
        output_line(files[i], "line %u", i);
    }
    assert_int_equal(output_finish(LONG_MS), output_finish(LONG_MS));
    assert_true(threads() <= before + 1); /* who watches the writer */
    for (unsigned i = 0; i < 40; i++)
        output_close(files[i], LONG_MS);
}

/* A line that does not fit into a pipe which may block: write(2) does not come
   back. */
static void say_into_a_small_pipe(const char *path, int writer)
{
    static char line[8192];
    struct pg_file *file;

    dup2(writer, STDERR_FILENO);
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    file = output_open(path);
    output_write(output_stderr(), pg_bytes(line, sizeof(line)));
    for (unsigned i = 0; i < 10; i++)
        output_line(file, "line %u", i);
    output_close(file, LONG_MS);
    output_line(output_stderr(), "still stuck");
    _exit(output_finish(1) == 2 ? 0 : 1);
}

static void test_output_a_write_that_hangs_holds_up_no_other(void **state)
{
    struct folder *folder = *state;
    int ends[2], status = 0;
    char text[256];
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
    child = fork();
    if (child == 0)
        say_into_a_small_pipe(folder->file, ends[1]);
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    read_all(folder->file, text, sizeof(text));
    assert_non_null(strstr(text, "line 0\n"));
    assert_non_null(strstr(text, "line 9\n"));
    close(ends[0]);
}

/* ---- stderr and processes --------------------------------------------- */

static void say_and_exit(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int status = 0;
    pid_t child;

    dup2(fd, STDERR_FILENO);
    output_line(output_stderr(), "parent");
    if (output_finish(LONG_MS) != 0)
        _exit(1);
    child = fork();
    if (child == 0) {
        output_line(output_stderr(), "child");
        _exit(output_finish(LONG_MS) != 0);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        _exit(2);
    output_line(output_stderr(), "parent again");
    output_close(output_stderr(), LONG_MS);
    output_line(output_stderr(), "never closed");
    _exit(output_finish(LONG_MS) != 0);
}

static void test_output_stderr_works_on_both_sides_of_fork(void **state)
{
    struct folder *folder = *state;
    char text[128];
    int status;
    pid_t child = fork();

    if (child == 0)
        say_and_exit(folder->file);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    read_all(folder->file, text, sizeof(text));

    assert_string_equal(text, "parent\nchild\nparent again\nnever closed\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_output_escapes_what_drives_a_terminal),
        TEST(test_output_escapes_what_is_no_utf8),
        TEST(test_output_escape_stops_between_characters),
        TEST(test_output_appends_lines_in_order),
        TEST(test_output_opens_to_append_with_mode_0640),
        TEST(test_output_refuses_what_it_cannot_open),
        TEST(test_output_line_escapes_and_keeps_one_line),
        TEST(test_output_line_cuts_after_4_kib),
        TEST(test_output_closes_only_the_owners_files),
        TEST(test_output_announces_what_was_lost),
        TEST(test_output_announces_in_json_among_json),
        TEST(test_output_close_does_not_wait_for_a_stuck_reader),
        TEST(test_output_one_stuck_output_does_not_hold_up_another),
        TEST(test_output_comes_back_when_its_reader_does),
        TEST(test_output_may_begin_before_its_reader),
        TEST(test_output_counts_what_a_reader_missed_again),
        TEST(test_output_a_full_disk_costs_lines_only),
        TEST(test_output_begins_anew_what_was_moved),
        TEST(test_output_loses_no_line_where_none_can_be_made),
        TEST(test_output_has_one_thread_for_all_files),
        TEST(test_output_a_write_that_hangs_holds_up_no_other),
        TEST(test_output_stderr_works_on_both_sides_of_fork),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
