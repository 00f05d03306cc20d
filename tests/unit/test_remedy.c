/* A remedy fits the cause: each cause of the table is made, in an order and at
   a place drawn by seed; the system's error has to be the one that the table
   expects, and where the advice is a command, it is run and has to mend it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/remedy.h"
#include "spellings.h"

#define USUAL  "do what is usual"
#define NOBODY 65534

/* ---- the place -------------------------------------------------------- */

static char folder[512]; /* of this case: empty, and its name is drawn */

static const char *in_folder(const char *name)
{
    static char paths[8][1024];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static bool make_file(const char *name, const char *text, mode_t mode)
{
    int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    bool is_made = fd >= 0 &&
                   write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
                   fchmod(fd, mode) == 0;

    if (fd >= 0)
        close(fd);
    return is_made;
}

static bool make_folder(const char *name, mode_t mode)
{
    return mkdir(in_folder(name), 0700) == 0 &&
           chmod(in_folder(name), mode) == 0;
}

/* ---- what makes a cause; false: it cannot be made here ---------------- */

static bool nothing(void)
{
    return true;
}

static bool closed_file(void)
{
    return make_file("x", "", 0);
}

static bool read_only_file(void)
{
    return make_file("x", "", 0444);
}

static bool script(void)
{
    return make_file("x", "#!/bin/sh\nexit 0\n", 0600);
}

static bool script_in_path(void)
{
    return setenv("PATH", folder, 1) == 0 && script();
}

static bool empty_path(void)
{
    return setenv("PATH", folder, 1) == 0;
}

static bool bad_interpreter(void)
{
    return make_file("x", "#! /no/such/interpreter -x\n", 0700);
}

static bool no_program(void)
{
    return make_file("x", "\001\002\003\004", 0700);
}

static bool closed_folder(void)
{
    return make_folder("sub", 0700) && make_file("sub/x", "", 0600) &&
           chmod(in_folder("sub"), 0600) == 0;
}

static bool dark_folder(void)
{
    return make_folder("sub", getpid() % 2 ? 0100 : 0600);
}

static bool read_only_folder(void)
{
    return make_folder("sub", 0500);
}

static bool of_others(void)
{
    return make_file("x", "", 0600) &&
           (geteuid() || chown(in_folder("x"), NOBODY, NOBODY) == 0);
}

static bool folder_of_others(void)
{
    return make_folder("sub", 0755) &&
           (geteuid() || chown(in_folder("sub"), NOBODY, NOBODY) == 0);
}

static bool closed_folder_of_others(void)
{
    return make_folder("sub", 0700) && make_file("sub/x", "", 0600) &&
           (geteuid() || chown(in_folder("sub"), NOBODY, NOBODY) == 0);
}

static bool protected_file(void)
{
    FILE *file = fopen("/proc/sys/fs/protected_regular", "re");
    int level = 0;

    if (file && fscanf(file, "%d", &level) != 1)
        level = 0;
    if (file)
        fclose(file);
    return geteuid() == 0 && level > 0 && make_folder("sub", 01777) &&
           make_file("sub/x", "", 0666) &&
           chown(in_folder("sub/x"), NOBODY, NOBODY) == 0;
}

static bool dangling(void)
{
    return symlink("gone/away", in_folder("x")) == 0;
}

static bool dangling_folder(void)
{
    return symlink("away", in_folder("sub")) == 0;
}

static bool circle(void)
{
    return symlink("x", in_folder("x")) == 0;
}

static bool file_on_the_way(void)
{
    return make_file("sub", "", 0600);
}

static bool a_folder(void)
{
    return make_folder("x", 0755);
}

static bool a_pipe(void)
{
    return mkfifo(in_folder("x"), 0600) == 0;
}

/* bind(2) takes 107 bytes. */
static bool a_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "x"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    return fd >= 0 && chdir(folder) == 0 &&
           bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool no_terminal(void)
{
    return setsid() >= 0;
}

static bool attribute(int flag)
{
    int flags = 0, fd;

    if (!make_file("x", "", 0600))
        return false;
    fd = open(in_folder("x"), O_RDONLY | O_CLOEXEC);
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
        return false;
    flags |= flag;
    return ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

static bool immutable(void)
{
    return attribute(FS_IMMUTABLE_FL);
}

static bool append_only(void)
{
    return attribute(FS_APPEND_FL);
}

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool is_written = fd >= 0 && write(fd, text, strlen(text)) > 0;

    if (fd >= 0)
        close(fd);
    return is_written;
}

/* Mounts of our own; who is not root is that in a namespace of users. */
static void enter_mounts(void)
{
    uid_t user = geteuid();
    gid_t group = getegid();
    char map[64];

    if (unshare(CLONE_NEWNS) == 0)
        return;
    if (unshare(CLONE_NEWNS | CLONE_NEWUSER))
        return;
    snprintf(map, sizeof(map), "0 %u 1", user);
    write_text("/proc/self/uid_map", map);
    write_text("/proc/self/setgroups", "deny");
    snprintf(map, sizeof(map), "0 %u 1", group);
    write_text("/proc/self/gid_map", map);
}

static bool mounted(unsigned long flags, const char *options)
{
    enter_mounts();
    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    return mkdir(in_folder("sub"), 0700) == 0 &&
           mount("none", in_folder("sub"), "tmpfs", flags, options) == 0;
}

static bool noexec(void)
{
    return mounted(MS_NOEXEC, "") && mkdir(in_folder("sub/deep"), 0700) == 0 &&
           make_file("sub/deep/x", "#!/bin/sh\nexit 0\n", 0700);
}

static bool read_only(void)
{
    return mounted(0, "") && mount("none", in_folder("sub"), NULL,
                                   MS_REMOUNT | MS_RDONLY, NULL) == 0;
}

static bool closed_for_ever(void)
{
    return mounted(0, "") && make_file("sub/x", "", 0) &&
           mount("none", in_folder("sub"), NULL,
                 MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0;
}

static bool full(void)
{
    return mounted(0, "size=4k");
}

static bool full_of_files(void)
{
    return mounted(0, "nr_inodes=2") && make_file("sub/other", "", 0600);
}

static bool limit(int resource, rlim_t most)
{
    const struct rlimit wanted = {most, most};

    return setrlimit((unsigned)resource, &wanted) == 0;
}

static bool few_descriptors(void)
{
    return limit(RLIMIT_NOFILE, 64) && make_file("x", "", 0600);
}

static bool short_files(void)
{
    return signal(SIGXFSZ, SIG_IGN) != SIG_ERR && limit(RLIMIT_FSIZE, 100);
}

static bool being_written(void)
{
    return script() && chmod(in_folder("x"), 0700) == 0 &&
           open(in_folder("x"), O_WRONLY) >= 0;
}

/* ---- what then fails -------------------------------------------------- */

/* Neither is closed when there is to be no room for more. */
static int try_read(const char *path)
{
    int fd;

    do
        fd = open(path, O_RDONLY | O_NONBLOCK);
    while (fd >= 0 && fd < 1000);
    if (fd < 0)
        return errno;
    return 0;
}

static int try_write(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK, 0600);
    char block[4096] = {0};
    int error = fd < 0 ? errno : 0;

    for (int i = 0; fd >= 0 && !error && i < 2; i++)
        if (write(fd, block, sizeof(block)) != sizeof(block))
            error = write(fd, block, sizeof(block)) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return error;
}

/* By execve(2), for execvp(3) gives to sh(1) what is no program. */
static int try_run(const char *path)
{
    char *const words[] = {(char *)(uintptr_t)path, NULL};
    int *error = mmap(NULL, sizeof(*error), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = fork();

    if (pid == 0) {
        strchr(path, '/') ? execve(path, words, environ) : execvp(path, words);
        *error = errno;
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    return *error;
}

static int try_search(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 ? errno : 0;

    if (fd >= 0)
        close(fd);
    return error                                         ? error
           : faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) ? errno
                                                         : 0;
}

static int try_load(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *code = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    int error = code == MAP_FAILED ? errno : 0;

    if (fd >= 0)
        close(fd);
    return error;
}

static int (*const tries[])(const char *path) = {
    [REMEDY_READ] = try_read,     [REMEDY_WRITE] = try_write,
    [REMEDY_MAKE] = try_write,    [REMEDY_RUN] = try_run,
    [REMEDY_SEARCH] = try_search, [REMEDY_LOAD] = try_load,
};

/* ---- the table -------------------------------------------------------- */

struct cause {
    const char *name;
    bool (*make)(void);
    enum remedy_deed deed;
    const char *path; /* in the folder; one that begins with ! as it is */
    int error;
    const char *advice; /* @ is the folder */
    bool is_command;    /* what follows "run " or ": " mends it */
    bool is_rare;       /* some systems cannot have it */
};

static const struct cause causes[] = {
    {"missing", nothing, REMEDY_READ, "x", ENOENT, USUAL, 0, 0},
    {"no folder", nothing, REMEDY_READ, "a/b/x", ENOENT,
     "there is no folder @/a: correct the path", 0, 0},
    {"no folder to write to", nothing, REMEDY_WRITE, "a/b/x", ENOENT,
     "make its folder: mkdir -p @/a/b", 1, 0},
    {"dangling", dangling, REMEDY_READ, "x", ENOENT,
     "it is a link to gone/away: make that file, or the link anew", 0, 0},
    {"dangling folder", dangling_folder, REMEDY_READ, "sub/x", ENOENT,
     "the link @/sub leads to nothing: make its target, or the link anew", 0,
     0},
    {"file on the way", file_on_the_way, REMEDY_READ, "sub/x", ENOTDIR,
     "@/sub is no folder: correct the path", 0, 0},
    {"circle", circle, REMEDY_READ, "x", ELOOP,
     "its links lead in a circle, or too far: make one of them anew", 0, 0},
    {"long name", nothing, REMEDY_WRITE, "long", ENAMETOOLONG,
     "a name has up to 255 bytes, a path 4095: choose a shorter one", 0, 0},

    {"closed file", closed_file, REMEDY_READ, "x", EACCES, "run chmod u+r @/x",
     1, 0},
    {"read-only file", read_only_file, REMEDY_WRITE, "x", EACCES,
     "run chmod u+w @/x", 1, 0},
    {"no right to run", script, REMEDY_RUN, "x", EACCES, "run chmod u+x @/x", 1,
     0},
    {"no right to run in PATH", script_in_path, REMEDY_RUN, "!x", EACCES,
     "run chmod u+x @/x", 1, 0},
    {"closed folder", closed_folder, REMEDY_READ, "sub/x", EACCES,
     "run chmod u+x @/sub", 1, 0},
    {"read-only folder", read_only_folder, REMEDY_WRITE, "sub/x", EACCES,
     "run chmod u+w @/sub", 1, 0},
    {"read-only folder to make in", read_only_folder, REMEDY_MAKE, "sub/x",
     EACCES, "run chmod u+w @/sub", 1, 0},
    {"folder without light", dark_folder, REMEDY_SEARCH, "sub", EACCES,
     "run chmod u+rx @/sub", 1, 0},
    {"of others", of_others, REMEDY_READ, "x", EACCES,
     "it is not yours: ask its owner, or take another", 0, 1},
    {"folder of others", folder_of_others, REMEDY_WRITE, "sub/x", EACCES,
     "@/sub is not yours to write to: take a folder that is", 0, 1},
    {"closed folder of others", closed_folder_of_others, REMEDY_READ, "sub/x",
     EACCES, "@/sub is closed to you: ask its owner, or take another folder", 0,
     1},
    {"protected", protected_file, REMEDY_WRITE, "sub/x", EACCES,
     "in @/sub, which others share, only its owner may write to it: take a "
     "folder of your own",
     0, 1},
    {"immutable", immutable, REMEDY_WRITE, "x", EPERM, "run chattr -i @/x", 1,
     1},
    {"append only", append_only, REMEDY_WRITE, "x", EPERM, "run chattr -a @/x",
     1, 1},

    {"folder to read", a_folder, REMEDY_READ, "x/", EISDIR, USUAL, 0, 0},
    {"folder to write", a_folder, REMEDY_WRITE, "x", EISDIR,
     "it is a folder: name a file in it", 0, 0},
    {"folder to replace", a_folder, REMEDY_MAKE, "x", EISDIR,
     "it is a folder: rename or remove it", 0, 0},
    {"folder to run", a_folder, REMEDY_RUN, "x", EACCES,
     "it is a folder: name a file", 0, 0},
    {"socket", a_socket, REMEDY_WRITE, "x", ENXIO,
     "it is a socket: name a file", 0, 0},
    {"pipe", a_pipe, REMEDY_WRITE, "x", ENXIO,
     "nobody reads this pipe: start its reader first", 0, 0},
    {"device", no_terminal, REMEDY_WRITE, "!/dev/tty", ENXIO,
     "there is nothing behind this device: name a file", 0, 0},
    {"no program", no_program, REMEDY_RUN, "x", ENOEXEC,
     "it is no program for this machine, and no script that begins with #!", 0,
     0},
    {"no interpreter", bad_interpreter, REMEDY_RUN, "x", ENOENT,
     "its first line names /no/such/interpreter: install that, or correct the "
     "line",
     0, 0},
    {"not in PATH", empty_path, REMEDY_RUN, "!x", ENOENT,
     "no folder of PATH has it: install it, or write its path", 0, 0},
    {"being written", being_written, REMEDY_RUN, "x", ETXTBSY,
     "it is still being written: wait for that", 0, 1},

    {"noexec", noexec, REMEDY_RUN, "sub/deep/x", EACCES,
     "its file system is mounted noexec: take a folder on another one, or run "
     "mount -o remount,bind,exec @/sub",
     1, 0},
    {"noexec plugin", noexec, REMEDY_LOAD, "sub/deep/x", EPERM,
     "its file system is mounted noexec: take a folder on another one, or run "
     "mount -o remount,bind,exec @/sub",
     1, 0},
    {"read-only", read_only, REMEDY_WRITE, "sub/x", EROFS,
     "its file system is read-only: name a file on another one", 0, 0},
    {"closed for ever", closed_for_ever, REMEDY_READ, "sub/x", EACCES,
     "@/sub/x has not the rights, and its file system is read-only: take a "
     "copy elsewhere",
     0, 0},
    {"full", full, REMEDY_WRITE, "sub/x", ENOSPC,
     "its file system is full (df): remove something, or take another one", 0,
     0},
    {"full of files", full_of_files, REMEDY_WRITE, "sub/x", ENOSPC,
     "its file system has no room for another file (df -i): remove some", 0, 0},
    {"few descriptors", few_descriptors, REMEDY_READ, "x", EMFILE,
     "this process may hold 64 descriptors: raise that with `ulimit -n`, or "
     "inherit fewer to it",
     0, 0},
    {"short files", short_files, REMEDY_WRITE, "x", EFBIG,
     "a file may have 100 bytes here: raise that with `ulimit -f`", 0, 0},
};

#define CAUSES (sizeof(causes) / sizeof(*causes))

/* ---- one of them, in a process of its own ----------------------------- */

/* Rights that would open everything. What may still be chowned has been. */
static void give_up_rights(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    if (syscall(SYS_capget, &head, data))
        return;
    for (int i = 0; i < 2; i++)
        data[i].effective = 0;
    data[0].effective =
        data[0].permitted & (1u << CAP_SYS_ADMIN | 1u << CAP_LINUX_IMMUTABLE);
    data[0].permitted = data[0].effective;
    data[0].inheritable = data[0].effective;
    data[1].permitted = data[1].inheritable = 0;
    syscall(SYS_capset, &head, data);
}

/* The folder as a shell reads it, where it has to. */
static void expected_advice(const struct cause *cause, char *text, size_t size)
{
    const char *at = strchr(cause->advice, '@');
    size_t rest = at ? strcspn(at, ": ,") : 0;
    bool is_quoted = strpbrk(folder, " '");
    char quoted[sizeof(folder) * 4] = "";

    if (!at) {
        snprintf(text, size, "%s; %s", strerror(cause->error), cause->advice);
        return;
    }
    for (const char *c = folder; *c; c++)
        snprintf(quoted + strlen(quoted), 8, *c == '\'' ? "'\\''" : "%c", *c);
    snprintf(text, size, "%s; %.*s%s%s%.*s%s%s", strerror(cause->error),
             (int)(at - cause->advice), cause->advice, is_quoted ? "'" : "",
             quoted, (int)rest - 1, at + 1, is_quoted ? "'" : "", at + rest);
}

static const char *command_in(const char *advice)
{
    const char *found = strstr(advice, "run ");

    return found ? found + 4 : strstr(advice, ": mkdir") + 2;
}

static int complain(const struct cause *cause, const char *what,
                    const char *more)
{
    fprintf(stderr, "%s, in %s: %s%s\n", cause->name, folder, what, more);
    return 1;
}

static int mend(const struct cause *cause, const char *path, const char *text)
{
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    if (system(command_in(text)))
        return complain(cause, "cannot be run: ", command_in(text));
    if (cause->make == script_in_path)
        setenv("PATH", folder, 1);
    return tries[cause->deed](path) ? complain(cause, "not mended by: ", text)
                                    : 0;
}

static int check(const struct cause *cause)
{
    char text[REMEDY_BYTES], expected[REMEDY_BYTES], longest[300];
    const char *path =
        cause->path[0] == '!' ? cause->path + 1 : in_folder(cause->path);
    int error;

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    if (cause->error == ENAMETOOLONG)
        path = in_folder(longest);
    if (!cause->make())
        return cause->is_rare ? 0 : complain(cause, "cannot be made", "");
    give_up_rights();
    error = cause->error == EISDIR && cause->deed == REMEDY_READ
                ? EISDIR /* of read(2), not of open(2) */
                : tries[cause->deed](path);
    if (error == 0 && cause->is_rare)
        return 0;
    if (error != cause->error)
        return complain(cause, "the error is ", strerror(error));
    if (cause->error == EMFILE)
        close(3);
    remedy_file(cause->deed, path, error, USUAL, text, sizeof(text));
    expected_advice(cause, expected, sizeof(expected));
    if (strcmp(text, expected) != 0) {
        complain(cause, "expected: ", expected);
        return complain(cause, "said:     ", text);
    }
    return cause->is_command ? mend(cause, path, text) : 0;
}

static void make_place(uint64_t *seed)
{
    static const char *const names[] = {
        "plain", "with a space", "it's", "a-b_c.d", "x", "A'B C"};
    char base[] = "/tmp/test-remedy-XXXXXX";

    assert_non_null(mkdtemp(base));
    assert_int_equal(chmod(base, 0755), 0);
    snprintf(folder, sizeof(folder), "%s/%s", base,
             names[spelling_draw(seed, 6)]);
    assert_int_equal(mkdir(folder, 0755), 0);
}

static void remove_place(void)
{
    char command[4096], *slash = strrchr(folder, '/');

    *slash = '\0';
    snprintf(command, sizeof(command),
             "chattr -R -ia %s 2>/dev/null; chmod -R u+rwx %s 2>/dev/null; "
             "rm -rf %s",
             folder, folder, folder);
    assert_int_equal(system(command), 0);
}

static void assert_fits(const struct cause *cause, uint64_t *seed)
{
    int status;
    pid_t pid;

    make_place(seed);
    pid = fork();
    if (pid == 0)
        _exit(check(cause));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    remove_place();
    if (status)
        print_error("%s: status %x\n", cause->name, (unsigned)status);
    assert_int_equal(status, 0);
}

static void test_remedy_fits_each_cause(void **state)
{
    uint64_t seed = (uint64_t)getpid(), drawn = seed;
    unsigned order[CAUSES];

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (unsigned i = 0; i < CAUSES; i++) {
        unsigned other = spelling_draw(&drawn, i + 1);

        order[i] = order[other];
        order[other] = i;
    }
    for (unsigned i = 0; i < CAUSES; i++)
        assert_fits(&causes[order[i]], &drawn);
}

/* Nothing is claimed of a file of which nothing is known. */
static void test_remedy_is_the_usual_one_for_what_was_not_found(void **state)
{
    static const int errors[] = {EACCES, EPERM,  ENXIO,  ENODEV,
                                 EIO,    ESTALE, ENOSPC, ETXTBSY};
    char text[REMEDY_BYTES], expected[REMEDY_BYTES];
    const char *path = "/";

    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors) - 1; i++) {
        if (errors[i] == EACCES) /* that "/" is a folder is seen */
            continue;
        snprintf(expected, sizeof(expected), "%s; " USUAL, strerror(errors[i]));
        assert_string_equal(remedy_file(REMEDY_READ, path, errors[i], USUAL,
                                        text, sizeof(text)),
                            expected);
    }
}

