#include "base/text.h"

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/must.h"

/* Decodes with the C library, in UTF-8 whatever the user's locale is. */
static size_t text_decode(const char *at, size_t left, wchar_t *code,
                          int *width)
{
    static locale_t utf8;
    mbstate_t state = {0};

    if (!utf8)
        utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);

    locale_t before = uselocale(utf8);
    size_t bytes = mbrtowc(code, at, left, &state);

    *width = bytes == 0 || bytes > left ? -1 : wcwidth(*code);
    uselocale(before);
    return bytes;
}

/* What cannot be seen, or turns the direction of what follows and so can hide
   what stands there: byte order mark, zero-width space, bidi controls. */
static bool text_is_hidden(wchar_t code)
{
    return code == 0xfeff || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

struct text_cell text_cell(const char *at, size_t left)
{
    struct text_cell cell = {.bytes = 1};
    wchar_t code = 0;
    int width;
    size_t bytes = text_decode(at, left, &code, &width);

    if (width >= 0 && bytes < sizeof(cell.shown) && !text_is_hidden(code)) {
        memcpy(cell.shown, at, bytes);
        cell.bytes = bytes;
        cell.width = (unsigned)width;
        return cell;
    }
    snprintf(cell.shown, sizeof(cell.shown), "\\x%02x", (unsigned char)*at);
    cell.width = 4;
    return cell;
}

char *text_clean(const char *text)
{
    size_t left = strlen(text);
    char *clean = must_calloc(4 * left + 1, 1), *out = clean;

    while (left > 0) {
        struct text_cell cell = text_cell(text, left);

        out = stpcpy(out, cell.shown);
        text += cell.bytes;
        left -= cell.bytes;
    }
    return clean;
}

const char *text_quote(const char *value, char out[TEXT_QUOTE_BYTES])
{
    size_t left = strlen(value), used = 0;

    out[used++] = '"';
    while (left > 0) {
        struct text_cell cell = text_cell(value, left);
        size_t len = strlen(cell.shown);

        if (used + len + sizeof("...\"") > TEXT_QUOTE_BYTES) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        memcpy(out + used, cell.shown, len);
        used += len;
        value += cell.bytes;
        left -= cell.bytes;
    }
    memcpy(out + used, "\"", 2);
    return out;
}
