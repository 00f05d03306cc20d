#include "load.h"

#include <string.h>

static uint8_t pattern[PATTERN_BYTES + PATTERN_MORE];

/* xorshift64*: no two places look alike, so a byte that is lost, doubled or
   swapped shows. */
void pattern_init(void)
{
    uint64_t x = 88172645463325252u;

    for (size_t i = 0; i < PATTERN_BYTES; i += 8) {
        uint64_t value;

        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        value = x * 2685821657736338717u;
        memcpy(pattern + i, &value, 8);
    }
    memcpy(pattern + PATTERN_BYTES, pattern, PATTERN_MORE);
}

const uint8_t *pattern_at(uint64_t position)
{
    return pattern + position % PATTERN_BYTES;
}
