/* stdout and stderr of the client, never blocking its loop. */

#include "client/client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/output.h"
#include "places/problems.h"

/* PIPE_BUF: a pipe that polls as writable takes as much at once. */
#define PIECE_BYTES 4096
#define FULL_BYTES  (256 * 1024)
#define NOTE_BYTES  1024

/* ---- stdout ----------------------------------------------------------- */

static void client_out_nobody_reads(struct client *client)
{
    client->out.is_broken = true;
    client->out.pending.len = 0;
    client_leave_at_once(client, 0);
}

static void client_out_write_failed(struct client *client, int error)
{
    client_out_nobody_reads(client);
    if (error == EPIPE)
        return;
    client->status = 1;
    client_complain(client, "cannot write to stdout: %s", strerror(error));
}

static void client_out_stdout_polled(uv_poll_t *poll, int status, int events)
{
    struct client *client = poll->data;

    if (status < 0) /* the reader of the pipe has gone */
        client_out_nobody_reads(client);
    else if (events & UV_WRITABLE)
        client_wake(client);
}

/* UV_DISCONNECT alone: a pipe tells at once when its reader goes. */
static void client_out_watch_stdout(struct client *client, bool is_waiting)
{
    int events = client->out.is_pipe ? UV_DISCONNECT : 0;

    if (is_waiting)
        events |= UV_WRITABLE;
    if (!client->out.is_pollable || client->has_stopped)
        return;
    if (events)
        uv_poll_start(&client->out.poll, events, client_out_stdout_polled);
    else
        uv_poll_stop(&client->out.poll);
}

static bool client_out_is_pipe(int fd)
{
    struct stat file;

    return fstat(fd, &file) == 0 && S_ISFIFO(file.st_mode);
}

void client_out_start(struct client *client)
{
    struct client_out *out = &client->out;

    out->is_terminal = isatty(STDOUT_FILENO);
    out->is_error_terminal = isatty(STDERR_FILENO);
    out->is_pipe = client_out_is_pipe(STDOUT_FILENO);
    out->is_pollable = client_poll_init(client, &out->poll, STDOUT_FILENO) == 0;
    client_out_watch_stdout(client, false);
}

/* Whether write() would not block. The descriptor itself stays as it was:
   making it non-blocking would change it for the shell and everybody else who
   shares it. */
static bool client_out_is_writable(const struct client *client)
{
    struct pollfd wanted = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return !client->out.is_pollable || poll(&wanted, 1, 0) > 0;
}

/* Writes once. False: stdout takes nothing now, or never again. */
static bool client_out_write_piece(struct client *client, size_t *done)
{
    struct client_out *out = &client->out;
    size_t len = out->pending.len - *done;
    ssize_t written;

    if (!client_out_is_writable(client))
        return false;
    if (out->is_pollable && len > PIECE_BYTES)
        len = PIECE_BYTES;
    written = write(STDOUT_FILENO, out->pending.data + *done, len);
    if (written >= 0)
        *done += (size_t)written;
    else if (errno != EINTR && errno != EAGAIN)
        client_out_write_failed(client, errno);
    return written >= 0 || errno == EINTR;
}

void client_out_flush(struct client *client)
{
    struct client_out *out = &client->out;
    size_t done = 0;

    if (client->terminal && out->pending.len) {
        terminal_print(client->terminal,
                       pg_bytes(out->pending.data, out->pending.len));
        out->pending.len = 0;
    }
    while (done < out->pending.len && client_out_write_piece(client, &done))
        ;
    if (out->is_broken)
        return;
    if (done)
        out->is_mid_line = out->pending.data[done - 1] != '\n';
    client_buffer_drop(&out->pending, done);
    client_out_watch_stdout(client, out->pending.len > 0);
}

/* ---- messages --------------------------------------------------------- */

static void client_out_add(struct client *client, struct pg_bytes bytes)
{
    struct client_out *out = &client->out;

    out->view.width = out->is_terminal ? terminal_columns() : 0;
    if (out->is_terminal)
        client_view_add(&out->view, bytes, &out->pending);
    else
        client_buffer_add(&out->pending, bytes.data, bytes.len);
}

void client_out_message(struct client *client, struct pg_bytes bytes)
{
    if (client->out.is_broken)
        return;
    client_out_add(client, bytes);
    /* A message is a line, even if it came without its end. */
    if (client->is_records &&
        (bytes.len == 0 || bytes.data[bytes.len - 1] != '\n')) {
        client_view_flush(&client->out.view, &client->out.pending);
        client_out_add(client, pg_text("\n"));
    }
    client_wake(client);
}

void client_out_hex(struct client *client, bool is_sent, struct pg_bytes bytes)
{
    unsigned columns = client->out.is_terminal ? terminal_columns() : 80;

    if (client->out.is_broken)
        return;
    client_hex(&client->out.pending, is_sent, bytes, columns);
    client_wake(client);
}

bool client_out_is_full(const struct client *client)
{
    return client->out.pending.len > FULL_BYTES;
}

void client_out_finish(struct client *client)
{
    client_buffer_finish(&client->out.pending);
}

/* ---- stderr ----------------------------------------------------------- */

/* At once where that is possible, so that it stands where it belongs among the
   messages; else a thread waits for stderr, and the loop goes on. */
static void client_out_error(struct pg_bytes line)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    static bool is_behind;
    ssize_t done = -1;

    fflush(stderr);
    if (!is_behind && poll(&out, 1, 0) == 1 && out.revents == POLLOUT)
        done = write(STDERR_FILENO, line.data, line.len);
    if (done >= 0)
        return;
    is_behind = true;
    output_write(output_stderr(), line);
}

void client_out_problems(struct client *client)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return;
    problems_print(client->config->problems, out);
    fclose(out);
    client_out_error(pg_bytes(text, len));
    free(text);
}

/* Puts a line on stderr. If that is the terminal where the messages are, it
   gets a row of its own. */
static void client_out_say(struct client *client, const char *format,
                           va_list arguments)
{
    struct client_out *out = &client->out;
    struct client_view view = {0};
    struct client_buffer line = {0};
    char text[NOTE_BYTES];

    vsnprintf(text, sizeof(text), format, arguments);
    client_out_flush(client);
    if (client->terminal)
        terminal_hide(client->terminal);
    else if (out->is_mid_line && out->is_terminal && out->is_error_terminal)
        client_buffer_text(&line, "\n");
    client_buffer_text(&line, "client: ");
    client_view_add(&view, pg_text(text), &line);
    client_view_flush(&view, &line);
    client_buffer_text(&line, "\n");
    client_out_error(pg_bytes(line.data, line.len));
    out->is_mid_line = false;
    out->view.column = 0;
    if (client->terminal)
        terminal_show(client->terminal);
    client_buffer_finish(&line);
}

void client_note(struct client *client, const char *format, ...)
{
    va_list arguments;

    if (client->options.is_quiet)
        return;
    va_start(arguments, format);
    client_out_say(client, format, arguments);
    va_end(arguments);
}

void client_complain(struct client *client, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    client_out_say(client, format, arguments);
    va_end(arguments);
}
