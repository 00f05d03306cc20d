/*
 * swap_config - a user's config with another transport under it.
 */
#ifndef SWAP_CONFIG_H
#define SWAP_CONFIG_H

#include <jansson.h>

#include "config/config.h"

/* The user's own. */
struct swap_config;

/* Loads it, as `check` does. NULL after printing what is wrong. */
struct swap_config *swap_config_load(const char *path);
/* Accepts NULL. */
void swap_config_destroy(struct swap_config *config);

/*
 * The config with one listener, of this transport: the config's own if it has
 * one, else its first listener with the transport replaced. Options that the
 * transport does not have are left out; handlers stay, those of the listener
 * too. Paths are made absolute, so that it may be served from any folder.
 *
 * NULL after writing into `error` why it cannot be. `notes` (an array) gets a
 * sentence for each thing that was left out. The caller has a reference.
 */
json_t *swap_config_make(const struct swap_config *config,
                         const char *transport, json_t *notes, char *error,
                         size_t error_size);

/* Loads the config that `json` is; NULL after writing into `error` why the
   loader refuses it. Stays for good. */
struct config *swap_config_check(const struct swap_config *config,
                                 const json_t *json, char *error,
                                 size_t error_size);

#endif
