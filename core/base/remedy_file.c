/* Causes that can be in the way of a file, and the advice for each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/remedy_parts.h"

/* ---- what it is ------------------------------------------------------- */

static bool remedy_file_is_folder(struct remedy_case *met)
{
    return remedy_file_is_mode(met, S_IFDIR);
}

static bool remedy_file_is_socket(struct remedy_case *met)
{
    return remedy_file_is_mode(met, S_IFSOCK);
}

static bool remedy_file_is_pipe(struct remedy_case *met)
{
    return remedy_file_is_mode(met, S_IFIFO);
}

static bool remedy_file_is_device(struct remedy_case *met)
{
    return remedy_file_is_mode(met, S_IFCHR) ||
           remedy_file_is_mode(met, S_IFBLK);
}

static bool remedy_file_is_to_run(struct remedy_case *met)
{
    return remedy_file_path(met)->deed == REMEDY_RUN;
}

static bool remedy_file_is_folder_as_file(struct remedy_case *met)
{
    return remedy_file_path(met)->deed != REMEDY_SEARCH &&
           remedy_file_is_folder(met);
}

static bool remedy_file_is_to_make(struct remedy_case *met)
{
    return remedy_file_path(met)->deed == REMEDY_MAKE &&
           remedy_file_is_folder(met);
}

static bool remedy_file_is_other_than_read(struct remedy_case *met)
{
    return remedy_file_path(met)->deed != REMEDY_READ &&
           remedy_file_is_folder(met);
}

static bool remedy_file_may_not_fork(struct remedy_case *met)
{
    return remedy_file_is_to_run(met) && remedy_has_few_processes(met);
}

static bool remedy_file_is_sought(struct remedy_case *met)
{
    return remedy_file_is_to_run(met) && !strchr(remedy_file_text(met), '/');
}

/* "#!/no/such/program" in its first line: execve(2) says ENOENT for that. */
static bool remedy_file_has_no_interpreter(struct remedy_case *met)
{
    FILE *file =
        remedy_file_is_to_run(met) ? fopen(remedy_file_text(met), "re") : NULL;
    char line[256] = "";
    bool is_read = file && fgets(line, sizeof(line), file);
    const char *start = line + 2 + strspn(line + 2, " \t");

    if (file)
        fclose(file);
    if (!is_read || strncmp(line, "#!", 2) != 0)
        return false;
    snprintf(met->place, sizeof(met->place), "%.*s",
             (int)strcspn(start, " \t\r\n"), start);
    return access(met->place, F_OK) != 0;
}

/* ---- its file system -------------------------------------------------- */

/* Where its file system is mounted: the last folder up the way that is on the
   same device. */
static void remedy_file_blame_mount(struct remedy_case *met)
{
    char *whole = realpath(remedy_file_text(met), NULL), *slash;
    struct stat file, folder;

    remedy_file_blame(met, whole ? whole : remedy_file_text(met));
    free(whole);
    if (!remedy_file_stat(met, &file))
        return;
    while ((slash = strrchr(met->place, '/')) && slash[1]) {
        char end = *slash;

        *slash = '\0';
        if (stat(*met->place ? met->place : "/", &folder) ||
            folder.st_dev != file.st_dev) {
            *slash = end;
            return;
        }
    }
    if (!*met->place)
        strcpy(met->place, "/");
}

static bool remedy_file_is_noexec(struct remedy_case *met)
{
    enum remedy_deed deed = remedy_file_path(met)->deed;
    struct statvfs mount;

    if ((deed != REMEDY_RUN && deed != REMEDY_LOAD) ||
        statvfs(remedy_file_text(met), &mount) || !(mount.f_flag & ST_NOEXEC))
        return false;
    remedy_file_blame_mount(met);
    return true;
}

/* Of the folder where a file is missing, else of the file. */
static bool remedy_file_system(struct remedy_case *met, struct statvfs *mount)
{
    if (statvfs(remedy_file_text(met), mount) == 0)
        return true;
    remedy_file_blame_folder(met);
    return statvfs(met->place, mount) == 0;
}

static bool remedy_file_is_full_of_files(struct remedy_case *met)
{
    struct statvfs mount;

    return remedy_file_system(met, &mount) && mount.f_files > 0 &&
           mount.f_favail == 0;
}

static bool remedy_file_is_full(struct remedy_case *met)
{
    struct statvfs mount;

    return remedy_file_system(met, &mount) && mount.f_bavail == 0;
}

/* ---- the table -------------------------------------------------------- */

#define NOEXEC                                                                 \
    "its file system is mounted noexec: take a folder on another one, or run " \
    "mount -o remount,bind,exec %s"

