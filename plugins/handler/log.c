/*
 * log: who came, what they said, who left and why.
 *
 *   14:02:07 tcp 127.0.0.1:40322 came
 *   14:02:09 tcp 127.0.0.1:40322 said 7 bytes: um\ndois
 *   14:02:11 tcp 127.0.0.1:40322 left: end of input
 *
 * It shows what reaches its place in the chain: before a framing layer each
 * read as it was cut, behind one each message. What peers send is shown, never
 * obeyed: what a terminal obeys or nobody sees is escaped (playground/utf8.h).
 * It writes through pg_write_file(), so a stopped terminal or a full disk costs
 * lines of the log (which says how many), not the server's time.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <playground/handler.h>
#include <playground/utf8.h>

#define SHOWN_BYTES 1024 /* of one message */
#define LINE_BYTES  (16 * 1024)

struct log_options {
    const char *format, *file;
    bool hexdump, send;
};

struct log_private {
    struct pg_file *file;
    const char *name; /* NULL: not worth saying */
    bool is_json, hexdump, sent;
};

/* A line in the making; what does not fit is left out. */
struct line {
    char text[LINE_BYTES];
    size_t len;
};

static const struct pg_option log_options[] = {
    {"format", PG_STRING, PG_FIELD(struct log_options, format),
     .initial = "text", .choices = "text json",
     .help = "lines to read, or one JSON object a line"},
    {"hexdump", PG_BOOL, PG_FIELD(struct log_options, hexdump),
     .help = "show the bytes of each message as numbers too"},
    {"file", PG_STRING, PG_FIELD(struct log_options, file), .initial = "-",
     .help = "appended to; - is stderr"},
    {"send", PG_BOOL, PG_FIELD(struct log_options, send),
     .help = "show what goes out too"},
    {0},
};

static int log_init(struct pg_entry *entry)
{
    const struct log_options *options = pg_entry_options(entry);
    struct log_private *self = pg_entry_private(entry);

    self->file = pg_open_file(entry, options->file);
    if (self->file == NULL)
        return pg_fail(entry, "file", "cannot append to %s: %s", options->file,
                       pg_file_error());
    self->is_json = !strcmp(options->format, "json");
    self->hexdump = options->hexdump;
    self->sent = options->send;
    if (strcmp(pg_entry_name(entry), "log") != 0)
        self->name = pg_entry_name(entry);
    return 0;
}

/* ---- making lines ----------------------------------------------------- */

static void log_add(struct line *line, const char *format, ...) PG_PRINTF(2, 3);

static void log_add(struct line *line, const char *format, ...)
{
    size_t room = sizeof(line->text) - line->len;
    va_list arguments;
    int len;

    va_start(arguments, format);
    len = vsnprintf(line->text + line->len, room, format, arguments);
    va_end(arguments);
    if (len > 0)
        line->len += (size_t)len < room ? (size_t)len : room - 1;
}

static void log_add_escaped(struct line *line, struct pg_bytes in,
                            enum pg_utf8_form form)
{
    line->len += pg_utf8_show(line->text + line->len,
                              sizeof(line->text) - line->len, in, form, NULL);
}

static void log_add_text(struct line *line, struct pg_bytes in)
{
    log_add_escaped(line, in, PG_UTF8_LINE);
}

static void log_add_json(struct line *line, const char *key, struct pg_bytes in)
{
    log_add(line, ",\"%s\":\"", key);
    log_add_escaped(line, in, PG_UTF8_JSON);
    log_add(line, "\"");
}

static void log_add_hex(struct line *line, struct pg_bytes in)
{
    log_add(line, ",\"hex\":\"");
    for (size_t i = 0; i < in.len; i++)
        log_add(line, "%02x", in.data[i]);
    log_add(line, "\"");
}

/* Sixteen bytes a row: place, numbers, characters. */
static void log_add_hexdump(struct line *line, struct pg_bytes in)
{
    for (size_t row = 0; row < in.len; row += 16) {
        char numbers[3 * 16 + 1], characters[16 + 1] = "";

        for (size_t i = 0; i < 16 && row + i < in.len; i++) {
            uint8_t byte = in.data[row + i];

            snprintf(numbers + 3 * i, 4, " %02x", byte);
            characters[i] = (char)(byte >= 0x20 && byte < 0x7f ? byte : '.');
        }
        log_add(line, "\n    %04zx %-48s  |%s|", row, numbers, characters);
    }
}

/* The start of a long message, not cut inside a character. */
static struct pg_bytes log_shown_part(struct pg_bytes in)
{
    size_t len = in.len;

    if (len > SHOWN_BYTES)
        for (len = SHOWN_BYTES; len > SHOWN_BYTES - 3; len--)
            if ((in.data[len] & 0xc0) != 0x80)
                break;
    return pg_bytes(in.data, len);
}

/* ---- text and JSON ---------------------------------------------------- */

static void log_begin_text(struct line *line, struct pg_ctx *ctx,
                           uint64_t now_ms)
{
    const struct log_private *self = pg_private(ctx);
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm local;
    char stamp[16];

    localtime_r(&seconds, &local);
    strftime(stamp, sizeof(stamp), "%H:%M:%S", &local);
    log_add(line, "%s ", stamp);
    if (self->name)
        log_add(line, "%s ", self->name);
    log_add_text(line, pg_text(pg_peer(ctx)));
}

