/*
 * client_keys - what was typed on a terminal, one key at a time.
 *
 * libedit waits inside its read function until it has the rest of an escape
 * sequence or of a character, and while it waits nothing else happens. So it
 * is only given keys that are there as a whole, and only those that are one
 * command each.
 */
#ifndef CLIENT_KEYS_H
#define CLIENT_KEYS_H

#include <wchar.h>

#include "client/terminal/client_text.h"

/* Keys of our own: control characters that nobody can type. */
#define KEY_RESET  0x9d
#define KEY_DELETE 0x9e

#define KEY_MAX 2 /* characters of one key */

/*
 * Takes the next key off the front of `typed` and writes its characters. How
 * many; 0: a key without meaning, 1 byte at least was taken; -1: the rest of
 * it has not been typed yet.
 */
int client_keys_next(struct client_buffer *typed, wchar_t key[KEY_MAX]);

#endif
