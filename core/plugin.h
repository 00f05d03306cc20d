/*
 * plugin - finds and loads shared objects, and refuses what is none of ours.
 */
#ifndef PLUGIN_H
#define PLUGIN_H

#include <playground/transport.h>

enum plugin_kind { PLUGIN_HANDLER, PLUGIN_TRANSPORT };

struct plugin {
    enum plugin_kind kind;
    char *path;                     /* of the file that was loaded */
    struct pg_handler handler;      /* full-size copies: a plugin built for */
    struct pg_transport transport;  /* a smaller struct has zeros at the end */
    void *handle;                   /* of dlopen(3) */
};

/* Where plugins are sought, in order; ends with NULL. Each folder is tried
   as FOLDER/NAME.so and FOLDER/{handler,transport}/NAME.so. */
struct plugin_search {
    const char *const *folders;
};

/* The built-in folder: ../lib/playground beside the program's own folder
   (found through /proc/self/exe, so that a copied tree works). */
const char *plugin_builtin_folder(void);

/*
 * Loads NAME of the wanted kind, once each path. On failure returns NULL and
 * writes into `error` what is wrong and, after a semicolon, what to do.
 */
struct plugin *plugin_load(enum plugin_kind kind, const char *name,
                           const struct plugin_search *search, char *error,
                           size_t error_size);

/* Calls fn for each plugin that can be found, sorted by kind and name. */
void plugin_each(const struct plugin_search *search,
                 void (*fn)(enum plugin_kind kind, const char *name,
                            const char *path, void *arg),
                 void *arg);

#endif
