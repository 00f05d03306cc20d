#include "client.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <histedit.h>

#include "client_keys.h"

#define PROMPT        L"> "
#define PROMPT_TEXT   "> "
#define PROMPT_WIDTH  2
#define HISTORY_LINES 500
#define TAB_COLUMNS   8

/*
 * libedit does the editing and the drawing. It is run unbuffered: el_wgets()
 * treats one key and comes back. To show a message the line being typed is
 * erased, from its first row to the end of the screen, and drawn again below;
 * libedit keeps its text meanwhile. That needs to know on which row of it the
 * cursor stands: rows_above() counts as libedit wraps.
 */
struct terminal {
    struct client *client;
    EditLine *editor;
    HistoryW *history;
    struct client_buffer typed; /* keys not dealt with yet */
    wchar_t key[KEY_MAX];       /* the one libedit reads now */
    int key_len, key_at;
    bool has_enter, has_end;
    unsigned tail; /* the row above ends here, without a line end; 0: it
                      does not */
};

/* ---- the terminal as it was, whatever happens ------------------------- */

static struct termios saved_mode;
static bool has_saved_mode;
static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

#define CRASHES (sizeof(crashes) / sizeof(crashes[0]))

static struct sigaction before[CRASHES];

static void restore_mode(void)
{
    if (has_saved_mode)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_mode);
}

/* A plugin has crashed, perhaps: gives back the terminal, then goes on as if
   nobody had caught the signal. */
static void crashed(int number)
{
    tcsetattr(STDIN_FILENO, TCSANOW, &saved_mode);
    for (size_t i = 0; i < CRASHES; i++)
        if (crashes[i] == number)
            sigaction(number, &before[i], NULL);
    raise(number);
}

static void save_mode(void)
{
    struct sigaction action = { .sa_handler = crashed };

    has_saved_mode = tcgetattr(STDIN_FILENO, &saved_mode) == 0;
    if (!has_saved_mode)
        return;
    for (size_t i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &action, &before[i]);
    atexit(restore_mode);
}

static void forget_mode(void)
{
    if (!has_saved_mode)
        return;
    restore_mode();
    has_saved_mode = false;
    for (size_t i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &before[i], NULL);
}

/* ---- what libedit calls ----------------------------------------------- */

static struct terminal *terminal_of(EditLine *editor)
{
    struct terminal *terminal = NULL;

    el_wget(editor, EL_CLIENTDATA, &terminal);
    return terminal;
}

static wchar_t *prompt(EditLine *editor)
{
    static wchar_t text[] = PROMPT;

    (void)editor;
    return text;
}

static int read_key(EditLine *editor, wchar_t *c)
{
    struct terminal *terminal = terminal_of(editor);

    if (terminal->key_at == terminal->key_len)
        return 0;
    *c = terminal->key[terminal->key_at++];
    return 1;
}

static unsigned char on_enter(EditLine *editor, int c)
{
    (void)c;
    terminal_of(editor)->has_enter = true;
    return CC_NORM;
}

static unsigned char on_delete(EditLine *editor, int c)
{
    const LineInfoW *line = el_wline(editor);

    (void)c;
    if (line->cursor == line->lastchar)
        return CC_NORM;
    el_cursor(editor, 1);
    el_wdeletestr(editor, 1);
    return CC_REFRESH;
}

/* Ctrl-D: the end on an empty line, else it deletes. */
static unsigned char on_end(EditLine *editor, int c)
{
    const LineInfoW *line = el_wline(editor);

    if (line->buffer != line->lastchar)
        return on_delete(editor, c);
    terminal_of(editor)->has_end = true;
    return CC_NORM;
}

static void bind_keys(EditLine *editor)
{
    static const wchar_t reset[] = { KEY_RESET, 0 }, delete[] = { KEY_DELETE,
                                                                  0 };

    el_wset(editor, EL_ADDFN, L"client-enter", L"Sends the line", on_enter);
    el_wset(editor, EL_ADDFN, L"client-delete", L"Deletes", on_delete);
    el_wset(editor, EL_ADDFN, L"client-end", L"Ends or deletes", on_end);
    el_wset(editor, EL_BIND, L"^J", L"client-enter", NULL);
    el_wset(editor, EL_BIND, L"^D", L"client-end", NULL);
    el_wset(editor, EL_BIND, L"^I", L"ed-insert", NULL);
    el_wset(editor, EL_BIND, delete, L"client-delete", NULL);
    el_wset(editor, EL_BIND, reset, L"ed-start-over", NULL);
}

