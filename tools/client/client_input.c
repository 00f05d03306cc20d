/* stdin of the client: in big reads or line by line, no faster than the server
   takes it. */

#include "client/client.h"

#include <errno.h>
#include <unistd.h>

#define READ_BYTES   (64 * 1024)
#define PAUSE_BYTES  (256 * 1024) /* waiting to be sent: read no more */
#define RESUME_BYTES (64 * 1024)

static void client_input_stdin_polled(uv_poll_t *poll, int status, int events);

/* ---- how much may come ------------------------------------------------ */

/* Looks after each turn of the loop whether the server has taken enough. */
static void client_input_check_queue(uv_check_t *check)
{
    struct client *client = check->data;

    if (client_session_queued(client) > RESUME_BYTES ||
        client_out_is_full(client))
        return;
    uv_check_stop(check);
    client->input.is_paused = false;
    if (client->input.is_over)
        return;
    if (client->input.is_file)
        client_wake(client);
    else
        uv_poll_start(&client->input.poll, UV_READABLE,
                      client_input_stdin_polled);
}

static void client_input_pause(struct client *client)
{
    if (client->input.is_paused)
        return;
    client->input.is_paused = true;
    if (!client->input.is_file)
        uv_poll_stop(&client->input.poll);
    uv_check_start(&client->input.check, client_input_check_queue);
}

static void client_input_send_bytes(struct client *client,
                                    struct pg_bytes bytes)
{
    if (client_session_send(client, bytes) > PAUSE_BYTES ||
        client_out_is_full(client)) /* --hex shows what is sent, too */
        client_input_pause(client);
}

/* ---- lines ------------------------------------------------------------ */

/* Sends a line as one message; a stream gets its line end too. */
static void client_input_send_line(struct client *client,
                                   struct client_buffer *line)
{
    if (!client->is_records)
        client_buffer_text(line, "\n");
    client_input_send_bytes(client, pg_bytes(line->data, line->len));
}

static bool client_input_is_too_long(struct client *client, size_t len)
{
    size_t most = (size_t)client->config->limits.frame_bytes;

    if (len <= most)
        return false;
    client_complain(client,
                    "a line of more than %zu bytes was not sent; a "
                    "message cannot be longer",
                    most);
    client->status = 1;
    return true;
}

static void client_input_line(struct client *client, struct pg_bytes line)
{
    const char *word = client->options.quit_word;
    struct client_buffer copy = {0};

    if (client->input.is_terminal && *word && pg_equals(line, word)) {
        client_leave(client, 0);
        return;
    }
    if (client_input_is_too_long(client, line.len))
        return;
    client_buffer_room(&copy, 1);
    client_buffer_add(&copy, line.data, line.len);
    client_input_send_line(client, &copy);
    client_buffer_finish(&copy);
}

/* Adds to the line whose end has not come yet, unless it is too long. */
static void client_input_add_to_line(struct client *client,
                                     struct pg_bytes part)
{
    struct client_input *input = &client->input;

    if (input->is_skipping)
        return;
    if (client_input_is_too_long(client, input->line.len + part.len)) {
        input->is_skipping = true;
        return;
    }
    client_buffer_add(&input->line, part.data, part.len);
}

static void client_input_end_line(struct client *client)
{
    struct client_input *input = &client->input;

    if (!input->is_skipping && !client->is_leaving)
        client_input_line(client, pg_bytes(input->line.data, input->line.len));
    input->is_skipping = false;
    input->line.len = 0;
}

static void client_input_take_lines(struct client *client, struct pg_bytes in)
{
    const uint8_t *end;

    while (in.len && (end = memchr(in.data, '\n', in.len))) {
        size_t len = (size_t)(end - in.data);

        client_input_add_to_line(client, pg_bytes(in.data, len));
        client_input_end_line(client);
        in = pg_bytes(end + 1, in.len - len - 1);
    }
    client_input_add_to_line(client, in);
}

/* ---- reading ---------------------------------------------------------- */

static void client_input_over(struct client *client)
{
    struct client_input *input = &client->input;

    if (input->is_over)
        return;
    input->is_over = true;
    if (!input->is_file)
        uv_poll_stop(&input->poll);
    /* A last line without an end is a message too. */
    if (input->is_by_line && input->line.len)
        client_input_end_line(client);
    terminal_stop(client->terminal);
    client->terminal = NULL;
    client_session_finish(client);
}

static void client_input_take(struct client *client, struct pg_bytes in)
{
    if (client->terminal)
        terminal_typed(client->terminal, in);
    else if (client->input.is_by_line)
        client_input_take_lines(client, in);
    else
        client_input_send_bytes(client, in);
}

static void client_input_read_stdin(struct client *client)
{
    uint8_t bytes[READ_BYTES];
    ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));

    if (got > 0) {
        client_input_take(client, pg_bytes(bytes, (size_t)got));
    } else if (got == 0 || errno == EIO) { /* EIO: the terminal has gone */
        client_input_over(client);
    } else if (errno != EAGAIN && errno != EINTR) {
        client_complain(client, "cannot read stdin: %s", strerror(errno));
        client->status = 1;
        client_input_over(client);
    }
}

static void client_input_stdin_polled(uv_poll_t *poll, int status, int events)
{
    struct client *client = poll->data;

    (void)events;
    if (status < 0)
        client_input_over(client);
    else
        client_input_read_stdin(client);
}

bool client_input_turn(struct client *client)
{
    struct client_input *input = &client->input;

    if (!input->is_file || input->is_over || input->is_paused ||
        client->is_leaving || client->stage != CLIENT_OPEN)
        return false;
    client_input_read_stdin(client);
    return !input->is_over && !input->is_paused;
}

static void client_input_say_how_to_leave(struct client *client)
{
    const char *word = client->options.quit_word;

    client_note(client, "%s%sCtrl-D leaves", word, *word ? " or " : "");
}

/* ---- lines that are edited -------------------------------------------- */

static void client_input_typed_line(struct pg_bytes line, void *arg)
{
    client_input_line(arg, line);
}

static void client_input_typed_end(void *arg)
{
    client_input_over(arg);
}

static bool client_input_is_leaving(void *arg)
{
    const struct client *client = arg;

    return client->is_leaving;
}

static struct terminal *client_input_edit(struct client *client)
{
    const struct terminal_user user = {
        .take_line = client_input_typed_line,
        .take_end = client_input_typed_end,
        .is_leaving = client_input_is_leaving,
        .view = &client->out.view,
        .arg = client,
    };

    return terminal_start(&user);
}

/* ---- from open to close ----------------------------------------------- */

void client_input_start(struct client *client)
{
    struct client_input *input = &client->input;

    input->is_terminal = isatty(STDIN_FILENO);
    input->is_by_line = client->is_records || input->is_terminal;
    uv_check_init(client->loop, &input->check);
    input->check.data = client;
    if (input->is_terminal)
        client_input_say_how_to_leave(client);
    if (input->is_terminal && client->out.is_terminal)
        client->terminal = client_input_edit(client);
    if (client_poll_init(client, &input->poll, STDIN_FILENO) == 0)
        uv_poll_start(&input->poll, UV_READABLE, client_input_stdin_polled);
    else
        input->is_file = true;
}

void client_input_stop(struct client *client)
{
    struct client_input *input = &client->input;

    input->is_over = true;
    terminal_stop(client->terminal);
    client->terminal = NULL;
    if (input->check.data)
        uv_close((uv_handle_t *)&input->check, NULL);
    if (input->poll.data)
        uv_close((uv_handle_t *)&input->poll, NULL);
    client_buffer_finish(&input->line);
}
