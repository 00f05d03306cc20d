/*
 * length: each message carries its length in front, as many protocols do.
 *
 *      | offset bytes | length: size bytes | payload ... |
 *      `--------------- header ------------'
 *
 * On a stream the length says where one message ends and the next begins, so
 * messages may hold any bytes. On records a record must be whole frames. A
 * length that cannot be true ends a stream, because nobody can tell where the
 * next frame would begin.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <playground/handler.h>

#define MAX_BYTES      65536 /* the default */
#define MAX_BYTES_MOST (1 << 30)

struct length_options {
    int size, offset;
    const char *order, *includes;
    bool strip;
    int64_t max_bytes;
};

/* The options, read once: strings are not compared for each message. */
struct length_private {
    size_t size, header_bytes, max_bytes;
    bool is_little, counts_header, strips;
};

static const struct pg_option length_options[] = {
    {"size", PG_INT, PG_FIELD(struct length_options, size), .unit = "bytes",
     .initial = "4", .min = 1, .max = 8,
     .help = "width of the length: 1, 2, 4 or 8"},
    {"order", PG_STRING, PG_FIELD(struct length_options, order),
     .initial = "big", .choices = "big little",
     .help = "byte order of the length; big is the network's"},
    {"offset", PG_INT, PG_FIELD(struct length_options, offset), .unit = "bytes",
     .initial = "0", .min = 0, .max = 256,
     .help = "bytes of header before the length"},
    {"includes", PG_STRING, PG_FIELD(struct length_options, includes),
     .initial = "payload", .choices = "payload header",
     .help = "what the length counts: the payload alone, or the header too"},
    {"strip", PG_BOOL, PG_FIELD(struct length_options, strip),
     .initial = "true",
     .help = "true: messages are payloads; false: header and payload"},
    {"max_bytes", PG_INT, PG_FIELD(struct length_options, max_bytes),
     .unit = "bytes", .initial = "65536", .min = 1, .max = MAX_BYTES_MOST,
     .help = "longest payload; a longer one ends a stream session"},
    {0},
};

/* The greatest length that the field can say. */
static uint64_t length_most(const struct length_options *options)
{
    return options->size < 8 ? (1ull << 8 * options->size) - 1 : UINT64_MAX;
}

/* ... of a payload; -1: none, for its own header is too long. */
static int64_t length_most_payload(const struct length_options *options)
{
    uint64_t most = length_most(options);
    uint64_t header = !strcmp(options->includes, "header")
                          ? (uint64_t)(options->offset + options->size)
                          : 0;

    if (header > most)
        return -1;
    return most - header > MAX_BYTES_MOST ? MAX_BYTES_MOST
                                          : (int64_t)(most - header);
}

static int length_check(struct pg_entry *entry)
{
    const struct length_options *options = pg_entry_options(entry);
    int64_t most;

    if (options->size & (options->size - 1))
        return pg_fail(entry, "size", "\"size\" is %d; choose 1, 2, 4 or 8",
                       options->size);
    most = length_most_payload(options);
    if (most < 0)
        return pg_fail_pair(
            entry, "offset", "size",
            "with \"offset\" %d the header alone is longer than "
            "a length of \"size\" %d can say; lower it, or "
            "raise \"size\"",
            options->offset, options->size);
    if (options->max_bytes > most && options->max_bytes != MAX_BYTES)
        return pg_fail_pair(
            entry, "max_bytes", "size",
            "\"max_bytes\" is %" PRId64 ", more than the %" PRId64
            " that a length of \"size\" %d can say; lower it, or "
            "raise \"size\"",
            options->max_bytes, most, options->size);
    return 0;
}

static int length_init(struct pg_entry *entry)
{
    const struct length_options *options = pg_entry_options(entry);
    size_t most = pg_entry_frame_bytes(entry);
    struct length_private *self = pg_entry_private(entry);

    self->size = (size_t)options->size;
    self->header_bytes = (size_t)(options->offset + options->size);
    self->max_bytes = (size_t)options->max_bytes;
    if (self->max_bytes > most) /* the default follows frame_bytes */
        self->max_bytes = most;
    self->is_little = !strcmp(options->order, "little");
    self->counts_header = !strcmp(options->includes, "header");
    self->strips = options->strip;
    return 0;
}

static uint64_t length_read_length(const struct length_private *self,
                                   const uint8_t *field)
{
    uint64_t value = 0;

    for (size_t i = 0; i < self->size; i++)
        value = value << 8 | field[self->is_little ? self->size - 1 - i : i];
    return value;
}

static void length_write_length(const struct length_private *self,
                                uint8_t *field, uint64_t value)
{
    for (size_t i = 0; i < self->size; i++, value >>= 8)
        field[self->is_little ? i : self->size - 1 - i] = (uint8_t)value;
}

/*
 * The payload's length from a whole header. False when it cannot be true,
 * with the reason in `why`.
 */
