/* The result of a swap: rows, plots and words. */

#include "compare/swap/swap_parts.h"

#include <stdio.h>
#include <string.h>

#include "compare/tools/stats.h"

#define POINTS_MOST 400 /* in a plot of one message each */

static const struct {
    double percent;
    const char *key, *measure;
} percentiles[] = {
    {50, "p50_ms", "latency, half of them at most"},
    {90, "p90_ms", "latency, 90 % at most"},
    {99, "p99_ms", "latency, 99 % at most"},
    {100, "max_ms", "latency, the longest"},
};

/* ---- rows ------------------------------------------------------------- */

static json_t *swap_show_answer(const struct swap *swap,
                                const struct swap_side *side)
{
    if (side->found.how == MATCH_TURN)
        return value_text("whatever comes next");
    if (side->found.hears_self && side->found.hears_others)
        return value_text("it reaches all %u clients", swap->clients);
    if (side->found.hears_self)
        return value_text("it comes back");
    return value_text(swap->clients == 2 ? "it reaches the other client"
                                         : "it reaches the %u others",
                      swap->clients - 1);
}

/* A doubled answer may have taken the place of a lost one. */
static json_t *swap_show_lost(const struct swap_side *side)
{
    const struct load_result *result = &side->result;

    if (side->is_ambiguous && result->duplicates > 0)
        return value_none();
    return value_count((result->expected - result->delivered));
}

static json_t *swap_show_lost_percent(const struct swap_side *side)
{
    const struct load_result *result = &side->result;

    if (side->is_ambiguous && result->duplicates > 0)
        return value_none();
    return value_number(100 * (double)(result->expected - result->delivered) /
                        (double)result->expected);
}

/* Answers that do not tell whose they are have no order. */
static json_t *swap_show_told_apart(const struct swap_side *side,
                                    uint64_t count)
{
    return side->found.how == MATCH_TURN || side->is_ambiguous
               ? value_none()
               : value_count(count);
}

static json_t *swap_show_percentile(const struct swap_side *side,
                                    double percent)
{
    if (side->noted == 0)
        return value_none();
    return value_number(
        stats_percentile(side->latencies, side->noted, percent));
}

static json_t *swap_show_calls(const struct swap_side *side)
{
    if (!side->traced)
        return value_none();
    return value_number((double)side->syscalls.total / (double)side->traced);
}

static json_t *swap_show_which_calls(const struct swap_side *side)
{
    char text[200];

    if (!side->traced)
        return value_none();
    syscalls_text(&side->syscalls, side->traced, text, sizeof(text));
    return value_text("%s", text);
}

static void swap_show_answers(struct lab *lab, const struct swap *swap)
{
    const struct swap_side *tcp = &swap->sides[SIDE_TCP];
    const struct swap_side *udp = &swap->sides[SIDE_UDP];

    result_row(lab, "answer", "a message is answered when", "",
               swap_show_answer(swap, tcp), swap_show_answer(swap, udp));
    result_counts(lab, "sent", "messages sent", "", tcp->result.sent,
                  udp->result.sent);
    result_counts(lab, "expected", "answers expected", "", tcp->result.expected,
                  udp->result.expected);
    result_row(lab, "lost", "answers lost", "", swap_show_lost(tcp),
               swap_show_lost(udp));
    result_row(lab, "lost_percent", "of those expected", "%",
               swap_show_lost_percent(tcp), swap_show_lost_percent(udp));
    result_row(lab, "reordered", "answers overtaken by a later one", "",
               swap_show_told_apart(tcp, tcp->result.reordered),
               swap_show_told_apart(udp, udp->result.reordered));
    result_row(lab, "duplicates", "answers that came twice", "",
               swap_show_told_apart(tcp, tcp->result.duplicates),
               swap_show_told_apart(udp, udp->result.duplicates));
    for (size_t i = 0; i < sizeof(percentiles) / sizeof(*percentiles); i++)
        result_row(lab, percentiles[i].key, percentiles[i].measure, "ms",
                   swap_show_percentile(tcp, percentiles[i].percent),
                   swap_show_percentile(udp, percentiles[i].percent));
}

