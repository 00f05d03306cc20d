/*
 * load_parts - what the files of load.h share.
 */
#ifndef LOAD_PARTS_H
#define LOAD_PARTS_H

#include "compare/load/load.h"
#include "outside/worker.h"

/* Memory that both processes have. */
struct load_shared {
    char error[512]; /* "": none */
    struct load_found found;
    struct load_result result;
    size_t noted;
    struct delivery deliveries[LOAD_DELIVERIES_MOST];
};

/* An order: so many messages at this rate. The answer is one byte. */
struct load_order {
    double rate;
    size_t count;
};

/* ---- the clients' process --------------------------------------------- */

enum load_phase {
    LOAD_CONNECTING,
    LOAD_WARMING,
    LOAD_PROBING,
    LOAD_READY, /* waits for an order */
    LOAD_SENDING,
    LOAD_SETTLING, /* all is said; answers may still come */
};

struct load_one {
    struct pg_listener *listener;
    uint64_t session;   /* 0: not open */
    uint64_t strangers; /* in probing: arrivals since the last probe that are
                           no message of ours */
};

/* A process has one. */
extern struct load_us {
    const struct load_plan *plan;
    struct load_shared *shared;
    int fd, clock_fd; /* orders; a timer */
    struct config *config;
    struct worker *worker;
    struct pg_entry *top;
    uv_poll_t orders, clock;
    uv_timer_t tick;
    enum load_phase phase;
    struct load_one *clients;
    unsigned open;
    struct match match;
    uint64_t next; /* number of the next message, over all phases */
    struct load_order order;
    struct load_traffic before;
    uint64_t delivered_before; /* the last message was sent */
    double begin_ms, sent_ms, heard_ms, behind_ms;
} load_us;

/* ---- load_client.c ---------------------------------------------------- */

/* The process; ends with it. `fd` brings orders and takes answers. */
void load_client(const struct load_plan *plan, struct load_shared *shared,
                 int fd) __attribute__((noreturn));

double load_now_ms(void);
void load_enter(enum load_phase phase);
/* The order has been carried out. */
void load_answer(void);
/* Reports that the order cannot be carried out, and ends the process. */
void load_fail(const char *format, ...) PG_PRINTF(1, 2)
    __attribute__((noreturn));

/* Something has come to this client. */
void load_client_heard(unsigned client, struct pg_bytes in);
void load_client_opened(unsigned client, uint64_t session, bool is_stream);
void load_client_closed(unsigned client, const char *reason);

/* ---- load_say.c ------------------------------------------------------- */

/* Prepares for `count` messages that are going to be said, and heard by those
   found. */
void load_match(size_t count, const struct load_found *found);
/* The next one, from the client whose turn it is. */
void load_say(double due_ms);
/* Whether nothing has come for so long; a server that never is silent is not
   waited for longer than `most_ms`. */
bool load_is_quiet(double ms, double most_ms);
/* Says what is due by the clock, and sees to it that it is called again. */
void load_pace(void);
/* Calls load_pace() then; at once when that is over. */
void load_wake_at(double ms);

/* ---- load_probe.c ----------------------------------------------------- */

void load_warm_begin(void);
void load_warm_tick(void);
void load_probe_tick(void);

/* ---- load_chain.c ----------------------------------------------------- */

/* Right above the transport, and the last entry. */
extern const struct pg_handler load_bottom_handler;
extern const struct pg_handler load_top_handler;
/* The traffic of all clients until now. */
struct load_traffic load_traffic_now(void);
/* The traffic since then. */
struct load_traffic load_traffic_since(const struct load_traffic *before);

#endif
