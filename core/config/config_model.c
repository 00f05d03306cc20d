/* Answers what other rooms ask a config that is loaded. */

#include "config/config_model.h"

#include <string.h>

#include "config/config_parts.h"

bool config_is_virtual(const struct config *config)
{
    return config->listener_count &&
           config->listeners[0]->transport->simulation != NULL;
}

const char *config_override(const struct config *config, const char *key)
{
    return !strcmp(key, "host")   ? config->overrides.host
           : !strcmp(key, "port") ? config->overrides.port
                                  : NULL;
}

const json_t *config_json(const struct config *config)
{
    return config->internals->root;
}

const char *const *config_folders(const struct config *config)
{
    return config->internals->search.folders;
}
