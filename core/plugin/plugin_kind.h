/*
 * plugin_kind - handler or transport.
 */
#ifndef PLUGIN_KIND_H
#define PLUGIN_KIND_H

enum plugin_kind { PLUGIN_HANDLER, PLUGIN_TRANSPORT };

/* "handler" or "transport". */
const char *plugin_kind_text(enum plugin_kind kind);
/* The symbol that a plugin of that kind exports, "pg_handler". */
const char *plugin_kind_symbol(enum plugin_kind kind);
enum plugin_kind plugin_kind_other(enum plugin_kind kind);

/* The kinds that a file exports, as bits 1 << kind. 0: none, or it is no
   shared object of this machine. */
unsigned plugin_kinds_of(const char *path);

#endif
