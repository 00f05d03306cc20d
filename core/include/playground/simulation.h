/*
 * playground/simulation.h - what the author of a transport without sockets
 * needs besides playground/transport.h. plugins/transport/sim.c is the example.
 *
 * Such a transport plays its peers itself, on a virtual clock:
 *
 *     next_ns() -> the clock jumps -> step() -> pg_session_open(), ... ->
 * send()
 *
 * `playground run` jumps through that time, from one event of the transport or
 * timer of the core to the next, and ends when there is none. A config has
 * only such transports, and one worker. The transport's adopt() is called
 * first, with -1 for a descriptor. A session of a stream is opened with any
 * number for a descriptor, which only names it.
 */
#ifndef PLAYGROUND_SIMULATION_H
#define PLAYGROUND_SIMULATION_H

#include <playground/transport.h>

/* The .simulation of a struct pg_transport: its callbacks. Only release() may
   be absent. */
struct pg_simulation {
    /* The time when step() is due; UINT64_MAX: the simulation is over. */
    uint64_t (*next_ns)(struct pg_listener *listener);
    /* Does what is due now. 0, or -errno, which ends the simulation. */
    int (*step)(struct pg_listener *listener);
    /* The session is over; its peer does not know that yet. */
    void (*release)(struct pg_session *session, enum pg_end how);
    /* All sessions are over: writes what happened, and frees what adopt() made.
       0, or -errno when something could not be written. */
    int (*stop)(struct pg_listener *listener, FILE *out);
};

/* Streams: the session's recv() has something, or has no more. */
PG_API void pg_session_readable(struct pg_session *session, bool is_readable);
/* Streams: the session's send() takes bytes again. The core comes for both
   soon, not inside these calls. */
PG_API void pg_session_writable(struct pg_session *session);

#endif
