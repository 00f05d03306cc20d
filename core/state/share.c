/* How much one session may hold of what all of them share. */

#include "state/share.h"

#include "state/slot.h"

/* Rests of so much find room in a small total, too. */
#define SHARE_RESTS_LEAST (4u << 20)

uint64_t share_of(uint64_t total, uint64_t used)
{
    uint64_t common = total - total / 4;
    uint64_t is_free = used < common ? common - used : 0;
    uint64_t least = total / 4 / (core->live_count + 1u);

    return is_free > least ? is_free : least;
}

/* What is read at once is sent on as one message by who looks for none. */
void share_set_sizes(void)
{
    uint32_t frame_bytes = (uint32_t)core->config->limits.frame_bytes;

    core->message_most = frame_bytes + MESSAGE_HEADER_BYTES;
    core->read_most =
        frame_bytes < ARENA_READ_BYTES ? frame_bytes : ARENA_READ_BYTES;
}

/* Above it is room for one message more, where there is so much. */
static uint32_t share_high_water(uint32_t most)
{
    uint32_t more = core->message_most;

    if (most / 2 >= more)
        return most / 2;
    return most > more ? most - more : 0;
}

static uint64_t share_queue_total(void)
{
    return (uint64_t)core->config->limits.queue_bytes_total / core->workers;
}

void share_queue(int64_t bytes)
{
    const struct limits *limits = &core->config->limits;
    struct arena_header *header = core->arena.header;
    uint64_t most;

    header->queue_blocks += (uint64_t)bytes;
    core->has_freed |= bytes < 0;
    /* Blocks are powers of two: up to half of one may be empty. */
    most = share_of(share_queue_total(), header->queue_blocks) / 2;
    if (most > (uint64_t)limits->session_queue_bytes)
        most = (uint64_t)limits->session_queue_bytes;
    core->queue_most = (uint32_t)most;
    core->high_water = share_high_water((uint32_t)most);
}

bool share_may_queue(size_t len)
{
    return len <= share_alone(share_queue_total()) &&
           len <= (uint64_t)core->config->limits.session_queue_bytes;
}

bool share_has_room_for_rest(size_t len)
{
    return core->arena.header->queue_blocks + 2ull * len <=
           2 * share_queue_total() + SHARE_RESTS_LEAST;
}

uint64_t share_to_keep(void)
{
    return share_of((uint64_t)core->config->limits.kept_bytes_total /
                        core->workers,
                    core->arena.header->kept);
}

/* A message of which a part is on its way already goes on, see above. */
static bool share_rest_may_be_kept(size_t more)
{
    uint64_t total =
        (uint64_t)core->config->limits.kept_bytes_total / core->workers;

    return core->must_take &&
           core->arena.header->kept + more <= 2 * total + SHARE_RESTS_LEAST;
}

bool share_has_room_to_keep(const struct pg_session *session, size_t more)
{
    return !more || session->kept + more <= share_to_keep() ||
           share_rest_may_be_kept(more);
}

void share_keep(struct pg_session *session, int64_t bytes)
{
    session->kept += (uint64_t)bytes;
    core->arena.header->kept += (uint64_t)bytes;
    core->has_freed |= bytes < 0;
}
