/*
 * remedy_parts - what remedy_file.c and remedy_way.c share.
 *
 * A check is true when its cause is there; then the place is what its advice
 * names.
 */
#ifndef REMEDY_PARTS_H
#define REMEDY_PARTS_H

#include <sys/stat.h>

#include "base/remedy.h"

struct remedy_path {
    enum remedy_deed deed;
    const char *text;
};

const struct remedy_path *remedy_file_path(const struct remedy_case *met);
const char *remedy_file_text(const struct remedy_case *met);
bool remedy_file_stat(const struct remedy_case *met, struct stat *status);
bool remedy_file_is_mode(const struct remedy_case *met, mode_t kind);
/* Makes this the place. True. */
bool remedy_file_blame(struct remedy_case *met, const char *path);
/* The folder that the file is in becomes the place: "." for a plain name. */
void remedy_file_blame_folder(struct remedy_case *met);

/* The folders on the way, or a link. */
bool remedy_is_missing_folder_to_make(struct remedy_case *met);
bool remedy_is_folder_missing(struct remedy_case *met);
bool remedy_is_folder_dangling(struct remedy_case *met);
bool remedy_is_folder_none(struct remedy_case *met);
bool remedy_is_own_folder_closed(struct remedy_case *met);
bool remedy_is_folder_closed(struct remedy_case *met);
bool remedy_is_dangling(struct remedy_case *met);

/* The rights of the file, or of the folder where it is to be made. */
bool remedy_is_own_for_ever(struct remedy_case *met);
bool remedy_is_own_unreadable(struct remedy_case *met);
bool remedy_is_own_unwritable(struct remedy_case *met);
bool remedy_is_own_unrunnable(struct remedy_case *met);
bool remedy_is_own_unsearchable(struct remedy_case *met);
bool remedy_is_of_others(struct remedy_case *met);
bool remedy_is_own_folder_read_only(struct remedy_case *met);
bool remedy_is_folder_of_others(struct remedy_case *met);
bool remedy_is_protected(struct remedy_case *met);
bool remedy_is_immutable(struct remedy_case *met);
bool remedy_is_append_only(struct remedy_case *met);

#endif
