/* Names that are unique over all workers of a server. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "workers/commons_layout.h"

static struct claim *claim_at(const struct commons *commons, uint32_t place)
{
    return (struct claim *)(commons->base + commons->header->claims_at) + place;
}

static uint32_t *claim_bucket_of(const struct commons *commons, uint16_t entry,
                                 const char *key)
{
    uint32_t hash = hash_text(HASH_START ^ entry, key);

    return (uint32_t *)(commons->base + commons->header->buckets_at) +
           (hash & (commons->header->bucket_count - 1));
}

static void claim_link_newest(struct commons *commons, uint32_t place)
{
    struct commons_header *header = commons->header;
    struct claim *claim = claim_at(commons, place);

    claim->newer = 0;
    claim->older = header->newest;
    if (header->newest)
        claim_at(commons, header->newest - 1)->newer = place + 1;
    else
        header->oldest = place + 1;
    header->newest = place + 1;
}

void claim_rebuild(struct commons *commons)
{
    struct commons_header *header = commons->header;
    uint32_t *buckets = (uint32_t *)(commons->base + header->buckets_at);

    memset(buckets, 0, header->bucket_count * sizeof(*buckets));
    header->free_claim = header->oldest = header->newest = 0;
    for (uint32_t place = 0; place < header->used_claims; place++) {
        struct claim *claim = claim_at(commons, place);
        uint32_t *list =
            claim->is_taken
                ? claim_bucket_of(commons, claim->owner.entry, claim->key)
                : &header->free_claim;

        claim->next = *list;
        *list = place + 1;
        if (claim->is_taken)
            claim_link_newest(commons, place);
    }
}

static struct claim *claim_search(struct commons *commons, uint16_t entry,
                                  const char *key)
{
    uint32_t at = *claim_bucket_of(commons, entry, key);

    for (; at; at = claim_at(commons, at - 1)->next) {
        struct claim *claim = claim_at(commons, at - 1);

        if (claim->owner.entry == entry && !strcmp(claim->key, key))
            return claim;
    }
    return NULL;
}

static bool claim_take_place(struct commons *commons, uint32_t *place)
{
    struct commons_header *header = commons->header;

    if (header->free_claim) {
        *place = header->free_claim - 1;
        header->free_claim = claim_at(commons, *place)->next;
        return true;
    }
    if (header->used_claims == header->claim_count)
        return false;
    *place = header->used_claims++;
    return true;
}

static bool claim_is_owners(const struct claim *claim,
                            const struct claim_owner *owner)
{
    return claim->owner.number == owner->number &&
           claim->owner.worker == owner->worker;
}

static int claim_add(struct commons *commons, const char *key,
                     const struct claim_owner *owner, uint32_t *place)
{
    uint32_t *bucket = claim_bucket_of(commons, owner->entry, key);
    struct claim *claim;

    if (!claim_take_place(commons, place))
        return -ENOSPC;
    claim = claim_at(commons, *place);
    claim->owner = *owner;
    snprintf(claim->key, sizeof(claim->key), "%s", key);
    claim->is_taken = true;
    claim->next = *bucket;
    *bucket = *place + 1;
    claim_link_newest(commons, *place);
    return 0;
}

int claim_take(struct commons *commons, const char *key, const char *shown,
               const struct claim_owner *owner, uint32_t *place)
{
    struct claim *claim;
    int error = 0;

    commons_lock(commons);
    claim = claim_search(commons, owner->entry, key);
    if (!claim)
        error = claim_add(commons, key, owner, place);
    else if (claim_is_owners(claim, owner))
        *place = (uint32_t)(claim - claim_at(commons, 0));
    else
        error = -EEXIST;
    if (!error)
        snprintf(claim_at(commons, *place)->shown, PG_KEY_BYTES + 1, "%s",
                 shown);
    commons_unlock(commons);
    return error;
}

static void claim_unlink_all(struct commons *commons, struct claim *claim)
{
    struct commons_header *header = commons->header;
    uint32_t place = (uint32_t)(claim - claim_at(commons, 0));
    uint32_t *at = claim_bucket_of(commons, claim->owner.entry, claim->key);

    while (*at != place + 1)
        at = &claim_at(commons, *at - 1)->next;
    *at = claim->next;
    if (claim->older)
        claim_at(commons, claim->older - 1)->newer = claim->newer;
    else
        header->oldest = claim->newer;
    if (claim->newer)
        claim_at(commons, claim->newer - 1)->older = claim->older;
    else
        header->newest = claim->older;
    claim->is_taken = false;
    claim->next = header->free_claim;
    header->free_claim = place + 1;
}

void claim_release(struct commons *commons, uint32_t place, uint64_t number)
{
    struct claim *claim = claim_at(commons, place);

    commons_lock(commons);
    if (claim->is_taken && claim->owner.number == number)
        claim_unlink_all(commons, claim);
    commons_unlock(commons);
}

void claim_purge(struct commons *commons, unsigned worker)
{
    for (uint32_t i = 0; i < commons->header->used_claims; i++) {
        struct claim *claim = claim_at(commons, i);

        if (claim->is_taken && claim->owner.worker == worker)
            claim_unlink_all(commons, claim);
    }
}

const struct claim *claim_of(const struct commons *commons, uint32_t place,
                             uint64_t number)
{
    const struct claim *claim = claim_at(commons, place);

    return claim->is_taken && claim->owner.number == number ? claim : NULL;
}

bool claim_find(struct commons *commons, uint16_t entry, const char *key,
                struct claim_owner *owner)
{
    struct claim *claim;

    commons_lock(commons);
    claim = claim_search(commons, entry, key);
    if (claim)
        *owner = claim->owner;
    commons_unlock(commons);
    return claim != NULL;
}

void claim_key(struct commons *commons, uint32_t place, char *key)
{
    commons_lock(commons);
    memcpy(key, claim_at(commons, place)->key, PG_KEY_BYTES + 1);
    commons_unlock(commons);
}

size_t claim_copy(char *out, size_t offset, const char *text)
{
    size_t len = strlen(text) + 1;

    if (out)
        memcpy(out + offset, text, len);
    return len;
}

/* Copies the claims of an entry to `out` unless that is NULL, oldest first, and
   says how many bytes they take. */
static size_t claim_walk(struct commons *commons, uint16_t entry, char *out,
                         size_t *count)
{
    uint32_t at = commons->header->oldest;
    size_t bytes = 0;

    *count = 0;
    for (; at; at = claim_at(commons, at - 1)->newer) {
        const struct claim *claim = claim_at(commons, at - 1);

        if (claim->owner.entry != entry)
            continue;
        bytes += claim_copy(out, bytes, claim->key);
        bytes += claim_copy(out, bytes, claim->shown);
        ++*count;
    }
    return bytes;
}

char *claim_list(struct commons *commons, uint16_t entry, size_t *count)
{
    char *keys;

    commons_lock(commons);
    keys = malloc(claim_walk(commons, entry, NULL, count) + 1);
    if (keys)
        claim_walk(commons, entry, keys, count);
    else
        *count = 0;
    commons_unlock(commons);
    return keys;
}
