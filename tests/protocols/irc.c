/*
 * irc: channels for ii, irssi and weechat (RFC 2812), over all workers.
 *
 *     PRIVMSG #sala :oi      to the others there: :ana!u@irc PRIVMSG #sala :oi
 *     PRIVMSG #mesa :oi      to ana alone: :irc 403 ana #mesa :No such channel
 *
 * `lines` stands in front. A nick is the key of its ctx and a channel is a
 * group, so the core knows who is called what, and who is where.
 */
#include <stdio.h>

#include <playground/handler.h>

#define IRC_LINE_BYTES 512 /* with CRLF */
#define IRC_PARAMS     15  /* of one message, the command among them */

struct irc_state {
    char nick[PG_KEY_BYTES + 1]; /* as it was typed; "": none yet */
    bool has_user, is_in;        /* in: with both, and welcomed */
};

struct irc_call {
    struct pg_ctx *ctx;
    struct irc_state *state;
    const char *command;
    char *params[IRC_PARAMS]; /* the first is the command, as it was typed */
    char text[IRC_LINE_BYTES];
    struct pg_bytes line; /* to be sent or published */
};

/* Makes a line, and cuts it where it would be too long. */
static PG_PRINTF(2, 3) void irc_write(struct irc_call *call, const char *format,
                                      ...)
{
    size_t len;
    va_list args;

    va_start(args, format);
    len = (size_t)vsnprintf(call->text, IRC_LINE_BYTES - 1, format, args);
    va_end(args);
    len = len < IRC_LINE_BYTES - 2 ? len : IRC_LINE_BYTES - 2;
    memcpy(call->text + len, "\r\n", 2);
    call->line = pg_bytes(call->text, len + 2);
}

/* Makes what others hear of this client: ":ana!u@irc PART #sala :bye". */
static void irc_write_from(struct irc_call *call, const char *target,
                           const char *text)
{
    irc_write(call, ":%s!u@irc %s %s%s%s", call->state->nick, call->command,
              target, text ? " :" : "", text ? text : "");
}

static void irc_send(struct irc_call *call)
{
    if (pg_send(call->ctx, call->line) == -ENOBUFS)
        pg_close(call->ctx, "no room for an answer");
}

static void irc_publish(const char *channel, void *arg)
{
    struct irc_call *call = arg;

    pg_publish(call->ctx, channel, call->line, PG_SLOW_CLOSE);
}

static void irc_answer(struct irc_call *call, const char *code,
                       const char *about, const char *text)
{
    irc_write(call, ":irc %s %s %s%s:%s", code,
              *call->state->nick ? call->state->nick : "*", about,
              *about ? " " : "", text);
    irc_send(call);
}

static void irc_say_name(const char *key, const char *shown, void *arg)
{
    struct irc_call *call = arg;

    irc_write(call, ":irc 353 %s = %s :%s", call->state->nick, call->params[1],
              shown);
    irc_send(call);
}

static void irc_names(struct irc_call *call)
{
    pg_members(pg_entry(call->ctx), call->params[1], irc_say_name, call);
    irc_answer(call, "366", call->params[1], "End of NAMES");
}

static void irc_join(struct irc_call *call)
{
    char *channel = call->params[1];
    int error = *channel == '#' ? pg_join(call->ctx, channel) : -EINVAL;

    if (error == 0) {
        irc_write_from(call, channel, NULL);
        irc_send(call);
        irc_publish(channel, call);
        irc_names(call);
    } else if (error != -EALREADY) {
        irc_answer(call, error == -EINVAL ? "403" : "405", channel,
                   "You cannot");
    }
}

static void irc_part(struct irc_call *call)
{
    if (pg_leave(call->ctx, call->params[1]) == 0) {
        irc_write_from(call, call->params[1], call->params[2]);
        irc_send(call);
        irc_publish(call->params[1], call);
    } else {
        irc_answer(call, "442", call->params[1], "You are not there");
    }
}

static void irc_count(const char *key, const char *shown, void *arg)
{
    ++*(size_t *)arg;
}

