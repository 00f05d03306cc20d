/* The process of the clients: connecting, orders, and its loop. */

#include "base/limit.h"
#include "compare/load/load_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/must.h"
#include "places/problems.h"

#define TICK_MS        5
#define CONNECT_MS     20000
#define SETTLE_MOST_MS 20000
#define QUEUE_MOST     (512ll << 20)

struct load_us load_us;

double load_now_ms(void)
{
    return (double)uv_hrtime() / 1e6;
}

void load_enter(enum load_phase phase)
{
    load_us.phase = phase;
    load_us.begin_ms = load_now_ms();
}

/* ---- ends ------------------------------------------------------------- */

void load_answer(void)
{
    if (write(load_us.fd, "k", 1) != 1)
        _exit(1); /* nobody waits any more */
}

void load_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(load_us.shared->error, sizeof(load_us.shared->error), format,
              arguments);
    va_end(arguments);
    load_answer();
    _exit(1);
}

static void load_client_note_problem(const struct problem_report *report,
                                     void *arg)
{
    if (!report->is_warning && !*(const char **)arg)
        *(const char **)arg = report->text;
}

static void load_client_fail_config(void)
{
    const char *text = NULL;

    problems_each(load_us.config->problems, load_client_note_problem, &text);
    load_fail("the clients: %s", text ? text : "no memory");
}

/* ---- an order --------------------------------------------------------- */

static void load_client_order_begin(void)
{
    load_match(load_us.order.count, &load_us.shared->found);
    load_us.before = load_traffic_now();
    load_us.behind_ms = 0;
    load_enter(LOAD_SENDING);
    load_pace();
}

static void load_client_order_end(void)
{
    const struct match *match = &load_us.match;

    load_us.shared->result = (struct load_result){
        .sent = match->sent,
        .expected = match->sent * (uint64_t)match_fan(match),
        .delivered = match->delivered,
        .duplicates = match->duplicates,
        .reordered = match->reordered,
        .unsaid = match->plan.count - match->sent,
        .behind_ms = load_us.behind_ms,
        .traffic = load_traffic_since(&load_us.before),
    };
    load_us.shared->noted = match->delivered < match->plan.most
                                ? match->delivered
                                : match->plan.most;
    load_enter(LOAD_READY);
    load_answer();
}

static void load_client_on_order(uv_poll_t *poll, int status, int events)
{
    ssize_t got = read(load_us.fd, &load_us.order, sizeof(load_us.order));

    (void)poll, (void)status, (void)events;
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got != (ssize_t)sizeof(load_us.order))
        _exit(0); /* no more of them */
    load_client_order_begin();
}

static void load_client_on_tick(uv_timer_t *timer)
{
    (void)timer;
    switch (load_us.phase) {
    case LOAD_CONNECTING:
        if (load_us.open == load_us.plan->clients)
            load_warm_begin();
        else if (load_now_ms() - load_us.begin_ms > CONNECT_MS)
            load_fail("only %u of %u clients have got a connection within %d s",
                      load_us.open, load_us.plan->clients, CONNECT_MS / 1000);
        break;
    case LOAD_WARMING:
        load_warm_tick();
        break;
    case LOAD_PROBING:
        load_probe_tick();
        break;
    case LOAD_READY:
        break;
    case LOAD_SENDING:
        if (load_us.match.plan.how == MATCH_TURN)
            load_pace();
        break;
    case LOAD_SETTLING:
        if (match_is_complete(&load_us.match) ||
            load_is_quiet(LOAD_SETTLE_MS, SETTLE_MOST_MS))
            load_client_order_end();
        break;
    }
}

/* The clock fires when it is time for the next message. */
static void load_client_on_clock(uv_poll_t *poll, int status, int events)
{
    uint64_t count;

    (void)poll, (void)status, (void)events;
    if (read(load_us.clock_fd, &count, sizeof(count)) < 0)
        return;
    if (load_us.phase == LOAD_SENDING)
        load_pace();
}

/* ---- what the chain says ---------------------------------------------- */

void load_client_opened(unsigned client, uint64_t session, bool is_stream)
{
    load_us.clients[client].session = session;
    load_us.shared->found.is_stream = is_stream;
    load_us.open++;
}

