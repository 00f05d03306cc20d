#include "places/excerpt.h"

#include <string.h>

#include "base/text.h"

#define COLUMNS  72 /* of a source line */
#define TAB      4
#define ELLIPSIS "..."

/* A line, cell by cell. */
struct cursor {
    const char *at, *end;
    unsigned column; /* where the next cell begins */
};

static struct text_cell excerpt_next_cell(struct cursor *cursor)
{
    struct text_cell cell;

    if (*cursor->at == '\t') {
        cell = (struct text_cell){.bytes = 1};
        cell.width = TAB - cursor->column % TAB;
        memset(cell.shown, ' ', cell.width);
    } else {
        cell = text_cell(cursor->at, (size_t)(cursor->end - cursor->at));
    }
    cursor->at += cell.bytes;
    cursor->column += cell.width;
    return cell;
}

static struct cursor excerpt_line_around(const char *text, size_t len,
                                         size_t offset)
{
    const char *newline = offset ? memrchr(text, '\n', offset) : NULL;
    struct cursor line = {newline ? newline + 1 : text, text + len, 0};
    const char *end = memchr(line.at, '\n', (size_t)(line.end - line.at));

    if (end)
        line.end = end;
    if (line.end > line.at && line.end[-1] == '\r')
        line.end--;
    return line;
}

static unsigned excerpt_column_of(struct cursor line, const char *place)
{
    while (line.at < place && line.at < line.end)
        excerpt_next_cell(&line);
    return line.column;
}

/* Prints the cells from column `from` on, COLUMNS of them at the most. */
static void excerpt_print_cells(struct cursor line, unsigned from, FILE *out)
{
    if (from > 0)
        fputs(ELLIPSIS, out);
    while (line.at < line.end && line.column < from + COLUMNS) {
        unsigned column = line.column;
        struct text_cell cell = excerpt_next_cell(&line);

        if (column >= from)
            fputs(cell.shown, out);
    }
    if (line.at < line.end)
        fputs(ELLIPSIS, out);
    fputc('\n', out);
}

/* Where to begin so that the caret is seen: at a cell, not inside one. */
static unsigned excerpt_first_column(struct cursor line, unsigned caret)
{
    while (line.at < line.end && line.column + COLUMNS / 2 < caret)
        excerpt_next_cell(&line);
    return line.column;
}

void excerpt_print(const char *text, size_t len, size_t offset, size_t number,
                   FILE *out)
{
    struct cursor line = excerpt_line_around(text, len, offset);
    unsigned caret = excerpt_column_of(line, text + offset);
    unsigned from = 0;

    if (caret >= COLUMNS - 8)
        from = excerpt_first_column(line, caret);
    fprintf(out, "%5zu | ", number);
    excerpt_print_cells(line, from, out);
    caret = caret - from + (from > 0 ? (unsigned)strlen(ELLIPSIS) : 0);
    fprintf(out, "      | %*s^\n", (int)caret, "");
}
