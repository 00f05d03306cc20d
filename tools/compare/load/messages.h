/*
 * messages - what the clients of `compare CONFIG --swap` say.
 *
 * Without a file: 64 bytes that end with a token, "PG" and ten digits, which
 * says which message it is wherever and however often it arrives, inside of
 * other text, in capitals or not. With a file: its lines, in turns.
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include <playground/handler.h>

#define MESSAGES_DEFAULT_BYTES 64
#define MESSAGES_TOKEN_BYTES   12
#define MESSAGES_MOST_BYTES    65507 /* of one message: a datagram's most */

struct messages {
    struct pg_bytes *list; /* NULL: with tokens */
    size_t count;
    uint8_t *memory; /* what the list points into */
    uint8_t made[MESSAGES_DEFAULT_BYTES];
};

/* Reads a file of one message a line, with \\ \n \r \t \0 and \xHH, or in hex.
   False after writing into `error` what is wrong and, after a semicolon, what
   to do. */
bool messages_read(struct messages *messages, const char *path, bool is_hex,
                   char *error, size_t error_size);
/* Reads from text that is in memory; `path` is for the errors. */
bool messages_parse(struct messages *messages, struct pg_bytes text,
                    const char *path, bool is_hex, char *error,
                    size_t error_size);
void messages_finish(struct messages *messages);

/* The message with this number; valid until the next call. */
struct pg_bytes messages_get(struct messages *messages, uint64_t number);

/* Whether two of the first so many are the same: then an answer does not tell
   whose it is. */
bool messages_repeat(const struct messages *messages, uint64_t sent);

/* Looks for tokens in bytes that come in pieces; starts as zeros. */
struct token_scan {
    unsigned matched;
    uint64_t number;
};

/* Takes bytes up to the end of the next token out of `in`, and says which it
   is. False: there is none in what was left. */
bool token_next(struct token_scan *scan, struct pg_bytes *in, uint64_t *number);

#endif
