/* The functions of playground/handler.h about groups. */

#include "api/group_api.h"

#include <errno.h>
#include <stdlib.h>

#include "api/given.h"
#include "engine/mail.h"
#include "state/counter.h"
#include "workers/commons.h"

static struct member_owner group_api_owner(const struct pg_ctx *ctx)
{
    const struct pg_session *session = ctx->session;

    return (struct member_owner){
        .entry = (uint16_t)ctx->entry->id,
        .worker = (uint16_t)core->worker,
        .listener = session->listener,
        .slot = session->slot,
        .claim = session_ctx(session, ctx->place)->claim,
        .number = session->number,
    };
}

void group_api_show(const struct pg_ctx *ctx)
{
    struct member_owner owner;

    if (!(ctx->session->flags & SESSION_MEMBER))
        return;
    owner = group_api_owner(ctx);
    member_show(core->commons, &owner);
}

/* ---- joining and leaving ------------------------------------------------ */

/* Marked first: should the process die in between, its session leaves all. */
int pg_join(struct pg_ctx *ctx, const char *group)
{
    struct member_owner owner;

    if (!ctx->session || !given_is_key(group))
        return -EINVAL;
    owner = group_api_owner(ctx);
    chain_settle_groups(ctx->session);
    ctx->session->flags |= SESSION_MEMBER;
    return member_join(core->commons, group, &owner,
                       (uint32_t)core->config->limits.groups);
}

int pg_leave(struct pg_ctx *ctx, const char *group)
{
    struct member_owner owner;

    if (!ctx->session || !given_is_key(group))
        return -EINVAL;
    owner = group_api_owner(ctx);
    chain_settle_groups(ctx->session);
    return member_leave(core->commons, group, &owner);
}

/* ---- publishing --------------------------------------------------------- */

static int group_api_publish(struct pg_entry *entry, const char *group,
                             struct pg_bytes bytes, uint64_t except,
                             enum pg_slow slow)
{
    uint64_t workers;

    if (given_is_nowhere(entry, bytes) || !given_is_key(group))
        return -EINVAL;
    workers = chain_publish(entry, group, bytes, except, slow);
    return mail_publish(entry, group, bytes, slow, workers);
}

int pg_publish(struct pg_ctx *ctx, const char *group, struct pg_bytes bytes,
               enum pg_slow slow)
{
    return group_api_publish(ctx->entry, group, bytes,
                             ctx->session ? ctx->session->number : 0, slow);
}

int pg_publish_all(struct pg_entry *entry, const char *group,
                   struct pg_bytes bytes, enum pg_slow slow)
{
    return group_api_publish(entry, group, bytes, 0, slow);
}

/* ---- who is where ------------------------------------------------------- */

static void group_api_no_memory(const struct pg_entry *entry)
{
    counter_add((uint16_t)entry->id, "no memory to list the groups", 1);
}

void pg_members(struct pg_entry *entry, const char *group,
                void (*fn)(const char *key, const char *shown, void *arg),
                void *arg)
{
    size_t count;
    char *keys = member_list(core->commons, (uint16_t)entry->id, group, &count);

    if (!keys)
        group_api_no_memory(entry);
    for (const char *key = keys; count > 0; count--) {
        const char *shown = key + strlen(key) + 1;

        fn(key, shown, arg);
        key = shown + strlen(shown) + 1;
    }
    free(keys);
}

void pg_groups(struct pg_ctx *ctx, void (*fn)(const char *group, void *arg),
               void *arg)
{
    struct group_seen *seen;
    size_t count;

    if (!ctx->session)
        return;
    seen = member_groups(core->commons, (uint16_t)ctx->entry->id,
                         ctx->session->number, &count);
    if (!seen)
        group_api_no_memory(ctx->entry);
    for (size_t i = 0; i < count; i++)
        fn(seen[i].name, arg);
    free(seen);
}

void pg_groups_all(struct pg_entry *entry,
                   void (*fn)(const char *group, size_t members, void *arg),
                   void *arg)
{
    size_t count;
    struct group_seen *seen =
        member_groups(core->commons, (uint16_t)entry->id, 0, &count);

    if (!seen)
        group_api_no_memory(entry);
    for (size_t i = 0; i < count; i++)
        fn(seen[i].name, seen[i].members, arg);
    free(seen);
}
