/*
 * playground/utf8.h - is this text? For plugins that show or check what peers
 * send. Optional, and all of it inline: nothing here is part of the ABI.
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

/* True for characters that would drive a terminal instead of being shown: C0,
   DEL and C1. */
static inline bool pg_utf8_is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0);
}

/*
 * Spaces of every width, and characters that show nothing or turn the line
 * around: with them one name could look like another. Control characters
 * too, and those that no standard gives a shape.
 */
static inline bool pg_utf8_is_invisible(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x20, 0x20},       {0xa0, 0xa0},        {0xad, 0xad},
        {0x34f, 0x34f},     {0x61c, 0x61c},      {0x115f, 0x1160},
        {0x1680, 0x1680},   {0x17b4, 0x17b5},    {0x180b, 0x180f},
        {0x2000, 0x200f},   {0x2028, 0x202f},    {0x205f, 0x206f},
        {0x2800, 0x2800},   {0x3000, 0x3000},    {0x3164, 0x3164},
        {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},    {0xfe00, 0xfe0f},
        {0xfeff, 0xfeff},   {0xffa0, 0xffa0},    {0xfff0, 0xffff},
        {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return pg_utf8_is_control(character);
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

#endif
