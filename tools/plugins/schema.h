/*
 * schema - a JSON Schema (draft 2020-12) out of the option tables of the
 * plugins that are installed, so that an editor completes a config.
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <jansson.h>

#include "plugin/plugin.h"

/* The schema of one plugin's options; NULL: it cannot be found. Both return
   new references. */
json_t *schema_plugin(struct plugin_search *search, const char *name);
/* The schema of a whole config. */
json_t *schema_config(struct plugin_search *search);

#endif
