/*
 * playground/utf8.h - is this text? For plugins that show or check what peers
 * send.
 */
#ifndef PLAYGROUND_UTF8_H
#define PLAYGROUND_UTF8_H

#include <playground/handler.h>

/*
 * Returns how many bytes the first character of `in` has, and notes its number
 * in `character`. 0 when `in` is empty or does not begin with valid UTF-8: cut
 * off, longer than need be, a surrogate, or beyond U+10FFFF.
 */
static inline size_t pg_utf8_next(struct pg_bytes in, uint32_t *character)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = in.len > 0 ? in.data[0] : 0xff;
    size_t len = first < 0x80   ? 1
                 : first < 0xc0 ? 0
                 : first < 0xe0 ? 2
                 : first < 0xf0 ? 3
                 : first < 0xf8 ? 4
                                : 0;

    if (len == 0 || len > in.len)
        return 0;
    *character = len == 1 ? first : first & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((in.data[i] & 0xc0) != 0x80)
            return 0;
        *character = *character << 6 | (in.data[i] & 0x3f);
    }
    if (*character < smallest[len] || *character > 0x10ffff ||
        (*character >= 0xd800 && *character <= 0xdfff))
        return 0;
    return len;
}

/* True when all of `in` is valid UTF-8. */
static inline bool pg_utf8_is_valid(struct pg_bytes in)
{
    uint32_t character;
    size_t len;

    while ((len = pg_utf8_next(in, &character)) > 0)
        in = pg_bytes(in.data + len, in.len - len);
    return in.len == 0;
}

/* How pg_utf8_show() writes. */
enum pg_utf8_form {
    /* A backslash is doubled, so that each byte can be told from what is
       shown. */
    PG_UTF8_LINE,
    /* A double quote gets a backslash, too, to stand between two of them. */
    PG_UTF8_QUOTED,
    /* The inside of a JSON text: characters by \uNNNN alone, and bytes that
       are no UTF-8, which JSON cannot hold, as \ufffd. */
    PG_UTF8_JSON,
};

/*
 * Copies `in` fit to be looked at, in one line: characters that have a shape as
 * they are, all others in ASCII. \n, \r and \t; \xNN for other ASCII control
 * characters and for bytes that are no UTF-8; \uNNNN or \UNNNNNNNN for what is
 * not seen or changes how the rest is read (C1 controls, direction marks,
 * zero-width characters, unassigned ones). The copy ends with NUL; returns its
 * length, at most size - 1. No character is cut in two. `used` (may be NULL):
 * how many bytes of `in` the copy shows.
 */
PG_API size_t pg_utf8_show(char *out, size_t size, struct pg_bytes in,
                           enum pg_utf8_form form, size_t *used);

/* Columns a character takes on a terminal, 0 (it is put onto the one before)
   to 2. -1: pg_utf8_show() does not show it as it is. */
PG_API int pg_utf8_width(uint32_t character);

/* True for what pg_utf8_show() does not show as it is, and for spaces of every
   width: with them one name could look like another. */
PG_API bool pg_utf8_is_invisible(uint32_t character);

#endif