static void log_begin_json(struct line *line, struct pg_ctx *ctx,
                           const char *event, uint64_t now_ms)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    char stamp[32];

    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
    log_add(line,
            "{\"time\":\"%s.%03dZ\",\"event\":\"%s\",\"session\":%" PRIu64,
            stamp, (int)(now_ms % 1000), event, pg_session_number(ctx));
    log_add_json(line, "entry",
                 log_shown_part(pg_text(pg_entry_name(pg_entry(ctx)))));
    log_add_json(line, "peer", pg_text(pg_peer(ctx)));
}

static void log_begin(struct line *line, struct pg_ctx *ctx, const char *event)
{
    const struct log_private *self = pg_private(ctx);
    uint64_t now_ms = pg_wall_ms();

    line->len = 0;
    if (self->is_json)
        log_begin_json(line, ctx, event, now_ms);
    else
        log_begin_text(line, ctx, now_ms);
}

static void log_finish(struct line *line, struct pg_ctx *ctx)
{
    const struct log_private *self = pg_private(ctx);

    log_add(line, self->is_json ? "}\n" : "\n");
    line->text[line->len - 1] = '\n';
    pg_write_file(self->file, pg_bytes(line->text, line->len));
}

static void log_add_message_json(struct line *line, struct pg_bytes in,
                                 bool hexdump)
{
    struct pg_bytes shown = log_shown_part(in);

    log_add(line, ",\"bytes\":%zu", in.len);
    if (shown.len < in.len)
        log_add(line, ",\"shown\":%zu", shown.len);
    log_add_json(line, "text", shown);
    if (hexdump || !pg_utf8_is_valid(shown))
        log_add_hex(line, shown);
}

static void log_add_message_text(struct line *line, struct pg_bytes in,
                                 bool hexdump)
{
    struct pg_bytes shown = log_shown_part(in);

    log_add(line, " %zu byte%s: ", in.len, in.len == 1 ? "" : "s");
    log_add_text(line, shown);
    if (shown.len < in.len)
        log_add(line, " ... (the first %zu shown)", shown.len);
    if (hexdump)
        log_add_hexdump(line, shown);
}

static void log_message(struct pg_ctx *ctx, const char *event, const char *verb,
                        struct pg_bytes bytes)
{
    const struct log_private *self = pg_private(ctx);
    struct line line;

    log_begin(&line, ctx, event);
    if (self->is_json) {
        log_add_message_json(&line, bytes, self->hexdump);
    } else {
        log_add(&line, " %s", verb);
        log_add_message_text(&line, bytes, self->hexdump);
    }
    log_finish(&line, ctx);
}

/* ---- events ----------------------------------------------------------- */

static enum pg_verdict log_open(struct pg_ctx *ctx)
{
    const struct log_private *self = pg_private(ctx);
    struct line line;

    log_begin(&line, ctx, "open");
    if (!self->is_json)
        log_add(&line, " came");
    log_finish(&line, ctx);
    return PG_PASS;
}

static enum pg_verdict log_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    log_message(ctx, "recv", "said", in);
    return PG_PASS;
}

static enum pg_verdict log_send(struct pg_ctx *ctx, struct pg_bytes out)
{
    const struct log_private *self = pg_private(ctx);

    if (!self->sent)
        return PG_PASS;
    if (pg_forward(ctx, out) >= 0)
        log_message(ctx, "send", "gets", out);
    else
        log_message(ctx, "unsent", "does not get", out);
    return PG_STOP;
}

static const char *log_why_word(enum pg_why why)
{
    switch (why) {
    case PG_WHY_EOF:
        return "eof";
    case PG_WHY_RESET:
        return "reset";
    case PG_WHY_IDLE:
        return "idle";
    case PG_WHY_LIMIT:
        return "limit";
    case PG_WHY_HANDLER:
        return "handler";
    case PG_WHY_SHUTDOWN:
        return "shutdown";
    case PG_WHY_CRASH:
        return "crash";
    }
    return "unknown";
}

static void log_close(struct pg_ctx *ctx, struct pg_reason reason)
{
    const struct log_private *self = pg_private(ctx);
    struct pg_bytes text = log_shown_part(pg_text(reason.text));
    struct line line;

    log_begin(&line, ctx, "close");
    if (self->is_json) {
        log_add(&line, ",\"why\":\"%s\"", log_why_word(reason.why));
        log_add_json(&line, "reason", text);
    } else {
        log_add(&line, " left: ");
        log_add_text(&line, text);
    }
    log_finish(&line, ctx);
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "log",
    .summary = "who came, what they said, who left and why",
    .needs = PG_ANY,
    .shows_cuts = true,
    /* A broadcast is logged once, as sent to "everyone", and costs no more
       than without a log in the chain. */
    .send_is_shared = true,
    .options = log_options,
    .options_size = sizeof(struct log_options),
    .entry_size = sizeof(struct log_private),
    .init = log_init,
    .open = log_open,
    .recv = log_recv,
    .send = log_send,
    .close = log_close,
};
