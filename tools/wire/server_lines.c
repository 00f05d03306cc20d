/* Reads what a server at the right end prints: its address, and "ready". */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "wire/wire_command.h"

/* "listening tcp 10.77.0.2:5000" -> "tcp://10.77.0.2:5000" */
static void server_lines_read_listening(struct server_lines *lines,
                                        const char *line)
{
    char transport[32], address[64];

    if (!lines->url[0] &&
        sscanf(line, "listening %31s %63s", transport, address) == 2)
        snprintf(lines->url, sizeof(lines->url), "%s://%s", transport, address);
}

static void server_lines_take_line(struct server_lines *lines, const char *line)
{
    fprintf(stderr, "%s\n", line);
    server_lines_read_listening(lines, line);
    if (!strcmp(line, "ready"))
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
