/* The ring behind an output. */
#include "base/backlog.h"

static char *backlog_at(struct backlog *backlog, size_t i)
{
    return &backlog->ring[(backlog->start + i) % OUTPUT_RING_BYTES];
}

size_t backlog_room(const struct backlog *backlog)
{
    return OUTPUT_RING_BYTES - backlog->len;
}

void backlog_put(struct backlog *backlog, struct pg_bytes bytes)
{
    char *end = backlog_at(backlog, backlog->len);
    size_t first = (size_t)(backlog->ring + OUTPUT_RING_BYTES - end);

    if (first > bytes.len)
        first = bytes.len;
    memcpy(end, bytes.data, first);
    memcpy(backlog->ring, bytes.data + first, bytes.len - first);
    backlog->len += bytes.len;
}

char backlog_byte(const struct backlog *backlog, size_t i)
{
    return backlog->ring[(backlog->start + i) % OUTPUT_RING_BYTES];
}

uint64_t backlog_lines(const struct backlog *backlog)
{
    uint64_t count = 0;

    for (size_t i = 0; i < backlog->len; i++)
        count += backlog_byte(backlog, i) == '\n';
    return count;
}

static size_t backlog_next_len(struct backlog *backlog, size_t most)
{
    size_t len = most;

    if (most == 0 || backlog->len <= most)
        return backlog->len;
    while (len > 0 && backlog_byte(backlog, len - 1) != '\n')
        len--;
    if (len > 0)
        return len;
    for (len = most; len < backlog->len; len++)
        if (backlog_byte(backlog, len) == '\n')
            return len + 1;
    return backlog->len;
}

int backlog_next(struct backlog *backlog, size_t most, struct iovec parts[2])
{
    size_t len = backlog_next_len(backlog, most);
    size_t first = OUTPUT_RING_BYTES - backlog->start;

    if (first > len)
        first = len;
    parts[0] = (struct iovec){backlog->ring + backlog->start, first};
    parts[1] = (struct iovec){backlog->ring, len - first};
    return len > first ? 2 : 1;
}

void backlog_taken(struct backlog *backlog, size_t len)
{
    backlog->start = (backlog->start + len) % OUTPUT_RING_BYTES;
    backlog->len -= len;
    backlog->taken += len;
}
