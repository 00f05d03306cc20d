/* A tree of processes, read from /proc. */

#include "compare/lab/processes.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static void processes_find(pid_t process, bool all_threads,
                           struct processes *found);

static void processes_find_children(pid_t process, pid_t thread,
                                    bool all_threads, struct processes *found)
{
    char path[80];
    FILE *file;
    int child;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", process, thread);
    file = fopen(path, "re");
    while (file && fscanf(file, "%d", &child) == 1)
        processes_find(child, all_threads, found);
    if (file)
        fclose(file);
}

/* A process has its own number as the one of its first thread. */
static void processes_find(pid_t process, bool all_threads,
                           struct processes *found)
{
    char path[64];
    const struct dirent *item;
    DIR *folder;

    snprintf(path, sizeof(path), "/proc/%d/task", process);
    folder = opendir(path);
    while (folder && (item = readdir(folder))) {
        pid_t thread = (pid_t)atol(item->d_name);

        if (thread <= 0 || found->count == PROCESSES_MOST)
            continue;
        if (all_threads || thread == process)
            found->list[found->count++] = thread;
        processes_find_children(process, thread, all_threads, found);
    }
    if (folder)
        closedir(folder);
}

struct processes processes_threads(pid_t process)
{
    struct processes found = {.count = 0};

    processes_find(process, true, &found);
    return found;
}

static double processes_memory_of(pid_t process)
{
    char path[64], line[128];
    double kib = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", process);
    file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file) &&
           sscanf(line, "Pss: %lf", &kib) != 1)
        ;
    if (file)
        fclose(file);
    return kib * 1024;
}

double processes_memory(pid_t process)
{
    struct processes found = {.count = 0};
    double bytes = 0;

    processes_find(process, false, &found);
    for (size_t i = 0; i < found.count; i++)
        bytes += processes_memory_of(found.list[i]);
    return bytes;
}
