/* Bytes of a server, made fit to be looked at. */
#include "client/terminal/client_text.h"

#include <playground/utf8.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

#define TAB_COLUMNS 8

/* ---- buffer ----------------------------------------------------------- */

char *client_buffer_room(struct client_buffer *buffer, size_t len)
{
    size_t size = buffer->size ? buffer->size : 4096;

    while (size < buffer->len + len)
        size *= 2;
    if (size != buffer->size) {
        char *data = realloc(buffer->data, size);

        if (data == NULL) {
            fprintf(stderr, "playground client: out of memory\n");
            exit(1);
        }
        buffer->data = data;
        buffer->size = size;
    }
    return buffer->data + buffer->len;
}

void client_buffer_add(struct client_buffer *buffer, const void *data,
                       size_t len)
{
    if (len == 0)
        return;
    memcpy(client_buffer_room(buffer, len), data, len);
    buffer->len += len;
}

void client_buffer_text(struct client_buffer *buffer, const char *text)
{
    client_buffer_add(buffer, text, strlen(text));
}

void client_buffer_drop(struct client_buffer *buffer, size_t len)
{
    buffer->len -= len;
    if (buffer->len)
        memmove(buffer->data, buffer->data + len, buffer->len);
}

void client_buffer_finish(struct client_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct client_buffer){0};
}

/* ---- view ------------------------------------------------------------- */

int client_utf8(const uint8_t *bytes, size_t len, uint32_t *c)
{
    size_t got = pg_utf8_next(pg_bytes(bytes, len), c), wanted;

    if (got || len == 0)
        return (int)got;
    wanted = bytes[0] < 0xc2   ? 1
             : bytes[0] < 0xe0 ? 2
             : bytes[0] < 0xf0 ? 3
             : bytes[0] < 0xf5 ? 4
                               : 1;
    for (size_t i = 1; i < len; i++)
        if (bytes[i] >> 6 != 2)
            return -1;
    return len < wanted ? 0 : -1;
}

static void client_text_advance(struct client_view *view, unsigned columns)
{
    if (view->width && view->column + columns > view->width)
        view->column = columns;
    else
        view->column += columns;
}

/* An escape is wrapped anywhere, a wide character is not. */
static void client_text_put_cell(struct client_view *view,
                                 const struct text_cell *cell,
                                 struct client_buffer *out)
{
    client_buffer_text(out, cell->shown);
    if (cell->width <= 2)
        client_text_advance(view, cell->width);
    else
        for (unsigned i = 0; i < cell->width; i++)
            client_text_advance(view, 1);
}

static void client_text_put_tab(struct client_view *view,
                                struct client_buffer *out)
{
    unsigned columns = TAB_COLUMNS - view->column % TAB_COLUMNS;

    for (unsigned i = 0; i < columns; i++) {
        client_buffer_text(out, " ");
        client_text_advance(view, 1);
    }
}

static void client_text_drop_part(struct client_view *view, size_t len)
{
    view->part_len -= (unsigned)len;
    memmove(view->part, view->part + len, view->part_len);
}

/* Shows the character at the start of what is held back. */
static void client_text_put_character(struct client_view *view,
                                      struct client_buffer *out)
{
    struct text_cell cell = text_cell((const char *)view->part, view->part_len);

    if (view->part[0] == '\t') {
        client_text_put_tab(view, out);
    } else if (view->part[0] == '\n') {
        client_buffer_text(out, "\n");
        view->column = 0;
    } else {
        client_text_put_cell(view, &cell, out);
    }
    client_text_drop_part(view, cell.bytes);
}

/* "\r\n" is one line end: a "\r" waits for what follows it. So does a
   character whose end is missing. */
static bool client_text_waits(const struct client_view *view)
{
    uint32_t character;

    return (view->part[0] == '\r' && view->part_len == 1) ||
           client_utf8(view->part, view->part_len, &character) == 0;
}

static void client_text_put_byte(struct client_view *view, uint8_t byte,
                                 struct client_buffer *out)
{
    if (view->part_len && view->part[0] == '\r') {
        if (byte == '\n')
            view->part_len = 0;
        else
            client_text_put_character(view, out);
    }
    view->part[view->part_len++] = byte;
    while (view->part_len && !client_text_waits(view))
        client_text_put_character(view, out);
}

void client_view_add(struct client_view *view, struct pg_bytes in,
                     struct client_buffer *out)
{
    for (size_t i = 0; i < in.len; i++)
        client_text_put_byte(view, in.data[i], out);
}

void client_view_flush(struct client_view *view, struct client_buffer *out)
{
    while (view->part_len)
        client_text_put_character(view, out);
}

/* ---- hex -------------------------------------------------------------- */

static void client_text_hex_row(struct client_buffer *out,
                                struct pg_bytes bytes, size_t at,
                                unsigned per_row)
{
    char row[128];
    int len = snprintf(row, sizeof(row), "%08zx ", at);
    size_t count = bytes.len - at < per_row ? bytes.len - at : per_row;

    for (unsigned i = 0; i < per_row; i++) {
        const char *gap = i % 8 == 0 ? " " : "";

        if (i < count)
            len += snprintf(row + len, sizeof(row) - (size_t)len, "%s%02x ",
                            gap, bytes.data[at + i]);
        else
            len += snprintf(row + len, sizeof(row) - (size_t)len, "%s   ", gap);
    }
    row[len++] = ' ';
    row[len++] = '|';
    for (size_t i = 0; i < count; i++) {
        uint8_t byte = bytes.data[at + i];

        row[len++] = byte >= 0x20 && byte < 0x7f ? (char)byte : '.';
    }
    row[len++] = '|';
    row[len++] = '\n';
    client_buffer_add(out, row, (size_t)len);
}

void client_hex(struct client_buffer *out, bool is_sent, struct pg_bytes bytes,
                unsigned columns)
{
    unsigned per_row = columns >= 78 ? 16 : columns >= 45 ? 8 : 4;
    char title[64];

    snprintf(title, sizeof(title), "%c %zu byte%s %s\n", is_sent ? '>' : '<',
             bytes.len, bytes.len == 1 ? "" : "s",
             is_sent ? "sent" : "received");
    client_buffer_text(out, title);
    for (size_t at = 0; at < bytes.len; at += per_row)
        client_text_hex_row(out, bytes, at, per_row);
}
