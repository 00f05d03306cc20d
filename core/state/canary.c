/* The words behind the states of a slot: written, and looked at. */

#include "state/canary.h"

#include <stdio.h>

#include "base/output.h"
#include "state/blame.h"
#include "state/mark.h"

#define REASON_BYTES 128

/* States end where they like: the word need not be aligned. */
struct __attribute__((packed)) canary {
    uint64_t word;
};

#define CANARY_WORD 0xa5a5a5a5a5a5a5a5ull /* as the rest of a gap */

/* NULL: the entry has no state. */
static struct canary *canary_behind(const struct pg_session *session,
                                    unsigned place)
{
    size_t size =
        session_listener(session)->chain.entries[place]->handler->session_size;

    return size ? (struct canary *)((uint8_t *)session_state(session, place) +
                                    size)
                : NULL;
}

void canary_fill(const struct pg_session *session)
{
    for (unsigned i = 0; i < session_listener(session)->chain.count; i++) {
        struct canary *canary = canary_behind(session, i);

        if (canary)
            canary->word = CANARY_WORD;
    }
}

/* The first entry whose word has changed: what is written there may go on over
   the states behind it. A sanitizer build has poisoned the words. */
__attribute__((no_sanitize("address"))) static struct pg_entry *
canary_culprit(const struct pg_session *session)
{
    const struct chain *chain = &session_listener(session)->chain;

    for (unsigned i = 0; i < chain->count; i++) {
        const struct canary *canary = canary_behind(session, i);

        if (canary && canary->word != CANARY_WORD)
            return chain->entries[i];
    }
    return NULL;
}

static void canary_check(struct pg_session *session)
{
    struct pg_entry *entry = canary_culprit(session);
    char reason[REASON_BYTES];

    if (!entry)
        return;
    if (blame_is_new(entry, BLAME_OVERRUN))
        output_line(output_stderr(),
                    "%s: writes behind the end of its state of %zu bytes, "
                    "where other sessions' data is; let .session_size be the "
                    "sizeof of the struct that pg_state() is taken for",
                    entry->name, entry->handler->session_size);
    if (session_is_closing(session))
        return;
    snprintf(reason, sizeof(reason), "%s wrote behind the end of its state",
             entry->name);
    session_abort(session, PG_WHY_HANDLER, reason);
}

void canary_check_noted(void)
{
    while (core->noted) {
        struct pg_session *session = session_at(core->noted - 1);

        core->noted = session->next_noted;
        session->flags &= ~(uint32_t)SESSION_NOTED;
        canary_check(session);
        mark_unlisted(session);
    }
}
