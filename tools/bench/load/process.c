#include "load.h"

#include <dirent.h>
#include <stdlib.h>
#include <time.h>

/* utime + stime of /proc/PID/stat, in nanoseconds instead of ticks: the
   process's own clock, which counts all its threads, ended ones too. */
static uint64_t process_cpu_ns(int pid)
{
    struct timespec at = {0};
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &at))
        return 0; /* it has just ended */
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static uint64_t thread_waited_ns(int pid, const char *thread)
{
    unsigned long long ran = 0, waited = 0;
    char path[320];
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, thread);
    file = fopen(path, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%llu %llu", &ran, &waited) != 2)
        waited = 0;
    fclose(file);
    return waited;
}

static void add_children(int pid, const char *thread, struct usage *sum)
{
    char path[320];
    FILE *file;
    int child;

    snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid, thread);
    file = fopen(path, "re");
    if (!file)
        return;
    while (fscanf(file, "%d", &child) == 1) {
        struct usage usage = process_tree_usage(child);

        sum->cpu_ns += usage.cpu_ns;
        sum->waited_ns += usage.waited_ns;
    }
    fclose(file);
}

struct usage process_tree_usage(int pid)
{
    struct usage sum = {.cpu_ns = process_cpu_ns(pid)};
    const struct dirent *thread;
    char path[64];
    DIR *folder;

    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    folder = opendir(path);
    while (folder && (thread = readdir(folder))) {
        if (thread->d_name[0] == '.')
            continue;
        sum.waited_ns += thread_waited_ns(pid, thread->d_name);
        add_children(pid, thread->d_name, &sum);
    }
    if (folder)
        closedir(folder);
    return sum;
}