static void swap_show_costs(struct lab *lab, const struct swap *swap)
{
    const struct swap_side *tcp = &swap->sides[SIDE_TCP];
    const struct swap_side *udp = &swap->sides[SIDE_UDP];

    result_row(lab, "syscalls", "system calls of the server a message", "",
               swap_show_calls(tcp), swap_show_calls(udp));
    result_row(lab, "which_syscalls", "which ones", "",
               swap_show_which_calls(tcp), swap_show_which_calls(udp));
    result_numbers(lab, "wire_bytes", "bytes on the wire a message, both ways",
                   "bytes", tcp->wire_bytes, udp->wire_bytes);
    result_row(lab, "retransmissions", "segments the clients sent again", "",
               value_count(tcp->result.traffic.retransmissions), value_none());
    result_counts(lab, "memory_idle", "memory of the server, at first", "KiB",
                  (tcp->idle_bytes / 1024), (udp->idle_bytes / 1024));
    result_counts(lab, "memory", "memory of the server, after the load", "KiB",
                  (tcp->loaded_bytes / 1024), (udp->loaded_bytes / 1024));
}

/* ---- plots ------------------------------------------------------------ */

/* Draws each percent; the last one, where the long waits are, in ten steps.
   Messages that were lost never come: the curve ends at the share that did. */
static void swap_show_draw_distribution(json_t *plot, enum plot_of of,
                                        const char *name,
                                        const struct swap_side *side)
{
    json_t *series = plot_series(plot, of, name);
    double share =
        (double)side->result.delivered / (double)side->result.expected;

    for (int step = 0; side->noted > 0 && step <= 109; step++) {
        double percent = step < 99 ? step : 99 + (step - 99) / 10.0;

        plot_point(series,
                   stats_percentile(side->latencies, side->noted, percent),
                   percent * share);
    }
}

/* The worst of each stretch of messages: a stall must not fall through. */
static void swap_show_draw_course(json_t *plot, enum plot_of of,
                                  const char *name,
                                  const struct swap_side *side)
{
    json_t *series = plot_series(plot, of, name);
    size_t step = side->noted / POINTS_MOST + 1;

    for (size_t i = 0; i < side->noted; i += step) {
        size_t worst = i;

        for (size_t j = i; j < i + step && j < side->noted; j++)
            if (side->late[j] > side->late[worst])
                worst = j;
        plot_point(series, side->due[worst], side->late[worst]);
    }
}

static void swap_show_draw(struct lab *lab, const struct swap *swap)
{
    const struct swap_side *tcp = &swap->sides[SIDE_TCP];
    const struct swap_side *udp = &swap->sides[SIDE_UDP];
    json_t *plot = result_plot(
        lab, PLOT_STEPS, "How many answers had come by then",
        "Two curves, one for each transport: the share of the expected "
        "answers that took at most so long. The further left, the faster; what "
        "is missing from 100 % at the right end was lost.",
        "time since the message was due (ms)", "of the expected answers (%)");

    plot_log_x(plot);
    swap_show_draw_distribution(plot, PLOT_TCP, "TCP", tcp);
    swap_show_draw_distribution(plot, PLOT_UDP, "UDP", udp);
    plot = result_plot(lab, PLOT_POINTS, "Latency in the course of the run",
                       "A point for each message, or the slowest of several.",
                       "when the message was due (s)", "latency (ms)");
    plot_log_y(plot);
    swap_show_draw_course(plot, PLOT_TCP, "TCP", tcp);
    swap_show_draw_course(plot, PLOT_UDP, "UDP", udp);
}

/* ---- words ------------------------------------------------------------ */

