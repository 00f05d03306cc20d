/* Who comes to the chat, and by which name. */

#include "chat.h"

#include <stdio.h>

#define GREET_NAMES 10

static void chat_list_other(const char *key, const char *shown, void *arg)
{
    struct chat_list *list = arg;

    if (!strcmp(key, list->self) || ++list->count > GREET_NAMES)
        return;
    list->len +=
        (size_t)snprintf(list->text + list->len, sizeof(list->text) - list->len,
                         "%s%s", list->count > 1 ? ", " : "", shown);
}

void chat_list_others(struct pg_ctx *ctx, struct chat_list *list)
{
    *list = (struct chat_list){.ctx = ctx, .self = pg_claimed(ctx)};
    chat_each_member(ctx, chat_list_other, list);
    if (list->count > GREET_NAMES)
        snprintf(list->text + list->len, sizeof(list->text) - list->len,
                 " and %zu more", list->count - GREET_NAMES);
}

static void chat_greet(struct pg_ctx *ctx)
{
    const struct chat_private *self = pg_private(ctx);
    const struct chat_state *state = pg_state(ctx);
    struct chat_list list;

    chat_list_others(ctx, &list);
    if (!self->rooms)
        chat_say(ctx, "you are %s, %s%s; /who /nick /quit", state->name,
                 list.count ? "with " : "alone here", list.text);
    else
        chat_say(ctx, "you are %s, %s %s%s%s; /who /nick /join /rooms /quit",
                 state->name, list.count ? "in" : "alone in", state->room,
                 list.count ? " with " : "", list.text);
}

/* Other workers count their guests too: the first free number from here. */
void chat_choose_guest(struct pg_ctx *ctx)
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

uint64_t chat_warn_ms(struct pg_ctx *ctx)
{
    const struct chat_options *options = pg_options(ctx);
    uint64_t wanted = (uint64_t)options->warn_idle_s * 1000;
    uint64_t most = pg_idle_ms(ctx) / 10 * 9;

    return wanted < most ? wanted : most;
}

void chat_watch_idle(struct pg_ctx *ctx)
{
    uint64_t ms = chat_warn_ms(ctx);

    if (ms > 0)
        pg_timer(ctx, (uint32_t)ms);
}

enum pg_verdict chat_join(struct pg_ctx *ctx)
{
    struct chat_private *self = pg_private(ctx);
    struct chat_state *state = pg_state(ctx);

    if (!chat_claim_wanted(ctx) && chat_claim_guest(ctx) != 0)
        return pg_close(ctx, "no room for another name");
    if (chat_rooms_begin(ctx) != 0)
        return pg_close(ctx, "no room for another member");
    state->is_member = true;
    self->members++;
    chat_greet(ctx);
    chat_notice(ctx, "%s joined", state->name);
    chat_watch_idle(ctx);
    return PG_PASS;
}
