/*
 * client_text - bytes of a server, made fit to be looked at.
 */
#ifndef CLIENT_TEXT_H
#define CLIENT_TEXT_H

#include <playground/handler.h>

/* Text that grows; zeroed it is empty. */
struct client_buffer {
    char *data;
    size_t len, size;
};

/* Room for `len` more bytes, which the caller fills and adds to len. Ends the
   program when there is no memory left. */
char *client_buffer_room(struct client_buffer *buffer, size_t len);
void client_buffer_add(struct client_buffer *buffer, const void *data,
                       size_t len);
void client_buffer_text(struct client_buffer *buffer, const char *text);
/* Takes `len` bytes off the front. */
void client_buffer_drop(struct client_buffer *buffer, size_t len);
void client_buffer_finish(struct client_buffer *buffer);

/* The character at the start of these bytes: its length, and in `c` its number.
   0: its end is missing; -1: these bytes begin none. */
int client_utf8(const uint8_t *bytes, size_t len, uint32_t *c);

/*
 * What a terminal is shown: a stream of text in which nothing but line ends
 * has a meaning to the terminal. Tabs become spaces, and all that cannot be
 * seen is escaped as in base/text.h. A character that is cut between two calls
 * stays whole.
 */
struct client_view {
    unsigned width;  /* of the window in columns; 0: not known */
    unsigned column; /* where the next character goes; width: past the end */
    uint8_t part[4]; /* a character whose rest has not come yet, or "\r" */
    unsigned part_len;
};

void client_view_add(struct client_view *view, struct pg_bytes in,
                     struct client_buffer *out);
/* Nothing more comes: shows what was held back. */
void client_view_flush(struct client_view *view, struct client_buffer *out);

/*
 * Offset, hex and text columns, `columns` wide at the most (a terminal's;
 * 16 bytes a row fit into 78), under a line of their own:
 *
 *   < 3 bytes received
 *   00000000  75 6d 0a                                          |um.|
 */
void client_hex(struct client_buffer *out, bool is_sent, struct pg_bytes bytes,
                unsigned columns);

#endif
