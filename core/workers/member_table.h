/*
 * member_table - where the groups and their members are; under the lock.
 */
#ifndef MEMBER_TABLE_H
#define MEMBER_TABLE_H

#include "base/hash.h"
#include "workers/commons_layout.h"

static inline struct member *member_at(const struct commons *commons,
                                       uint32_t place)
{
    return (struct member *)(commons->base + commons->header->members_at) +
           place;
}

static inline struct group_part *member_part_at(const struct commons *commons,
                                                uint32_t place)
{
    return (struct group_part *)(commons->base + commons->header->parts_at) +
           place;
}

static inline uint32_t member_place(const struct commons *commons,
                                    const struct member *member)
{
    return (uint32_t)(member - member_at(commons, 0));
}

static inline uint32_t member_part_place(const struct commons *commons,
                                         const struct group_part *part)
{
    return (uint32_t)(part - member_part_at(commons, 0));
}

static inline struct group_part *member_part_of(const struct commons *commons,
                                                const struct member *member)
{
    return member_part_at(commons, member->part);
}

static inline uint32_t *member_group_bucket(const struct commons *commons,
                                            uint16_t entry, const char *group)
{
    uint32_t hash = hash_text(HASH_START ^ entry, group);

    return (uint32_t *)(commons->base + commons->header->group_buckets_at) +
           (hash & (commons->header->bucket_count - 1));
}

/* Sessions are numbered one after the other, so their buckets fill evenly. */
static inline uint32_t *member_session_bucket(const struct commons *commons,
                                              uint64_t number)
{
    return (uint32_t *)(commons->base + commons->header->session_buckets_at) +
           (number & (commons->header->bucket_count - 1));
}

/* The first of the list `at`, or of what follows, that is part of this group;
   NULL: none is. */
static inline struct group_part *member_next_part(const struct commons *commons,
                                                  uint32_t at, uint16_t entry,
                                                  const char *group)
{
    for (; at; at = member_part_at(commons, at - 1)->next) {
        struct group_part *part = member_part_at(commons, at - 1);

        if (part->entry == entry && !strcmp(part->name, group))
            return part;
    }
    return NULL;
}

#endif
