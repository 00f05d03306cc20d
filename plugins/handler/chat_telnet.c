/* chat_telnet: a state for each member, and a step for each byte. */
#include "chat_telnet.h"

#define LONG_BYTES 1024 /* behind IAC SB; who says more speaks no Telnet */

enum {
    TELNET_SE = 240, /* the first of the commands */
    TELNET_SB = 250,
    TELNET_WILL = 251, /* WONT, DO and DONT follow */
    TELNET_IAC = 255,
};

/* IANA's list of options, with room for a few more. */
static bool chat_telnet_is_option(uint8_t byte)
{
    return byte < 64 || (byte >= 128 && byte < 144) || byte == 255;
}

/* What stands behind IAC and is no command makes both of them text. */
static size_t chat_telnet_behind_iac(struct chat_telnet *self, uint8_t byte,
                                     uint8_t *out)
{
    size_t len = 0;

    self->place = CHAT_TELNET_TEXT;
    if (byte < TELNET_SE || byte == TELNET_IAC)
        out[len++] = TELNET_IAC;
    if (byte < TELNET_SE)
        out[len++] = byte;
    else if (byte == TELNET_SB)
        self->place = CHAT_TELNET_LONG;
    else if (byte >= TELNET_WILL && byte < TELNET_IAC)
        self->place = CHAT_TELNET_OPTION;
    self->long_len = 0;
    return len;
}

/* Only IAC SE ends it, unless it is too long to be true. */
static void chat_telnet_in_long(struct chat_telnet *self, uint8_t byte)
{
    if (self->place == CHAT_TELNET_LONG_IAC)
        self->place = byte == TELNET_SE ? CHAT_TELNET_TEXT : CHAT_TELNET_LONG;
    else if (byte == TELNET_IAC)
        self->place = CHAT_TELNET_LONG_IAC;
    if (++self->long_len == LONG_BYTES)
        self->place = CHAT_TELNET_TEXT;
}

static size_t chat_telnet_step(struct chat_telnet *self, uint8_t byte,
                               uint8_t *out)
{
    switch ((enum chat_telnet_place)self->place) {
    case CHAT_TELNET_IAC:
        return chat_telnet_behind_iac(self, byte, out);
    case CHAT_TELNET_OPTION:
        self->place = CHAT_TELNET_TEXT;
        return 0;
    case CHAT_TELNET_LONG:
    case CHAT_TELNET_LONG_IAC:
        chat_telnet_in_long(self, byte);
        return 0;
    case CHAT_TELNET_TEXT:
        break;
    }
    if (byte == TELNET_IAC) {
        self->place = CHAT_TELNET_IAC;
        return 0;
    }
    out[0] = byte;
    return 1;
}

size_t chat_telnet_strip(struct chat_telnet *self, struct pg_bytes in,
                         bool cuts_lines, uint8_t *out)
{
    size_t len = 0;

    if (cuts_lines && self->place == CHAT_TELNET_OPTION && in.len > 0 &&
        !chat_telnet_is_option(in.data[0]))
        self->place = CHAT_TELNET_TEXT;
    for (size_t i = 0; i < in.len; i++)
        len += chat_telnet_step(self, in.data[i], out + len);
    return len;
}
