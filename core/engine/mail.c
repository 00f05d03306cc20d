/* Messages to and from the other workers. */

#include "engine/mail.h"

#include <errno.h>
#include <stdlib.h>

#include "chain/chain.h"
#include "engine/room.h"
#include "state/counter.h"
#include "state/slot.h"

/* A message that did not fit. */
struct letter {
    struct letter *next;
    unsigned to;
    struct message message;
    uint8_t bytes[];
};

static struct letter *first, **last = &first;
static size_t waiting_bytes;

static int mail_keep(unsigned to, const struct message *message,
                     const uint8_t *bytes)
{
    size_t most = (size_t)core->config->limits.queue_bytes_total;
    struct letter *letter = NULL;

    if (waiting_bytes + message->len <= most / core->workers)
        letter = malloc(sizeof(*letter) + message->len);
    if (!letter) {
        counter_add(message->entry, "dropped: another worker takes nothing", 1);
        return -ENOBUFS;
    }
    waiting_bytes += message->len;
    letter->next = NULL;
    letter->to = to;
    letter->message = *message;
    if (message->len)
        memcpy(letter->bytes, bytes, message->len);
    *last = letter;
    last = &letter->next;
    core->mail_waits |= 1ull << to;
    return 0;
}

static int mail_post(unsigned to, const struct message *message,
                     const uint8_t *bytes)
{
    core->wake_mask |= 1ull << to;
    if (!(core->mail_waits & 1ull << to) &&
        ring_put(core->commons, core->worker, to, message, bytes))
        return 0;
    return mail_keep(to, message, bytes);
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

static void mail_deliver(const struct message *message)
{
    struct pg_bytes bytes = pg_bytes(message + 1, message->len);
    struct pg_entry *entry = core->config->entries[message->entry];
    struct pg_session *session;
    int place;

    if (message->type == MESSAGE_BROADCAST) {
        chain_broadcast(entry, bytes, 0, (enum pg_slow)message->slow);
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

/* A bounded number, so that a busy worker does not starve our own clients;
   more of them wake us again. */
static void mail_take_from(unsigned from)
{
    const struct message *message;
    size_t bytes = 0;

    while ((message = ring_peek(core->commons, from, core->worker))) {
        if (bytes > 256 * 1024) {
            core->wake_mask |= 1ull << core->worker;
            return;
        }
        bytes += message->len + sizeof(*message);
        mail_deliver(message);
        if (ring_next(core->commons, from, core->worker))
            core->wake_mask |= 1ull << from;
    }
}

/* At most two rings, so that a worker that goes on writing cannot keep us here.
 */
void mail_take_rest(void)
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

/* In order: a full ring holds up those behind it, for a moment. */
static void mail_send_waiting(void)
{
    while (first) {
        struct letter *letter = first;

        if (!ring_put(core->commons, core->worker, letter->to, &letter->message,
                      letter->bytes))
            return;
        core->wake_mask |= 1ull << letter->to;
        first = letter->next;
        if (!first)
            last = &first;
        waiting_bytes -= letter->message.len;
        free(letter);
    }
    core->mail_waits = 0;
}

void mail_take(void)
{
    room_make_for_others();
    for (unsigned from = 0; from < core->workers; from++)
        if (from != core->worker)
            mail_take_from(from);
    mail_send_waiting();
}

void mail_wake(void)
{
    uint64_t mask = core->wake_mask;

    core->wake_mask = 0;
    for (unsigned worker = 0; mask; worker++, mask >>= 1)
        if (mask & 1)
            core->io->wake(worker);
}

void mail_finish(void)
{
    while (first) {
        struct letter *letter = first;

        first = letter->next;
        free(letter);
    }
    last = &first;
    waiting_bytes = 0;
    core->mail_waits = 0;
}
