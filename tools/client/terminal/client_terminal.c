/* The line being typed: libedit, set up to treat one key and come back. */

#include "client/terminal/client_terminal.h"

#include <stdlib.h>
#include <unistd.h>

#include "client/terminal/client_mode.h"
#include "client/terminal/client_screen.h"

#define HISTORY_LINES 500

/* ---- what libedit calls ----------------------------------------------- */

static struct terminal *client_terminal_of(EditLine *editor)
{
    struct terminal *terminal = NULL;

    el_wget(editor, EL_CLIENTDATA, &terminal);
    return terminal;
}

static wchar_t *client_terminal_prompt(EditLine *editor)
{
    static wchar_t text[] = L"" SCREEN_PROMPT;

    (void)editor;
    return text;
}

static int client_terminal_read_key(EditLine *editor, wchar_t *c)
{
    struct terminal *terminal = client_terminal_of(editor);

    if (terminal->key_at == terminal->key_len)
        return 0;
    *c = terminal->key[terminal->key_at++];
    return 1;
}

static unsigned char client_terminal_on_enter(EditLine *editor, int c)
{
    (void)c;
    client_terminal_of(editor)->has_enter = true;
    return CC_NORM;
}

static unsigned char client_terminal_on_delete(EditLine *editor, int c)
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
static unsigned char client_terminal_on_end(EditLine *editor, int c)
{
    const LineInfoW *line = el_wline(editor);

    if (line->buffer != line->lastchar)
        return client_terminal_on_delete(editor, c);
    client_terminal_of(editor)->has_end = true;
    return CC_NORM;
}

static void client_terminal_bind_keys(EditLine *editor)
{
    static const wchar_t reset[] = {KEY_RESET, 0}, delete[] = {KEY_DELETE, 0};

    el_wset(editor, EL_ADDFN, L"client-enter", L"Sends the line",
            client_terminal_on_enter);
    el_wset(editor, EL_ADDFN, L"client-delete", L"Deletes",
            client_terminal_on_delete);
    el_wset(editor, EL_ADDFN, L"client-end", L"Ends or deletes",
            client_terminal_on_end);
    el_wset(editor, EL_BIND, L"^J", L"client-enter", NULL);
    el_wset(editor, EL_BIND, L"^D", L"client-end", NULL);
    el_wset(editor, EL_BIND, L"^I", L"ed-insert", NULL);
    el_wset(editor, EL_BIND, delete, L"client-delete", NULL);
    el_wset(editor, EL_BIND, reset, L"ed-start-over", NULL);
}

/* ---- typing ----------------------------------------------------------- */

static void client_terminal_press(struct terminal *terminal)
{
    int count;

    terminal->key_at = 0;
    el_wgets(terminal->editor, &count);
}

static void client_terminal_add_history(struct terminal *terminal,
                                        const wchar_t *text)
{
    HistEventW event;

    if (*text)
        history_w(terminal->history, &event, H_ENTER, text);
}

/* The line as bytes, its characters as they are in UTF-8. */
static void client_terminal_take_text(struct terminal *terminal,
                                      struct client_buffer *text)
{
    const LineInfoW *line = el_wline(terminal->editor);
    size_t len = (size_t)(line->lastchar - line->buffer);
    wchar_t *copy = calloc(len + 1, sizeof(*copy));

    if (copy == NULL)
        return;
    wmemcpy(copy, line->buffer, len);
    client_terminal_add_history(terminal, copy);
    for (size_t i = 0; i < len; i++) {
        char *room = client_buffer_room(text, MB_CUR_MAX);
        int used = wctomb(room, copy[i]);

        text->len += used > 0 ? (size_t)used : 0;
    }
    free(copy);
}

static void client_terminal_enter_line(struct terminal *terminal)
{
    struct client_buffer text = {0};

    client_terminal_take_text(terminal, &text);
    terminal->key[0] = KEY_RESET;
    terminal->key_len = 1;
    client_terminal_press(terminal);
    client_screen_enter(terminal, pg_bytes(text.data, text.len));
    terminal->user.take_line(pg_bytes(text.data, text.len), terminal->user.arg);
    client_buffer_finish(&text);
}

void terminal_typed(struct terminal *terminal, struct pg_bytes bytes)
{
    client_buffer_add(&terminal->typed, bytes.data, bytes.len);
    while (!terminal->has_end &&
           !terminal->user.is_leaving(terminal->user.arg)) {
        terminal->key_len = client_keys_next(&terminal->typed, terminal->key);
        if (terminal->key_len < 0)
            return;
        if (terminal->key_len > 0)
            client_terminal_press(terminal);
        if (terminal->has_enter) {
            terminal->has_enter = false;
            client_terminal_enter_line(terminal);
        }
    }
    if (terminal->has_end)
        terminal->user.take_end(terminal->user.arg); /* may have stopped us */
}

/* ---- from start to stop ----------------------------------------------- */

/* Erasing and going up are written as every terminal of today knows them. */
static bool client_terminal_is_capable(EditLine *editor)
{
    char *erase = NULL, *up = NULL;

    return el_get(editor, EL_GETTC, "ce", &erase) == 0 &&
           el_get(editor, EL_GETTC, "up", &up) == 0 && erase && up &&
           strncmp(erase, "\033[K", 3) == 0 && *up == '\033';
}

static bool client_terminal_start_history(struct terminal *terminal)
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

static void client_terminal_start_editor(struct terminal *terminal)
{
    EditLine *editor = terminal->editor;

    el_wset(editor, EL_CLIENTDATA, terminal);
    el_wset(editor, EL_EDITOR, L"emacs");
    el_wset(editor, EL_SIGNAL, 0);
    el_wset(editor, EL_PROMPT, client_terminal_prompt);
    el_wset(editor, EL_GETCFN, client_terminal_read_key);
    client_terminal_bind_keys(editor);
    el_wset(editor, EL_UNBUFFERED, 1); /* draws the prompt */
}

/* Answered without libedit, which would throw away what is typed already when
   it finds out. */
static bool client_terminal_is_dumb(void)
{
    const char *name = getenv("TERM");

    return name == NULL || *name == '\0' || !strcmp(name, "dumb");
}

struct terminal *terminal_start(const struct terminal_user *user)
{
    struct terminal *terminal =
        client_terminal_is_dumb() ? NULL : calloc(1, sizeof(*terminal));

    if (terminal == NULL)
        return NULL;
    client_mode_save();
    terminal->user = *user;
    terminal->editor = el_init("playground", stdin, stdout, stderr);
    if (terminal->editor == NULL ||
        !client_terminal_is_capable(terminal->editor) ||
        !client_terminal_start_history(terminal)) {
        terminal_stop(terminal);
        return NULL;
    }
    client_terminal_start_editor(terminal);
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
    client_mode_restore();
}
