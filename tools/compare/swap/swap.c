/* A user's config run over both transports, one after the other. */

#include "compare/swap/swap.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "compare/lab/bad_link.h"
#include "compare/lab/processes.h"
#include "compare/lab/shown.h"
#include "compare/swap/swap_config.h"
#include "compare/swap/swap_parts.h"
#include "compare/tools/stats.h"

#define CLIENTS        4
#define RATE           1000 /* messages a second, of all clients */
#define FOR_S          3
#define TRACED_RATE    500
#define TRACED_MOST_S  2
#define IPV4_UDP_BYTES 28
#define IPV4_TCP_BYTES 52 /* 20, and 20 + 12 of time stamps */

static struct swap swap;
static struct messages messages;
static struct experiment experiment;

/* ---- one run ---------------------------------------------------------- */

static struct wire_direction swap_impairment(struct lab *lab)
{
    return (struct wire_direction){
        .loss = lab_setting(lab, SETTING_LOSS, 0) / 100,
        .reorder = lab_setting(lab, SETTING_REORDER, 0) / 100,
        .duplicate = lab_setting(lab, SETTING_DUPLICATE, 0) / 100,
        .delay_ms = lab_setting(lab, SETTING_DELAY, 0),
        .jitter_ms = lab_setting(lab, SETTING_JITTER, 0),
        .rate_mbit = lab_setting(lab, SETTING_RATE, 0),
    };
}

/* Only what delays: nothing is lost while it is found out who hears what. */
static struct wire_direction swap_harmless(struct wire_direction direction)
{
    direction.loss = direction.reorder = direction.duplicate = 0;
    return direction;
}

static void swap_impair(struct lab *lab, struct wire *wire,
                        struct wire_direction direction)
{
    if (!wire_impair(wire, &direction, &direction))
        lab_fail(lab, "the link has gone");
}

static double swap_link_bytes(struct lab *lab, struct wire *wire)
{
    struct wire_counts counts[2];

    if (!wire_counts(wire, counts))
        lab_fail(lab, "the link has gone");
    return (double)(counts[WIRE_LEFT].bytes + counts[WIRE_RIGHT].bytes);
}

/* By arithmetic: what the headers of IPv4, and of TCP or UDP, must have
   added. */
static double swap_loopback_bytes(const struct load_traffic *traffic,
                                  bool is_tcp)
{
    double packets =
        is_tcp ? (double)(traffic->segments_out + traffic->segments_in)
               : (double)(traffic->out_records + traffic->in_records);

    return (double)(traffic->out_bytes + traffic->in_bytes) +
           packets * (is_tcp ? IPV4_TCP_BYTES : IPV4_UDP_BYTES);
}

static void swap_keep_latencies(struct swap_side *side, const struct load *load,
                                double rate)
{
    const struct delivery *deliveries = load_deliveries(load, &side->noted);

    if (side->is_ambiguous)
        side->noted = 0;
    side->latencies = must_calloc(side->noted, sizeof(double));
    side->due = must_calloc(side->noted, sizeof(double));
    side->late = must_calloc(side->noted, sizeof(double));
    for (size_t i = 0; i < side->noted; i++) {
        side->due[i] = deliveries[i].number / rate;
        side->late[i] = side->latencies[i] = deliveries[i].latency_ms;
    }
    stats_sort(side->latencies, side->noted);
}

static void swap_measure(struct lab *lab, struct swap_side *side,
                         struct load *load, struct wire *wire, size_t count)
{
    double before = 0;

    if (wire) {
        swap_impair(lab, wire, swap_impairment(lab));
        before = swap_link_bytes(lab, wire);
    }
    load_begin(lab, load, swap.rate, count);
    side->result = load_end(lab, load);
    side->is_ambiguous = side->found.how == MATCH_CONTENT &&
                         messages_repeat(&messages, side->result.sent) &&
                         (side->result.delivered < side->result.expected ||
                          side->result.duplicates > 0);
    swap_keep_latencies(side, load, swap.rate);
    side->wire_bytes =
        (wire ? swap_link_bytes(lab, wire) - before
              : swap_loopback_bytes(&side->result.traffic,
                                    !strcmp(side->transport, "tcp"))) /
        (double)side->result.sent;
    if (wire)
        swap_impair(lab, wire, swap_harmless(swap_impairment(lab)));
}

/* A pass of its own: a server that is stopped at each call is slow. */
static void swap_count_calls(struct lab *lab, struct swap_side *side,
                             struct load *load, const struct server *server)
{
    double rate = swap.rate < TRACED_RATE ? swap.rate : TRACED_RATE;
    size_t count = (size_t)(rate * TRACED_MOST_S);

    load_begin(lab, load, rate, count < SWAP_TRACED ? count + 1 : SWAP_TRACED);
    if (!syscalls_count(&side->syscalls, server_pid(server), load_fd(load)))
        side->untraced = strerror(errno);
    side->traced = load_end(lab, load).sent;
    if (side->untraced)
        side->traced = 0;
}

static void swap_refuse_if_silent(struct lab *lab, const struct swap_side *side)
{
    if (side->found.is_answered)
        return;
    if (messages.list)
        lab_fail(lab,
                 "over %s nothing answers the messages of the file: neither "
                 "who sent one nor anybody else gets it; send what the "
                 "handlers answer",
                 side->transport);
    lab_fail(lab,
             "over %s nothing answers: what a client says comes neither back "
             "to it nor to the other clients, so nothing can be timed; add "
             "\"echo\" to the handlers, or give messages they answer with "
             "--send FILE%s",
             side->transport,
             swap.clients == 1 ? ", or more than one client" : "");
}

