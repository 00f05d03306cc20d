/* An impaired link with a server at its other end, or what stands in for one.
 */

#include "compare/lab/bad_link.h"

#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "compare/lab/lab_parts.h"

/* ---- the fall-back ---------------------------------------------------- */

static bool bad_link_is_harmless(const struct wire_direction *direction)
{
    return direction->loss <= 0 && direction->reorder <= 0 &&
           direction->duplicate <= 0 && direction->delay_ms <= 0 &&
           direction->jitter_ms <= 0 && direction->rate_mbit <= 0;
}

static json_t *bad_link_impair_handler(const struct lab *lab,
                                       const struct wire_direction *direction,
                                       const char *way)
{
    json_t *handler = json_pack(
        "{s:s, s:s, s:s, s:f, s:f, s:f, s:i, s:i, s:I}", "plugin", "impair",
        "name", way, "direction", way, "loss_percent", 100 * direction->loss,
        "reorder_percent", 100 * direction->reorder, "duplicate_percent",
        100 * direction->duplicate, "delay_ms", (int)direction->delay_ms,
        "jitter_ms", (int)direction->jitter_ms, "seed",
        (json_int_t)lab_seed(lab));

    if (direction->rate_mbit > 0)
        result_set(handler, "rate_kbit_s",
                   json_integer((json_int_t)(1000 * direction->rate_mbit)));
    if (direction->rate_mbit > 0 && direction->queue_bytes > 0)
        result_set(handler, "queue_bytes",
                   json_integer((json_int_t)direction->queue_bytes));
    return handler;
}

/* Puts the impairment into the chain of the udp transport. */
static void bad_link_impair_udp(const struct lab *lab,
                                const struct bad_link_plan *plan,
                                json_t *config)
{
    json_t *transport, *list = json_object_get(config, "transports");
    size_t i;

    json_array_foreach (list, i, transport) {
        json_t *whole;

        if (!json_is_string(transport) ||
            strcmp(json_string_value(transport), "udp"))
            continue;
        whole = json_pack("{s:s, s:[]}", "plugin", "udp", "handlers");
        if (!bad_link_is_harmless(&plan->to_server))
            result_append(json_object_get(whole, "handlers"),
                          bad_link_impair_handler(lab, &plan->to_server, "in"));
        if (!bad_link_is_harmless(&plan->to_client))
            result_append(
                json_object_get(whole, "handlers"),
                bad_link_impair_handler(lab, &plan->to_client, "out"));
        json_array_set_new(list, i, whole);
    }
}

/* ---- start ------------------------------------------------------------ */

json_t *bad_link_echo(void)
{
    return json_pack("{s:[s,s], s:[s]}", "transports", "tcp", "udp", "handlers",
                     "echo");
}

const char *bad_link_hindrance(void)
{
    static enum { UNKNOWN, POSSIBLE, IMPOSSIBLE } is;
    static char why[512];

    if (is == UNKNOWN)
        is = wire_is_possible(why, sizeof(why)) ? POSSIBLE : IMPOSSIBLE;
    return is == POSSIBLE ? NULL : why;
}

struct wire *bad_link_wire(struct lab *lab, const struct wire_options *options)
{
    char error[512];
    struct wire *wire = wire_create(options, error, sizeof(error));

    if (!wire)
        lab_fail(lab, "the link: %s", error);
    lab->wire = wire;
    return wire;
}

static void bad_link_note_fall_back(struct lab *lab,
                                    const struct bad_link_plan *plan,
                                    const char *why)
{
    bool is_impaired = !bad_link_is_harmless(&plan->to_server) ||
                       !bad_link_is_harmless(&plan->to_client);

    result_note(lab, "No impaired link on this system: %s.", why);
    result_note(lab, "%s",
                is_impaired
                    ? "So this ran on loopback: datagrams suffer in the "
                      "handler impair; TCP goes unimpaired, because nothing "
                      "there can lose one of its segments."
                    : "So this ran on loopback, where nothing is lost and "
                      "nothing takes time.");
}

struct bad_link bad_link_start(struct lab *lab,
                               const struct bad_link_plan *plan, json_t *config)
{
    const struct wire_options options = {.to_right = plan->to_server,
                                         .to_left = plan->to_client,
                                         .seed = lab_seed(lab)};
    const char *why = bad_link_hindrance();
    struct bad_link link = {NULL, NULL};

    if (!why) {
        link.wire = bad_link_wire(lab, &options);
    } else {
        bad_link_note_fall_back(lab, plan, why);
        bad_link_impair_udp(lab, plan, config);
    }
    const struct server_how how = {.wire = link.wire};

    link.server = lab_server_as(lab, config, &how);
    return link;
}

int bad_link_connect(struct lab *lab, const struct bad_link *link,
                     enum side side)
{
    int fd = lab_connect(lab, link->server, side), on = 1;

    if (side == SIDE_TCP &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
        lab_fail_errno(lab, "TCP_NODELAY");
    return fd;
}

/* ---- while it runs ---------------------------------------------------- */

static void bad_link_fail_if(struct lab *lab, bool has_gone)
{
    if (has_gone)
        lab_fail(lab, "the link has gone: its process has ended");
}

void bad_link_impair(struct lab *lab, struct bad_link *link,
                     const struct bad_link_plan *plan)
{
    bad_link_fail_if(
        lab, !wire_impair(link->wire, &plan->to_server, &plan->to_client));
}

void bad_link_counts(struct lab *lab, struct bad_link *link,
                     struct wire_counts counts[2])
{
    memset(counts, 0, 2 * sizeof(*counts));
    if (link->wire)
        bad_link_fail_if(lab, !wire_counts(link->wire, counts));
}

void bad_link_drop(struct lab *lab, struct bad_link *link, unsigned nth)
{
    bad_link_fail_if(lab, !wire_drop_next(link->wire, WIRE_LEFT, nth));
}