static void swap_show_say_notes(struct lab *lab, const json_t *notes)
{
    json_t *note;
    size_t i;

    json_array_foreach ((json_t *)(uintptr_t)notes, i, note)
        result_note(lab, "%s", json_string_value(note));
}

static void swap_show_say_how(struct lab *lab, const struct swap_side *side)
{
    if (side->found.how == MATCH_TURN)
        result_note(lab,
                    "Over %s the answers do not carry the message, so one "
                    "message at a time was out and its latency counts from "
                    "when it left; order cannot be told.",
                    side->transport);
    if (side->is_ambiguous)
        result_note(lab,
                    "Over %s some of the answers were lost or came twice, and "
                    "messages of the file are the same as others: which of "
                    "them an answer belongs to cannot be told, nor how long "
                    "it took. A file of different lines, as many as are said, "
                    "tells more.",
                    side->transport);
    if (side->result.unsaid > 0)
        result_note(lab,
                    "Over %s there was no time for %llu more messages: each "
                    "one that is not answered is waited for, and %d s after "
                    "the last was due no more are said.",
                    side->transport, (unsigned long long)side->result.unsaid,
                    LOAD_LATER_MOST_S);
    if (side->result.behind_ms > 5)
        result_note(lab,
                    "Over %s the clients themselves were up to %.0f ms behind "
                    "the clock; that is part of the latency.",
                    side->transport, side->result.behind_ms);
    if (side->untraced)
        result_note(lab,
                    "System calls over %s could not be counted: ptrace() of "
                    "the server failed (%s).",
                    side->transport, side->untraced);
    if (side->result.delivered > side->noted && !side->is_ambiguous)
        result_note(lab, "Latencies over %s are those of the first %d answers.",
                    side->transport, LOAD_DELIVERIES_MOST);
}

static void swap_show_say_what_was_counted(struct lab *lab,
                                           const struct swap *swap)
{
    result_note(lab,
                "System calls are those of all processes of the server, "
                "counted with ptrace() in a run of their own of up to "
                "%d messages.",
                SWAP_TRACED);
    if (swap->has_link)
        result_note(lab, "Bytes on the wire are those of all IP packets that "
                         "both ends sent into the link, acknowledgements and "
                         "retransmissions included.");
    else
        result_note(lab,
                    "Bytes on the wire are worked out: the payload, and for "
                    "TCP 52 bytes of headers for each segment that TCP_INFO "
                    "counts, acknowledgements included (IPv4 20, TCP 20, time "
                    "stamps 12), for UDP 28 for each datagram (IPv4 20, UDP "
                    "8). Loopback takes segments of up to 64 KiB; a network "
                    "would need more of them for large messages.");
}

/* Whether a handler of its chain does harm on purpose. */
static bool swap_show_is_impaired(const struct swap_side *side)
{
    const struct chain *chain = &side->loaded->listeners[0]->chain;

    for (unsigned i = 0; i < chain->count; i++)
        if (!strcmp(chain->entries[i]->handler->name, "impair"))
            return true;
    return false;
}

static uint64_t swap_show_missing(const struct swap_side *side)
{
    return side->result.expected - side->result.delivered;
}

/* Explains what happens in the chain, above the transport. */
static void swap_show_say_why_of_chain(struct lab *lab, const struct swap *swap)
{
    const struct swap_side *tcp = &swap->sides[SIDE_TCP];
    const struct swap_side *udp = &swap->sides[SIDE_UDP];

    if (swap_show_is_impaired(tcp) || swap_show_is_impaired(udp))
        result_why(lab,
                   "impair stands in the chain%s, above the transport: what it "
                   "loses, doubles or holds up there is no transport's to send "
                   "again or to put in order.",
                   swap_show_is_impaired(tcp) && swap_show_is_impaired(udp) ? ""
                   : swap_show_is_impaired(tcp) ? " over TCP"
                                                : " over UDP");
    else if (swap_show_missing(tcp) > 0)
        result_why(lab,
                   "TCP loses nothing between its two ends, so the answers "
                   "that are missing over TCP were never given, or came more "
                   "than %.1f s late: look at what the handlers do.",
                   LOAD_SETTLE_MS / 1e3);
}

