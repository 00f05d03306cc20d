/* Lines for people: formatted, escaped, cut. */
#include "base/output.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/say.h"
#include "base/text.h"

void output_vline(struct pg_file *file, const char *format, va_list arguments)
{
    char raw[OUTPUT_LINE_BYTES + 1], line[OUTPUT_LINE_BYTES + sizeof("...\n")];
    int wanted = vsnprintf(raw, sizeof(raw), format, arguments);
    struct pg_bytes in = pg_text(wanted < 0 ? format : raw);
    bool is_cut = wanted > OUTPUT_LINE_BYTES;
    size_t len, used;

    if (!is_cut && in.len > 0 && in.data[in.len - 1] == '\n')
        in.len--;
    len = text_show(line, OUTPUT_LINE_BYTES + 1, in, PG_UTF8_LINE, &used);
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

void output_finish_aloud(unsigned ms)
{
    struct say_line line = {0};
    uint64_t lost = output_finish(ms);
    char text[64];

    if (!lost)
        return;
    snprintf(text, sizeof(text), "%" PRIu64 " log lines could not be written",
             lost);
    say_add(&line, text);
    say_now(&line);
}
