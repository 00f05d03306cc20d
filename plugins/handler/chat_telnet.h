/*
 * chat_telnet - takes out of what a member says what its Telnet client says.
 *
 * A Telnet client (RFC 854) puts commands between the bytes of a text, each
 * behind a byte 255, IAC: IAC DO 1 has an option behind it, IAC SB 24 ... IAC
 * SE any number of bytes. IAC IAC is the byte 255 itself.
 */
#ifndef CHAT_TELNET_H
#define CHAT_TELNET_H

#include <playground/handler.h>

enum chat_telnet_place {
    CHAT_TELNET_TEXT,     /* between commands */
    CHAT_TELNET_IAC,      /* behind IAC */
    CHAT_TELNET_OPTION,   /* behind IAC WILL, WONT, DO or DONT */
    CHAT_TELNET_LONG,     /* behind IAC SB */
    CHAT_TELNET_LONG_IAC, /* ... and another IAC */
};

/* How far a member's client has come; all zero at the start, plain data. */
struct chat_telnet {
    uint8_t place;     /* enum chat_telnet_place */
    uint16_t long_len; /* of what stands behind IAC SB */
};

/* True if chat_telnet_strip() would change nothing. */
static inline bool chat_telnet_is_text(const struct chat_telnet *self,
                                       struct pg_bytes in)
{
    return self->place == CHAT_TELNET_TEXT &&
           (in.len == 0 || !memchr(in.data, 255, in.len));
}

/*
 * Copies the text in a message to `out`, which has room for one byte more than
 * the message; returns how many bytes it has. A command may begin in one
 * message and end in a later one. Where `cuts_lines`, a line end may have been
 * taken away between two messages and may have been the option of a command.
 */
size_t chat_telnet_strip(struct chat_telnet *self, struct pg_bytes in,
                         bool cuts_lines, uint8_t *out);

#endif