void load_client_heard(unsigned client, struct pg_bytes in)
{
    const struct match *match = &load_us.match;
    uint64_t before = match->delivered + match->duplicates;

    load_us.heard_ms = load_now_ms();
    if (load_us.phase != LOAD_CONNECTING && load_us.phase != LOAD_READY)
        match_arrived(&load_us.match, client, in, load_us.heard_ms);
    if (match->delivered + match->duplicates == before)
        load_us.clients[client].strangers++;
    if (load_us.phase == LOAD_SENDING && load_us.match.plan.how == MATCH_TURN)
        load_wake_at(load_us.heard_ms);
}

void load_client_closed(unsigned client, const char *reason)
{
    load_fail("client %u of %u: the session ended: %s", client + 1,
              load_us.plan->clients, reason);
}

static void load_client_connect_failed(int error, void *arg)
{
    (void)arg;
    load_fail("a client cannot connect: %s", strerror(-error));
}

/* ---- start ------------------------------------------------------------ */

static void load_client_add_listeners(void)
{
    char host[INET_ADDRSTRLEN], json[128];

    inet_ntop(AF_INET, &load_us.plan->address.sin_addr, host, sizeof(host));
    snprintf(json, sizeof(json), "{\"host\": \"%s\", \"port\": %u}", host,
             ntohs(load_us.plan->address.sin_port));
    for (unsigned i = 0; i < load_us.plan->clients; i++) {
        load_us.clients[i].listener =
            config_add_listener(load_us.config, load_us.plan->transport, json);
        if (!load_us.clients[i].listener)
            load_client_fail_config();
    }
}

/* A framing layer of the server's, with its options, which stay its own. */
static void load_client_add_framing(const struct pg_entry *theirs)
{
    struct pg_entry *ours =
        config_add_entry(load_us.config, NULL, theirs->handler, "{}");

    if (!ours)
        load_client_fail_config();
    memcpy(ours->options, theirs->options, theirs->handler->options_size);
}

/* raw makes records too, but puts nothing on the wire. */
static bool load_client_is_framing(const struct pg_handler *handler)
{
    return handler->makes == PG_RECORDS && !handler->shows_cuts;
}

static void load_client_add_entries(void)
{
    const struct chain *chain = &load_us.plan->server->listeners[0]->chain;

    config_add_entry(load_us.config, NULL, &load_bottom_handler, "{}");
    for (unsigned i = 0; i < chain->count; i++)
        if (load_client_is_framing(chain->entries[i]->handler))
            load_client_add_framing(chain->entries[i]);
    load_us.top =
        config_add_entry(load_us.config, NULL, &load_top_handler, "{}");
}

static void load_client_make_worker(void)
{
    const struct worker_setup setup = {.count = 1, .arena_fd = -1};

    load_us.config = config_create(problems_create("clients"));
    load_us.config->limits = load_us.plan->server->limits;
    load_us.config->limits.session_queue_bytes = QUEUE_MOST;
    load_us.config->limits.queue_bytes_total = QUEUE_MOST;
    load_client_add_listeners();
    load_client_add_entries();
    if (!config_make_chains(load_us.config))
        load_client_fail_config();
    load_us.worker = worker_create(load_us.config, &setup);
    if (!load_us.worker)
        load_client_fail_config();
}

static void load_client_watch(uv_poll_t *poll, int fd, uv_poll_cb fn)
{
    if (uv_poll_init(worker_loop(load_us.worker), poll, fd) ||
        uv_poll_start(poll, UV_READABLE, fn))
        load_fail("cannot watch a descriptor");
}

void load_client(const struct load_plan *plan, struct load_shared *shared,
                 int fd)
{
    limit_raise_descriptors(); /* one for each client */
    load_us.plan = plan;
    load_us.shared = shared;
    load_us.fd = fd;
    load_us.clients = must_calloc(plan->clients, sizeof(*load_us.clients));
    load_us.clock_fd =
        timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    load_client_make_worker();
    load_client_watch(&load_us.orders, fd, load_client_on_order);
    load_client_watch(&load_us.clock, load_us.clock_fd, load_client_on_clock);
    uv_timer_init(worker_loop(load_us.worker), &load_us.tick);
    uv_timer_start(&load_us.tick, load_client_on_tick, TICK_MS, TICK_MS);
    load_enter(LOAD_CONNECTING);
    for (unsigned i = 0; i < plan->clients; i++)
        if (worker_connect(load_us.worker, load_us.clients[i].listener,
                           load_client_connect_failed, NULL))
            load_client_fail_config();
    worker_run(load_us.worker);
    _exit(1);
}
