/*
 * position_map - the nodes behind position.h: position_scan.c fills them,
 * position.c finds them again.
 */
#ifndef POSITION_MAP_H
#define POSITION_MAP_H

#include <stddef.h>
#include <stdint.h>

#define POSITION_NONE UINT32_MAX

/* One value. Children know their parents; `sorted` finds children. */
struct position_node {
    uint32_t parent;
    uint32_t index;  /* in its list or object */
    const char *key; /* decoded; NULL in lists and at the top */
    size_t key_at, key_end;
    size_t at, end;
};

struct position_map {
    const char *text;
    size_t len;
    struct position_node *nodes; /* in the order of the text */
    uint32_t count;
    uint32_t *children; /* how many each node has */
    uint32_t *sorted;   /* nodes by parent, then key, then place */
    uint32_t open;      /* the container that is not closed yet */
    char *keys;         /* the decoded keys; no longer than the text */
    size_t keys_used;
};

/* Fills the nodes of a map whose text is set; sorted stays empty. */
void position_scan(struct position_map *map);

#endif
