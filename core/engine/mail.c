/* Messages to and from the other workers. */

#include "engine/mail.h"

#include <errno.h>
#include <string.h>

#include "chain/chain.h"
#include "engine/letters.h"
#include "engine/room.h"
#include "engine/still.h"
#include "state/counter.h"
#include "state/scratch.h"
#include "state/slot.h"

static struct still stills[WORKERS_MAX]; /* while this worker stops */

/* What comes, or would go, when the sessions it is for have ended. */
static int mail_lose(const struct message *message)
{
    counter_add(message->entry, "dropped: a worker has stopped", 1);
    core->mail_lost++;
    return -ENOBUFS;
}

/* ---- sending ---------------------------------------------------------- */

static bool mail_has_reached(unsigned worker, enum commons_step step)
{
    return commons_at_step(core->commons, step) >> worker & 1;
}

/* What is said when all rooms close, here and there, is for nobody. */
static int mail_post(unsigned to, const struct message *message,
                     const uint8_t *bytes)
{
    if (core->is_over && mail_has_reached(to, COMMONS_QUIET))
        return 0;
    if (mail_has_reached(to, COMMONS_OVER))
        return mail_lose(message);
    core->wake_mask |= 1ull << to;
    if (!(core->mail_waits & 1ull << to) &&
        ring_put(core->commons, core->worker, to, message, bytes))
        return 0;
    return letters_keep(to, message, bytes);
}

static bool mail_is_too_long(uint16_t entry, size_t len)
{
    if (len <= ring_most(core->commons))
        return false;
    counter_add(entry, "dropped: too long for another worker", 1);
    return true;
}

int mail_broadcast(struct pg_entry *entry, struct pg_bytes bytes,
                   enum pg_slow slow)
{
    struct message message = {.len = (uint32_t)bytes.len,
                              .type = MESSAGE_BROADCAST,
                              .entry = (uint16_t)entry->id,
                              .slow = slow};
    int result = 0;

    if (core->workers > 1 && mail_is_too_long(message.entry, bytes.len))
        return -ENOBUFS;
    for (unsigned to = 0; to < core->workers; to++)
        if (to != core->worker && mail_post(to, &message, bytes.data))
            result = -ENOBUFS;
    return result;
}

/* The group's name with its NUL, and the bytes behind it. */
static struct pg_bytes mail_join(const char *group, struct pg_bytes bytes)
{
    size_t name = strlen(group) + 1;
    uint8_t *text = scratch_take(name + bytes.len);

    memcpy(text, group, name);
    if (bytes.len)
        memcpy(text + name, bytes.data, bytes.len);
    return pg_bytes(text, name + bytes.len);
}

int mail_publish(struct pg_entry *entry, const char *group,
                 struct pg_bytes bytes, enum pg_slow slow, uint64_t workers)
{
    struct message message = {
        .type = MESSAGE_PUBLISH, .entry = (uint16_t)entry->id, .slow = slow};
    size_t used = core->scratch_used;
    int result = 0;

    workers &= ~(1ull << core->worker);
    if (!workers)
        return 0;
    if (mail_is_too_long(message.entry, strlen(group) + 1 + bytes.len))
        return -ENOBUFS;
    bytes = mail_join(group, bytes);
    message.len = (uint32_t)bytes.len;
    for (unsigned to = 0; to < core->workers; to++)
        if (workers & 1ull << to && mail_post(to, &message, bytes.data))
            result = -ENOBUFS;
    core->scratch_used = used;
    return result;
}

int mail_send_to(const struct claim_owner *owner, struct pg_bytes bytes)
{
    struct message message = {.len = (uint32_t)bytes.len,
                              .type = MESSAGE_SEND_TO,
                              .entry = owner->entry,
                              .slot = owner->slot,
                              .number = owner->number};

    if (mail_is_too_long(owner->entry, bytes.len))
        return -ENOBUFS;
    return mail_post(owner->worker, &message, bytes.data);
}

/* ---- receiving -------------------------------------------------------- */

static void mail_publish_here(struct pg_entry *entry, struct pg_bytes bytes,
                              enum pg_slow slow)
{
    const char *group = (const char *)bytes.data;
    size_t name = strlen(group) + 1;

