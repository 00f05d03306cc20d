/* From an entry to many of its sessions: all, or those in a group. */

#include "chain/chain.h"

#include "workers/commons.h"

void chain_broadcast(struct pg_entry *entry, struct pg_bytes bytes,
                     uint64_t except, enum pg_slow slow)
{
    struct audience audience = {.except = except, .slow = slow};

    for (unsigned i = 0; i < core->config->listener_count; i++) {
        struct pg_listener *listener = core->config->listeners[i];
        int place = listener->run->place[entry->id];

        audience.place = (unsigned)place;
        if (place >= 0 && listener->run->count)
            chain_send_group(listener, (unsigned)place, bytes, &audience);
    }
}

uint64_t chain_publish(struct pg_entry *entry, const char *group,
                       struct pg_bytes bytes, uint64_t except,
                       enum pg_slow slow)
{
    struct audience audience = {.except = except, .slow = slow};
    uint32_t parts[ARENA_LISTENERS] = {0};
    uint64_t workers = member_find(core->commons, (uint16_t)entry->id, group,
                                   core->worker, parts);

    for (unsigned i = 0; i < core->config->listener_count; i++) {
        struct pg_listener *listener = core->config->listeners[i];
        int place = listener->run->place[entry->id];

        audience.place = (unsigned)place;
        audience.part = parts[i];
        if (audience.part)
            chain_send_group(listener, (unsigned)place, bytes, &audience);
    }
    return workers;
}

void chain_settle_groups(struct pg_session *session)
{
    if (core->gathered)
        broadcast_deliver(session_listener(session));
}

void chain_leave_groups(struct pg_session *session)
{
    if (!(session->flags & SESSION_MEMBER))
        return;
    chain_settle_groups(session);
    member_leave_all(core->commons, session->number);
    session->flags &= ~(uint32_t)SESSION_MEMBER;
}
