/* Who is in a group, and which groups there are. */

#include <stdlib.h>

#include "workers/member_table.h"

/* ---- who is to hear what is published ----------------------------------- */

uint64_t member_find(struct commons *commons, uint16_t entry, const char *group,
                     unsigned worker, uint32_t *parts)
{
    struct group_part *part;
    uint64_t workers = 0;
    uint32_t at;

    commons_lock(commons);
    at = *member_group_bucket(commons, entry, group);
    while ((part = member_next_part(commons, at, entry, group))) {
        workers |= 1ull << part->worker;
        if (part->worker == worker)
            parts[part->listener] = member_part_place(commons, part) + 1;
        at = part->next;
    }
    commons_unlock(commons);
    return workers;
}

size_t member_slots(struct commons *commons, uint32_t part, uint32_t *slots,
                    size_t most)
{
    size_t count = 0;
    uint32_t at;

    commons_lock(commons);
    at = member_part_at(commons, part)->oldest;
    for (; at && count < most; at = member_at(commons, at - 1)->newer)
        slots[count++] = member_at(commons, at - 1)->slot;
    commons_unlock(commons);
    return count;
}

/* ---- members ------------------------------------------------------------ */

static size_t member_count_all(const struct commons *commons, uint16_t entry,
                               const char *group)
{
    uint32_t at = *member_group_bucket(commons, entry, group);
    const struct group_part *part;
    size_t count = 0;

    for (; (part = member_next_part(commons, at, entry, group));
         at = part->next)
        count += part->count;
    return count;
}

static int member_compare(const void *a, const void *b)
{
    const struct member *one = *(const struct member *const *)a;
    const struct member *other = *(const struct member *const *)b;

    return one->joined < other->joined ? -1 : one->joined > other->joined;
}

/* The members of a group in the order they joined, wherever; NULL: out of
   memory. */
static const struct member **member_collect(const struct commons *commons,
                                            uint16_t entry, const char *group,
                                            size_t *count)
{
    uint32_t at = *member_group_bucket(commons, entry, group);
    size_t most = member_count_all(commons, entry, group);
    const struct member **members = malloc((most + 1) * sizeof(*members));
    const struct group_part *part;

    *count = 0;
    if (!members)
        return NULL;
    for (; (part = member_next_part(commons, at, entry, group));
         at = part->next)
        for (uint32_t one = part->oldest; one;
             one = member_at(commons, one - 1)->newer)
            members[(*count)++] = member_at(commons, one - 1);
    qsort(members, *count, sizeof(*members), member_compare);
    return members;
}

static size_t member_list_one(const struct commons *commons, char *out,
                              size_t offset, const struct member *member)
{
    const struct claim *claim =
        member->claim ? claim_of(commons, member->claim - 1, member->number)
                      : NULL;
    size_t bytes = claim_copy(out, offset, claim ? claim->key : "");

    return bytes + claim_copy(out, offset + bytes, claim ? claim->shown : "");
}

/* Writes their names to `out` unless that is NULL, and says how many bytes they
   take. */
static size_t member_list_all(const struct commons *commons, char *out,
                              const struct member **members, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += member_list_one(commons, out, bytes, members[i]);
    return bytes;
}

char *member_list(struct commons *commons, uint16_t entry, const char *group,
                  size_t *count)
{
    const struct member **members;
    char *keys = NULL;

    commons_lock(commons);
    members = member_collect(commons, entry, group, count);
    if (members)
        keys = malloc(member_list_all(commons, NULL, members, *count) + 1);
    if (keys)
        member_list_all(commons, keys, members, *count);
    else
        *count = 0;
    commons_unlock(commons);
    free(members);
    return keys;
}

/* ---- groups ------------------------------------------------------------- */

static void member_see(const struct commons *commons, struct group_seen *seen,
                       size_t *count, const struct group_part *part)
{
    if (seen) {
        memcpy(seen[*count].name, part->name, sizeof(part->name));
        seen[*count].members =
            member_count_all(commons, part->entry, part->name);
    }
    ++*count;
}

static size_t member_see_own(const struct commons *commons, uint16_t entry,
                             uint64_t number, struct group_seen *seen)
{
    uint32_t at = *member_session_bucket(commons, number);
    size_t count = 0;

    for (; at; at = member_at(commons, at - 1)->next) {
        const struct member *member = member_at(commons, at - 1);

        if (member->number == number &&
            member_part_of(commons, member)->entry == entry)
            member_see(commons, seen, &count, member_part_of(commons, member));
    }
    return count;
}

static bool member_is_first_part(const struct commons *commons,
                                 const struct group_part *part)
{
    uint32_t at = *member_group_bucket(commons, part->entry, part->name);
    const struct group_part *other;

    for (; (other = member_next_part(commons, at, part->entry, part->name));
         at = other->next)
        if (other < part)
            return false;
    return true;
}

/* Each group once, where the first of its parts is. */
static size_t member_see_all(const struct commons *commons, uint16_t entry,
                             struct group_seen *seen)
{
    size_t count = 0;

    for (uint32_t i = 0; i < commons->header->used_parts; i++) {
        const struct group_part *part = member_part_at(commons, i);

        if (part->count && part->entry == entry &&
            member_is_first_part(commons, part))
            member_see(commons, seen, &count, part);
    }
    return count;
}

static size_t member_see_those(const struct commons *commons, uint16_t entry,
                               uint64_t number, struct group_seen *seen)
{
    return number ? member_see_own(commons, entry, number, seen)
                  : member_see_all(commons, entry, seen);
}

struct group_seen *member_groups(struct commons *commons, uint16_t entry,
                                 uint64_t number, size_t *count)
{
    struct group_seen *seen;

    commons_lock(commons);
    *count = member_see_those(commons, entry, number, NULL);
    seen = calloc(*count + 1, sizeof(*seen));
    if (seen)
        member_see_those(commons, entry, number, seen);
    else
        *count = 0;
    commons_unlock(commons);
    return seen;
}
