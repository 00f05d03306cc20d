/*
 * swap_parts - what the files of swap.h share.
 */
#ifndef SWAP_PARTS_H
#define SWAP_PARTS_H

#include "compare/lab/syscalls.h"
#include "compare/load/load.h"

#define SWAP_TRACED 200 /* messages while system calls are counted, at most */

/* A run over one transport. */
struct swap_side {
    const char *transport;
    json_t *config, *notes;
    struct config *loaded;

    struct load_found found;
    struct load_result result;
    bool is_ambiguous;  /* equal messages, some lost or doubled: which? */
    double *latencies;  /* sorted */
    double *due, *late; /* of the same deliveries: a point each, unsorted */
    size_t noted;
    struct syscalls syscalls;
    uint64_t traced; /* messages while they were counted; 0: they were not */
    const char *untraced;            /* why not */
    double idle_bytes, loaded_bytes; /* memory of the server */
    double wire_bytes; /* a message, both ways, headers included */
};

struct swap {
    const char *path;
    bool has_link;
    double rate;
    unsigned clients;
    struct swap_side sides[2]; /* by enum side */
};

/* ---- swap_show.c ------------------------------------------------------ */

void swap_show(struct lab *lab, const struct swap *swap);

#endif
