/* The way to a file, and the rights there: checks of remedy_file.c's table. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/remedy_parts.h"

/* ---- looking at it ---------------------------------------------------- */

const struct remedy_path *remedy_file_path(const struct remedy_case *met)
{
    return met->about;
}

const char *remedy_file_text(const struct remedy_case *met)
{
    return remedy_file_path(met)->text;
}

bool remedy_file_stat(const struct remedy_case *met, struct stat *status)
{
    return stat(remedy_file_text(met), status) == 0;
}

bool remedy_file_is_mode(const struct remedy_case *met, mode_t kind)
{
    struct stat status;

    return remedy_file_stat(met, &status) && (status.st_mode & S_IFMT) == kind;
}

static bool remedy_way_may(const char *path, int rights)
{
    return faccessat(AT_FDCWD, path, rights, AT_EACCESS) == 0;
}

bool remedy_file_blame(struct remedy_case *met, const char *path)
{
    snprintf(met->place, sizeof(met->place), "%s", path);
    return true;
}

void remedy_file_blame_folder(struct remedy_case *met)
{
    char *slash;

    remedy_file_blame(met, remedy_file_text(met));
    slash = strrchr(met->place, '/');
    if (!slash)
        strcpy(met->place, ".");
    else
        slash[slash == met->place] = '\0';
}

/* Walks the folders on the way to the file, from the first one. The first for
   which `is_bad` holds becomes the place. */
