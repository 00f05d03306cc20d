/* The counters of a wire, as a table and as JSON. */

#include "wire/summary.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "cli/json_out.h"

#define MTU_DEFAULT 1500

static unsigned summary_mtu_of(const struct summary *summary)
{
    return summary->options->mtu ? summary->options->mtu : MTU_DEFAULT;
}

/* From when the first packet was sent to when the last one arrived. */
static double summary_goodput_mbit(const struct wire_counts *counts)
{
    uint64_t ns = counts->last_ns - counts->first_ns;

    return counts->last_ns > counts->first_ns
               ? (double)counts->delivered_payload_bytes * 8e3 / (double)ns
               : 0;
}

static double summary_late_us(const struct wire_counts *counts)
{
    return counts->delivered
               ? (double)counts->late_ns / (double)counts->delivered / 1e3
               : 0;
}

static void summary_print_row(const char *name,
                              const struct wire_counts *counts, FILE *out)
{
    fprintf(out,
            "%-8s  %8" PRIu64 "  %9" PRIu64 "  %6" PRIu64 "  %7" PRIu64
            "  %9" PRIu64 "  %7" PRIu64 "  %9" PRIu64 "  %8.3f\n",
            name, counts->packets, counts->payload_packets, counts->lost,
            counts->queue_dropped, counts->reordered, counts->duplicated,
            counts->delivered, summary_goodput_mbit(counts));
}

void summary_print(const struct summary *summary, FILE *out)
{
    uint64_t overrun = 0, under_way = 0;

    fprintf(out, "\nwire (%s, seed %" PRIu64 ", MTU %u): %.1f s\n",
            summary->kind, summary->options->seed, summary_mtu_of(summary),
            summary->seconds);
    fprintf(out, "%-8s  %8s  %9s  %6s  %7s  %9s  %7s  %9s  %8s\n", "packets",
            "sent", "with data", "lost", "no room", "reordered", "doubled",
            "delivered", "Mbit/s");
    summary_print_row("to right", &summary->counts[WIRE_LEFT], out);
    summary_print_row("to left", &summary->counts[WIRE_RIGHT], out);
    for (int side = WIRE_LEFT; side <= WIRE_RIGHT; side++) {
        overrun += summary->counts[side].overrun;
        under_way += wire_under_way(&summary->counts[side]);
    }
    if (under_way > 0)
        fprintf(out, "%" PRIu64 " more were still on their way at the end\n",
                under_way);
    if (overrun > 0)
        fprintf(out,
                "%" PRIu64 " more were dropped because they came faster than "
                "this machine forwards; a --rate keeps results repeatable\n",
                overrun);
}

/* ---- JSON ------------------------------------------------------------- */

static json_t *summary_direction(const struct wire_counts *counts)
{
    const struct {
        const char *name;
        uint64_t value;
    } figures[] = {
        {"packets", counts->packets},
        {"bytes", counts->bytes},
        {"payload_packets", counts->payload_packets},
        {"payload_bytes", counts->payload_bytes},
        {"lost", counts->lost},
        {"queue_dropped", counts->queue_dropped},
        {"reordered", counts->reordered},
        {"duplicated", counts->duplicated},
        {"overrun", counts->overrun},
        {"delivered", counts->delivered},
        {"delivered_bytes", counts->delivered_bytes},
        {"delivered_payload_bytes", counts->delivered_payload_bytes},
    };
    json_t *object = json_object();

    for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++)
        json_object_set_new(object, figures[i].name,
                            json_integer((json_int_t)figures[i].value));
    json_object_set_new(object, "goodput_mbit",
                        json_real(summary_goodput_mbit(counts)));
    json_object_set_new(object, "late_us", json_real(summary_late_us(counts)));
    json_object_set_new(object, "late_max_us",
                        json_real((double)counts->late_max_ns / 1e3));
    return object;
}

void summary_print_json(const struct summary *summary, FILE *out)
{
    json_t *object = json_object();

    json_object_set_new(object, "link", json_string(summary->kind));
    json_object_set_new(object, "seed",
                        json_integer((json_int_t)summary->options->seed));
    json_object_set_new(object, "mtu", json_integer(summary_mtu_of(summary)));
    json_object_set_new(object, "seconds", json_real(summary->seconds));
    json_object_set_new(object, "to_right",
                        summary_direction(&summary->counts[WIRE_LEFT]));
    json_object_set_new(object, "to_left",
                        summary_direction(&summary->counts[WIRE_RIGHT]));
    json_out(object, JSON_COMPACT | JSON_REAL_PRECISION(9), out);
    json_decref(object);
}
