/*
 * impair: one place of a chain as a bad link.
 *
 * Records suffer what datagrams do on their way: loss, delay, jitter,
 * reordering, duplicates, a rate with a queue, and some lose their end. A
 * stream suffers only what TCP lets through: delay, jitter, a rate, reads that
 * are cut anew, and reset. Asking for loss on a stream is refused: TCP never
 * loses a piece of one.
 *
 * Each session and direction has random numbers of its own, from the seed and
 * from how many sessions came before it. On records they are counted by the
 * record; on a stream, where reads come as they like, by the byte.
 *
 * What leaves late goes through pg_later(): the core holds it, and holds back a
 * stream that is too fast for the delay or the rate.
 */
#include <errno.h>
#include <stdio.h>

#include "common/link_options.h"

enum { IN, OUT };                            /* directions */
enum { CUT = LINK_FREE, CUT_LENGTH, RESET }; /* random numbers */

#define PIECE_MS 10 /* a slow stream comes in pieces so long */
#define SPACING_NS                                                             \
    1000000 /* pieces closer than this are joined by the socket */

struct impair_options {
    struct link_options link;
    const char *direction;
    int64_t seed, reset_within_bytes;
    double cut_percent;
};

struct impair_private {
    uint64_t sessions; /* that have come to this entry */
    bool is_on[2];
    struct link_terms stream, records; /* from the options, by input kind */
};

struct impair_state {
    struct impair_way {
        struct link_way link;
        uint64_t bytes; /* of a stream, that have passed */
    } ways[2];
};

/* The facts that the functions of one callback share. */
struct passing {
    struct pg_ctx *ctx;
    const struct impair_options *options;
    const struct link_terms *terms;
    struct impair_way *way;
    unsigned direction;
};

static const struct pg_option impair_options[] = {
    LINK_OPTIONS(struct impair_options, link),
    {"cut_percent", PG_NUMBER, PG_FIELD(struct impair_options, cut_percent),
     .unit = "percent", .max = 100,
     .help = "records that lose their end; on a stream, bytes after which a "
             "read ends"},
    {"reset_within_bytes", PG_INT,
     PG_FIELD(struct impair_options, reset_within_bytes), .unit = "bytes",
     .max = 1LL << 40,
     .help = "a stream breaks at a drawn place within so many bytes; 0: never"},
    {"direction", PG_STRING, PG_FIELD(struct impair_options, direction),
     .initial = "both", .choices = "in out both",
     .help = "what comes in, what goes out, or both"},
    {"seed", PG_INT, PG_FIELD(struct impair_options, seed), .initial = "1",
     .help = "the same seed impairs the same records"},
    {0},
};

static int impair_check_place(struct pg_entry *entry, enum pg_kind input,
                              const char *name)
{
    const struct impair_options *options = pg_entry_options(entry);
    const char *key = link_needs_records(&options->link);

    if (input == PG_STREAM && key)
        return pg_fail(
            entry, key,
            "\"%s\" cannot be on the stream of %s: " LINK_WHY_NO_STREAM
            "; delete it, put \"lines\" or \"length\" before %s to impair "
            "whole messages, or lose segments with `playground wire`",
            key, name, pg_entry_name(entry));
    if (input == PG_RECORDS && options->reset_within_bytes)
        return pg_fail(entry, "reset_within_bytes",
                       "only a stream can be reset, and records reach %s from "
                       "%s; delete it, or put %s before the framing layer",
                       pg_entry_name(entry), name, pg_entry_name(entry));
    return 0;
}

static int impair_init(struct pg_entry *entry)
{
    const struct impair_options *options = pg_entry_options(entry);
    struct impair_private *self = pg_entry_private(entry);

    self->is_on[IN] = strcmp(options->direction, "out") != 0;
    self->is_on[OUT] = strcmp(options->direction, "in") != 0;
    self->stream = link_terms_of(&options->link, PG_STREAM);
    self->records = link_terms_of(&options->link, PG_RECORDS);
    return 0;
}

