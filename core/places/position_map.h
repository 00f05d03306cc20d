/*
 * position_map - the nodes behind position.h: position_scan.c fills them,
 * position.c finds them again.
 */
#ifndef POSITION_MAP_H
#define POSITION_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "places/position.h"

#define POSITION_NONE       UINT32_MAX
#define POSITION_MARK_BYTES 256

/* One value. Children know their parents; `sorted` finds children. */
struct position_node {
    uint32_t parent;
    uint32_t index;  /* in its list or object */
    const char *key; /* decoded; NULL in lists and at the top */
    struct position where;
    bool is_comment; /* the key begins with two slashes, or that of a parent */
};

/* Line and column of each POSITION_MARK_BYTES-th byte. */
struct position_mark {
    size_t line, column;
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
    struct position_mark *marks;
};

/* Fills the nodes of a map whose text is set; `sorted` stays empty. */
void position_scan(struct position_map *map);

#endif
