/* Makes the chains, and says where neighbours do not fit together. */

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "config/config_call.h"
#include "config/config_parts.h"

/* True for a plugin that is taken instead of a built-in framing layer. */
static bool config_chain_hides_framing(const struct pg_entry *entry)
{
    const char *name = entry->handler->name;

    return entry->plugin && !plugin_is_builtin(entry->plugin) &&
           (!strcmp(name, "lines") || !strcmp(name, "length") ||
            !strcmp(name, "raw"));
}

/* The advice to put "lines" before it is of no use to whoever has an own
   plugin of that name. */
static char *config_chain_framing_advice(const struct chain *chain,
                                         unsigned place)
{
    for (unsigned i = 0; i <= place; i++)
        if (config_chain_hides_framing(chain->entries[i]))
            return must_printf("the built-in \"%s\" is hidden by %s: rename "
                               "that file and its .name, and build it again",
                               chain->entries[i]->handler->name,
                               chain->entries[i]->plugin->path);
    return must_copy("put \"lines\" or \"length\" before it, or \"raw\" to "
                     "take each read as a message");
}

/* The entry at `place` gets a stream and cannot do with one. */
static void config_chain_misfit(const struct pg_listener *listener,
                                unsigned place)
{
    const struct pg_entry *entry = listener->chain.entries[place];
    char *title = plugin_title(entry->plugin, entry->name);
    char *advice = config_chain_framing_advice(&listener->chain, place);

    problems_add(listener->config->problems, entry->path, false,
                 "%s needs records, and %s delivers a stream, in which the "
                 "bounds between messages are lost; %s",
                 title, listener->name, advice);
    free(advice);
    free(title);
}

static bool config_chain_fits(const struct pg_listener *listener,
                              struct pg_entry *entry, enum pg_kind kind)
{
    struct config_call call;

    if (!entry->handler->check_place)
        return true;
    call = config_call_entry(entry, "check_place()");
    return config_call_end(&call, entry->handler->check_place(
                                      entry, kind, listener->name)) == 0;
}

static bool config_chain_fit_types(struct pg_listener *listener)
{
    struct chain *chain = &listener->chain;
    enum pg_kind kind = listener->transport->provides;

    for (unsigned i = 0; i < chain->count; i++) {
        const struct pg_handler *handler = chain->entries[i]->handler;

        chain->kinds[i] = kind;
        if (handler->needs == PG_RECORDS && kind != PG_RECORDS) {
            config_chain_misfit(listener, i);
            return false;
        }
        if (!config_chain_fits(listener, chain->entries[i], kind))
            return false;
        if (handler->makes != PG_ANY)
            kind = handler->makes;
    }
    return true;
}

bool config_make_chain(struct pg_listener *listener, struct pg_entry **own,
                       unsigned own_count)
{
    const struct config_internals *internals = listener->config->internals;
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
    return config_chain_fit_types(listener);
}