static enum pg_verdict impair_open(struct pg_ctx *ctx)
{
    const struct impair_options *options = pg_options(ctx);
    struct impair_private *self = pg_private(ctx);
    struct impair_state *state = pg_state(ctx);

    self->sessions++;
    for (unsigned i = IN; i <= OUT; i++)
        state->ways[i].link.key =
            link_key((uint64_t)options->seed, self->sessions, i);
    return PG_PASS;
}

static void impair_count(const struct passing *passing, const char *what)
{
    char name[48];

    snprintf(name, sizeof(name), "%s: %s",
             passing->direction == IN ? "in" : "out", what);
    pg_count(passing->ctx, name);
}

static enum pg_verdict impair_drop(const struct passing *passing,
                                   const char *what)
{
    impair_count(passing, what);
    return PG_STOP;
}

/* With a delay all goes through pg_later(), so that nothing overtakes what is
   on its way; a fraction of a millisecond counts as a whole one. */
static int impair_hand_on(const struct passing *passing, struct pg_bytes bytes,
                          bool is_late, uint64_t due_ns)
{
    uint64_t due_ms = (due_ns + 999999) / 1000000, now_ms = pg_now();

    if (!is_late)
        return pg_forward(passing->ctx, bytes);
    return pg_later(passing->ctx,
                    due_ms > now_ms ? (uint32_t)(due_ms - now_ms) : 0, bytes);
}

static bool impair_is_late(const struct link_terms *terms)
{
    return terms->delay_ns || terms->jitter_ns || terms->rate_bit_s ||
           terms->reorder;
}

static uint64_t impair_cut_share(const struct passing *passing)
{
    return link_share(passing->options->cut_percent / 100);
}

/* ---- records ---------------------------------------------------------- */

static struct pg_bytes impair_cut_record(const struct passing *passing,
                                         struct pg_bytes bytes)
{
    const struct link_way *link = &passing->way->link;
    uint64_t number = link->records - 1;

    if (bytes.len == 0 ||
        !link_happens(link, number, CUT, impair_cut_share(passing)))
        return bytes;
    impair_count(passing, "cut");
    return pg_bytes(bytes.data,
                    link_draw(link, number, CUT_LENGTH) % bytes.len);
}

static enum pg_verdict impair_pass_record(const struct passing *passing,
                                          struct pg_bytes bytes)
{
    const struct link_terms *terms = passing->terms;
    struct link_fate fate =
        link_pass(&passing->way->link, terms, bytes.len, pg_now_ns());

    impair_count(passing, "records");
    if (fate.is_refused)
        return impair_drop(passing, "dropped: queue full");
    if (fate.is_lost)
        return impair_drop(passing, "lost");
    bytes = impair_cut_record(passing, bytes);
    if (fate.is_held_back)
        impair_count(passing, "held back");
    if (fate.is_duplicated)
        impair_count(passing, "duplicated");
    for (int i = 0; i <= fate.is_duplicated; i++)
        if (impair_hand_on(passing, bytes, impair_is_late(terms),
                           fate.due_ns) == -ENOBUFS)
            impair_count(passing, "dropped: no room for a delay");
    return PG_STOP;
}

/* ---- a stream --------------------------------------------------------- */

/* The place where a stream breaks: a number of bytes from its start. */
static uint64_t impair_reset_at(const struct passing *passing)
{
    uint64_t within = (uint64_t)passing->options->reset_within_bytes;

    if (within == 0)
        return UINT64_MAX;
    return 1 + link_draw(&passing->way->link, 0, RESET) % within;
}

/* The longest piece that the rate lets through in PIECE_MS. */
static size_t impair_piece_bytes(const struct passing *passing)
{
    uint64_t bytes = passing->terms->rate_bit_s / 8 * PIECE_MS / 1000;

    if (passing->terms->rate_bit_s == 0)
        return SIZE_MAX;
    return bytes ? (size_t)bytes : 1;
}