static void irc_privmsg(struct irc_call *call)
{
    char key[PG_KEY_BYTES + 1], *target = call->params[1];
    size_t heard_by = 0;

    irc_write_from(call, target, call->params[2]);
    if (*target == '#') {
        pg_members(pg_entry(call->ctx), target, irc_count, &heard_by);
        irc_publish(target, call);
    } else if (!pg_name_key(pg_text(target), key)) {
        heard_by = pg_send_to(pg_entry(call->ctx), key, call->line) != -ENOENT;
    }
    if (heard_by == 0)
        irc_answer(call, *target == '#' ? "403" : "401", target, "Nobody");
}

static void irc_nick(struct irc_call *call)
{
    const char *nick = call->params[1] ? call->params[1] : "";
    char key[PG_KEY_BYTES + 1];
    const char *why = pg_name_key(pg_text(nick), key);

    if (why) {
        irc_answer(call, *nick ? "432" : "431", nick, why);
    } else if (pg_claim_as(call->ctx, key, nick) != 0) {
        irc_answer(call, "433", nick, "Nickname is already in use");
    } else {
        irc_write_from(call, nick, NULL);
        strcpy(call->state->nick, nick);
        if (call->state->is_in)
            irc_send(call);
        pg_groups(call->ctx, irc_publish, call);
    }
}

static void irc_user(struct irc_call *call)
{
    if (call->state->has_user)
        irc_answer(call, "462", "", "You may not register again");
    call->state->has_user = true;
}

static void irc_ping(struct irc_call *call)
{
    irc_answer(call, "PONG", "", call->params[1]);
}

static void irc_quit(struct irc_call *call)
{
    pg_close(call->ctx, call->params[1] ? call->params[1] : "bye");
}

static const struct irc_command {
    const char *name;
    int last;        /* parameter that must be there */
    bool is_for_all; /* also for who is not in */
    void (*run)(struct irc_call *call);
} irc_commands[] = {
    {"PRIVMSG", 2, false, irc_privmsg},
    {"JOIN", 1, false, irc_join},
    {"PART", 1, false, irc_part},
    {"NAMES", 1, false, irc_names},
    {"PING", 1, true, irc_ping},
    {"NICK", 0, true, irc_nick},
    {"USER", 4, true, irc_user},
    {"QUIT", 0, true, irc_quit},
    {0},
};

static void irc_run(struct irc_call *call)
{
    const struct irc_command *it = irc_commands;
    struct irc_state *state = call->state;

    while (it->name && strcasecmp(it->name, call->params[0]) != 0)
        it++;
    call->command = it->name;
    if (it->name == NULL)
        irc_answer(call, "421", call->params[0], "Unknown command");
    else if (!state->is_in && !it->is_for_all)
        irc_answer(call, "451", "", "You have not registered");
    else if (call->params[it->last] == NULL)
        irc_answer(call, "461", it->name, "Not enough parameters");
    else
        it->run(call);
    if (!state->is_in && *state->nick && state->has_user) {
        state->is_in = true;
        irc_answer(call, "001", "", "Welcome");
    }
}

static enum pg_verdict irc_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    struct irc_call call = {.ctx = ctx, .state = pg_state(ctx)};
    char text[IRC_LINE_BYTES + 1], *rest = text, *last, *word;
    char **param = call.params, **most = param + IRC_PARAMS - 1;

    snprintf(text, sizeof(text), "%.*s", (int)in.len, (const char *)in.data);
    text[strcspn(text, "\r")] = '\0'; /* some take it for the line's end */
    if ((last = strstr(text, " :")))
        *last = '\0';
    while ((word = strsep(&rest, " ")) && param < most)
        if (*word && (*word != ':' || word > text)) /* who sends it is known */
            *param++ = word;
    if (last)
        *param = last + 2;
    if (call.params[0])
        irc_run(&call);
    return PG_STOP;
}

static void irc_close(struct pg_ctx *ctx, struct pg_reason reason)
{
    struct irc_call call = {.ctx = ctx, .state = pg_state(ctx)};

    irc_write(&call, ":%s!u@irc QUIT :%s", call.state->nick, reason.text);
    pg_groups(ctx, irc_publish, &call);
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "irc",
    .summary = "channels for IRC clients",
    .needs = PG_RECORDS,
    .session_size = sizeof(struct irc_state),
    .recv = irc_recv,
    .close = irc_close,
};
