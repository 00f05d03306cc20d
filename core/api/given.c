/* What a plugin gives, looked at before it is used. */

#include "api/given.h"

#include "base/output.h"
#include "state/blame.h"
#include "state/counter.h"

void given_say_nowhere(struct pg_entry *entry, size_t len)
{
    if (blame_is_new(entry, BLAME_NOWHERE))
        output_line(
            output_stderr(),
            "%s: gives %zu bytes at NULL to pg_send() or another function, "
            "which are not taken; give the address of the bytes",
            entry->name, len);
    counter_add((uint16_t)entry->id, "dropped: bytes at NULL", 1);
}

bool given_is_key(const char *text)
{
    return text[0] && strlen(text) <= PG_KEY_BYTES;
}
