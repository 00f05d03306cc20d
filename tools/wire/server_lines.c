/* Reads what a server at the right end prints: its address, and "ready". */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/announced.h"
#include "wire/wire_command.h"

static void server_lines_read_listening(struct server_lines *lines,
                                        const char *line)
{
    struct announced first;

    if (!lines->url[0] && announced_listener(line, &first))
        snprintf(lines->url, sizeof(lines->url), "%s://%s", first.transport,
                 first.address);
}

static void server_lines_take_line(struct server_lines *lines, const char *line)
{
    text_print(stderr, "%s\n", line);
    server_lines_read_listening(lines, line);
    if (announced_ready(line))
        lines->is_ready = true;
}

static void server_lines_take_lines(struct server_lines *lines)
{
    char *end, *at = lines->text;

    lines->text[lines->len] = 0;
    while ((end = strchr(at, '\n'))) {
        *end = 0;
        server_lines_take_line(lines, at);
        at = end + 1;
    }
    if (at == lines->text && lines->len == sizeof(lines->text) - 1) {
        server_lines_take_line(lines, at); /* longer than any we know */
        at += lines->len;
    }
    lines->len -= (size_t)(at - lines->text);
    memmove(lines->text, at, lines->len);
}

void server_lines_read(struct server_lines *lines)
{
    ssize_t got = read(lines->fd, lines->text + lines->len,
                       sizeof(lines->text) - 1 - lines->len);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        close(lines->fd);
        lines->fd = -1;
        return;
    }
    lines->len += (size_t)got;
    server_lines_take_lines(lines);
}
