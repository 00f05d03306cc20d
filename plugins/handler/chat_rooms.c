/* The rooms of the chat: each is a group, and each member is in one of them. */

#include "chat.h"

#include <stdio.h>

#define FIRST_ROOM "main"

/* ---- who hears whom ----------------------------------------------------- */

/* Who is no member yet speaks in the room it will come to. */
static const char *chat_rooms_own(struct pg_ctx *ctx)
{
    const struct chat_state *state = pg_state(ctx);

    return state->room[0] ? state->room : FIRST_ROOM;
}

void chat_tell_others(struct pg_ctx *ctx, struct pg_bytes line)
{
    const struct chat_private *self = pg_private(ctx);

    if (self->rooms)
        pg_publish(ctx, chat_rooms_own(ctx), line, self->slow);
    else
        pg_broadcast(ctx, line, self->slow);
}

void chat_each_member(struct pg_ctx *ctx,
                      void (*fn)(const char *key, const char *shown, void *arg),
                      void *arg)
{
    const struct chat_private *self = pg_private(ctx);

    if (self->rooms)
        pg_members(pg_entry(ctx), chat_rooms_own(ctx), fn, arg);
    else
        pg_claims(pg_entry(ctx), fn, arg);
}

/* ---- going into a room -------------------------------------------------- */

static void chat_rooms_set(struct pg_ctx *ctx, const char *room)
{
    struct chat_state *state = pg_state(ctx);

    snprintf(state->room, sizeof(state->room), "%s", room);
}

int chat_rooms_begin(struct pg_ctx *ctx)
{
    const struct chat_private *self = pg_private(ctx);
    int error = self->rooms ? pg_join(ctx, FIRST_ROOM) : 0;

    if (!error)
        chat_rooms_set(ctx, FIRST_ROOM);
    return error;
}

static void chat_rooms_greet(struct pg_ctx *ctx)
{
    const struct chat_state *state = pg_state(ctx);
    struct chat_list list;

    chat_list_others(ctx, &list);
    chat_say(ctx, "you are in %s%s%s", state->room,
             list.count ? " with " : ", alone", list.text);
    chat_notice(ctx, "%s joined", state->name);
}

/* Out of the old room only when the new one is entered. */
static void chat_rooms_go(struct pg_ctx *ctx, const char *room)
{
    const struct chat_state *state = pg_state(ctx);
    int error = pg_join(ctx, room);

    if (error == -EALREADY) {
        chat_say(ctx, "you are in %s already", room);
    } else if (error) {
        chat_say(ctx, "there is no room for another room; you stay in %s",
                 state->room);
    } else {
        chat_notice(ctx, "%s left for %s", state->name, room);
        pg_leave(ctx, state->room);
        chat_rooms_set(ctx, room);
        chat_rooms_greet(ctx);
    }
}

/* ---- commands ----------------------------------------------------------- */

/* A room goes by its key alone, so that it has one name. */
static void chat_rooms_join(struct pg_ctx *ctx, struct pg_bytes wanted)
{
    char room[PG_KEY_BYTES + 1];
    const char *problem = chat_name_problem(wanted, room);

    if (problem)
        chat_say(ctx,
                 "no such room can be had: it %s; /join ROOM takes letters and "
                 "digits of one script, - _ . behind the first of them, up to "
                 "%d bytes",
                 problem, NAME_BYTES);
    else
        chat_rooms_go(ctx, room);
}

static void chat_rooms_list_one(const char *room, size_t members, void *arg)
{
    char text[PG_KEY_BYTES + 32];

    snprintf(text, sizeof(text), "%s (%zu)", room, members);
    chat_list_add(arg, text);
}

static void chat_rooms_list(struct pg_ctx *ctx)
{
    struct chat_list list = {.ctx = ctx, .first = "rooms are "};

    pg_groups_all(pg_entry(ctx), chat_rooms_list_one, &list);
    pg_send(ctx, pg_bytes(list.text, list.len));
}

bool chat_rooms_command(struct pg_ctx *ctx, struct pg_bytes word,
                        struct pg_bytes rest)
{
    const struct chat_private *self = pg_private(ctx);

    if (self->rooms && pg_equals(word, "/join"))
        chat_rooms_join(ctx, rest);
    else if (self->rooms && pg_equals(word, "/rooms"))
        chat_rooms_list(ctx);
    else
        return false;
    return true;
}
