/* Lines for people: formatted, escaped, cut. */
#include "base/output.h"

#include <stdio.h>

#include <playground/utf8.h>

/* How the first character of `in` is shown; in `len` how many bytes it has. */
static size_t output_line_escape_one(char out[5], struct pg_bytes in,
                                     size_t *len)
{
    uint32_t character = 0;

    *len = pg_utf8_next(in, &character);
    if (*len == 0 || pg_utf8_is_control(character)) {
        *len = 1; /* each byte of a C1 character by itself */
        if (in.data[0] == '\n' || in.data[0] == '\t')
            return (size_t)sprintf(out, in.data[0] == '\n' ? "\\n" : "\\t");
        return (size_t)sprintf(out, "\\x%02x", in.data[0]);
    }
    if (character == '\\')
        return (size_t)sprintf(out, "\\\\");
    memcpy(out, in.data, *len);
    return *len;
}

size_t output_escape(char *out, size_t size, struct pg_bytes in, size_t *used)
{
    size_t written = 0, at = 0;

    while (at < in.len) {
        char shown[5];
        size_t len, shown_len = output_line_escape_one(
                        shown, pg_bytes(in.data + at, in.len - at), &len);

        if (written + shown_len >= size)
            break;
        memcpy(out + written, shown, shown_len);
        written += shown_len;
        at += len;
    }
    if (size > 0)
        out[written] = '\0';
    if (used)
        *used = at;
    return written;
}

void output_vline(struct pg_file *file, const char *format, va_list arguments)
{
    char raw[OUTPUT_LINE_BYTES + 1], line[OUTPUT_LINE_BYTES + sizeof("...\n")];
    int wanted = vsnprintf(raw, sizeof(raw), format, arguments);
    struct pg_bytes in = pg_text(wanted < 0 ? format : raw);
    bool is_cut = wanted > OUTPUT_LINE_BYTES;
    size_t len, used;

    if (!is_cut && in.len > 0 && in.data[in.len - 1] == '\n')
        in.len--;
    len = output_escape(line, OUTPUT_LINE_BYTES + 1, in, &used);
    len += (size_t)sprintf(line + len, "%s\n",
                           is_cut || used < in.len ? "..." : "");
    output_write(file, pg_bytes(line, len));
}

void output_line(struct pg_file *file, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    output_vline(file, format, arguments);
    va_end(arguments);
}
