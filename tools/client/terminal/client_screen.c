/* Keeps the line being typed below the messages. */

#include "client/terminal/client_screen.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TAB_COLUMNS 8

unsigned terminal_columns(void)
{
    struct winsize window = {0};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) || window.ws_col < 2)
        return 80;
    return window.ws_col;
}

static void client_screen_write_all(const struct client_buffer *text)
{
    struct pollfd wanted = {.fd = STDOUT_FILENO, .events = POLLOUT};
    size_t done = 0;

    fflush(stdout);
    while (done < text->len) {
        ssize_t written =
            write(STDOUT_FILENO, text->data + done, text->len - done);

        if (written > 0)
            done += (size_t)written;
        else if (errno == EAGAIN) /* somebody else made it non-blocking */
            poll(&wanted, 1, -1);
        else if (errno != EINTR)
            return; /* the terminal has gone: SIGHUP comes, too */
    }
}

/* How many rows of the line being typed are above the cursor. The widths are
   the C library's, because libedit draws by them. */
static unsigned client_screen_rows_above(const struct terminal *terminal)
{
    const LineInfoW *line = el_wline(terminal->editor);
    unsigned width = terminal_columns(), rows = 0,
             column = strlen(SCREEN_PROMPT);

    for (const wchar_t *at = line->buffer; at < line->cursor; at++) {
        int columns = wcwidth(*at);

        if (*at == L'\t')
            columns = (int)(TAB_COLUMNS - column % TAB_COLUMNS);
        if (columns <= 0)
            continue;
        if (*at != L'\t' && column + (unsigned)columns > width) {
            rows++;
            column = 0;
        }
        column += (unsigned)columns;
        if (column >= width) {
            rows++;
            column -= width;
        }
    }
    return rows;
}

/* The next text begins on a row of its own. */
static void client_screen_end_tail(struct terminal *terminal)
{
    terminal->tail = 0;
    terminal->user.view->column = 0;
}

/* Takes the line being typed off the screen. */
static void client_screen_erase_line(struct terminal *terminal,
                                     struct client_buffer *out)
{
    unsigned rows = client_screen_rows_above(terminal);
    char up[32];

    client_buffer_text(out, "\r");
    if (rows) {
        snprintf(up, sizeof(up), "\033[%uA", rows);
        client_buffer_text(out, up);
    }
    client_buffer_text(out, "\033[J");
}

/* Goes back to where the row above was left. */
static void client_screen_go_to_tail(const struct terminal *terminal,
                                     struct client_buffer *out)
{
    char there[48];

    if (terminal->tail == 0)
        return;
    snprintf(there, sizeof(there), "\033[A\033[%uC", terminal->tail);
    client_buffer_text(out, there);
}

static void client_screen_draw_line(struct terminal *terminal)
{
    el_set(terminal->editor, EL_REFRESH);
}

void terminal_print(struct terminal *terminal, struct pg_bytes text)
{
    unsigned column = terminal->user.view->column;
    struct client_buffer out = {0};

    client_screen_erase_line(terminal, &out);
    client_screen_go_to_tail(terminal, &out);
    client_buffer_add(&out, text.data, text.len);
    if (column)
        client_buffer_text(&out, "\n");
    client_screen_write_all(&out);
    client_buffer_finish(&out);
    terminal->tail = column < terminal_columns() ? column : 0;
    client_screen_draw_line(terminal);
}

void terminal_hide(struct terminal *terminal)
{
    struct client_buffer out = {0};

    client_screen_erase_line(terminal, &out);
    client_screen_write_all(&out);
    client_buffer_finish(&out);
    client_screen_end_tail(terminal);
}

void terminal_show(struct terminal *terminal)
{
    client_screen_draw_line(terminal);
}

/* Most terminals have wrapped the row anew by now. */
void terminal_redraw(struct terminal *terminal)
{
    terminal_hide(terminal);
    el_resize(terminal->editor);
    client_screen_draw_line(terminal);
}

/* The shell has used the terminal meanwhile and left it in its own mode, on a
   row that is not ours. */
void terminal_continue(struct terminal *terminal)
{
    el_set(terminal->editor, EL_PREP_TERM, 0); /* or it believes to be in it */
    el_set(terminal->editor, EL_PREP_TERM, 1);
    client_screen_end_tail(terminal);
    el_resize(terminal->editor);
    client_screen_draw_line(terminal);
}

void client_screen_enter(struct terminal *terminal, struct pg_bytes line)
{
    struct client_view view = {.column = strlen(SCREEN_PROMPT)};
    struct client_buffer out = {0};

    client_screen_erase_line(terminal, &out);
    client_buffer_text(&out, SCREEN_PROMPT);
    client_view_add(&view, line, &out);
    client_buffer_text(&out, "\n");
    client_screen_write_all(&out);
    client_buffer_finish(&out);
    client_screen_end_tail(terminal);
    client_screen_draw_line(terminal);
}
