/* How much one session may hold of what all of them share. */

#include "state/share.h"

#include "state/slot.h"

uint64_t share_of(uint64_t total, uint64_t used)
{
    uint64_t common = total - total / 4;
    uint64_t is_free = used < common ? common - used : 0;
    uint64_t least = total / 4 / (core->live_count + 1u);

    return is_free > least ? is_free : least;
}

void share_queue(int64_t bytes)
{
    const struct limits *limits = &core->config->limits;
    struct arena_header *header = core->arena.header;
    uint64_t most;

    header->queue_blocks += (uint64_t)bytes;
    /* Blocks are powers of two: up to half of one may be empty. */
    most = share_of((uint64_t)limits->queue_bytes_total / core->workers,
                    header->queue_blocks) /
           2;
    if (most > (uint64_t)limits->session_queue_bytes)
        most = (uint64_t)limits->session_queue_bytes;
    core->queue_most = (uint32_t)most;
    core->high_water = (uint32_t)(most / 2);
}

uint64_t share_to_keep(void)
{
    return share_of((uint64_t)core->config->limits.kept_bytes_total /
                        core->workers,
                    core->arena.header->kept);
}

bool share_has_room_to_keep(const struct pg_session *session, size_t more)
{
    return !more || session->kept + more <= share_to_keep();
}

void share_keep(struct pg_session *session, int64_t bytes)
{
    session->kept += (uint64_t)bytes;
    core->arena.header->kept += (uint64_t)bytes;
}