static const struct remedy remedy_files[] = {
    {ENOENT, remedy_file_is_sought,
     "no folder of PATH has it: install it, or write its path", NULL},
    {ENOENT, remedy_is_folder_dangling,
     "the link %s leads to nothing: make its target, or the link anew", NULL},
    {ENOENT, remedy_is_missing_folder_to_make, "make its folder: mkdir -p %s",
     NULL},
    {ENOENT, remedy_is_folder_missing,
     "there is no folder %s: correct the path", NULL},
    {ENOENT, remedy_is_dangling,
     "it is a link to %s: make that file, or the link anew", NULL},
    {ENOENT, remedy_file_has_no_interpreter,
     "its first line names %s: install that, or correct the line", NULL},
    {ENOTDIR, remedy_is_folder_none, "%s is no folder: correct the path", NULL},
    {ELOOP, NULL,
     "its links lead in a circle, or too far: make one of them anew", NULL},
    {ENAMETOOLONG, NULL,
     "a name has up to 255 bytes, a path 4095: choose a shorter one", NULL},

    {EACCES, remedy_is_own_for_ever,
     "%s has not the rights, and its file system is read-only: take a copy "
     "elsewhere",
     NULL},
    {EACCES, remedy_is_own_folder_closed, "run chmod u+x %s", NULL},
    {EACCES, remedy_is_folder_closed,
     "%s is closed to you: ask its owner, or take another folder", NULL},
    {EACCES, remedy_is_own_unsearchable, "run chmod u+rx %s", NULL},
    {EACCES, remedy_file_is_folder_as_file, "it is a folder: name a file",
     NULL},
    {EACCES, remedy_file_is_noexec, NOEXEC, NULL},
    {EPERM, remedy_file_is_noexec, NOEXEC, NULL},
    {EACCES, remedy_is_own_unreadable, "run chmod u+r %s", NULL},
    {EACCES, remedy_is_own_unwritable, "run chmod u+w %s", NULL},
    {EACCES, remedy_is_own_unrunnable, "run chmod u+x %s", NULL},
    {EACCES, remedy_is_of_others,
     "it is not yours: ask its owner, or take another", NULL},
    {EACCES, remedy_is_own_folder_read_only, "run chmod u+w %s", NULL},
    {EACCES, remedy_is_folder_of_others,
     "%s is not yours to write to: take a folder that is", NULL},
    {EACCES, remedy_is_protected,
     "in %s, which others share, only its owner may write to it: take a "
     "folder of your own",
     NULL},
    {EPERM, remedy_is_immutable, "run chattr -i %s", NULL},
    {EPERM, remedy_is_append_only, "run chattr -a %s", NULL},

    {EISDIR, remedy_file_is_to_make, "it is a folder: rename or remove it",
     NULL},
    {EISDIR, remedy_file_is_other_than_read,
     "it is a folder: name a file in it", NULL},
    {ENXIO, remedy_file_is_socket, "it is a socket: name a file", NULL},
    {ENXIO, remedy_file_is_pipe,
     "nobody reads this pipe: start its reader first", NULL},
    {ENXIO, remedy_file_is_device,
     "there is nothing behind this device: name a file", NULL},
    {ENODEV, remedy_file_is_device,
     "there is nothing behind this device: name a file", NULL},
    {ENOEXEC, NULL,
     "it is no program for this machine, and no script that begins with #!",
     NULL},
    {ETXTBSY, remedy_file_is_to_run, "it is still being written: wait for that",
     NULL},
    {ETXTBSY, NULL, "it is a program that runs: end it, or name another file",
     NULL},
    {EAGAIN, remedy_file_may_not_fork, REMEDY_PROCESSES, NULL},
    {E2BIG, remedy_file_is_to_run, "its arguments are too long: give fewer",
     NULL},

    {EROFS, NULL, "its file system is read-only: name a file on another one",
     NULL},
    {ENOSPC, remedy_file_is_full_of_files,
     "its file system has no room for another file (df -i): remove some", NULL},
    {ENOSPC, remedy_file_is_full,
     "its file system is full (df): remove something, or take another one",
     NULL},
    {0},
};

/* ---- asked ------------------------------------------------------------ */

/* The first in PATH of that name: the one that execvp(3) could not run. */
static char *remedy_file_seek(const char *name)
{
    const char *path = getenv("PATH");
    size_t len;

    for (; path && *path; path += len + (path[len] == ':')) {
        char *whole;

        len = strcspn(path, ":");
        if (asprintf(&whole, "%.*s/%s", (int)len, path, name) < 0)
            return NULL;
        if (access(whole, F_OK) == 0)
            return whole;
        free(whole);
    }
    return NULL;
}

/* As a shell reads it: what is advised can be copied and run. */
void remedy_quote(char place[PATH_MAX])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@%";
    char quoted[PATH_MAX];
    size_t len = 0;

    if (!*place || strspn(place, plain) == strlen(place))
        return;
    quoted[len++] = '\'';
    for (const char *at = place; *at && len + 6 < sizeof(quoted); at++) {
        if (*at == '\'')
            len += (size_t)sprintf(quoted + len, "'\\''");
        else
            quoted[len++] = *at;
    }
    quoted[len++] = '\'';
    memcpy(place, quoted, len);
    place[len] = '\0';
}

const char *remedy_file(enum remedy_deed deed, const char *path, int error,
                        const char *usual, char *text, size_t size)
{
    char *sought = deed == REMEDY_RUN && !strchr(path, '/')
                       ? remedy_file_seek(path)
                       : NULL;
    const struct remedy_path about = {deed, sought ? sought : path};
    struct remedy_case met = {.error = error, .about = &about};
    const struct remedy *found = remedy_find(remedy_files, &met);
    size_t len = (size_t)snprintf(text, size, "%s; ", strerror(error));

    remedy_quote(met.place);
    if (len < size && found)
        remedy_fill(found, &met, text + len, size - len);
    else if (len < size)
        snprintf(text + len, size - len, "%s", usual);
    free(sought);
    return text;
}

static _Thread_local char remedy_file_noted[REMEDY_BYTES];

void remedy_note(enum remedy_deed deed, const char *path, int error)
{
    remedy_file(deed, path, error, "name another file", remedy_file_noted,
                sizeof(remedy_file_noted));
    errno = error;
}

const char *remedy_noted(void)
{
    return remedy_file_noted;
}
