/* What members of the chat ask of it: /who, /nick and /quit. */

#include "chat.h"

#include <stdio.h>

void chat_list_add(struct chat_list *list, const char *name)
{
    if (list->len + strlen(name) + 5 > sizeof(list->text)) {
        pg_send(list->ctx, pg_bytes(list->text, list->len));
        list->len = 0;
    }
    list->len += (size_t)snprintf(list->text + list->len,
                                  sizeof(list->text) - list->len, "%s%s",
                                  list->count++ == 0 ? list->first
                                  : list->len == 0   ? "and "
                                                     : ", ",
                                  name);
}

static void chat_list_member(const char *key, const char *shown, void *arg)
{
    (void)key;
    chat_list_add(arg, shown);
}

static void chat_who(struct pg_ctx *ctx)
{
    struct chat_list list = {.ctx = ctx, .first = "here are "};

    chat_each_member(ctx, chat_list_member, &list);
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

const char *chat_name_problem(struct pg_bytes name, char *key)
{
    return name.len > NAME_BYTES ? "is too long" : pg_name_key(name, key);
}

static void chat_nick(struct pg_ctx *ctx, struct pg_bytes wanted)
{
    char name[NAME_BYTES + 1], key[PG_KEY_BYTES + 1];
    const char *problem = chat_name_problem(wanted, key);

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

static void chat_refuse_command(struct pg_ctx *ctx)
{
    const struct chat_private *self = pg_private(ctx);

    chat_say(ctx,
             "no such command; there are /who, /nick NAME%s and /quit; to say "
             "this to all, put a space in front",
             self->rooms ? ", /join ROOM, /rooms" : "");
}

enum pg_verdict chat_command(struct pg_ctx *ctx, struct pg_bytes line)
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
    else if (!chat_rooms_command(ctx, word, rest))
        chat_refuse_command(ctx);
    return PG_STOP;
}
