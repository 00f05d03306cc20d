/* Prints one line of a text with a caret, however long the line is. */

#include "places/excerpt.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define COLUMNS  72 /* shown of a source line */
#define TAB      4
#define ELLIPSIS "..."
#define AROUND   1024 /* bytes on each side of the place that are looked at */

/* A line, cell by cell. */
struct cursor {
    const char *next, *end;
    unsigned column; /* where the next cell begins */
    bool is_cut;     /* `next` began inside the line */
};

static struct text_cell excerpt_next_cell(struct cursor *cursor)
{
    struct text_cell cell;

    if (*cursor->next == '\t') {
        cell = (struct text_cell){.bytes = 1};
        cell.width = TAB - cursor->column % TAB;
        memset(cell.shown, ' ', cell.width);
    } else {
        cell = text_cell(cursor->next, (size_t)(cursor->end - cursor->next));
    }
    cursor->next += cell.bytes;
    cursor->column += cell.width;
    return cell;
}

/* Leaves out the far parts of a line of megabytes. */
static void excerpt_skip_far(struct cursor *line, const char *place)
{
    if (line->end - place > AROUND)
        line->end = place + AROUND;
    if (place - line->next <= AROUND)
        return;
    line->next = place - AROUND;
    while (line->next < place && ((unsigned char)*line->next & 0xc0) == 0x80)
        line->next++; /* a character begins here */
    line->is_cut = true;
}

static struct cursor excerpt_line_around(const char *text, size_t len,
                                         size_t offset)
{
    const char *newline = offset ? memrchr(text, '\n', offset) : NULL;
    struct cursor line = {.next = newline ? newline + 1 : text,
                          .end = text + len};
    const char *end = memchr(line.next, '\n', (size_t)(line.end - line.next));

    if (end)
        line.end = end;
    if (line.end > line.next && line.end[-1] == '\r')
        line.end--;
    excerpt_skip_far(&line, text + offset);
    return line;
}

static unsigned excerpt_column_of(struct cursor line, const char *place)
{
    while (line.next < place && line.next < line.end)
        excerpt_next_cell(&line);
    return line.column;
}

/* Prints the cells from column `from` on, COLUMNS of them at the most. */
static void excerpt_print_cells(struct cursor line, unsigned from, FILE *out)
{
    if (from > 0 || line.is_cut)
        fputs(ELLIPSIS, out);
    while (line.next < line.end && line.column < from + COLUMNS) {
        unsigned column = line.column;
        struct text_cell cell = excerpt_next_cell(&line);

        if (column >= from)
            fputs(cell.shown, out);
    }
    if (line.next < line.end)
        fputs(ELLIPSIS, out);
    fputc('\n', out);
}

/* Returns where to begin so that the caret is seen: at a cell, not inside one.
 */
static unsigned excerpt_first_column(struct cursor line, unsigned caret)
{
    while (line.next < line.end && line.column + COLUMNS / 2 < caret)
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
    caret -= from;
    if (from > 0 || line.is_cut)
        caret += (unsigned)strlen(ELLIPSIS);
    fprintf(out, "      | %*s^\n", (int)caret, "");
}
