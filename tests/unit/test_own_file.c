#include "base/own_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <playground/transport.h>

static char folder[64];

static int enter_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/playground-XXXXXX");
    return mkdtemp(folder) ? chdir(folder) : -1;
}

static int leave_folder(void **state)
{
    (void)state;
    return chdir("/") || rmdir(folder);
}

static int make(const char *path)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

static void test_what_another_process_reads_is_removed(void **state)
{
    static const char *const paths[] = {"a", "with space", "line\nend 1 2 3",
                                        "./5 6 7 x\n"};
    char text[1000] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        close(make(paths[i]));
        assert_int_equal(own_file_add(paths[i]), 0);
    }
    own_file_write(out);
    fclose(out);
    own_file_read(""); /* as another process begins */
    own_file_remove_all();
    assert_int_equal(access("a", F_OK), 0);
    own_file_read(text);
    own_file_remove_all();
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        assert_int_equal(access(paths[i], F_OK), -1);
}

static void test_what_somebody_else_has_put_there_stays(void **state)
{
    int fd = make("a"); /* in use, so that no other has its number */

    (void)state;
    assert_int_equal(own_file_add("a"), 0);
    assert_int_equal(own_file_add("missing"), -ENOENT);
    assert_int_equal(unlink("a"), 0);
    close(make("a"));
    own_file_remove_all();
    assert_int_equal(unlink("a"), 0);
    close(fd);
}

static void test_a_folder_is_locked_until_it_is_closed(void **state)
{
    int mine = open(".", O_RDONLY | O_CLOEXEC), fd = pg_lock_folder("a");

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(flock(mine, LOCK_EX | LOCK_NB), -1);
    close(fd);
    assert_int_equal(flock(mine, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(pg_lock_folder("./a"), -EWOULDBLOCK);
    assert_int_equal(pg_lock_folder("missing/a"), -ENOENT);
    close(mine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_another_process_reads_is_removed),
        cmocka_unit_test(test_what_somebody_else_has_put_there_stays),
        cmocka_unit_test(test_a_folder_is_locked_until_it_is_closed),
    };

    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
