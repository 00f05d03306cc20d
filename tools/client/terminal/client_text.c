#include "client/terminal/client_text.h"

#include <playground/utf8.h>

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

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

/* Marks that make what follows be read in another order. */
static bool client_text_turns_text(uint32_t c)
{
    return c == 0x061c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void client_text_advance(struct client_view *view, unsigned columns)
{
    if (view->width && view->column + columns > view->width)
        view->column = columns;
    else
        view->column += columns;
}

static void client_text_put_escape(struct client_view *view, const char *format,
                                   uint32_t c, struct client_buffer *out)
{
    char text[16];
    int len = snprintf(text, sizeof(text), format, c);

    client_buffer_add(out, text, (size_t)len);
    for (int i = 0; i < len; i++)
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

static void client_text_put_character(struct client_view *view, uint32_t c,
                                      const uint8_t *bytes, size_t len,
                                      struct client_buffer *out)
{
    int width = wcwidth((wchar_t)c);

    if (c == '\t') {
        client_text_put_tab(view, out);
    } else if (c == '\n') {
        client_buffer_text(out, "\n");
        view->column = 0;
    } else if (pg_utf8_is_control(c)) {
        client_text_put_escape(view, "\\x%02x", c, out);
    } else if (width < 0 || client_text_turns_text(c)) {
        client_text_put_escape(view, c > 0xffff ? "\\U%08x" : "\\u%04x", c,
                               out);
    } else {
        client_buffer_add(out, bytes, len);
        client_text_advance(view, (unsigned)width);
    }
}

/* Shows the first `count` bytes of what is held back as what they are. */
static void client_text_put_bytes(struct client_view *view, unsigned count,
                                  struct client_buffer *out)
{
    for (unsigned i = 0; i < count; i++)
        client_text_put_escape(view, "\\x%02x", view->part[i], out);
    view->part_len -= count;
    memmove(view->part, view->part + count, view->part_len);
}

/* "\r\n" is one line end: a "\r" waits for what follows it. */
static bool client_text_waits(const struct client_view *view)
{
    return view->part[0] == '\r' && view->part_len == 1;
}

static void client_text_put_byte(struct client_view *view, uint8_t byte,
                                 struct client_buffer *out)
{
    if (view->part_len && view->part[0] == '\r') {
        if (byte == '\n')
            view->part_len = 0;
        else
            client_text_put_bytes(view, 1, out);
    }
    view->part[view->part_len++] = byte;
    while (view->part_len && !client_text_waits(view)) {
        uint32_t c;
        int len = client_utf8(view->part, view->part_len, &c);

        if (len == 0)
            return;
        if (len < 0) {
            client_text_put_bytes(view, 1, out);
            continue;
        }
        client_text_put_character(view, c, view->part, (size_t)len, out);
        view->part_len -= (unsigned)len;
        memmove(view->part, view->part + len, view->part_len);
    }
}

void client_view_add(struct client_view *view, struct pg_bytes in,
                     struct client_buffer *out)
{
    for (size_t i = 0; i < in.len; i++)
        client_text_put_byte(view, in.data[i], out);
}

void client_view_flush(struct client_view *view, struct client_buffer *out)
{
    client_text_put_bytes(view, view->part_len, out);
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
