/* The process of an experiment: started, followed and cleaned up after. */

#include "compare/lab/child.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/inherited.h"
#include "base/must.h"
#include "base/remedy.h"
#include "base/text.h"
#include "compare/lab/lab_parts.h"

#define LIMIT_S                                                                \
    60 /* of an experiment that names none: ten times what it needs */

/* The parent's view of it. */
struct child {
    const struct experiment *experiment;
    pid_t pid;
    char *folder;
    int out;       /* what it tells */
    int signals;   /* those that end us */
    sigset_t mask; /* as it was before */
    char *text;    /* the start of a line that has no end yet */
    size_t len;
    json_t *result;
    int ended_by; /* a signal that came for us; 0: none */
};

/* ---- its folder ------------------------------------------------------- */

static char *child_make_folder(void)
{
    const char *base = getenv("TMPDIR");
    char *folder =
        must_printf("%s/playground-compare-XXXXXX", base ? base : "/tmp");
    char text[REMEDY_BYTES];

    if (mkdtemp(folder))
        return folder;
    text_print(stderr, "playground compare: cannot make %s: %s\n", folder,
               remedy_file(REMEDY_MAKE, folder, errno,
                           "set TMPDIR to a folder you may write to", text,
                           sizeof(text)));
    exit(1);
}

static int child_remove_one(const char *path, const struct stat *info, int type,
                            struct FTW *place)
{
    (void)info, (void)type, (void)place;
    return remove(path);
}

static void child_remove_folder(char *folder)
{
    if (nftw(folder, child_remove_one, 8, FTW_DEPTH | FTW_PHYS))
        text_print(stderr, "playground compare: cannot remove %s: %s\n", folder,
                   strerror(errno));
    free(folder);
}

/* ---- start ------------------------------------------------------------ */

/* In the new process; ends with it. */
static void child_experiment_process(struct child *child, pid_t parent, int out,
                                     const struct settings *settings)
{
    struct lab lab;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    setpgid(0, 0);
    close(child->out);
    close(child->signals);
    sigprocmask(SIG_SETMASK, &child->mask, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    lab_init(&lab, child->experiment, settings, child->folder, out);
    child->experiment->run(&lab);
    lab_report(&lab);
    _exit(0);
}

static void child_start(struct child *child, const struct settings *settings)
{
    pid_t parent = getpid();
    int out[2];

    fflush(NULL); /* what is buffered must not be written twice */
    if (pipe2(out, O_CLOEXEC) || (child->pid = fork()) < 0) {
        perror("playground compare: a new process");
        exit(1);
    }
    child->out = out[0];
    if (child->pid == 0)
        child_experiment_process(child, parent, out[1], settings);
    setpgid(child->pid, child->pid);
    close(out[1]);
}

/* ---- what it tells ---------------------------------------------------- */

static void child_take_message(struct child *child, json_t *message,
                               struct progress *progress)
{
    const char *where = json_string_value(json_object_get(message, "progress"));

    if (where)
        progress_say(progress, where);
    else if (message && !child->result)
        child->result = json_incref(message);
    json_decref(message);
}

static void child_take_lines(struct child *child, struct progress *progress)
{
    char *end;

    while (child->len > 0 && (end = memchr(child->text, '\n', child->len))) {
        size_t len = (size_t)(end - child->text) + 1;

        child_take_message(child, json_loadb(child->text, len - 1, 0, NULL),
                           progress);
        child->len -= len;
        memmove(child->text, child->text + len, child->len);
    }
}

/* False at its end. */
static bool child_read_more(struct child *child, struct progress *progress)
{
    char part[4096];
    ssize_t got = read(child->out, part, sizeof(part));

    if (got < 0 && errno == EINTR)
        return true;
    if (got <= 0)
        return false;
    child->text = must_realloc(child->text, child->len + (size_t)got, 1);
    memcpy(child->text + child->len, part, (size_t)got);
    child->len += (size_t)got;
    child_take_lines(child, progress);
    return true;
}

/* Until it has ended, or has had its time, or we are to end. */
static const char *child_follow(struct child *child, struct progress *progress)
{
    int limit_s =
        child->experiment->limit_s ? child->experiment->limit_s : LIMIT_S;
    double limit = lab_now_ms() + 1e3 * limit_s;
    struct pollfd fds[] = {{.fd = child->out, .events = POLLIN},
                           {.fd = child->signals, .events = POLLIN}};

    while (lab_now_ms() < limit) {
        struct signalfd_siginfo info;

        progress_tick(progress);
        fds[0].revents = fds[1].revents = 0;
        if (poll(fds, 2, 200) < 0 && errno != EINTR)
            return "poll";
        if (fds[1].revents &&
            read(child->signals, &info, sizeof(info)) == sizeof(info)) {
            child->ended_by = (int)info.ssi_signo;
            return "ended";
        }
        if (fds[0].revents && !child_read_more(child, progress))
            return NULL;
    }
    return "it took longer than it may";
}

/* ---- end -------------------------------------------------------------- */

/* All of its group and all that was left to us; returns its wait status. */
static int child_end_processes(struct child *child, bool is_over)
{
    siginfo_t info;
    int status = 0, other;

    if (!is_over)
        kill(-child->pid, SIGKILL);
    /* The number of the group is not given to another while its leader is not
       reaped. */
    while (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT) &&
           errno == EINTR)
        ;
    kill(-child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    while (waitpid(-1, &other, 0) > 0 || errno == EINTR)
        ;
    return status;
}

static void child_note_end(struct child *child, const char *why, int status)
{
    char text[80];

    if (!child->result)
        child->result = result_create(child->experiment);
    if (json_object_get(child->result, "error"))
        return;
    if (!why && WIFSIGNALED(status)) {
        snprintf(text, sizeof(text), "its process was ended by signal %d (%s)",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
        why = text;
    } else if (!why && status != 0) {
        why = "its process ended without a result";
    }
    if (why)
        result_set(child->result, "error", json_string(why));
}

static void child_block_signals(struct child *child)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    sigset_t set =
        inherited_wanted(numbers, sizeof(numbers) / sizeof(*numbers));

    sigprocmask(SIG_BLOCK, &set, &child->mask);
    child->signals = signalfd(-1, &set, SFD_CLOEXEC);
}

json_t *child_run(const struct experiment *experiment,
                  const struct settings *settings, struct progress *progress)
{
    struct child child = {.experiment = experiment};
    double begin = lab_now_ms();

    prctl(PR_SET_CHILD_SUBREAPER, 1); /* what it leaves is left to us */
    child_block_signals(&child); /* before there is something to clear away */
    child.folder = child_make_folder();
    child_start(&child, settings);

    const char *why = child_follow(&child, progress);
    int status = child_end_processes(&child, !why);

    progress_end(progress);
    close(child.out);
    close(child.signals);
    free(child.text);
    child_remove_folder(child.folder);
    sigprocmask(SIG_SETMASK, &child.mask, NULL);
    if (child.ended_by) {
        signal(child.ended_by, SIG_DFL);
        raise(child.ended_by);
    }
    child_note_end(&child, why, status);
    result_set(child.result, "seconds",
               json_real((lab_now_ms() - begin) / 1e3));
    return child.result;
}
