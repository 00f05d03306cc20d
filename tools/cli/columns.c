/* Text in columns: measured, broken at spaces, put side by side. */

#include "cli/columns.h"

#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/text.h"

#define GAP          2
#define MIN_TERMINAL 80
#define MAX_TERMINAL 100

size_t columns_width(const char *text)
{
    size_t left = strlen(text), width = 0;

    while (left > 0) {
        struct text_cell cell = text_cell(text, left);

        width += cell.width;
        text += cell.bytes;
        left -= cell.bytes;
    }
    return width;
}

size_t columns_break(const char *text, size_t width, size_t *next)
{
    size_t left = strlen(text), at = 0, used = 0, space = 0;

    while (left > 0) {
        struct text_cell cell = text_cell(text + at, left);

        if (text[at] == ' ')
            space = at;
        if (used + cell.width > width && at > 0)
            break;
        used += cell.width;
        at += cell.bytes;
        left -= cell.bytes;
    }
    if (left > 0 && space > 0)
        at = space;
    *next = at + strspn(text + at, " ");
    return at;
}

void columns_paragraph(FILE *out, const char *first, const char *text,
                       size_t width)
{
    size_t indent = columns_width(first), next;
    size_t room = width > indent ? width - indent : 1;

    fputs(first, out);
    do {
        size_t len = columns_break(text, room, &next);

        fprintf(out, "%.*s\n", (int)len, text);
        text += next;
        if (*text)
            fprintf(out, "%*s", (int)indent, "");
    } while (*text);
}

void columns_row(FILE *out, size_t indent, const char *const *cells,
                 const size_t *widths, size_t count)
{
    const char *left[8];
    bool is_more = true;

    memcpy(left, cells, count * sizeof(*left));
    while (is_more) {
        size_t owed = indent; /* spaces, written only before more text */

        is_more = false;
        for (size_t i = 0; i < count; i++) {
            size_t next, len = columns_break(left[i], widths[i], &next);
            char part[512];

            snprintf(part, sizeof(part), "%.*s", (int)len, left[i]);
            if (*part)
                fprintf(out, "%*s%s", (int)owed, "", part);
            owed = (*part ? 0 : owed) + widths[i] + GAP - columns_width(part);
            left[i] += next;
            is_more = is_more || *left[i];
        }
        fputc('\n', out);
    }
}

size_t columns_of_terminal(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) || size.ws_col < MIN_TERMINAL)
        return MIN_TERMINAL;
    return size.ws_col < MAX_TERMINAL ? size.ws_col : MAX_TERMINAL;
}
