/*
 * chat-broadcast: what one member says, all the others hear.
 *
 * Every member has a name at once (guest1, guest2, ...). A text is relayed as
 * `guest1: TEXT` with the text unchanged; what begins with "/" is a command,
 * unless it begins with "//". Names hold no spaces, and no line of our own
 * begins with a word that ends in ":", so that no text can pass for one of
 * them. What to do about control characters in a text is up to the reader:
 * playground's client shows them escaped. Only what a Telnet client says to its
 * server is left out.
 *
 * Over UDP whoever has said one thing is no member yet, because the address may
 * be forged: a text is relayed, under the guest's name that comes next, and all
 * else is only answered, at a cost that does not grow with the room.
 *
 * With "rooms": true each member is in one room, "main" at first, and hears who
 * is in it; /join ROOM leaves it for another. A name is unique over all rooms.
 *
 * With "names": false it relays messages as they came, and does nothing else.
 */
#include "chat.h"

#include <stdio.h>

static const struct pg_option chat_options[] = {
    {"names", PG_BOOL, PG_FIELD(struct chat_options, names), .initial = "true",
     .help = "false: messages go out as they came, without names, notices "
             "and commands"},
    {"rooms", PG_BOOL, PG_FIELD(struct chat_options, rooms), .initial = "false",
     .help = "true: members are in rooms, \"main\" at first, and hear who is "
             "in theirs; /join ROOM, /rooms"},
    {"slow", PG_STRING, PG_FIELD(struct chat_options, slow), .initial = "close",
     .choices = "close drop",
     .help = "a member that reads too slowly: close its session, or drop "
             "what it has no room for"},
    {"warn_idle_s", PG_INT, PG_FIELD(struct chat_options, warn_idle_s),
     .unit = "s", .initial = "270", .min = 0, .max = 86400,
     .help = "tell a UDP member that said nothing for so long, or shortly "
             "before idle_s; 0: never"},
    {0},
};

static int chat_check(struct pg_entry *entry)
{
    const struct chat_options *options = pg_entry_options(entry);

    if (options->rooms && !options->names)
        return pg_fail_pair(entry, "rooms", "names",
                            "\"rooms\" needs names, because /join and /rooms "
                            "are for those who have one; delete one of them");
    return 0;
}

static int chat_init(struct pg_entry *entry)
{
    const struct chat_options *options = pg_entry_options(entry);
    struct chat_private *self = pg_entry_private(entry);

    self->names = options->names;
    self->rooms = options->rooms;
    self->slow = !strcmp(options->slow, "drop") ? PG_SLOW_DROP : PG_SLOW_CLOSE;
    return 0;
}

/* ---- saying something --------------------------------------------------- */

int chat_say(struct pg_ctx *ctx, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    return pg_send(ctx, pg_text(line));
}

void chat_notice(struct pg_ctx *ctx, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    chat_tell_others(ctx, pg_text(line));
}

void chat_tell(struct pg_ctx *ctx, const char *before, const char *name,
               const char *after)
{
    struct chat_state *state = pg_state(ctx);

    if (!state->is_told)
        chat_say(ctx, "%s%s%s", before, name, after);
    state->is_told = true;
}

void chat_tell_to_go_on(struct pg_ctx *ctx)
{
    chat_tell(ctx, "say one thing more to join", "", "; /who /nick NAME /quit");
}

/* ---- coming ----------------------------------------------------------- */

static enum pg_verdict chat_open(struct pg_ctx *ctx)
{
    const struct chat_private *self = pg_private(ctx);

    return self->names && !pg_is_stranger(ctx) ? chat_join(ctx) : PG_PASS;
}

static void chat_known(struct pg_ctx *ctx)
{
    const struct chat_private *self = pg_private(ctx);

    if (self->names)
        chat_join(ctx);
}

/* ---- talking and leaving ---------------------------------------------- */

