#include <stdlib.h>
#include <string.h>

#include "config_parts.h"
#include "must.h"

static const char *kind_text(enum pg_kind kind)
{
    return kind == PG_STREAM ? "a stream" : "records";
}

static void misfit(const struct pg_listener *listener,
                   const struct pg_entry *entry)
{
    problems_add(listener->config->problems, entry->path, false,
                 "%s needs records, and %s delivers %s, in which the bounds "
                 "between messages are lost; put \"lines\" or \"length\" "
                 "before it, or \"raw\" to take each read as a message",
                 entry->name, listener->name, kind_text(PG_STREAM));
}

static bool fits(const struct pg_listener *listener, struct pg_entry *entry,
                 enum pg_kind kind)
{
    struct problems *problems = listener->config->problems;

    if (!entry->handler->check_place ||
        !entry->handler->check_place(entry, kind, listener->name))
        return true;
    if (problems_count(problems) == 0)
        problems_add(problems, entry->path, false,
                     "%s refuses its place behind %s without saying why; look "
                     "at its check_place()",
                     entry->name, listener->name);
    return false;
}

static bool fit_types(struct pg_listener *listener)
{
    struct chain *chain = &listener->chain;
    enum pg_kind kind = listener->transport->provides;

    for (unsigned i = 0; i < chain->count; i++) {
        const struct pg_handler *handler = chain->entries[i]->handler;

        chain->kinds[i] = kind;
        if (handler->needs == PG_RECORDS && kind != PG_RECORDS) {
            misfit(listener, chain->entries[i]);
            return false;
        }
        if (!fits(listener, chain->entries[i], kind))
            return false;
        if (handler->makes != PG_ANY)
            kind = handler->makes;
    }
    return true;
}

bool config_make_chain(struct pg_listener *listener, struct pg_entry **own,
                       unsigned own_count)
{
    const struct config_internals *internals =
        config_internals(listener->config);
    unsigned count = own_count + internals->shared_count;
    struct chain *chain = &listener->chain;

    if (count > CONFIG_CHAIN_MAX) {
        problems_add(listener->config->problems, listener->path, false,
                     "%u entries in a row are more than %d; take some out",
                     count, CONFIG_CHAIN_MAX);
        return false;
    }
    chain->entries = must_calloc(count + 1, sizeof(*chain->entries));
    chain->kinds = must_calloc(count + 1, sizeof(*chain->kinds));
    if (own_count)
        memcpy(chain->entries, own, own_count * sizeof(*own));
    if (internals->shared_count)
        memcpy(chain->entries + own_count, internals->shared,
               internals->shared_count * sizeof(*internals->shared));
    chain->count = count;
    return fit_types(listener);
}