static void swap_run_side(struct lab *lab, enum side which, struct wire *wire,
                          size_t count)
{
    const struct server_how how = {.wire = wire, .is_whole = true};
    struct swap_side *side = &swap.sides[which];
    struct server *server;
    struct load *load;

    lab_progress(lab, "over %s: starting", side->transport);
    server = lab_server_as(lab, side->config, &how);
    server_mute(lab, server);
    side->idle_bytes = processes_memory(server_pid(server));
    const struct load_plan plan = {
        .server = side->loaded,
        .transport = side->transport,
        .address = server_address(server, which),
        .clients = swap.clients,
        .messages = &messages,
        .round_trip_ms = wire ? 2 * lab_setting(lab, SETTING_DELAY, 0) : 0,
    };

    if (wire)
        swap_impair(lab, wire, swap_harmless(swap_impairment(lab)));
    load = load_start(lab, &plan);
    side->found = load_found(load);
    swap_refuse_if_silent(lab, side);
    lab_progress(lab, "over %s: %zu messages", side->transport, count);
    swap_measure(lab, side, load, wire, count);
    side->loaded_bytes = processes_memory(server_pid(server));
    lab_progress(lab, "over %s: counting system calls", side->transport);
    swap_count_calls(lab, side, load, server);
    load_stop(load);
    server_stop(server, SIGTERM);
}

/* The link, if one was asked for. */
static struct wire *swap_make_link(struct lab *lab)
{
    const struct wire_options options = {.seed = lab_seed(lab)};
    const char *why;

    if (!swap.has_link)
        return NULL;
    why = bad_link_hindrance();
    if (why)
        lab_fail(lab,
                 "there is no impaired link on this system: %s. Without "
                 "--loss, --delay and the like it runs on loopback",
                 why);
    return bad_link_wire(lab, &options);
}

static void swap_run(struct lab *lab)
{
    const unsigned of_link = SETTING(SETTING_LOSS) | SETTING(SETTING_DELAY) |
                             SETTING(SETTING_JITTER) | SETTING(SETTING_RATE) |
                             SETTING(SETTING_REORDER) |
                             SETTING(SETTING_DUPLICATE);
    double count;
    struct wire *wire;

    swap.has_link = lab_is_given(lab, of_link);
    swap.clients = (unsigned)lab_setting(lab, SETTING_CLIENTS, CLIENTS);
    swap.rate = lab_setting(lab, SETTING_LOAD, RATE);
    count = swap.rate * lab_setting(lab, SETTING_FOR, FOR_S);
    if (count > LOAD_MESSAGES_MOST)
        lab_fail(lab, "%s messages are more than %s; lower --load or --for",
                 shown_count((json_int_t)count),
                 shown_count(LOAD_MESSAGES_MOST));
    wire = swap_make_link(lab);
    swap_run_side(lab, SIDE_TCP, wire, count < 1 ? 1 : (size_t)count);
    swap_run_side(lab, SIDE_UDP, wire, count < 1 ? 1 : (size_t)count);
    swap_show(lab, &swap);
}

/* ---- what was asked for ----------------------------------------------- */

static bool swap_read_pair(const char *pair)
{
    if (!strcmp(pair, "tcp,udp") || !strcmp(pair, "udp,tcp"))
        return true;
    text_print(
        stderr,
        "playground compare: --swap %s: it takes the two transports to "
        "compare, and has figures for tcp and udp; write --swap tcp,udp\n",
        pair);
    return false;
}

static bool swap_make_side(const struct swap_config *config, enum side which,
                           const char *transport)
{
    struct swap_side *side = &swap.sides[which];
    char error[1024];

    side->transport = transport;
    side->notes = json_array();
    side->config =
        swap_config_make(config, transport, side->notes, error, sizeof(error));
    if (side->config)
        side->loaded =
            swap_config_check(config, side->config, error, sizeof(error));
    if (!side->loaded)
        text_print(stderr, "playground compare: %s cannot run over %s: %s\n",
                   swap.path, transport, error);
    return side->loaded != NULL;
}

static bool swap_read_messages(const struct swap_request *request)
{
    char error[512];

    if (!request->send && request->is_hex) {
        fputs("playground compare: --hex says how to read the file of --send; "
              "give --send FILE too\n",
              stderr);
        return false;
    }
    if (!request->send || messages_read(&messages, request->send,
                                        request->is_hex, error, sizeof(error)))
        return true;
    text_print(stderr, "playground compare: %s\n", error);
    return false;
}

const struct experiment *swap_prepare(const struct swap_request *request)
{
    struct swap_config *config;
    bool is_fine;
    char *path;

    swap.path = request->config;
    if (!swap_read_pair(request->pair) || !swap_read_messages(request))
        return NULL;
    config = swap_config_load(request->config);
    is_fine = config && swap_make_side(config, SIDE_TCP, "tcp") &&
              swap_make_side(config, SIDE_UDP, "udp");
    swap_config_destroy(config);
    if (!is_fine)
        return NULL;
    path = text_clean(request->config);
    experiment = (struct experiment){
        .name = "swap",
        .title = must_printf("%s over TCP and over UDP", path),
        .question = "What does the same config do over the other transport?",
        .settings = SWAP_SETTINGS,
        .limit_s = 300,
        .guess = {"Which transport puts more bytes on the wire for the same "
                  "messages?",
                  {"TCP", "UDP", "about the same, within 5 %"}},
        .run = swap_run,
    };
    free(path);
    return &experiment;
}
