#include "broadcast.h"

#include <string.h>

static unsigned depth;
static uint64_t sent, floor_; /* lines; every receiver has the first floor_ */
static unsigned at[LINES];    /* how many receivers have so many lines */
static uint64_t stamps[LINES];

void progress_init(unsigned receivers, unsigned the_depth)
{
    if (the_depth > LINES / 2)
        fail("at most %d lines out", LINES / 2);
    depth = the_depth;
    at[0] = receivers;
}

uint64_t progress_sent(void)
{
    return sent;
}

/* Half of the depth a write, once there is room for that. */
unsigned progress_send(uint64_t now)
{
    unsigned half = depth > 1 ? depth / 2 : 1, count = 0;

    if (depth - (sent - floor_) < half)
        return 0;
    while (count < half && run_may_send()) {
        stamps[sent++ % LINES] = now;
        count++;
    }
    return count;
}

static void move(uint64_t from, uint64_t to)
{
    at[from % LINES]--;
    at[to % LINES]++;
    while (floor_ < sent && at[floor_ % LINES] == 0)
        floor_++;
}

void progress_take(uint64_t from, uint64_t to, uint64_t now)
{
    if (to > sent)
        fail("more came than was sent");
    for (uint64_t i = from; i < to;) {
        uint64_t stamp = stamps[i % LINES], first = i;

        while (i < to && stamps[i % LINES] == stamp)
            i++;
        run_count(now - stamp, i - first);
    }
    move(from, to);
}

void progress_skip(uint64_t from, uint64_t to)
{
    run_lost(to - from);
    move(from, to);
}
