/* Named numbers in the arena, in a hash table. */

#include "state/counter.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define OTHER_NAME "other"

static struct counter *counter_table(void)
{
    return (struct counter *)(core->arena.base +
                              core->arena.header->counters_at);
}

static bool counter_is_it(const struct counter *c, uint16_t owner,
                          const char *name)
{
    return c->owner == owner && !strncmp(c->name, name, sizeof(c->name) - 1);
}

/* The counter, or the free place where it belongs; NULL: the table is full. */
static struct counter *counter_find(uint16_t owner, const char *name)
{
    char short_name[sizeof(((struct counter *)0)->name)];
    uint32_t start;

    snprintf(short_name, sizeof(short_name), "%s", *name ? name : "unnamed");
    start = hash_text(HASH_START ^ owner, short_name);
    for (uint32_t i = 0; i < ARENA_COUNTERS; i++) {
        struct counter *c = &counter_table()[(start + i) % ARENA_COUNTERS];

        if (!c->name[0] || counter_is_it(c, owner, short_name))
            return c;
    }
    return NULL;
}

/* New names stop at seven eighths, so that "other" always finds a place. */
static bool counter_is_nearly_full(void)
{
    return core->arena.header->counters_used > ARENA_COUNTERS / 8 * 7;
}

void counter_add(uint16_t owner, const char *name, uint64_t value)
{
    struct counter *c = counter_find(owner, name);

    if (!c || (!c->name[0] && counter_is_nearly_full()))
        c = counter_find(owner, OTHER_NAME);
    if (!c)
        return; /* more than 128 owners, all of them at "other" */
    if (!c->name[0]) {
        core->arena.header->counters_used++;
        c->owner = owner;
        snprintf(c->name, sizeof(c->name), "%s", *name ? name : "unnamed");
    }
    c->value += value;
}

uint64_t counter_value(uint16_t owner, const char *name)
{
    struct counter *c = counter_find(owner, name);

    return c && c->name[0] ? c->value : 0;
}

void counter_add_reason(uint16_t owner, const char *reason)
{
    char name[sizeof(((struct counter *)0)->name)];
    size_t len = 0;

    while (*reason && len < sizeof(name) - 1) {
        size_t digits = strspn(reason, "0123456789");

        name[len++] = digits ? 'N' : *reason;
        reason += digits ? digits : 1;
    }
    name[len] = '\0';
    counter_add(owner, name, 1);
}

static int counter_compare(const void *left, const void *right)
{
    const struct counter *a = *(const struct counter *const *)left;
    const struct counter *b = *(const struct counter *const *)right;

    return a->owner != b->owner ? a->owner - b->owner
                                : strcmp(a->name, b->name);
}

void counter_each(void (*fn)(uint16_t owner, const char *name, uint64_t value,
                             void *arg),
                  void *arg)
{
    const struct counter *sorted[ARENA_COUNTERS];
    size_t count = 0;

    for (uint32_t i = 0; i < ARENA_COUNTERS; i++)
        if (counter_table()[i].name[0])
            sorted[count++] = &counter_table()[i];
    qsort(sorted, count, sizeof(*sorted), counter_compare);
    for (size_t i = 0; i < count; i++)
        fn(sorted[i]->owner, sorted[i]->name, sorted[i]->value, arg);
}

const char *counter_owner_name(uint16_t owner)
{
    if (owner & COUNTER_LISTENER)
        return core->config->listeners[owner & ~COUNTER_LISTENER]->name;
    return core->config->entries[owner]->name;
}