/* Counts the bytes, from the first of `len`, that stay together. */
static size_t impair_next_piece(const struct passing *passing, size_t len)
{
    const struct impair_way *way = passing->way;
    uint64_t left = impair_reset_at(passing) - way->bytes;
    size_t most = impair_piece_bytes(passing), piece = len < most ? len : most;
    uint64_t cut = impair_cut_share(passing);

    if (piece > left)
        piece = (size_t)left;
    if (cut == 0)
        return piece;
    for (size_t i = 1; i < piece; i++)
        if (link_happens(&way->link, way->bytes + i, CUT, cut))
            return i;
    return piece;
}

static int impair_pass_piece(const struct passing *passing,
                             struct pg_bytes piece)
{
    struct impair_way *way = passing->way;
    bool is_spaced =
        passing->direction == OUT && passing->options->cut_percent > 0;
    struct link_fate fate =
        link_pass(&way->link, passing->terms, piece.len, pg_now_ns());

    if (is_spaced)
        way->link.order_ns += SPACING_NS;
    return impair_hand_on(passing, piece,
                          impair_is_late(passing->terms) || is_spaced,
                          fate.due_ns);
}

/* A stream with a hole is none. But what goes out and was refused whole is the
   sender's still: it comes again, as if it had never come. */
static enum pg_verdict impair_refused(const struct passing *passing,
                                      const struct impair_way *before)
{
    if (passing->direction == IN || passing->way->bytes != before->bytes)
        return pg_reset(passing->ctx, "no room for a delayed stream");
    passing->way->link = before->link;
    return PG_STOP;
}

static enum pg_verdict impair_pass_stream(const struct passing *passing,
                                          struct pg_bytes in)
{
    const struct impair_way before = *passing->way;

    while (in.len > 0) {
        size_t len = impair_next_piece(passing, in.len);
        int error = impair_pass_piece(passing, pg_bytes(in.data, len));

        if (error == -ECANCELED)
            break;
        if (error == -ENOBUFS)
            return impair_refused(passing, &before);
        passing->way->bytes += len;
        in = pg_bytes(in.data + len, in.len - len);
        if (passing->way->bytes == impair_reset_at(passing)) {
            impair_count(passing, "reset");
            return pg_reset(passing->ctx, "reset by impair");
        }
        if (error == PG_FULL && passing->direction == IN)
            return pg_keep(passing->ctx, in);
    }
    return PG_STOP;
}

/* ---- events ----------------------------------------------------------- */

static enum pg_verdict impair_pass(struct pg_ctx *ctx, unsigned direction,
                                   struct pg_bytes bytes)
{
    const struct impair_private *self = pg_private(ctx);
    struct impair_state *state = pg_state(ctx);
    bool is_stream = pg_input_kind(ctx) == PG_STREAM;
    const struct passing passing = {
        .ctx = ctx,
        .options = pg_options(ctx),
        .terms = is_stream ? &self->stream : &self->records,
        .way = &state->ways[direction],
        .direction = direction,
    };

    if (!self->is_on[direction])
        return PG_PASS;
    return is_stream ? impair_pass_stream(&passing, bytes)
                     : impair_pass_record(&passing, bytes);
}

static enum pg_verdict impair_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    return impair_pass(ctx, IN, in);
}

static enum pg_verdict impair_send(struct pg_ctx *ctx, struct pg_bytes out)
{
    return impair_pass(ctx, OUT, out);
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "impair",
    .summary = "a bad link: seeded loss, delay, reordering, cuts, ...",
    .needs = PG_ANY,
    .shows_cuts = true,
    .options = impair_options,
    .options_size = sizeof(struct impair_options),
    .entry_size = sizeof(struct impair_private),
    .session_size = sizeof(struct impair_state),
    .check_place = impair_check_place,
    .init = impair_init,
    .open = impair_open,
    .recv = impair_recv,
    .send = impair_send,
};
