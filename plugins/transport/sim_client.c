/* The clients of sim: what they do, and what comes of what arrives. */
#include "transport/sim.h"

#include <errno.h>
#include <stdlib.h>

#define FD_BASE   (1 << 30)    /* names a stream's session */
#define TEXT_MOST (64u * 1024) /* of one message */

/* ---- what a client does ----------------------------------------------- */

/* Appends the number in decimal or the text; false: too long. */
static bool sim_client_append(char *out, size_t *len, const char *text,
                              size_t text_len)
{
    if (*len + text_len >= TEXT_MOST)
        return false;
    memcpy(out + *len, text, text_len);
    *len += text_len;
    return true;
}

/* "{n}" and "{client}" become numbers. */
static struct pg_bytes sim_client_make_message(const struct sim *sim,
                                               const struct client *client,
                                               char *out)
{
    const char *text = sim->says[(size_t)client->said % sim->say_count];
    char number[16];
    size_t len = 0;

    while (*text) {
        size_t plain = strcspn(text, "{");
        bool is_n = !strncmp(text, "{n}", 3);
        bool is_client = !strncmp(text, "{client}", 8);

        snprintf(number, sizeof(number), "%d",
                 is_n ? client->said + 1 : (int)(client - sim->clients) + 1);
        if (is_n || is_client) {
            if (!sim_client_append(out, &len, number, strlen(number)))
                break;
            text += is_n ? 3 : 8;
        } else {
            plain += plain == 0; /* a "{" of its own */
            if (!sim_client_append(out, &len, text, plain))
                break;
            text += plain;
        }
    }
    if (sim->is_stream && sim->options->line_end)
        sim_client_append(out, &len, "\n", 1);
    return pg_bytes(out, len);
}

static void sim_client_say(struct sim *sim, struct client *client)
{
    static char text[TEXT_MOST];

    client->is_waiting = sim->is_stream && sim_room(client, TO_SERVER) == 0;
    if (client->is_done || client->is_waiting)
        return;
    sim_transmit(sim, client, TO_SERVER,
                 sim_client_make_message(sim, client, text));
    if (++client->said < sim->options->messages) {
        sim_plan(sim,
                 pg_now_ns() + (uint64_t)sim->options->interval_ms * 1000000,
                 SAYS, client);
        return;
    }
    client->is_done = true;
    if (sim->is_stream)
        sim_schedule(sim, sim_sign_ns(sim, client, TO_SERVER), ENDS, client,
                     TO_SERVER, NULL);
}

static void sim_client_come(struct sim *sim, struct client *client)
{
    sim_note(sim, client, TO_SERVER, "comes");
    if (sim->is_stream)
        sim_schedule(sim, sim_sign_ns(sim, client, TO_SERVER), OPENS, client,
                     TO_SERVER, NULL);
    else
        sim_client_say(sim, client);
}

/* ---- what arrives ----------------------------------------------------- */

/* A connection: the handshake takes a round trip, then the client speaks. */
static void sim_client_open_stream(struct pg_listener *listener,
                                   struct client *client)
{
    struct sim *sim = pg_listener_private(listener);
    struct sim_session data = {(uint32_t)(client - sim->clients)};
    struct pg_session *session;

    sim_note(sim, client, TO_SERVER, "opens");
    session = pg_session_open(listener, FD_BASE + (int)data.client, &data);
    if (!session) {
        sim->refused++;
        sim_note(sim, client, TO_SERVER, "is refused");
        return;
    }
    client->session = session;
    sim_plan(sim, sim_sign_ns(sim, client, TO_CLIENT), SAYS, client);
}

static void sim_client_arrive_record(struct pg_listener *listener,
                                     const struct client *client,
                                     struct pg_bytes bytes)
{
    struct sim *sim = pg_listener_private(listener);
    struct sim_session data = {(uint32_t)(client - sim->clients)};
    struct pg_session *session = pg_session_find(listener, &data);

    if (!session)
        session = pg_session_open(listener, -1, &data);
    if (session) {
        pg_session_recv(session, bytes);
        return;
    }
    sim->refused++;
    sim_note(sim, client, TO_SERVER, "is refused");
}

/* Into the inbox, from which recv() takes it. */
static int sim_client_arrive_stream(struct client *client,
                                    struct pg_bytes bytes)
{
    struct packet *inbox = client->inbox;
    size_t unread = inbox ? inbox->len - client->inbox_at : 0;

    if (!client->session)
        return 0; /* came after the end */
    if (unread && client->inbox_at)
        memmove(inbox->bytes, inbox->bytes + client->inbox_at, unread);
    inbox = realloc(inbox, sizeof(*inbox) + unread + bytes.len);
    if (!inbox)
        return -ENOMEM;
    memcpy(inbox->bytes + unread, bytes.data, bytes.len);
    inbox->len = unread + bytes.len;
    client->inbox = inbox;
    client->inbox_at = 0;
    pg_session_readable(client->session, true);
    return 0;
}

static void sim_client_arrive_at_client(struct client *client)
{
    if (!client->is_blocked || !client->session ||
        sim_room(client, TO_CLIENT) == 0)
        return;
    client->is_blocked = false;
    pg_session_writable(client->session);
}

static int sim_client_arrive(struct pg_listener *listener,
                             struct client *client, enum way way,
                             struct packet *packet)
{
    struct sim *sim = pg_listener_private(listener);
    struct pg_bytes bytes = pg_bytes(packet->bytes, packet->len);
    int error = 0;

    sim->counts[way].arrived += sim->is_stream ? bytes.len : 1;
    client->on_way[way] -= (uint32_t)bytes.len + SIM_PACKET_COST;
    sim_trace(sim, client, way, "arrives", bytes);
    if (way == TO_CLIENT)
        sim_client_arrive_at_client(client);
    else if (sim->is_stream)
        error = sim_client_arrive_stream(client, bytes);
    else
        sim_client_arrive_record(listener, client, bytes);
    free(packet);
    return error;
}

/* A FIN has come. */
static void sim_client_end(struct sim *sim, struct client *client, enum way way)
{
    sim_note(sim, client, way, "ends");
    if (way == TO_SERVER) {
        client->has_ended = true;
        if (client->session)
            pg_session_readable(client->session, true);
    } else if (!client->is_done) {
        client->is_done = true;
        sim_schedule(sim, sim_sign_ns(sim, client, TO_SERVER), ENDS, client,
                     TO_SERVER, NULL);
    }
}

int sim_handle(struct pg_listener *listener, const struct event *event)
{
    struct sim *sim = pg_listener_private(listener);
    struct client *client = &sim->clients[event->client];

    switch ((enum event_type)event->type) {
    case COMES:
        sim_client_come(sim, client);
        break;
    case SAYS:
        sim_client_say(sim, client);
        break;
    case OPENS:
        sim_client_open_stream(listener, client);
        break;
    case ARRIVES:
        return sim_client_arrive(listener, client, event->way, event->packet);
    case ENDS:
        sim_client_end(sim, client, event->way);
        break;
    case RESETS:
        sim_note(sim, client, event->way, "resets");
        client->is_done = true;
        break;
    }
    return 0;
}
