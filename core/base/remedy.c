/* Finds the row of a table that fits an error; knows what any call may lack. */
#include "base/remedy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* ---- what any call may run out of ------------------------------------- */

/* True if this resource has a limit for us; its number is the place. */
static bool remedy_is_limited(struct remedy_case *met, int resource)
{
    struct rlimit limit;

    if (getrlimit((unsigned)resource, &limit) ||
        limit.rlim_cur == RLIM_INFINITY)
        return false;
    snprintf(met->place, sizeof(met->place), "%llu",
             (unsigned long long)limit.rlim_cur);
    return true;
}

static bool remedy_has_few_descriptors(struct remedy_case *met)
{
    return remedy_is_limited(met, RLIMIT_NOFILE);
}

bool remedy_has_few_processes(struct remedy_case *met)
{
    return remedy_is_limited(met, RLIMIT_NPROC);
}

static bool remedy_has_little_memory(struct remedy_case *met)
{
    return remedy_is_limited(met, RLIMIT_AS);
}

static bool remedy_has_short_files(struct remedy_case *met)
{
    return remedy_is_limited(met, RLIMIT_FSIZE);
}

static const struct remedy remedy_resources[] = {
    {EMFILE, remedy_has_few_descriptors,
     "this process may hold %s descriptors: raise that with `ulimit -n`, or "
     "inherit fewer to it",
     NULL},
    {ENFILE, NULL,
     "the whole system's files are used up: end other programs, or raise "
     "fs.file-max",
     NULL},
    {ENOMEM, remedy_has_little_memory,
     "this process may have %s bytes of memory: raise that with `ulimit -v`",
     NULL},
    {ENOMEM, NULL, "there is no memory left for it: end other programs", NULL},
    {ENOBUFS, NULL, "the kernel has no memory left for it: end other programs",
     NULL},
    {EFBIG, remedy_has_short_files,
     "a file may have %s bytes here: raise that with `ulimit -f`", NULL},
    {EDQUOT, NULL, "your quota is used up: remove files of yours", NULL},
    {0},
};

/* EAGAIN means this of fork(2) alone. */
static const struct remedy remedy_forks[] = {
    {EAGAIN, remedy_has_few_processes, REMEDY_PROCESSES, NULL},
    {0},
};

/* ---- looking ---------------------------------------------------------- */

static const struct remedy *remedy_search(const struct remedy *table,
                                          struct remedy_case *met)
{
    for (; table->advice; table++) {
        met->place[0] = '\0'; /* of a check that came to nothing */
        if (table->error == met->error && (!table->is_so || table->is_so(met)))
            return table;
    }
    return NULL;
}

const struct remedy *remedy_find(const struct remedy *table,
                                 struct remedy_case *met)
{
    const struct remedy *found = remedy_search(table, met);

    return found ? found : remedy_search(remedy_resources, met);
}

void remedy_fill(const struct remedy *remedy, const struct remedy_case *met,
                 char *text, size_t size)
{
    const char *hole = strstr(remedy->advice, "%s");

    if (hole)
        snprintf(text, size, "%.*s%s%s", (int)(hole - remedy->advice),
                 remedy->advice, met->place, hole + 2);
    else
        snprintf(text, size, "%s", remedy->advice);
}

const char *remedy_resource(int error, char *text, size_t size)
{
    struct remedy_case met = {.error = error};
    const struct remedy *found = remedy_find(remedy_forks, &met);
    size_t len = (size_t)snprintf(text, size, "%s; ", strerror(error));

    if (len >= size)
        return text;
    if (found)
        remedy_fill(found, &met, text + len, size - len);
    else
        snprintf(text + len, size - len, "try again");
    return text;
}
