/*
 * position - where in a JSON text each key and each value stands.
 *
 * A small scanner that finds places and judges nothing: jansson alone decides
 * what is JSON. Wherever jansson accepts a text, the map has every value that
 * jansson has (a fuzz target holds the two together); of any other text it
 * has what comes before the mistake.
 *
 * A path is a JSON pointer (RFC 6901): "" is the whole text,
 * "/handlers/1/max_bytes" an option of the second entry; "~1" stands for a
 * slash in a key and "~0" for a tilde.
 */
#ifndef POSITION_H
#define POSITION_H

#include <stdbool.h>
#include <stddef.h>

/* Byte offsets. In lists and at the top the key is where the value is. */
struct position {
    size_t key, key_end;
    size_t value, value_end;
};

struct position_map;

/* The text is not copied and must outlive the map. */
struct position_map *position_map_create(const char *text, size_t len);
void position_map_destroy(struct position_map *map);

/* False: the text has no such value. */
bool position_find(const struct position_map *map, const char *path,
                   struct position *found);
/* Finds that value, or the nearest one around it. False: there is none at
   all. */
bool position_find_near(const struct position_map *map, const char *path,
                        struct position *found);

/* How many values there are. */
size_t position_count(const struct position_map *map);

/* Calls fn for each key that its object had before; comments do not count. */
void position_each_duplicate(const struct position_map *map,
                             void (*fn)(const char *key, size_t first,
                                        size_t again, void *arg),
                             void *arg);

/* The innermost { or [ that is not closed. False: all are. */
bool position_open_bracket(const struct position_map *map, size_t *offset);

/* Line and column of an offset, both from 1; columns count characters. */
void position_line(const struct position_map *map, size_t offset, size_t *line,
                   size_t *column);

/* PARENT/KEY; the caller frees it. */
char *position_path_key(const char *parent, const char *key);

/* PARENT/INDEX, for a parent without keys that somebody else has chosen. */
struct position_path {
    char text[64];
};

struct position_path position_path_index(const char *parent, size_t index);

#endif
