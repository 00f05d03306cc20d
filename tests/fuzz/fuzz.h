/*
 * fuzz - what the targets share: an input that is used up byte by byte, and a
 * check that stays on in every build.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <playground/handler.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define MUST(condition)                                                        \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__,         \
                    #condition);                                               \
            abort();                                                           \
        }                                                                      \
    } while (0)

struct fuzz {
    const uint8_t *data;
    size_t len;
};

/* 0 when nothing is left. */
static inline uint8_t fuzz_byte(struct fuzz *fuzz)
{
    if (fuzz->len == 0)
        return 0;
    fuzz->len--;
    return *fuzz->data++;
}

/* The next `len` bytes, or what is left. */
static inline struct pg_bytes fuzz_bytes(struct fuzz *fuzz, size_t len)
{
    struct pg_bytes bytes = {fuzz->data, len < fuzz->len ? len : fuzz->len};

    fuzz->data += bytes.len;
    fuzz->len -= bytes.len;
    return bytes;
}

#endif
