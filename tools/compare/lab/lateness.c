/* The process that measures how late a machine wakes those who sleep. */

#include "compare/lab/lateness.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS 5000000

/* Memory that both processes have. */
struct lateness {
    _Atomic uint64_t worst_ns;
    _Atomic uint64_t due_ns; /* when the process is to be woken next */
};

static uint64_t lateness_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void lateness_note_ns(struct lateness *lateness, uint64_t ns)
{
    uint64_t worst = lateness->worst_ns;

    while (ns > worst &&
           !atomic_compare_exchange_weak(&lateness->worst_ns, &worst, ns))
        ;
}

/* How late the process is that should have been woken by now. */
static uint64_t lateness_overdue_ns(const struct lateness *lateness)
{
    uint64_t now = lateness_now_ns(), due = lateness->due_ns;

    return now > due ? now - due : 0;
}

static void lateness_tick(struct lateness *lateness)
{
    const uint64_t due = lateness->due_ns;
    const struct timespec until = {.tv_sec = (time_t)(due / 1000000000),
                                   .tv_nsec = (long)(due % 1000000000)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
           EINTR)
        ;
    lateness_note_ns(lateness, lateness_overdue_ns(lateness));
    lateness->due_ns = lateness_now_ns() + TICK_NS;
}

/* In the new process. The open files are the experiment's: a connection of
   its that stayed open here would never be closed. */
static void lateness_run(struct lateness *lateness, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    prctl(PR_SET_TIMERSLACK, 1);
    prctl(PR_SET_NAME, "lateness");
    close_range(0, ~0u, 0);
    for (;;)
        lateness_tick(lateness);
}

struct lateness *lateness_start(void)
{
    struct lateness *lateness =
        mmap(NULL, sizeof(*lateness), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t parent = getpid(), pid;

    if (lateness == MAP_FAILED)
        return NULL;
    lateness->due_ns = lateness_now_ns() + TICK_NS;
    pid = fork();
    if (pid == 0)
        lateness_run(lateness, parent);
    return pid > 0 ? lateness : NULL;
}

double lateness_worst_ms(const struct lateness *lateness)
{
    uint64_t worst, now;

    if (!lateness)
        return 0;
    worst = lateness->worst_ns;
    now = lateness_overdue_ns(lateness);
    return (double)(now > worst ? now : worst) / 1e6;
}

void lateness_note(struct lateness *lateness, double ms)
{
    if (ms > 0)
        lateness_note_ns(lateness, (uint64_t)(ms * 1e6));
}
