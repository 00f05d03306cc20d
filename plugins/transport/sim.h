/*
 * sim - what the files of the transport `sim` share.
 *
 *   sim.c         the transport: options, callbacks, the end
 *   sim_client.c  what a client does, and what comes of what arrives
 *   sim_link.c    what is sent down a link
 *   sim_event.c   the events in their order, and the trace of them
 */
#ifndef SIM_H
#define SIM_H

#include <playground/simulation.h>

#include "common/link_options.h"

enum way { TO_SERVER, TO_CLIENT, WAYS };
enum event_type { COMES, SAYS, OPENS, ARRIVES, ENDS, RESETS };

struct sim_options {
    const char *provides, *say, *trace;
    int clients, messages, interval_ms, wait_ms;
    int64_t seed;
    bool line_end;
    struct link_options link;
};

/* Each piece on its way counts for so many bytes more than it has. */
#define SIM_PACKET_COST 64

/* Bytes on their way. */
struct packet {
    size_t len;
    uint8_t bytes[];
};

struct event {
    uint64_t at_ns;
    uint64_t order; /* at one time they come in the order of their making */
    struct packet *packet; /* ARRIVES */
    uint32_t client;
    uint16_t type, way;
};

struct client {
    struct link_way links[WAYS];
    struct pg_session *session; /* of a stream, while it is open */
    struct packet *inbox;       /* of a stream: arrived, and not yet read */
    size_t inbox_at;
    uint32_t on_way[WAYS]; /* of a stream: what counts for the window */
    int said;
    bool is_waiting; /* the window to the server is full, so it says nothing yet
                      */
    bool is_blocked; /* the window back is full: send() has said -EAGAIN */
    bool has_ended;  /* the client's FIN has arrived */
    bool is_done;    /* says nothing more */
    bool is_let_go;  /* the server has sent FIN or RST */
};

struct counts {
    uint64_t sent, lost, dropped, doubled, arrived;
};

/* A listener's own memory. */
struct sim {
    const struct sim_options *options;
    bool is_stream;
    struct link_terms link; /* from the options */
    struct client *clients;
    struct event *events; /* a binary heap */
    size_t count, size;
    uint64_t next_order, start_ns, end_ns;
    bool is_over;
    int error;  /* ends the simulation */
    char *file; /* what "say": "@FILE" has, a message a line */
    char **says;
    size_t say_count;
    FILE *trace;
    struct counts counts[WAYS];
    uint64_t refused;
};

struct sim_session {
    uint32_t client;
};

static inline struct client *sim_client_of(struct sim *sim,
                                           const struct pg_session *session)
{
    const struct sim_session *data = pg_session_data_const(session);

    return &sim->clients[data->client];
}

/* ---- sim_event.c ------------------------------------------------------ */

/* Takes the packet. Without memory the simulation ends: sim->error. */
void sim_schedule(struct sim *sim, uint64_t at_ns, enum event_type type,
                  const struct client *client, enum way way,
                  struct packet *packet);
/* Takes the earliest event; there has to be one. */
struct event sim_take_first(struct sim *sim);

/* `TIME CLIENT WAY WHAT "BYTES"`, without bytes if their data is NULL. */
void sim_trace(const struct sim *sim, const struct client *client, enum way way,
               const char *what, struct pg_bytes bytes);
void sim_note(const struct sim *sim, const struct client *client, enum way way,
              const char *what);

/* ---- sim_link.c ------------------------------------------------------- */

/* Plans what a client does; the simulation lasts until that is answered. */
void sim_plan(struct sim *sim, uint64_t at_ns, enum event_type type,
              const struct client *client);
/* Sends a SYN, FIN or RST: when it arrives. */
uint64_t sim_sign_ns(struct sim *sim, struct client *client, enum way way);
/* Sends a record, or bytes of a stream. */
void sim_transmit(struct sim *sim, struct client *client, enum way way,
                  struct pg_bytes bytes);
/* Counts the bytes of a stream that may be sent now. */
size_t sim_room(const struct client *client, enum way way);

/* ---- sim_client.c ----------------------------------------------------- */

/* Lets an event happen, at its time. 0 or -ENOMEM. */
int sim_handle(struct pg_listener *listener, const struct event *event);

#endif
