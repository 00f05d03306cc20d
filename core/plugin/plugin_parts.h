/*
 * plugin_parts - what the files of plugin.h share. Each function returns NULL
 * when all is well, or a text that says what is wrong and what to do; the
 * caller frees it.
 */
#ifndef PLUGIN_PARTS_H
#define PLUGIN_PARTS_H

#include "plugin/plugin.h"

/* The file that NAME stands for, or NULL; the caller frees it. */
char *plugin_find_file(enum plugin_kind kind, const char *name,
                       const struct plugin_search *search);
/* Finds that file, too, and says what is wrong when there is none. */
char *plugin_find(enum plugin_kind kind, const char *name,
                  struct plugin_search *search, char **path);

/* Looks at the file without loading it. Sets a `warning` that the caller
   frees, or NULL. */
char *plugin_check_file(enum plugin_kind kind, const char *path,
                        char **warning);

/* NULL, or that NAME.c beside NAME.so has been changed since. */
char *plugin_check_source(const char *path);

/* Looks at `.abi` alone: the one field that is there in every version. */
char *plugin_check_abi(enum plugin_kind kind, const char *path, uint32_t abi);

/* Looks at the struct as it was copied. */
char *plugin_check_shape(struct plugin *plugin, const char *name);

/* Looks for functions that the file calls and a field does not allow for. */
char *plugin_check_imports(struct plugin *plugin);

/* Looks at the option table of a loaded plugin: no element, and no text of one,
   is read beyond where it ends. */
char *plugin_check_table(const struct plugin *plugin);

#endif
