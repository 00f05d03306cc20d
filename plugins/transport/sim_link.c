/* The links of sim: what is sent down one, and when it arrives. */
#include "transport/sim.h"

#include <errno.h>
#include <stdlib.h>

#define SEGMENT_BYTES 1460u        /* of a stream, as TCP's over Ethernet */
#define WINDOW_BYTES  (64u * 1024) /* of a stream that may be on its way */
#define EVENTS_MOST   (4u << 20)   /* records on their way, all together */

void sim_plan(struct sim *sim, uint64_t at_ns, enum event_type type,
              const struct client *client)
{
    const struct sim_options *options = sim->options;
    uint64_t wait_ns = (uint64_t)options->wait_ms * 1000000 +
                       2 * (sim->link.delay_ns + sim->link.jitter_ns);

    sim_schedule(sim, at_ns, type, client, TO_SERVER, NULL);
    if (at_ns + wait_ns > sim->end_ns)
        sim->end_ns = at_ns + wait_ns;
}

static struct link_fate sim_link_pass(struct sim *sim, struct client *client,
                                      enum way way, size_t len)
{
    return link_pass(&client->links[way], &sim->link, len, pg_now_ns());
}

uint64_t sim_sign_ns(struct sim *sim, struct client *client, enum way way)
{
    return sim_link_pass(sim, client, way, 0).due_ns;
}

/* False: there is no room for it. */
static bool sim_link_put_on_way(struct sim *sim, struct client *client,
                                enum way way, uint64_t due_ns,
                                struct pg_bytes bytes)
{
    struct packet *packet = NULL;

    if (sim->is_stream || sim->count < EVENTS_MOST)
        packet = malloc(sizeof(*packet) + bytes.len);
    if (!packet) {
        sim->error = sim->is_stream ? -ENOMEM : 0; /* a stream has no holes */
        return false;
    }
    packet->len = bytes.len;
    if (bytes.len)
        memcpy(packet->bytes, bytes.data, bytes.len);
    client->on_way[way] += (uint32_t)bytes.len + SIM_PACKET_COST;
    sim_schedule(sim, due_ns, ARRIVES, client, way, packet);
    return true;
}

static const char *sim_link_fate_word(const struct link_fate *fate)
{
    if (fate->is_lost)
        return "loses";
    if (fate->is_refused)
        return "drops";
    if (fate->is_held_back)
        return fate->is_duplicated ? "sends late and twice" : "sends late";
    return fate->is_duplicated ? "sends twice" : "sends";
}

static void sim_link_transmit_one(struct sim *sim, struct client *client,
                                  enum way way, struct pg_bytes bytes)
{
    struct link_fate fate = sim_link_pass(sim, client, way, bytes.len);
    struct counts *counts = &sim->counts[way];
    uint64_t unit = sim->is_stream ? bytes.len : 1;

    sim_trace(sim, client, way, sim_link_fate_word(&fate), bytes);
    counts->sent += unit;
    counts->lost += fate.is_lost ? unit : 0;
    counts->dropped += fate.is_refused ? unit : 0;
    counts->doubled += fate.is_duplicated;
    if (fate.is_lost || fate.is_refused)
        return;
    for (int i = 0; i <= fate.is_duplicated; i++)
        if (!sim_link_put_on_way(sim, client, way, fate.due_ns, bytes))
            counts->dropped += unit;
}

void sim_transmit(struct sim *sim, struct client *client, enum way way,
                  struct pg_bytes bytes)
{
    while (sim->is_stream && bytes.len > SEGMENT_BYTES) {
        sim_link_transmit_one(sim, client, way,
                              pg_bytes(bytes.data, SEGMENT_BYTES));
        bytes = pg_bytes(bytes.data + SEGMENT_BYTES, bytes.len - SEGMENT_BYTES);
    }
    sim_link_transmit_one(sim, client, way, bytes);
}

size_t sim_room(const struct client *client, enum way way)
{
    size_t used = client->on_way[way];

    if (way == TO_SERVER && client->inbox)
        used += client->inbox->len - client->inbox_at;
    return used < WINDOW_BYTES ? WINDOW_BYTES - used : 0;
}
