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
 * With "names": false it relays messages as they came, and does nothing else.
 */
#include <errno.h>
#include <stdio.h>

#include <playground/handler.h>

#include "chat_telnet.h"

#define LINE_BYTES  1024
#define NAME_BYTES  32 /* at most PG_KEY_BYTES */
#define GREET_NAMES 10

struct chat_options {
    bool names;
    const char *slow;
    int warn_idle_s;
};

struct chat_private {
    unsigned guests;  /* the number of the last one */
    unsigned members; /* on this worker; when all have left, guest1 is next */
    bool names;
    enum pg_slow slow;
};

struct chat_state {
    char name[NAME_BYTES + 1];   /* claimed by members alone */
    char wanted[NAME_BYTES + 1]; /* by one who is no member yet */
    bool is_member, is_told, has_quit;
    struct chat_telnet telnet;
};

/* A line of names in the making. */
struct chat_list {
    struct pg_ctx *ctx;
    const char *self; /* the key to leave out */
    char text[LINE_BYTES];
    size_t len, count;
};

static const struct pg_option chat_options[] = {
    {"names", PG_BOOL, PG_FIELD(struct chat_options, names), .initial = "true",
     .help = "false: messages go out as they came, without names, notices "
             "and commands"},
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

static int chat_init(struct pg_entry *entry)
{
    const struct chat_options *options = pg_entry_options(entry);
    struct chat_private *self = pg_entry_private(entry);

    self->names = options->names;
    self->slow = !strcmp(options->slow, "drop") ? PG_SLOW_DROP : PG_SLOW_CLOSE;
    return 0;
}

static int chat_say(struct pg_ctx *ctx, const char *format, ...)
    PG_PRINTF(2, 3);
static void chat_notice(struct pg_ctx *ctx, const char *format, ...)
    PG_PRINTF(2, 3);

/* To this member alone. */
static int chat_say(struct pg_ctx *ctx, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    return pg_send(ctx, pg_text(line));
}

/* To all the others. */
static void chat_notice(struct pg_ctx *ctx, const char *format, ...)
{
    const struct chat_private *self = pg_private(ctx);
    char line[LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    pg_broadcast(ctx, pg_text(line), self->slow);
}

/* ---- coming ----------------------------------------------------------- */

static void chat_list_others(const char *key, const char *shown, void *arg)
{
    struct chat_list *list = arg;

    if (!strcmp(key, list->self) || ++list->count > GREET_NAMES)
        return;
    list->len +=
        (size_t)snprintf(list->text + list->len, sizeof(list->text) - list->len,
                         "%s%s", list->count > 1 ? ", " : "", shown);
}

static void chat_greet(struct pg_ctx *ctx)
{
    const struct chat_state *state = pg_state(ctx);
    struct chat_list list = {.ctx = ctx, .self = pg_claimed(ctx)};
    char more[40] = "";

    pg_claims(pg_entry(ctx), chat_list_others, &list);
    if (list.count > GREET_NAMES)
        snprintf(more, sizeof(more), " and %zu more", list.count - GREET_NAMES);
    chat_say(ctx, "you are %s, %s%s%s; /who /nick /quit", state->name,
             list.count ? "with " : "alone here", list.text, more);
}

/* Other workers count their guests too: the first free number from here. */
static void chat_choose_guest(struct pg_ctx *ctx)
{
    struct chat_private *self = pg_private(ctx);
    struct chat_state *state = pg_state(ctx);

    do
        snprintf(state->name, sizeof(state->name), "guest%u", ++self->guests);
    while (pg_is_claimed(pg_entry(ctx), state->name));
}

/* The name under which it has spoken already, if that is still free. */
static int chat_claim_guest(struct pg_ctx *ctx)
{
    const struct chat_state *state = pg_state(ctx);
    int error;

    if (!state->name[0])
        chat_choose_guest(ctx);
    while ((error = pg_claim(ctx, state->name)) == -EEXIST)
        chat_choose_guest(ctx);
    return error;
}

/* False: it wanted none, or somebody else has it by now. */
static bool chat_claim_wanted(struct pg_ctx *ctx)
{
    struct chat_state *state = pg_state(ctx);
    char key[PG_KEY_BYTES + 1];

    if (!state->wanted[0])
        return false;
    pg_name_key(pg_text(state->wanted), key);
    if (pg_claim_as(ctx, key, state->wanted) != 0) {
        chat_say(ctx, "%s is taken; /who lists the names", state->wanted);
        return false;
    }
    memcpy(state->name, state->wanted, sizeof(state->name));
    return true;
}

/* When a member is warned, in ms: some time before it may be forgotten. */
static uint64_t chat_warn_ms(struct pg_ctx *ctx)
{
    const struct chat_options *options = pg_options(ctx);
    uint64_t wanted = (uint64_t)options->warn_idle_s * 1000;
    uint64_t most = pg_idle_ms(ctx) / 10 * 9;

    return wanted < most ? wanted : most;
}

/* A connection tells when its peer is gone; a transport of records can only
   forget who was silent for too long. */
static void chat_watch_idle(struct pg_ctx *ctx)
{
    uint64_t ms = chat_warn_ms(ctx);

    if (ms > 0)
        pg_timer(ctx, (uint32_t)ms);
}

static enum pg_verdict chat_join(struct pg_ctx *ctx)
{
    struct chat_private *self = pg_private(ctx);
    struct chat_state *state = pg_state(ctx);

    if (!chat_claim_wanted(ctx) && chat_claim_guest(ctx) != 0)
        return pg_close(ctx, "no room for another name");
    state->is_member = true;
    self->members++;
    chat_greet(ctx);
    chat_notice(ctx, "%s joined", state->name);
    chat_watch_idle(ctx);
    return PG_PASS;
}

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

/* To one who is no member yet, once: what a message of one byte has earned is
   hardly more than this. */
static void chat_tell(struct pg_ctx *ctx, const char *before, const char *name,
                      const char *after)
{
    struct chat_state *state = pg_state(ctx);

    if (!state->is_told)
        chat_say(ctx, "%s%s%s", before, name, after);
    state->is_told = true;
}

static void chat_tell_to_go_on(struct pg_ctx *ctx)
{
    chat_tell(ctx, "say one thing more to join", "", "; /who /nick NAME /quit");
}

/* ---- commands --------------------------------------------------------- */

static void chat_list_all(const char *key, const char *shown, void *arg)
{
    struct chat_list *list = arg;

    (void)key;
    if (list->len + strlen(shown) + 5 > sizeof(list->text)) {
        pg_send(list->ctx, pg_bytes(list->text, list->len));
        list->len = 0;
    }
    list->len += (size_t)snprintf(list->text + list->len,
                                  sizeof(list->text) - list->len, "%s%s",
                                  list->count++ == 0 ? "here are "
                                  : list->len == 0   ? "and "
                                                     : ", ",
                                  shown);
}

static void chat_who(struct pg_ctx *ctx)
{
    struct chat_list list = {.ctx = ctx};

    pg_claims(pg_entry(ctx), chat_list_all, &list);
    pg_send(ctx, pg_bytes(list.text, list.len));
}

static void chat_rename(struct pg_ctx *ctx, const char *name)
{
    struct chat_state *state = pg_state(ctx);

    if (strcmp(state->name, name) != 0)
        chat_notice(ctx, "%s is now %s", state->name, name);
    snprintf(state->name, sizeof(state->name), "%s", name);
    chat_say(ctx, "you are now %s", name);
}

/* Of one who is no member yet: joining claims it. */
static void chat_want(struct pg_ctx *ctx, const char *key, const char *name)
{
    struct chat_state *state = pg_state(ctx);

    if (pg_is_claimed(pg_entry(ctx), key)) {
        chat_tell(ctx, "", name, " is taken; /who lists the names");
        return;
    }
    snprintf(state->wanted, sizeof(state->wanted), "%s", name);
    chat_tell(ctx, "you will be ", name, "; say one thing more to join");
}

static void chat_refuse_name(struct pg_ctx *ctx, const char *problem)
{
    if (pg_is_stranger(ctx))
        chat_tell(ctx, "no such name can be had", "",
                  "; say one thing more to join");
    else
        chat_say(ctx,
                 "no such name can be had: it %s; /nick NAME takes letters and "
                 "digits of one script, - _ . behind the first of them, up to "
                 "%d bytes",
                 problem, NAME_BYTES);
}

static void chat_take_name(struct pg_ctx *ctx, const char *key,
                           const char *name)
{
    const struct chat_state *state = pg_state(ctx);
    int error = pg_claim_as(ctx, key, name);

    if (error == -EEXIST)
        chat_say(ctx, "%s is taken; /who lists the names", name);
    else if (error != 0)
        chat_say(ctx, "there is no room for another name; you stay %s",
                 state->name);
    else
        chat_rename(ctx, name);
}

static void chat_nick(struct pg_ctx *ctx, struct pg_bytes wanted)
{
    char name[NAME_BYTES + 1], key[PG_KEY_BYTES + 1];
    const char *problem =
        wanted.len > NAME_BYTES ? "is too long" : pg_name_key(wanted, key);

    if (problem) {
        chat_refuse_name(ctx, problem);
        return;
    }
    snprintf(name, sizeof(name), "%.*s", (int)wanted.len, wanted.data);
    if (pg_is_stranger(ctx))
        chat_want(ctx, key, name);
    else
        chat_take_name(ctx, key, name);
}

static enum pg_verdict chat_quit(struct pg_ctx *ctx)
{
    struct chat_state *state = pg_state(ctx);

    state->has_quit = true;
    if (state->is_member)
        chat_say(ctx, "goodbye, %s", state->name);
    else
        chat_tell(ctx, "goodbye", "", "");
    return pg_close(ctx, "said /quit");
}

static bool chat_is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\r' || byte == '\n';
}

/* Without a framing layer a line end may still be there. */
static struct pg_bytes chat_trim(struct pg_bytes in)
{
    while (in.len > 0 && in.data[0] == ' ')
        in = pg_bytes(in.data + 1, in.len - 1);
    while (in.len > 0 && chat_is_space(in.data[in.len - 1]))
        in.len--;
    return in;
}

static enum pg_verdict chat_command(struct pg_ctx *ctx, struct pg_bytes line)
{
    struct pg_bytes in = chat_trim(line);
    const uint8_t *space = memchr(in.data, ' ', in.len);
    size_t len = space ? (size_t)(space - in.data) : in.len;
    struct pg_bytes word = {in.data, len};
    struct pg_bytes rest = chat_trim(pg_bytes(in.data + len, in.len - len));

    if (pg_equals(word, "/quit"))
        return chat_quit(ctx);
    if (pg_equals(word, "/nick"))
        chat_nick(ctx, rest);
    else if (pg_is_stranger(ctx))
        chat_tell_to_go_on(ctx);
    else if (pg_equals(word, "/who"))
        chat_who(ctx);
    else
        chat_say(ctx, "no such command; there are /who, /nick NAME and /quit; "
                      "to say this to all, put a space in front");
    return PG_STOP;
}

/* ---- talking and leaving ---------------------------------------------- */

static void chat_relay(struct pg_ctx *ctx, struct pg_bytes text)
{
    const struct chat_private *self = pg_private(ctx);
    const struct chat_state *state = pg_state(ctx);
    struct pg_bytes name = pg_text(state->name);
    uint8_t *line = pg_scratch(ctx, name.len + 2 + text.len);

    memcpy(line, name.data, name.len);
    memcpy(line + name.len, ": ", 2);
    memcpy(line + name.len + 2, text.data, text.len);
    pg_broadcast(ctx, pg_bytes(line, name.len + 2 + text.len), self->slow);
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
    .init = chat_init,
    .open = chat_open,
    .known = chat_known,
    .recv = chat_recv,
    .timer = chat_timer,
    .close = chat_close,
};
