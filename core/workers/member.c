/* Groups of sessions over all workers of a server, and who is in them. */

#include <errno.h>
#include <stdio.h>

#include "workers/member_table.h"

/* ---- joining ------------------------------------------------------------ */

/* The part of the group in which this owner is, or would be. */
static struct group_part *member_own_part(const struct commons *commons,
                                          const char *group,
                                          const struct member_owner *owner)
{
    uint32_t at = *member_group_bucket(commons, owner->entry, group);
    struct group_part *part;

    while ((part = member_next_part(commons, at, owner->entry, group)) &&
           (part->worker != owner->worker || part->listener != owner->listener))
        at = part->next;
    return part;
}

/* Takes a place off a free list, or one that nobody has had; the caller has
   seen that there is one. */
static struct group_part *member_take_part(struct commons *commons)
{
    struct commons_header *header = commons->header;
    uint32_t place = header->free_part;

    if (!place)
        return member_part_at(commons, header->used_parts++);
    header->free_part = member_part_at(commons, place - 1)->next;
    return member_part_at(commons, place - 1);
}

static struct member *member_take(struct commons *commons)
{
    struct commons_header *header = commons->header;
    uint32_t place = header->free_member;

    if (!place)
        return header->used_members < header->member_count
                   ? member_at(commons, header->used_members++)
                   : NULL;
    header->free_member = member_at(commons, place - 1)->next;
    return member_at(commons, place - 1);
}

static void member_link_part(struct commons *commons, struct group_part *part)
{
    uint32_t *bucket = member_group_bucket(commons, part->entry, part->name);

    part->next = *bucket;
    *bucket = member_part_place(commons, part) + 1;
}

/* No part is without members, so there are never more of them. */
static struct group_part *member_make_part(struct commons *commons,
                                           const char *group,
                                           const struct member_owner *owner)
{
    struct group_part *part = member_take_part(commons);

    *part = (struct group_part){.entry = owner->entry,
                                .worker = owner->worker,
                                .listener = owner->listener};
    snprintf(part->name, sizeof(part->name), "%s", group);
    member_link_part(commons, part);
    return part;
}

/* Behind the others of its part, and among those of its session. */
static void member_link(struct commons *commons, struct member *member)
{
    uint32_t *bucket = member_session_bucket(commons, member->number);
    uint32_t place = member_place(commons, member);
    struct group_part *part = member_part_of(commons, member);

    member->newer = 0;
    member->older = part->newest;
    if (part->newest)
        member_at(commons, part->newest - 1)->newer = place + 1;
    else
        part->oldest = place + 1;
    part->newest = place + 1;
    part->count++;
    member->next = *bucket;
    *bucket = place + 1;
}

/* The membership of a session in that part; NULL: it has none. `count` says in
   how many groups it is. */
static struct member *member_search(const struct commons *commons,
                                    uint64_t number,
                                    const struct group_part *part,
                                    uint32_t *count)
{
    uint32_t at = *member_session_bucket(commons, number);
    struct member *found = NULL;

    for (*count = 0; at; at = member_at(commons, at - 1)->next) {
        struct member *member = member_at(commons, at - 1);

        if (member->number != number)
            continue;
        ++*count;
        if (member_part_of(commons, member) == part)
            found = member;
    }
    return found;
}

static int member_add(struct commons *commons, const char *group,
                      const struct member_owner *owner, uint32_t most)
{
    struct group_part *part = member_own_part(commons, group, owner);
    struct member *member;
    uint32_t count;

    if (member_search(commons, owner->number, part, &count))
        return -EALREADY;
    member = count < most ? member_take(commons) : NULL;
    if (!member)
        return -ENOSPC;
    if (!part)
        part = member_make_part(commons, group, owner);
    member->number = owner->number;
    member->joined = ++commons->header->joins;
    member->slot = owner->slot;
    member->claim = owner->claim;
    member->part = member_part_place(commons, part);
    member->is_taken = true;
    member_link(commons, member);
    return 0;
}

int member_join(struct commons *commons, const char *group,
                const struct member_owner *owner, uint32_t most)
{
    int error;

    commons_lock(commons);
    error = member_add(commons, group, owner, most);
    commons_unlock(commons);
    return error;
}

/* ---- leaving ------------------------------------------------------------ */