static void test_remedy_of_what_any_call_may_lack(void **state)
{
    static const struct {
        int resource, error;
        const char *part;
    } lacks[] = {
        {RLIMIT_NOFILE, EMFILE, "may hold 4321 descriptors"},
        {RLIMIT_NPROC, EAGAIN, "may have 4321 processes"},
        {RLIMIT_FSIZE, EFBIG, "may have 4321 bytes here"},
    };
    char text[REMEDY_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(lacks) / sizeof(*lacks); i++) {
        struct rlimit before, low;

        assert_int_equal(getrlimit((unsigned)lacks[i].resource, &before), 0);
        low = before;
        low.rlim_cur = 4321;
        assert_int_equal(setrlimit((unsigned)lacks[i].resource, &low), 0);
        remedy_resource(lacks[i].error, text, sizeof(text));
        setrlimit((unsigned)lacks[i].resource, &before);
        assert_non_null(strstr(text, lacks[i].part));
    }
    remedy_resource(ENOMEM, text, sizeof(text));
    assert_non_null(strstr(text, "end other programs"));
    remedy_resource(EIO, text, sizeof(text));
    assert_non_null(strstr(text, "; try again"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_remedy_fits_each_cause),
        cmocka_unit_test(test_remedy_is_the_usual_one_for_what_was_not_found),
        cmocka_unit_test(test_remedy_of_what_any_call_may_lack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