static void chat_relay(struct pg_ctx *ctx, struct pg_bytes text)
{
    const struct chat_state *state = pg_state(ctx);
    struct pg_bytes name = pg_text(state->name);
    uint8_t *line = pg_scratch(ctx, name.len + 2 + text.len);

    memcpy(line, name.data, name.len);
    memcpy(line + name.len, ": ", 2);
    memcpy(line + name.len + 2, text.data, text.len);
    chat_tell_others(ctx, pg_bytes(line, name.len + 2 + text.len));
}

/* The name is nobody's, so that a stranger cannot speak in a member's. */
static void chat_relay_stranger(struct pg_ctx *ctx, struct pg_bytes text)
{
    const struct chat_state *state = pg_state(ctx);

    if (!state->name[0] || pg_is_claimed(pg_entry(ctx), state->name))
        chat_choose_guest(ctx);
    chat_relay(ctx, text);
    chat_tell(ctx, "you will be ", state->name, "; say one thing more to join");
}

static enum pg_verdict chat_hear(struct pg_ctx *ctx, struct pg_bytes text)
{
    if (text.data[0] == '/' && (text.len == 1 || text.data[1] != '/'))
        return chat_command(ctx, text);
    if (pg_is_stranger(ctx))
        chat_relay_stranger(ctx, text);
    else
        chat_relay(ctx, text);
    return PG_STOP;
}

/* A stream has been cut into messages, most often at its line ends. */
static struct pg_bytes chat_without_telnet(struct pg_ctx *ctx,
                                           struct pg_bytes in)
{
    struct chat_state *state = pg_state(ctx);
    uint8_t *text = pg_scratch(ctx, in.len + 1);
    bool cuts_lines = pg_transport_kind(ctx) == PG_STREAM;

    return pg_bytes(text,
                    chat_telnet_strip(&state->telnet, in, cuts_lines, text));
}

static enum pg_verdict chat_hear_nothing(struct pg_ctx *ctx, struct pg_bytes in)
{
    if (pg_is_stranger(ctx))
        chat_tell_to_go_on(ctx);
    return pg_drop(ctx, in.len ? "Telnet negotiation" : "empty message");
}

static enum pg_verdict chat_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    const struct chat_private *self = pg_private(ctx);
    const struct chat_state *state = pg_state(ctx);
    struct pg_bytes text = in;

    if (!self->names) {
        pg_broadcast(ctx, in, self->slow);
        return PG_STOP;
    }
    if (state->is_member)
        chat_watch_idle(ctx);
    if (!chat_telnet_is_text(&state->telnet, in))
        text = chat_without_telnet(ctx, in);
    if (text.len == 0)
        return chat_hear_nothing(ctx, in);
    return chat_hear(ctx, text);
}

/* Once only: this line counts as traffic, and repeated it would keep a
   member for ever that has long gone. */
static void chat_timer(struct pg_ctx *ctx)
{
    chat_say(ctx,
             "you have said nothing for %g s; say something (/who will do), "
             "or you will be taken for gone",
             (double)chat_warn_ms(ctx) / 1000);
}

/* Whoever has said the last thing is not warned, and does not stay for that. */
static void chat_end(struct pg_ctx *ctx)
{
    pg_timer_stop(ctx);
}

static void chat_close(struct pg_ctx *ctx, struct pg_reason reason)
{
    const struct chat_state *state = pg_state(ctx);
    struct chat_private *self = pg_private(ctx);

    if (!state->is_member)
        return;
    if (--self->members == 0)
        self->guests = 0;
    if (reason.why == PG_WHY_SHUTDOWN)
        return;
    if (reason.why == PG_WHY_EOF || state->has_quit)
        chat_notice(ctx, "%s left", state->name);
    else
        chat_notice(ctx, "%s left (%s)", state->name, reason.text);
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "chat-broadcast",
    .summary = "what one member says, all the others hear",
    .needs = PG_RECORDS,
    .options = chat_options,
    .options_size = sizeof(struct chat_options),
    .entry_size = sizeof(struct chat_private),
    .session_size = sizeof(struct chat_state),
    .check = chat_check,
    .init = chat_init,
    .open = chat_open,
    .known = chat_known,
    .recv = chat_recv,
    .end = chat_end,
    .timer = chat_timer,
    .close = chat_close,
};
