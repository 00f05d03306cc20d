/* Namespaces: entering them, and saying why one cannot. */
#include "wire/link/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/remedy.h"

#define SETTINGS "/proc/sys"

/* ---- why not ---------------------------------------------------------- */

struct hindrance {
    const char *setting; /* below /proc/sys */
    int value;           /* with which it is in the way */
    int error_number;    /* and what then happens; 0: EPERM or EACCES */
    const char *remedy;
};

static const struct hindrance hindrances[] = {
    {"user/max_user_namespaces", 0, ENOSPC, "user.max_user_namespaces=10000"},
    {"user/max_net_namespaces", 0, ENOSPC, "user.max_net_namespaces=10000"},
    {"kernel/unprivileged_userns_clone", 0, 0,
     "kernel.unprivileged_userns_clone=1"},
    {"kernel/apparmor_restrict_unprivileged_userns", 1, 0,
     "kernel.apparmor_restrict_unprivileged_userns=0"},
};

static int namespaces_setting(const char *folder, const char *name)
{
    char path[512];
    int value = -1;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "re");
    if (!file)
        return -1;
    if (fscanf(file, "%d", &value) != 1)
        value = -1;
    fclose(file);
    return value;
}

static bool namespaces_is_hindrance(const struct hindrance *hindrance,
                                    int error_number, const char *settings)
{
    bool is_error = hindrance->error_number
                        ? error_number == hindrance->error_number
                        : error_number == EPERM || error_number == EACCES;

    return is_error &&
           namespaces_setting(settings, hindrance->setting) == hindrance->value;
}

static bool namespaces_lacks_proc(struct remedy_case *met)
{
    (void)met;
    return access("/proc/self/ns", F_OK) != 0;
}

#define FORBIDDEN                                                              \
    "a container or a sandbox forbids it: run it as root, outside, or start "  \
    "the container with the right (Docker: --privileged)"
#define NOT_BUILT "this kernel was built without them; take another one"

static const struct remedy namespaces_remedies[] = {
    {ENOENT, namespaces_lacks_proc,
     "/proc is not mounted: run mount -t proc proc /proc", NULL},
    {EPERM, NULL, FORBIDDEN, NULL},
    {EACCES, NULL, FORBIDDEN, NULL},
    {ENOSPC, NULL,
     "there are too many namespaces already, or too many within each other; "
     "leave some",
     NULL},
    {EINVAL, NULL, NOT_BUILT, NULL},
    {ENOSYS, NULL, NOT_BUILT, NULL},
    {EOPNOTSUPP, NULL, NOT_BUILT, NULL},
    {0},
};

void namespaces_remedy(int error_number, const char *usual, char *text,
                       size_t size)
{
    struct remedy_case met = {.error = error_number};
    const struct remedy *found = remedy_find(namespaces_remedies, &met);

    if (found)
        remedy_fill(found, &met, text, size);
    else
        snprintf(text, size, "%s", usual);
}

void namespaces_explain(enum namespaces_step step, int error_number,
                        const char *settings, char *error, size_t size)
{
    static const char *const what[] = {
        [NAMESPACES_USER] = "a user namespace cannot be made",
        [NAMESPACES_MAP] = "a user namespace cannot be set up",
        [NAMESPACES_NETWORK] = "a network namespace cannot be made",
        [NAMESPACES_DEVICE] = "a network device cannot be made",
    };
    const struct hindrance *hindrance = NULL;
    char advice[REMEDY_BYTES];

    namespaces_remedy(error_number,
                      "try again as root to see whether it is a missing right",
                      advice, sizeof(advice));
    for (size_t i = 0; i < sizeof(hindrances) / sizeof(*hindrances); i++)
        if (!hindrance &&
            namespaces_is_hindrance(&hindrances[i], error_number, settings))
            hindrance = &hindrances[i];
    if (hindrance)
        snprintf(error, size,
                 "%s: the setting %.*s.%s is %d; an administrator allows it "
                 "with `sysctl -w %s`, or run this as root",
                 what[step], (int)strcspn(hindrance->setting, "/"),
                 hindrance->setting, strchr(hindrance->setting, '/') + 1,
                 hindrance->value, hindrance->remedy);
    else
        snprintf(error, size, "%s: %s; %s", what[step], strerror(error_number),
                 advice);
}

/* ---- making them ------------------------------------------------------ */

static int namespaces_write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, text, strlen(text)) < 0)
        error = -errno;
    close(fd);
    return error;
}

/* The user stays who they are: nothing they own changes hands. */
static int namespaces_map_ids(unsigned uid, unsigned gid)
{
    char uid_map[64], gid_map[64];
    int error;

    snprintf(uid_map, sizeof(uid_map), "%u %u 1\n", uid, uid);
    snprintf(gid_map, sizeof(gid_map), "%u %u 1\n", gid, gid);
    error = namespaces_write_file("/proc/self/uid_map", uid_map);
    if (error == 0)
        error = namespaces_write_file("/proc/self/setgroups", "deny");
    if (error == 0)
        error = namespaces_write_file("/proc/self/gid_map", gid_map);
    return error;
}

bool namespaces_enter(char *error, size_t size)
{
    unsigned uid = geteuid(), gid = getegid();
    int result;

    if (unshare(CLONE_NEWNET) == 0)
        return true;
    if (errno == EPERM) {
        if (unshare(CLONE_NEWUSER) < 0) {
            namespaces_explain(NAMESPACES_USER, errno, SETTINGS, error, size);
            return false;
        }
        result = namespaces_map_ids(uid, gid);
        if (result < 0) {
            namespaces_explain(NAMESPACES_MAP, -result, SETTINGS, error, size);
            return false;
        }
        if (unshare(CLONE_NEWNET) == 0)
            return true;
    }
    namespaces_explain(NAMESPACES_NETWORK, errno, SETTINGS, error, size);
    return false;
}

int namespaces_current(void)
{
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int namespaces_add(void)
{
    return unshare(CLONE_NEWNET) < 0 ? -errno : namespaces_current();
}

int namespaces_switch(int fd)
{
    return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

/* ---- rights ----------------------------------------------------------- */

static const unsigned rights[] = {CAP_NET_ADMIN, CAP_NET_RAW,
                                  CAP_NET_BIND_SERVICE};

int namespaces_keep_rights(void)
{
    struct __user_cap_header_struct header = {.version =
                                                  _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++)
        data[0].inheritable |= (1u << rights[i]) & data[0].permitted;
    if (syscall(SYS_capset, &header, data) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++)
        if (data[0].inheritable & 1u << rights[i] &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, rights[i], 0, 0) < 0)
            return -errno;
    return 0;
}
