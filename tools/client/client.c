/* playground client: from the config to the exit status. */

#include "client/client.h"

#include <fcntl.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/inherited.h"
#include "base/output.h"
#include "commands.h"

#define WRITE_MS 100 /* for what framing layers say at the end */

/* ---- in the loop ------------------------------------------------------ */

static void client_close_handle(uv_handle_t *handle)
{
    if (handle->data && !uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void client_say_lost(struct client *client)
{
    if (client->lost == 0 || client->out.is_broken)
        return;
    client_complain(client,
                    "%" PRIu64 " messages were lost: stdout took them too "
                    "slowly, and nothing holds UDP back",
                    client->lost);
    if (client->status == 0)
        client->status = 1;
}

/* Gives the terminal back and ends the loop, the first time it is called. */
static void client_stop(struct client *client)
{
    if (client->has_stopped)
        return;
    client->has_stopped = true;
    client_input_stop(client);
    client_say_lost(client);
    client_close_handle((uv_handle_t *)&client->turn);
    client_close_handle((uv_handle_t *)&client->timer);
    client_close_handle((uv_handle_t *)&client->out.poll);
    for (unsigned i = 0; i < client->signal_count; i++)
        client_close_handle((uv_handle_t *)&client->signals[i]);
    worker_stop(client->worker);
}

/* Runs before the loop sleeps, whenever somebody called client_wake(). */
static void client_take_turn(uv_idle_t *turn)
{
    struct client *client = turn->data;

    uv_idle_stop(turn);
    client_out_flush(client);
    client_session_resume(client);
    if (client->is_leaving && client->out.pending.len == 0) {
        client_stop(client);
        return;
    }
    if (client->must_connect)
        client_connect(client);
    if (client->must_start)
        client_session_begin(client);
    if (client_input_turn(client))
        client_wake(client);
}

void client_wake(struct client *client)
{
    if (!client->has_stopped)
        uv_idle_start(&client->turn, client_take_turn);
}

void client_leave(struct client *client, int status)
{
    if (!client->status)
        client->status = status;
    client->is_leaving = true;
    client_wake(client);
}

void client_leave_at_once(struct client *client, int status)
{
    client->out.pending.len = 0;
    client_leave(client, status);
}

/* After Ctrl-C or the like the client leaves at once: a second worker_stop()
   does not wait for what is queued. */
static void client_signalled(uv_signal_t *handle, int number)
{
    struct client *client = handle->data;

    client->status = 128 + number;
    client->out.pending.len = 0;
    client_stop(client);
    worker_stop(client->worker);
}

static void client_window_changed(uv_signal_t *handle, int number)
{
    struct client *client = handle->data;

    (void)number;
    if (client->terminal)
        terminal_redraw(client->terminal);
}

static void client_continued(uv_signal_t *handle, int number)
{
    struct client *client = handle->data;

    (void)number;
    if (client->terminal)
        terminal_continue(client->terminal);
}

int client_poll_init(struct client *client, uv_poll_t *poll, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    int error = uv_poll_init(client->loop, poll, fd);

    if (flags >= 0)
        fcntl(fd, F_SETFL, flags);
    poll->data = error ? NULL : client;
    return error;
}

/* ---- before the loop -------------------------------------------------- */

static void client_watch_signal(struct client *client, int number,
                                uv_signal_cb seen)
{
    uv_signal_t *handle = &client->signals[client->signal_count];

    if (inherited_is_ignored(number))
        return;
    client->signal_count++;
    uv_signal_init(client->loop, handle);
    handle->data = client;
    uv_signal_start(handle, seen, number);
}

static void client_set_up_loop(struct client *client)
{
    client->loop = worker_loop(client->worker);
    uv_idle_init(client->loop, &client->turn);
    uv_timer_init(client->loop, &client->timer);
    client->turn.data = client->timer.data = client;
    client_watch_signal(client, SIGINT, client_signalled);
    client_watch_signal(client, SIGTERM, client_signalled);
    client_watch_signal(client, SIGHUP, client_signalled);
    client_watch_signal(client, SIGQUIT, client_signalled);
    client_watch_signal(client, SIGWINCH, client_window_changed);
    client_watch_signal(client, SIGCONT, client_continued);
    client_out_start(client);
}

static int client_add_framing(struct client *client, const char *text)
{
    char *name, *json, error[256];
    struct pg_entry *entry;

    if (!client_framing_parse(text, &name, &json, error, sizeof(error))) {
        client_complain(client, "--framing %s: %s", text, error);
        return 2;
    }
    entry = config_add_entry(client->config, name, NULL, json);
    free(name);
    free(json);
    return entry ? 0 : 2;
}

static int client_add_entries(struct client *client)
{
    int status = 0;

    if (client->options.is_hex)
        config_add_entry(client->config, NULL, &client_hex_handler, "{}");
    for (unsigned i = 0; i < client->options.framing_count && !status; i++)
        status = client_add_framing(client, client->options.framings[i]);
    if (!status)
        client->entry =
            config_add_entry(client->config, NULL, &client_handler, "{}");
    return status;
}

static int client_build(struct client *client)
{
    const struct worker_setup setup = {.count = 1, .arena_fd = -1};
    int status = client_connect_look_up(client);

    if (!status)
        status = client_add_entries(client);
    if (status)
        return status;
    if (!config_make_chains(client->config))
        return 2;
    client->config->limits.unread_s = 0; /* its user may end it at any time */
    client->worker = worker_create(client->config, &setup);
    return client->worker ? 0 : 1;
}

static int client_serve(struct client *client)
{
    int status = client_build(client);

    if (status) {
        problems_print(client->config->problems, stderr);
        return status;
    }
    client_set_up_loop(client);
    client_connect_start(client);
    worker_run(client->worker);
    worker_destroy(client->worker);
    client_out_finish(client);
    client_buffer_finish(&client->unheard);
    return client->status;
}

/* Widths of characters come from the locale; without one (LANG=C, as in many
   containers) text is UTF-8 all the same. */
static void client_set_locale(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8"))
        setlocale(LC_CTYPE, "C.UTF-8");
}

int cmd_client(int argc, char **argv)
{
    struct client client = {0};
    struct problems *problems;
    int status = client_options_read(&client.options, argc, argv);

    if (status >= 0)
        return status;
    client_set_locale();
    signal(SIGPIPE, SIG_IGN);
    problems = problems_create("client");
    client.config = config_create(problems);
    status = client_serve(&client);
    output_finish(WRITE_MS);
    config_destroy(client.config);
    problems_destroy(problems);
    return status;
}
