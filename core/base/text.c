/* Text from elsewhere, escaped and measured. */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include <unictype.h>
#include <uniwidth.h>

#include "base/must.h"

/* Categories that show nothing, tell a terminal something, or have no shape
   that all agree on: control, format, surrogate, private, unassigned, and the
   separators of lines and paragraphs. */
#define HIDDEN_CATEGORIES                                                      \
    (UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Zl | UC_CATEGORY_MASK_Zp)

/* ---- one character ---------------------------------------------------- */

int text_width(uint32_t character)
{
    if (character >= 0x20 && character < 0x7f)
        return 1;
    if (uc_is_general_category_withtable(character, HIDDEN_CATEGORIES) ||
        uc_is_property_default_ignorable_code_point(character))
        return -1;
    return uc_width(character, "UTF-8");
}

/* Not sprintf(), because a signal handler may be what shows it. */
static void text_put_hex(char *shown, char letter, unsigned digits,
                         uint32_t value)
{
    *shown++ = '\\';
    *shown++ = letter;
    while (digits-- > 0)
        *shown++ = "0123456789abcdef"[value >> 4 * digits & 0xf];
    *shown = '\0';
}

/* Writes the name of a character in ASCII; `len` 0: it is only a byte. */
static void text_name(char shown[12], size_t len, uint32_t character,
                      uint8_t byte)
{
    static const char codes[] = "\n\r\t", letters[] = "nrt";
    const char *code = memchr(codes, byte, strlen(codes));

    if (code)
        text_put_hex(shown, letters[code - codes], 0, 0);
    else if (len == 0 || character < 0x80)
        text_put_hex(shown, 'x', 2, byte);
    else if (character <= 0xffff)
        text_put_hex(shown, 'u', 4, character);
    else
        text_put_hex(shown, 'U', 8, character);
}

struct text_cell text_cell(const char *at, size_t left)
{
    struct text_cell cell = {.bytes = 1};
    uint32_t character = 0;
    size_t len = pg_utf8_next(pg_bytes(at, left), &character);
    int width = len > 0 ? text_width(character) : -1;

    if (len > 0)
        cell.bytes = len;
    if (width >= 0) {
        memcpy(cell.shown, at, len);
        cell.width = (unsigned)width;
        return cell;
    }
    text_name(cell.shown, len, character, (uint8_t)*at);
    cell.width = (unsigned)strlen(cell.shown);
    return cell;
}

/* ---- whole texts ------------------------------------------------------ */

/* At worst a byte becomes four; a character grows less. */
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

void text_vprint(FILE *out, const char *format, va_list arguments)
{
    char *text = must_vprintf(format, arguments), *clean;
    size_t len = strlen(text);
    bool has_end = len > 0 && text[len - 1] == '\n';

    if (has_end)
        text[len - 1] = '\0';
    clean = text_clean(text);
    fprintf(out, "%s%s", clean, has_end ? "\n" : "");
    free(clean);
    free(text);
}

void text_print(FILE *out, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_vprint(out, format, arguments);
    va_end(arguments);
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

/* ---- for logs --------------------------------------------------------- */

/* JSON has \uNNNN alone, two of them for a character beyond U+FFFF, and
   nothing for bytes. */
static void text_name_json(char shown[16], struct pg_bytes in)
{
    uint32_t character = 0;

    if (pg_utf8_next(in, &character) == 0)
        character = 0xfffd;
    if (character > 0xffff) {
        text_put_hex(shown, 'u', 4, 0xd7c0 + (character >> 10));
        shown += 6;
        character = 0xdc00 + (character & 0x3ff);
    }
    text_put_hex(shown, 'u', 4, character);
}

/* One character in the form; how many bytes of `in` it has. */
static size_t text_show_one(char shown[16], struct pg_bytes in,
                            enum pg_utf8_form form)
{
    struct text_cell cell = text_cell((const char *)in.data, in.len);
    uint8_t byte = in.data[0];

    if (byte == '\\' || (byte == '"' && form != PG_UTF8_LINE))
        text_put_hex(shown, (char)byte, 0, 0);
    else if (form == PG_UTF8_JSON && cell.shown[0] == '\\' &&
             strchr("xuU", cell.shown[1]))
        text_name_json(shown, in);
    else
        strcpy(shown, cell.shown);
    return cell.bytes;
}

size_t text_show(char *out, size_t size, struct pg_bytes in,
                 enum pg_utf8_form form, size_t *used)
{
    size_t written = 0, at = 0;

    while (at < in.len) {
        char shown[16];
        size_t bytes =
            text_show_one(shown, pg_bytes(in.data + at, in.len - at), form);
        size_t len = strlen(shown);

        /* A NUL byte is shown as \x00, so `shown` is never empty. */
        if (written + len >= size)
            break;
        memcpy(out + written, shown, len);
        written += len;
        at += bytes;
    }
    if (size > 0)
        out[written] = '\0';
    if (used)
        *used = at;
    return written;
}
