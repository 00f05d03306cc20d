/* The client's entries in the chain, and how its session goes. */

#include "client/client.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define UNHEARD_BYTES (1024 * 1024) /* of a name's first address */

/* A program has one client, and a handler linked into it has no other way to
   know it: its own memory is the core's and begins as zeros. */
static struct client *the_client;

void client_session_serve(struct client *client)
{
    the_client = client;
}

static bool client_session_is_datagrams(const struct client *client)
{
    return !listener_has_connections(client->listeners[client->address]);
}

/* ---- the last entry of the chain -------------------------------------- */

static void client_session_say_open(struct client *client)
{
    if (client_session_is_datagrams(client))
        client_note(client,
                    "sending to %s; UDP cannot tell whether anybody listens",
                    client_address(client));
    else
        client_note(client, "connected to %s", client_address(client));
}

static enum pg_verdict client_session_open(struct pg_ctx *ctx)
{
    struct client *client = the_client;

    client->stage = CLIENT_OPEN;
    client->session = pg_session_number(ctx);
    client->is_records = pg_input_kind(ctx) == PG_RECORDS;
    uv_timer_stop(&client->timer);
    client_session_say_open(client);
    /* stdin may end at once, and a session that opens is not to be sent to
       from outside: input starts with the next turn. */
    client->must_start = true;
    client_wake(client);
    return PG_PASS;
}

/* Nothing can hold datagrams back: those that stdout is too slow for are
   lost, and counted. */
static bool client_session_is_lost(struct client *client)
{
    if (!client_session_is_datagrams(client) || !client_out_is_full(client))
        return false;
    client->lost++;
    return true;
}

static void client_session_hold_back(struct client *client, struct pg_ctx *ctx)
{
    if (client_session_is_datagrams(client) || client->is_pausing ||
        !client_out_is_full(client))
        return;
    client->is_pausing = true;
    pg_pause(ctx);
}

static enum pg_verdict client_session_recv(struct pg_ctx *ctx,
                                           struct pg_bytes in)
{
    struct client *client = the_client;

    client->has_heard = true;
    client->unheard.len = 0;
    if (uv_is_active((uv_handle_t *)&client->timer))
        uv_timer_again(&client->timer);
    if (!client->options.is_hex && !client_session_is_lost(client))
        client_out_message(client, in);
    client_session_hold_back(client, ctx);
    return PG_STOP;
}

/* Words are all that is left of the error here: those of ECONNREFUSED, in the
   plugin's or in the system's way. */
static void client_session_say_refused(struct client *client, const char *text)
{
    bool is_port = strstr(text, "ICMP port unreachable") ||
                   !strcmp(text, strerror(ECONNREFUSED));

    client_complain(client,
                    is_port ? "refused: %s: %s; start the server, or check "
                              "address and port"
                            : "cannot reach %s: %s; check the address and the "
                              "network",
                    client_address(client), text);
}

static void client_session_say_lost(struct client *client, const char *text)
{
    if (client_session_is_datagrams(client))
        client_session_say_refused(client, text);
    else if (!strcmp(text, "connection reset"))
        client_complain(client, "reset by the server: %s broke the connection",
                        client_address(client));
    else
        client_complain(client, "connection to %s lost: %s",
                        client_address(client), text);
}

/* Says why the session is over. Returns the exit status. */
static int client_session_say_closed(struct client *client,
                                     struct pg_reason reason)
{
    switch (reason.why) {
    case PG_WHY_SHUTDOWN:
        return 0; /* we leave, and have said so */
    case PG_WHY_EOF:
        if (!client->input.is_paused) {
            client_note(client, "closed by the server");
            return 0;
        }
        client_complain(client, "closed by the server before it had "
                                "everything");
        return 1;
    case PG_WHY_RESET:
        client_session_say_lost(client, reason.text);
        return 1;
    default:
        client_complain(client, "session ended: %s", reason.text);
        return 1;
    }
}

/* ICMP has said that nobody listens there: the name may have another address.
 */
static bool client_session_goes_on(struct client *client,
                                   struct pg_reason reason)
{
    if (reason.why != PG_WHY_RESET || !client_session_is_datagrams(client) ||
        client->has_heard || client->is_leaving ||
        client->address + 1 >= client->address_count)
        return false;
    client_session_say_lost(client, reason.text);
    client->stage = CLIENT_CONNECTING;
    return client_connect_try_next(client);
}

static void client_session_close(struct pg_ctx *ctx, struct pg_reason reason)
{
    struct client *client = the_client;

    (void)ctx;
    client->stage = CLIENT_CLOSED;
    uv_timer_stop(&client->timer);
    if (client_session_goes_on(client, reason))
        return;
    client_leave(client, client_session_say_closed(client, reason));
}

const struct pg_handler client_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "client",
    .summary = "prints what comes",
    .open = client_session_open,
    .recv = client_session_recv,
    .close = client_session_close,
};

/* ---- the hex view, right above the transport -------------------------- */

static enum pg_verdict client_session_hex_recv(struct pg_ctx *ctx,
                                               struct pg_bytes in)
{
    (void)ctx;
    if (!client_session_is_lost(the_client))
        client_out_hex(the_client, false, in);
    return PG_PASS;
}

static enum pg_verdict client_session_hex_send(struct pg_ctx *ctx,
                                               struct pg_bytes out)
{
    (void)ctx;
    client_out_hex(the_client, true, out);
    return PG_PASS;
}