/* Explains what the transports made of what was lost below them. */
static const char *swap_show_why_of_transports(const struct swap *swap)
{
    const struct swap_side *tcp = &swap->sides[SIDE_TCP];
    const struct swap_side *udp = &swap->sides[SIDE_UDP];
    bool is_resent = tcp->result.traffic.retransmissions > 0;

    if (is_resent && swap_show_missing(udp) > 0 &&
        (swap->has_link || !swap_show_is_impaired(udp)))
        return "What was lost on the way TCP sent again, and everything "
               "behind it waited; over UDP it stayed lost, and nothing waited.";
    if (is_resent)
        return "TCP sent segments again, and what stood behind them waited; "
               "UDP sends nothing again.";
    if (swap_show_missing(udp) > 0 && swap->has_link)
        return "What is lost on the way stays lost over UDP; whichever end of "
               "a TCP connection has lost something sends it again.";
    if (swap_show_missing(udp) > 0 && !swap_show_is_impaired(udp) &&
        swap_show_missing(tcp) == 0)
        return "Over UDP answers were lost and stayed lost, on the way or for "
               "want of room in a receive buffer; TCP waits until there is "
               "room, and had nothing to send again.";
    if (udp->result.reordered > 0 || udp->result.duplicates > 0)
        return "TCP numbers its bytes and hands each on once and in order; UDP "
               "hands a datagram on when it comes and as often as it comes.";
    if (swap_show_missing(udp) > 0 || swap_show_missing(tcp) > 0)
        return "The clients' TCP sent nothing again: nothing was lost below "
               "it. What is left of the difference is the price of each: TCP "
               "acknowledges "
               "and carries larger headers, UDP handles each datagram by "
               "itself.";
    return "With nothing lost on the way both deliver everything; what is "
           "left of the difference is the price of each: TCP acknowledges and "
           "carries larger headers, UDP handles each datagram by itself.";
}

static int swap_show_guessed(const struct swap *swap)
{
    double ratio =
        swap->sides[SIDE_TCP].wire_bytes / swap->sides[SIDE_UDP].wire_bytes;

    return ratio > 1.05 ? 0 : ratio < 1 / 1.05 ? 1 : 2;
}

void swap_show(struct lab *lab, const struct swap *swap)
{
    const struct swap_side *tcp = &swap->sides[SIDE_TCP];
    const struct swap_side *udp = &swap->sides[SIDE_UDP];

    result_did(lab,
               "%s was served once with each transport. %u client%s said %llu "
               "message%s, %.10g a second, %s.",
               swap->path, swap->clients, swap->clients == 1 ? "" : "s",
               (unsigned long long)tcp->result.sent,
               tcp->result.sent == 1 ? "" : "s", swap->rate,
               tcp->found.how == MATCH_TURN
                   ? "or as fast as the answers came"
                   : "each at its time whether the server had answered or not");
    swap_show_answers(lab, swap);
    swap_show_costs(lab, swap);
    swap_show_draw(lab, swap);
    swap_show_say_why_of_chain(lab, swap);
    result_why(lab, "%s", swap_show_why_of_transports(swap));
    swap_show_say_notes(lab, tcp->notes);
    swap_show_say_notes(lab, udp->notes);
    swap_show_say_how(lab, tcp);
    swap_show_say_how(lab, udp);
    swap_show_say_what_was_counted(lab, swap);
    result_answer(lab, swap_show_guessed(swap));
    if (tcp->found.how != MATCH_TURN && !swap_show_is_impaired(tcp) &&
        !tcp->is_ambiguous && tcp->result.delivered > 0)
        result_check(lab, "tcp_in_order",
                     tcp->result.reordered == 0 && tcp->result.duplicates == 0,
                     "over TCP nothing is overtaken and nothing comes twice");
}
