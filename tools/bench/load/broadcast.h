/* What the two broadcasts share: one sender, lines of equal length whose
   content repeats after LINES, and who has got how many of them. */
#ifndef BROADCAST_H
#define BROADCAST_H

#include "load.h"

#define LINES       1024 /* then the contents begin anew; a power of two */
#define INPUT_BYTES 262144

/* How a server wants messages put, see protocols.c. */
struct framing {
    const char *name;
    struct text {
        const char *data;
        size_t len;
    } subscriber, subscribed; /* says first; ends what the server answers */
    struct text publisher, published;
    size_t (*publish)(char *out, const char *text, size_t len);
    size_t (*deliver)(char *out, const char *text, size_t len);
    bool has_pings; /* nats: PING comes between messages, PONG is expected */
};

/* Messages one behind the other, more than LINES of them, so that INPUT_BYTES
   can be compared at once from any place. */
struct frames {
    char *bytes;
    size_t len; /* of one */
};

const struct framing *framing_find(const char *name);
struct frames frames_create(size_t (*put)(char *, const char *, size_t),
                            size_t line_bytes);

void progress_init(unsigned receivers, unsigned depth);
/* How many lines may be sent in one write now; counts them as sent. */
unsigned progress_send(uint64_t now);
/* A receiver that had `from` lines has `to`. */
void progress_take(uint64_t from, uint64_t to, uint64_t now);
/* Likewise, but they never came. */
void progress_skip(uint64_t from, uint64_t to);
uint64_t progress_sent(void);

#endif
