/* Messages that wait for room in a ring. */

#include "engine/letters.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/output.h"
#include "engine/still.h"
#include "state/counter.h"

struct letter {
    struct letter *next;
    unsigned to;
    struct message message;
    uint8_t bytes[];
};

static struct letter *first, **last = &first;
static size_t waiting_bytes;
static uint64_t left_out; /* workers that stand still, a bit each */
static struct still stills[WORKERS_MAX];

static int letters_drop(const struct message *message, const char *why)
{
    counter_add(message->entry, why, 1);
    return -ENOBUFS;
}

static int letters_drop_still(const struct message *message)
{
    return letters_drop(message, "dropped: another worker stands still");
}

static struct letter *letters_make(unsigned to, const struct message *message,
                                   const uint8_t *bytes)
{
    size_t most = (size_t)core->config->limits.queue_bytes_total;
    struct letter *letter = NULL;

    if (waiting_bytes + message->len <= most / core->workers)
        letter = malloc(sizeof(*letter) + message->len);
    if (!letter)
        return NULL;
    letter->next = NULL;
    letter->to = to;
    letter->message = *message;
    if (message->len)
        memcpy(letter->bytes, bytes, message->len);
    return letter;
}

static void letters_remove(struct letter **at)
{
    struct letter *letter = *at;

    *at = letter->next;
    if (!*at)
        last = at;
    waiting_bytes -= letter->message.len;
    free(letter);
}

/* ---- who stands still ------------------------------------------------- */

static bool letters_leave_out(unsigned to)
{
    if (left_out & 1ull << to && !still_is(&stills[to], to))
        left_out &= ~(1ull << to);
    return left_out & 1ull << to;
}

/* The first letter begins the wait for a turn of its reader. */
static int letters_watch(unsigned to)
{
    if (core->mail_waits & 1ull << to)
        return 0;
    still_begin(&stills[to], to);
    return timer_add(core_now_ms() + STILL_MS, to, 0, TIMER_MAIL, 0);
}

void letters_look_at(unsigned to)
{
    if (!(core->mail_waits & 1ull << to))
        return;
    if (!still_is(&stills[to], to)) {
        timer_add(stills[to].since_ms + STILL_MS, to, 0, TIMER_MAIL, 0);
        return;
    }
    left_out |= 1ull << to;
    core->mail_waits &= ~(1ull << to);
    for (struct letter **at = &first; *at;)
        if ((*at)->to == to) {
            letters_drop_still(&(*at)->message);
            letters_remove(at);
        } else {
            at = &(*at)->next;
        }
    output_line(output_stderr(),
                "worker %u stands still and takes no messages; worker %u goes "
                "on without it and counts what is lost",
                to, core->worker);
}

/* ---- letters ---------------------------------------------------------- */

int letters_keep(unsigned to, const struct message *message,
                 const uint8_t *bytes)
{
    struct letter *letter;

    if (letters_leave_out(to))
        return letters_drop_still(message);
    letter = letters_make(to, message, bytes);
    if (!letter || letters_watch(to)) {
        free(letter);
        return letters_drop(message, "dropped: another worker takes nothing");
    }
    waiting_bytes += message->len;
    *last = letter;
    last = &letter->next;
    core->mail_waits |= 1ull << to;
    return 0;
}

/* In order for each worker; a full ring does not hold up the others. */
void letters_send(void)
{
    uint64_t full = 0;

    for (struct letter **at = &first; *at;) {
        struct letter *letter = *at;
        uint64_t bit = 1ull << letter->to;

        if (full & bit || !ring_put(core->commons, core->worker, letter->to,
                                    &letter->message, letter->bytes)) {
            full |= bit;
            at = &letter->next;
        } else {
            core->wake_mask |= bit;
            letters_remove(at);
        }
    }
    core->mail_waits = full;
}

uint64_t letters_finish(void)
{
    uint64_t count = 0;

    for (; first; count++)
        letters_remove(&first);
    core->mail_waits = 0;
    left_out = 0;
    return count;
}