const struct pg_handler client_hex_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "hex",
    .summary = "shows each read and each send",
    .shows_cuts = true,
    .recv = client_session_hex_recv,
    .send = client_session_hex_send,
};

/* ---- sending ---------------------------------------------------------- */

struct sending {
    struct client *client;
    struct pg_bytes bytes;
};

static void client_session_say_unsent(struct client *client, size_t len,
                                      int error)
{
    client->status = 1;
    if (error == -EMSGSIZE)
        client_complain(client,
                        "a message of %zu bytes was not sent: it is "
                        "too long for one record; send less at once",
                        len);
    else
        client_complain(client, "a message of %zu bytes was not sent: %s", len,
                        error == -ENOBUFS ? "the queue is full"
                                          : strerror(-error));
}

static void client_session_send_with(struct pg_ctx *ctx, void *arg)
{
    struct sending *sending = arg;
    int error = pg_send(ctx, sending->bytes);

    /* A session that is closing says so itself. */
    if (error < 0 && error != -ECANCELED)
        client_session_say_unsent(sending->client, sending->bytes.len, error);
    sending->client->has_sent = true;
}

static void client_session_ask_queued(struct pg_ctx *ctx, void *arg)
{
    *(size_t *)arg = worker_queued(ctx);
}

size_t client_session_queued(struct client *client)
{
    size_t queued = 0;

    if (client->stage == CLIENT_OPEN || client->stage == CLIENT_FINISHED)
        worker_with_ctx(client->entry, client->session,
                        client_session_ask_queued, &queued);
    return queued;
}

/* Until the server is heard, it may be that of the next address: what was sent
   goes there again. */
static void client_session_remember(struct client *client,
                                    struct pg_bytes bytes)
{
    struct client_buffer *unheard = &client->unheard;

    if (!client_session_is_datagrams(client) || client->has_heard ||
        (client->address + 1 >= client->address_count &&
         client->stage == CLIENT_OPEN))
        return;
    if (unheard->len + sizeof(bytes.len) + bytes.len > UNHEARD_BYTES) {
        client->unheard_lost++;
        return;
    }
    client_buffer_add(unheard, &bytes.len, sizeof(bytes.len));
    client_buffer_add(unheard, bytes.data, bytes.len);
}

static void client_session_send_again(struct client *client)
{
    struct client_buffer again = client->unheard;
    size_t len;

    client->unheard = (struct client_buffer){0};
    for (size_t at = 0; at < again.len; at += len) {
        memcpy(&len, again.data + at, sizeof(len));
        at += sizeof(len);
        client_session_send(client, pg_bytes(again.data + at, len));
    }
    client_buffer_finish(&again);
    if (client->unheard_lost)
        client_complain(client,
                        "%" PRIu64 " messages to the address before were too "
                        "many to send again; write the address in numbers",
                        client->unheard_lost);
    client->unheard_lost = 0;
}

void client_session_begin(struct client *client)
{
    client->must_start = false;
    if (!client->has_begun) {
        client->has_begun = true;
        client_input_start(client);
        return;
    }
    client_session_send_again(client);
    if (client->input.is_over)
        client_session_finish(client);
}

/* The queue is asked for last: sending has made it shorter if the socket took
   something, and if it is long now, a writable socket will shorten it. */
size_t client_session_send(struct client *client, struct pg_bytes bytes)
{
    struct sending sending = {client, bytes};

    if (client->stage == CLIENT_OPEN || client->stage == CLIENT_CONNECTING)
        client_session_remember(client, bytes);
    if (client->stage == CLIENT_OPEN)
        worker_with_ctx(client->entry, client->session,
                        client_session_send_with, &sending);
    return client_session_queued(client);
}

static void client_session_resume_with(struct pg_ctx *ctx, void *arg)
{
    (void)arg;
    pg_resume(ctx);
}

void client_session_resume(struct client *client)
{
    if (!client->is_pausing || client_out_is_full(client))
        return;
    client->is_pausing = false;
    worker_with_ctx(client->entry, client->session, client_session_resume_with,
                    NULL);
}

/* ---- the end ---------------------------------------------------------- */

/* The UDP server has been silent for wait_ms. */
static void client_session_silence(uv_timer_t *timer)
{
    struct client *client = timer->data;

    if (client_session_queued(client) > 0) {
        uv_timer_again(timer);
        return;
    }
    if (client->has_heard || !client->has_sent) {
        client_note(client,
                    "leaving after %g s of silence; UDP has no "
                    "goodbye, the server is not told",
                    (double)client->options.wait_ms / 1000);
        client_leave(client, 0);
    } else {
        client_complain(client,
                        "no answer from %s in %g s: UDP cannot tell whether "
                        "anybody listens there; --wait SECONDS waits longer",
                        client_address(client),
                        (double)client->options.wait_ms / 1000);
        client_leave(client, 1);
    }
}

static void client_session_finish_with(struct pg_ctx *ctx, void *arg)
{
    (void)arg;
    worker_finish_output(ctx);
}

void client_session_finish(struct client *client)
{
    if (client->stage != CLIENT_OPEN)
        return;
    client->stage = CLIENT_FINISHED;
    if (client_session_is_datagrams(client)) {
        uint64_t wait_ms = client->options.wait_ms;

        uv_timer_start(&client->timer, client_session_silence, wait_ms,
                       wait_ms ? wait_ms : 1);
        return;
    }
    worker_with_ctx(client->entry, client->session, client_session_finish_with,
                    NULL);
    if (client->input.is_terminal)
        client_note(client, "said goodbye; waiting for the last answers "
                            "(Ctrl-C leaves at once)");
}