/* ---- on the screen ---------------------------------------------------- */

static void write_all(const struct client_buffer *text)
{
    size_t done = 0;

    fflush(stdout);
    while (done < text->len) {
        ssize_t written =
            write(STDOUT_FILENO, text->data + done, text->len - done);

        if (written > 0)
            done += (size_t)written;
        else if (errno != EINTR)
            return; /* the terminal has gone: SIGHUP comes, too */
    }
}

static unsigned window_columns(void)
{
    struct winsize window = { 0 };

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) || window.ws_col < 2)
        return 80;
    return window.ws_col;
}

/* How many rows of the line being typed are above the cursor. */
static unsigned rows_above(const struct terminal *terminal)
{
    const LineInfoW *line = el_wline(terminal->editor);
    unsigned width = window_columns(), rows = 0, column = PROMPT_WIDTH;

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

/* Takes the line being typed off the screen. */
static void erase_line(struct terminal *terminal, struct client_buffer *out)
{
    unsigned rows = rows_above(terminal);
    char up[32];

    client_buffer_text(out, "\r");
    if (rows) {
        snprintf(up, sizeof(up), "\033[%uA", rows);
        client_buffer_text(out, up);
    }
    client_buffer_text(out, "\033[J");
}

/* Goes back to where the row above was left. */
static void go_to_tail(const struct terminal *terminal,
                       struct client_buffer *out)
{
    char there[48];

    if (terminal->tail == 0)
        return;
    snprintf(there, sizeof(there), "\033[A\033[%uC", terminal->tail);
    client_buffer_text(out, there);
}

static void draw_line(struct terminal *terminal)
{
    el_set(terminal->editor, EL_REFRESH);
}

void terminal_print(struct terminal *terminal, struct pg_bytes text)
{
    unsigned column = terminal->client->out.view.column;
    struct client_buffer out = { 0 };

    erase_line(terminal, &out);
    go_to_tail(terminal, &out);
    client_buffer_add(&out, text.data, text.len);
    if (column)
        client_buffer_text(&out, "\n");
    write_all(&out);
    client_buffer_finish(&out);
    terminal->tail = column < window_columns() ? column : 0;
    draw_line(terminal);
}

void terminal_hide(struct terminal *terminal)
{
    struct client_buffer out = { 0 };

    erase_line(terminal, &out);
    write_all(&out);
    client_buffer_finish(&out);
    terminal->tail = 0;
}

void terminal_show(struct terminal *terminal)
{
    draw_line(terminal);
}

/* The terminal has wrapped the row anew by now, most do. */
void terminal_redraw(struct terminal *terminal)
{
    terminal_hide(terminal);
    terminal->client->out.view.column = 0;
    el_resize(terminal->editor);
    draw_line(terminal);
}

/* The shell has used the terminal meanwhile and left it in its own mode, on a
   row that is not ours. */
void terminal_continue(struct terminal *terminal)
{
    el_set(terminal->editor, EL_PREP_TERM, 0); /* or it believes to be in it */
    el_set(terminal->editor, EL_PREP_TERM, 1);
    terminal->tail = 0;
    terminal->client->out.view.column = 0;
    el_resize(terminal->editor);
    draw_line(terminal);
}

/* ---- typing ----------------------------------------------------------- */

static void press(struct terminal *terminal)
{
    int count;

    terminal->key_at = 0;
    el_wgets(terminal->editor, &count);
}

static void add_history(struct terminal *terminal, const wchar_t *text)
{
    HistEventW event;

    if (*text)
        history_w(terminal->history, &event, H_ENTER, text);
}

/* The line as bytes, its characters as they are in UTF-8. */
static void take_text(struct terminal *terminal, struct client_buffer *text)
{
    const LineInfoW *line = el_wline(terminal->editor);
    size_t len = (size_t)(line->lastchar - line->buffer);
    wchar_t *copy = calloc(len + 1, sizeof(*copy));

    if (copy == NULL)
        return;
    wmemcpy(copy, line->buffer, len);
    add_history(terminal, copy);
    for (size_t i = 0; i < len; i++) {
        char *room = client_buffer_room(text, MB_CUR_MAX);
        int used = wctomb(room, copy[i]);

        text->len += used > 0 ? (size_t)used : 0;
    }
    free(copy);
}

/* The line stays on the screen, and an empty one begins below. */
static void enter_line(struct terminal *terminal)
{
    struct client_buffer text = { 0 }, out = { 0 };
    struct client_view view = { 0 };

    take_text(terminal, &text);
    terminal->key[0] = KEY_RESET;
    terminal->key_len = 1;
    press(terminal);
    erase_line(terminal, &out);
    client_buffer_text(&out, PROMPT_TEXT);
    view.column = PROMPT_WIDTH;
    client_view_add(&view, pg_bytes(text.data, text.len), &out);
    client_buffer_text(&out, "\n");
    write_all(&out);
    terminal->tail = 0;
    terminal->client->out.view.column = 0;
    draw_line(terminal);
    client_input_line(terminal->client, pg_bytes(text.data, text.len));
    client_buffer_finish(&out);
    client_buffer_finish(&text);
}

void terminal_typed(struct terminal *terminal, struct pg_bytes bytes)
{
    client_buffer_add(&terminal->typed, bytes.data, bytes.len);
    while (!terminal->has_end && !terminal->client->is_leaving) {
        terminal->key_len = keys_next(&terminal->typed, terminal->key);
        if (terminal->key_len < 0)
            return;
        if (terminal->key_len > 0)
            press(terminal);
        if (terminal->has_enter) {
            terminal->has_enter = false;
            enter_line(terminal);
        }
    }
    if (terminal->has_end)
        client_input_over(terminal->client); /* calls terminal_stop() */
}

/* ---- from start to stop ----------------------------------------------- */

/* Erasing and going up are written as every terminal of today knows them. */
static bool is_capable(EditLine *editor)
{
    char *erase = NULL, *up = NULL;

    return el_get(editor, EL_GETTC, "ce", &erase) == 0 &&
           el_get(editor, EL_GETTC, "up", &up) == 0 && erase && up &&
           strncmp(erase, "\033[K", 3) == 0 && *up == '\033';
}

static bool start_history(struct terminal *terminal)
{
    HistEventW event;

    terminal->history = history_winit();
    if (terminal->history == NULL)
        return false;
    history_w(terminal->history, &event, H_SETSIZE, HISTORY_LINES);
    history_w(terminal->history, &event, H_SETUNIQUE, 1);
    el_wset(terminal->editor, EL_HIST, history_w, terminal->history);
    return true;
}

static void start_editor(struct terminal *terminal)
{
    EditLine *editor = terminal->editor;

    el_wset(editor, EL_CLIENTDATA, terminal);
    el_wset(editor, EL_EDITOR, L"emacs");
    el_wset(editor, EL_SIGNAL, 0);
    el_wset(editor, EL_PROMPT, prompt);
    el_wset(editor, EL_GETCFN, read_key);
    bind_keys(editor);
    el_wset(editor, EL_UNBUFFERED, 1); /* draws the prompt */
}

struct terminal *terminal_start(struct client *client)
{
    struct terminal *terminal = calloc(1, sizeof(*terminal));

    if (terminal == NULL)
        return NULL;
    save_mode();
    terminal->client = client;
    terminal->editor = el_init("playground", stdin, stdout, stderr);
    if (terminal->editor == NULL || !is_capable(terminal->editor) ||
        !start_history(terminal)) {
        terminal_stop(terminal);
        return NULL;
    }
    start_editor(terminal);
    return terminal;
}

void terminal_stop(struct terminal *terminal)
{
    if (terminal == NULL)
        return;
    if (terminal->editor && terminal->history)
        terminal_hide(terminal);
    if (terminal->editor)
        el_end(terminal->editor);
    if (terminal->history)
        history_wend(terminal->history);
    client_buffer_finish(&terminal->typed);
    free(terminal);
    forget_mode();
}
