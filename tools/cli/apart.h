/*
 * apart - looks at a plugin from a process of its own.
 *
 * Loading a plugin runs its constructors, and they may do anything: loop,
 * crash, exit. What only wants to describe a plugin, which nobody has asked to
 * run, loads it in a child with a time limit.
 */
#ifndef APART_H
#define APART_H

#include "plugin/plugin.h"

enum apart_end {
    APART_SHOWN,   /* `text` is what show() printed */
    APART_REFUSED, /* `text` says why the plugin cannot be loaded */
    APART_DIED,    /* it ended the child, `text` says how: "Aborted" */
};

/* The text ends with NUL; the caller frees it. */
struct apart {
    enum apart_end end;
    char *text;
    size_t len;
};

/* Loads a plugin as plugin_load() does, and calls show(plugin, arg), which
   prints on stdout; both happen in the child. */
struct apart apart_load(enum plugin_kind kind, const char *name,
                        struct plugin_search *search,
                        void (*show)(const struct plugin *plugin, void *arg),
                        void *arg);

#endif