static bool length_payload_length(const struct length_private *self,
                                  struct pg_bytes in, size_t *len, char *why,
                                  size_t size)
{
    uint64_t value =
        length_read_length(self, in.data + self->header_bytes - self->size);

    if (self->counts_header && value < self->header_bytes) {
        snprintf(why, size, "length %" PRIu64 " < its own header of %zu bytes",
                 value, self->header_bytes);
        return false;
    }
    if (self->counts_header)
        value -= self->header_bytes;
    if (value > self->max_bytes) {
        snprintf(why, size, "frame %" PRIu64 " bytes > max_bytes %zu", value,
                 self->max_bytes);
        return false;
    }
    *len = (size_t)value;
    return true;
}

/* Takes the next frame from `in`: 1, or 0 when it is not all there, or -1
   when its length cannot be true. */
static int length_next_frame(const struct length_private *self,
                             struct pg_bytes *in, struct pg_bytes *message,
                             char *why, size_t size)
{
    size_t len, whole;

    if (in->len < self->header_bytes)
        return 0;
    if (!length_payload_length(self, *in, &len, why, size))
        return -1;
    whole = self->header_bytes + len;
    if (in->len < whole)
        return 0;
    *message = self->strips ? pg_bytes(in->data + self->header_bytes, len)
                            : pg_bytes(in->data, whole);
    *in = pg_bytes(in->data + whole, in->len - whole);
    return 1;
}

static enum pg_verdict length_recv_stream(struct pg_ctx *ctx,
                                          struct pg_bytes in)
{
    const struct length_private *self = pg_private(ctx);
    struct pg_bytes message;
    int found = 0, error = 0;
    char why[96];

    while (error == 0 && (found = length_next_frame(self, &in, &message, why,
                                                    sizeof(why))) > 0) {
        pg_rest(ctx, in);
        error = pg_forward(ctx, message);
    }
    if (error == -ECANCELED)
        return PG_STOP;
    if (error == 0 && found < 0)
        return pg_close(ctx, why);
    return pg_keep(ctx, in);
}

/* All or nothing: what is not whole frames to the last byte is no message. */
static enum pg_verdict length_recv_record(struct pg_ctx *ctx,
                                          struct pg_bytes in)
{
    const struct length_private *self = pg_private(ctx);
    struct pg_bytes message, rest = in;
    int found, error = 0;
    char why[96];

    if (in.len == 0)
        return pg_drop(ctx, "record without a frame");
    while ((found =
                length_next_frame(self, &rest, &message, why, sizeof(why))) > 0)
        if (rest.len == 0)
            break;
    if (found < 0)
        return pg_drop(ctx, "record with a length that cannot be true");
    if (found == 0)
        return pg_drop(ctx, "record ends inside a frame");

    while (error == 0 && in.len > 0 &&
           length_next_frame(self, &in, &message, why, sizeof(why)) > 0) {
        pg_rest(ctx, in);
        error = pg_forward(ctx, message);
    }
    return error == PG_FULL ? pg_keep(ctx, in) : PG_STOP;
}

static enum pg_verdict length_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    if (pg_input_kind(ctx) == PG_RECORDS)
        return length_recv_record(ctx, in);
    return length_recv_stream(ctx, in);
}

/* The core counts what is left over; here it is put into words. */
static void length_end(struct pg_ctx *ctx)
{
    struct pg_bytes message, rest = pg_kept(ctx);
    char why[96];

    if (rest.len > 0 && length_next_frame(pg_private(ctx), &rest, &message, why,
                                          sizeof(why)) == 0)
        pg_log(ctx, "input ended inside a frame: its first %zu bytes are lost",
               rest.len);
}

/* With strip the message is a payload; without, it brings its header along
   and only the length in it is filled in. */
static enum pg_verdict length_send(struct pg_ctx *ctx, struct pg_bytes out)
{
    const struct length_private *self = pg_private(ctx);
    size_t header = self->header_bytes;
    size_t added = self->strips ? header : 0;
    uint64_t value = out.len + added - (self->counts_header ? 0 : header);
    uint8_t *frame;

    if (out.len + added < header)
        return pg_drop(ctx, "message shorter than its header");
    if (self->size < 8 && value >> (8 * self->size) != 0)
        return pg_drop(ctx, "message too long for its length field");
    frame = pg_scratch(ctx, out.len + added);
    memset(frame, 0, added);
    if (out.len > 0)
        memcpy(frame + added, out.data, out.len);
    length_write_length(self, frame + header - self->size, value);
    pg_forward(ctx, pg_bytes(frame, out.len + added));
    return PG_STOP;
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "length",
    .summary = "each message carries its length in front",
    .needs = PG_ANY,
    .makes = PG_RECORDS,
    .send_is_shared = true,
    .options = length_options,
    .options_size = sizeof(struct length_options),
    .entry_size = sizeof(struct length_private),
    .check = length_check,
    .init = length_init,
    .recv = length_recv,
    .send = length_send,
    .end = length_end,
};