static void member_free(struct commons *commons, struct member *member)
{
    member->is_taken = false;
    member->next = commons->header->free_member;
    commons->header->free_member = member_place(commons, member) + 1;
}

static void member_free_part(struct commons *commons, struct group_part *part)
{
    part->next = commons->header->free_part;
    commons->header->free_part = member_part_place(commons, part) + 1;
}

static void member_unlink_part(struct commons *commons, struct group_part *part)
{
    uint32_t place = member_part_place(commons, part);
    uint32_t *at = member_group_bucket(commons, part->entry, part->name);

    while (*at != place + 1)
        at = &member_part_at(commons, *at - 1)->next;
    *at = part->next;
}

static void member_unlink(struct commons *commons, struct member *member)
{
    struct group_part *part = member_part_of(commons, member);
    uint32_t place = member_place(commons, member);
    uint32_t *at = member_session_bucket(commons, member->number);

    while (*at != place + 1)
        at = &member_at(commons, *at - 1)->next;
    *at = member->next;
    if (member->older)
        member_at(commons, member->older - 1)->newer = member->newer;
    else
        part->oldest = member->newer;
    if (member->newer)
        member_at(commons, member->newer - 1)->older = member->older;
    else
        part->newest = member->older;
    part->count--;
}

static void member_remove(struct commons *commons, struct member *member)
{
    struct group_part *part = member_part_of(commons, member);

    member_unlink(commons, member);
    member_free(commons, member);
    if (part->count)
        return;
    member_unlink_part(commons, part);
    member_free_part(commons, part);
}

int member_leave(struct commons *commons, const char *group,
                 const struct member_owner *owner)
{
    struct group_part *part;
    struct member *member = NULL;
    uint32_t count;

    commons_lock(commons);
    part = member_own_part(commons, group, owner);
    if (part)
        member = member_search(commons, owner->number, part, &count);
    if (member)
        member_remove(commons, member);
    commons_unlock(commons);
    return member ? 0 : -ENOENT;
}

void member_leave_all(struct commons *commons, uint64_t number)
{
    uint32_t at;

    commons_lock(commons);
    at = *member_session_bucket(commons, number);
    while (at) {
        struct member *member = member_at(commons, at - 1);

        at = member->next;
        if (member->number == number)
            member_remove(commons, member);
    }
    commons_unlock(commons);
}

void member_show(struct commons *commons, const struct member_owner *owner)
{
    uint32_t at;

    commons_lock(commons);
    at = *member_session_bucket(commons, owner->number);
    for (; at; at = member_at(commons, at - 1)->next) {
        struct member *member = member_at(commons, at - 1);

        if (member->number == owner->number &&
            member_part_of(commons, member)->entry == owner->entry)
            member->claim = owner->claim;
    }
    commons_unlock(commons);
}

/* ---- after a death ------------------------------------------------------ */

void member_purge(struct commons *commons, unsigned worker)
{
    for (uint32_t i = 0; i < commons->header->used_members; i++) {
        struct member *member = member_at(commons, i);

        if (member->is_taken &&
            member_part_of(commons, member)->worker == worker)
            member_remove(commons, member);
    }
}

static void member_rebuild_members(struct commons *commons)
{
    commons->header->free_member = 0;
    for (uint32_t i = 0; i < commons->header->used_members; i++) {
        struct member *member = member_at(commons, i);

        if (member->is_taken)
            member_link(commons, member);
        else
            member_free(commons, member);
    }
}

static void member_rebuild_parts(struct commons *commons)
{
    commons->header->free_part = 0;
    for (uint32_t i = 0; i < commons->header->used_parts; i++) {
        struct group_part *part = member_part_at(commons, i);

        if (part->count)
            member_link_part(commons, part);
        else
            member_free_part(commons, part);
    }
}

/* The members say what there is: only their order is lost. */
void member_rebuild(struct commons *commons)
{
    struct commons_header *header = commons->header;
    size_t bytes = header->bucket_count * sizeof(uint32_t);

    memset(commons->base + header->group_buckets_at, 0, bytes);
    memset(commons->base + header->session_buckets_at, 0, bytes);
    for (uint32_t i = 0; i < header->used_parts; i++) {
        struct group_part *part = member_part_at(commons, i);

        part->oldest = part->newest = part->count = 0;
    }
    member_rebuild_members(commons);
    member_rebuild_parts(commons);
}