static bool remedy_way_walk(struct remedy_case *met,
                            bool (*is_bad)(const char *folder))
{
    const char *text = remedy_file_text(met);

    for (const char *slash = strchr(text, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        size_t len = slash == text ? 1 : (size_t)(slash - text);

        if (len >= sizeof(met->place))
            return false;
        memcpy(met->place, text, len);
        met->place[len] = '\0';
        if (is_bad(met->place))
            return true;
    }
    return false;
}

/* ---- the way to it ---------------------------------------------------- */

static bool remedy_way_folder_is_missing(const char *folder)
{
    struct stat status;

    return lstat(folder, &status) && errno == ENOENT;
}

static bool remedy_way_folder_dangles(const char *folder)
{
    struct stat status;

    return lstat(folder, &status) == 0 && S_ISLNK(status.st_mode) &&
           stat(folder, &status) && errno == ENOENT;
}

static bool remedy_way_folder_is_none(const char *folder)
{
    struct stat status;

    return stat(folder, &status) == 0 && !S_ISDIR(status.st_mode);
}

static bool remedy_way_folder_is_closed(const char *folder)
{
    return !remedy_way_may(folder, X_OK) && errno == EACCES;
}

static bool remedy_way_folder_is_closed_and_own(const char *folder)
{
    struct stat status;

    return remedy_way_folder_is_closed(folder) && stat(folder, &status) == 0 &&
           status.st_uid == geteuid();
}

bool remedy_is_folder_missing(struct remedy_case *met)
{
    return remedy_way_walk(met, remedy_way_folder_is_missing);
}

bool remedy_is_missing_folder_to_make(struct remedy_case *met)
{
    enum remedy_deed deed = remedy_file_path(met)->deed;

    if ((deed != REMEDY_WRITE && deed != REMEDY_MAKE) ||
        !remedy_is_folder_missing(met))
        return false;
    remedy_file_blame_folder(met);
    return true;
}

bool remedy_is_folder_dangling(struct remedy_case *met)
{
    return remedy_way_walk(met, remedy_way_folder_dangles);
}

bool remedy_is_folder_none(struct remedy_case *met)
{
    return remedy_way_walk(met, remedy_way_folder_is_none);
}

bool remedy_is_own_folder_closed(struct remedy_case *met)
{
    return remedy_way_walk(met, remedy_way_folder_is_closed_and_own);
}

bool remedy_is_folder_closed(struct remedy_case *met)
{
    return remedy_way_walk(met, remedy_way_folder_is_closed);
}

bool remedy_is_dangling(struct remedy_case *met)
{
    ssize_t len;

    if (!remedy_way_folder_dangles(remedy_file_text(met)))
        return false;
    len = readlink(remedy_file_text(met), met->place, sizeof(met->place) - 1);
    met->place[len < 0 ? 0 : len] = '\0';
    return len > 0;
}

/* ---- its rights ------------------------------------------------------- */

static int remedy_way_right(enum remedy_deed deed)
{
    switch (deed) {
    case REMEDY_WRITE:
        return W_OK;
    case REMEDY_RUN:
        return X_OK;
    case REMEDY_SEARCH:
        return R_OK | X_OK;
    default:
        return R_OK;
    }
}

/* The file is there and lacks the right that is needed for this. */
static bool remedy_way_lacks_right(struct remedy_case *met, bool is_own)
{
    enum remedy_deed deed = remedy_file_path(met)->deed;
    struct stat status;

    if (deed == REMEDY_MAKE || !remedy_file_stat(met, &status) ||
        (status.st_uid == geteuid()) != is_own ||
        remedy_way_may(remedy_file_text(met), remedy_way_right(deed)) ||
        errno != EACCES)
        return false;
    return remedy_file_blame(met, remedy_file_text(met));
}

/* chmod(1) would mend it, but not on a file system mounted read-only. */
bool remedy_is_own_for_ever(struct remedy_case *met)
{
    struct statvfs mount;

    return (remedy_is_own_folder_closed(met) ||
            remedy_way_lacks_right(met, true)) &&
           statvfs(met->place, &mount) == 0 && mount.f_flag & ST_RDONLY;
}

bool remedy_is_own_unreadable(struct remedy_case *met)
{
    return remedy_way_right(remedy_file_path(met)->deed) == R_OK &&
           remedy_way_lacks_right(met, true);
}

bool remedy_is_own_unwritable(struct remedy_case *met)
{
    return remedy_way_right(remedy_file_path(met)->deed) == W_OK &&
           remedy_way_lacks_right(met, true);
}

bool remedy_is_own_unrunnable(struct remedy_case *met)
{
    return remedy_way_right(remedy_file_path(met)->deed) == X_OK &&
           remedy_way_lacks_right(met, true);
}

bool remedy_is_own_unsearchable(struct remedy_case *met)
{
    return remedy_file_path(met)->deed == REMEDY_SEARCH &&
           remedy_way_lacks_right(met, true);
}

bool remedy_is_of_others(struct remedy_case *met)
{
    return remedy_way_lacks_right(met, false);
}

/* The folder of a file that is to be made takes no new one. */
static bool remedy_way_may_not_make(struct remedy_case *met, bool is_own)
{
    enum remedy_deed deed = remedy_file_path(met)->deed;
    struct stat status;

    if (deed != REMEDY_MAKE &&
        (deed != REMEDY_WRITE || remedy_file_stat(met, &status)))
        return false;
    remedy_file_blame_folder(met);
    return stat(met->place, &status) == 0 && S_ISDIR(status.st_mode) &&
           (status.st_uid == geteuid()) == is_own &&
           !remedy_way_may(met->place, W_OK) && errno == EACCES;
}

bool remedy_is_own_folder_read_only(struct remedy_case *met)
{
    return remedy_way_may_not_make(met, true);
}

bool remedy_is_folder_of_others(struct remedy_case *met)
{
    return remedy_way_may_not_make(met, false);
}

/* fs.protected_regular and fs.protected_fifos, see proc(5). */
bool remedy_is_protected(struct remedy_case *met)
{
    struct stat file, folder;

    if (remedy_file_path(met)->deed != REMEDY_WRITE ||
        !remedy_file_stat(met, &file) ||
        !remedy_way_may(remedy_file_text(met), W_OK))
        return false;
    remedy_file_blame_folder(met);
    return stat(met->place, &folder) == 0 && folder.st_mode & S_ISVTX &&
           folder.st_mode & (S_IWOTH | S_IWGRP) && file.st_uid != geteuid();
}

/* lsattr(1) shows it as `i` or `a`. */
static bool remedy_way_has_attribute(const struct remedy_case *met,
                                     unsigned attribute)
{
    struct statx status;

    return statx(AT_FDCWD, remedy_file_text(met), 0, STATX_BASIC_STATS,
                 &status) == 0 &&
           status.stx_attributes & attribute;
}

bool remedy_is_immutable(struct remedy_case *met)
{
    return remedy_way_has_attribute(met, STATX_ATTR_IMMUTABLE) &&
           remedy_file_blame(met, remedy_file_text(met));
}

bool remedy_is_append_only(struct remedy_case *met)
{
    return remedy_way_has_attribute(met, STATX_ATTR_APPEND) &&
           remedy_file_blame(met, remedy_file_text(met));
}
