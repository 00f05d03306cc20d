#include "wire/link/namespaces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* What is said on a machine with this setting. */
static const char *explained(enum namespaces_step step, int error_number,
                             const char *name, const char *value)
{
    static char error[512];
    char folder[] = "/tmp/playground-settings-XXXXXX", path[256];
    FILE *file;

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/user", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/kernel", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(value, file);
    fclose(file);

    namespaces_explain(step, error_number, folder, error, sizeof(error));

    unlink(path);
    snprintf(path, sizeof(path), "%s/user", folder);
    rmdir(path);
    snprintf(path, sizeof(path), "%s/kernel", folder);
    rmdir(path);
    rmdir(folder);
    return error;
}

static void test_namespaces_names_the_setting(void **state)
{
    (void)state;
    assert_string_equal(
        explained(NAMESPACES_MAP, EPERM,
                  "kernel/apparmor_restrict_unprivileged_userns", "1\n"),
        "a user namespace cannot be set up: the setting "
        "kernel.apparmor_restrict_unprivileged_userns is 1; an administrator "
        "allows it with `sysctl -w "
        "kernel.apparmor_restrict_unprivileged_userns=0`, or run this as root");
    assert_string_equal(
        explained(NAMESPACES_USER, EPERM, "kernel/unprivileged_userns_clone",
                  "0\n"),
        "a user namespace cannot be made: the setting "
        "kernel.unprivileged_userns_clone is 0; an administrator allows it "
        "with `sysctl -w kernel.unprivileged_userns_clone=1`, or run this as "
        "root");
    assert_string_equal(
        explained(NAMESPACES_USER, ENOSPC, "user/max_user_namespaces", "0\n"),
        "a user namespace cannot be made: the setting "
        "user.max_user_namespaces is 0; an administrator allows it with "
        "`sysctl -w user.max_user_namespaces=10000`, or run this as root");
    assert_string_equal(
        explained(NAMESPACES_NETWORK, ENOSPC, "user/max_net_namespaces", "0\n"),
        "a network namespace cannot be made: the setting "
        "user.max_net_namespaces is 0; an administrator allows it with "
        "`sysctl -w user.max_net_namespaces=10000`, or run this as root");
}

/* A setting that allows it, or that has nothing to do with the error. */
static void test_namespaces_blames_no_innocent_setting(void **state)
{
    (void)state;
    assert_string_equal(
        explained(NAMESPACES_USER, EPERM, "kernel/unprivileged_userns_clone",
                  "1\n"),
        "a user namespace cannot be made: Operation not permitted; a "
        "container or a sandbox forbids it: run it as root, outside, or start "
        "the container with the right (Docker: --privileged)");
    assert_string_equal(
        explained(NAMESPACES_DEVICE, EOPNOTSUPP,
                  "kernel/apparmor_restrict_unprivileged_userns", "1\n"),
        "a network device cannot be made: Operation not supported; this "
        "kernel was built without them; take another one");
    assert_string_equal(
        explained(NAMESPACES_USER, ENOSPC, "user/max_user_namespaces",
                  "96365\n"),
        "a user namespace cannot be made: No space left on device; there are "
        "too many namespaces already, or too many within each other; leave "
        "some");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_namespaces_names_the_setting),
        cmocka_unit_test(test_namespaces_blames_no_innocent_setting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