    chain_publish(entry, group, pg_bytes(group + name, bytes.len - name), 0,
                  slow);
}

static void mail_deliver(const struct message *message)
{
    struct pg_bytes bytes = pg_bytes(message + 1, message->len);
    struct pg_entry *entry = core->config->entries[message->entry];
    struct pg_session *session;
    int place;

    if (core->is_over) {
        mail_lose(message);
        return;
    }
    if (message->type == MESSAGE_BROADCAST) {
        chain_broadcast(entry, bytes, 0, (enum pg_slow)message->slow);
        return;
    }
    if (message->type == MESSAGE_PUBLISH) {
        mail_publish_here(entry, bytes, (enum pg_slow)message->slow);
        return;
    }
    session = session_at(message->slot);
    if (session->number != message->number) {
        counter_add(message->entry, "dropped: receiver has left", 1);
        return;
    }
    place = session_listener(session)->run->place[entry->id];
    if (place >= 0)
        chain_send_one(session, (unsigned)place, bytes);
}

/* Within a budget, so that a busy worker does not starve our own clients; more
   of them wake us again. */
static void mail_take_from(unsigned from)
{
    struct budget budget = {0};
    const struct message *message;
    size_t bytes = 0;

    while ((message = ring_peek(core->commons, from, core->worker))) {
        if (bytes > 256 * 1024 || budget_is_spent(&budget)) {
            core->wake_mask |= 1ull << core->worker;
            return;
        }
        bytes += message->len + sizeof(*message);
        budget_take(&budget);
        mail_deliver(message);
        if (ring_next(core->commons, from, core->worker))
            core->wake_mask |= 1ull << from;
    }
}

/* At most two rings, so that a worker that goes on writing cannot keep us here.
 */
static void mail_take_rest(void)
{
    for (unsigned from = 0; from < core->workers; from++) {
        size_t left = 4 * ring_most(core->commons);
        const struct message *message;

        while (from != core->worker &&
               (message = ring_peek(core->commons, from, core->worker)) &&
               message->len + sizeof(*message) <= left) {
            left -= message->len + sizeof(*message);
            mail_deliver(message);
            if (ring_next(core->commons, from, core->worker))
                core->wake_mask |= 1ull << from;
        }
    }
}

void mail_take(void)
{
    room_make_for_others();
    for (unsigned from = 0; from < core->workers; from++)
        if (from != core->worker)
            mail_take_from(from);
    letters_send();
}

void mail_wake(void)
{
    uint64_t mask = core->wake_mask;

    core->wake_mask = 0;
    for (unsigned worker = 0; mask; worker++, mask >>= 1)
        if (mask & 1)
            core->io->wake(worker);
}

/* ---- the end ---------------------------------------------------------- */

/* A worker that cannot say so any more is waited for no longer. */
static bool mail_has_no_more(unsigned worker)
{
    return mail_has_reached(worker, COMMONS_QUIET) ||
           commons_absent(core->commons) >> worker & 1 ||
           still_is(&stills[worker], worker);
}

static void mail_be_quiet(void)
{
    if (mail_is_waiting() || mail_has_reached(core->worker, COMMONS_QUIET))
        return;
    commons_set_step(core->commons, core->worker, COMMONS_QUIET);
    for (unsigned to = 0; to < core->workers; to++)
        if (to != core->worker)
            core->wake_mask |= 1ull << to;
}

void mail_begin_end(void)
{
    for (unsigned worker = 0; worker < core->workers; worker++)
        still_begin(&stills[worker], worker);
}

bool mail_may_end(void)
{
    bool is_all = true;

    mail_be_quiet();
    for (unsigned worker = 0; worker < core->workers; worker++)
        if (worker != core->worker && !mail_has_no_more(worker))
            is_all = false;
    return is_all;
}

/* In this order: who sees that it is over posts no more, and what was posted
   before is still found in the rings. */
void mail_end(void)
{
    mail_take_rest();
    commons_set_step(core->commons, core->worker, COMMONS_QUIET);
    commons_set_step(core->commons, core->worker, COMMONS_OVER);
    core->is_over = true;
}

uint64_t mail_count_lost(void)
{
    mail_take_rest();
    core->mail_lost += letters_finish();
    return core->mail_lost;
}

void mail_finish(void)
{
    letters_finish();
}
