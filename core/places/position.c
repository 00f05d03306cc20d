#include "places/position.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "places/position_map.h"

/* ---- order ------------------------------------------------------------ */

static int position_compare_keys(const struct position_node *a, const char *key,
                                 uint32_t index)
{
    if (a->key && key)
        return strcmp(a->key, key);
    return a->index < index ? -1 : a->index > index;
}

static int position_compare_nodes(const void *left, const void *right,
                                  void *arg)
{
    const struct position_map *map = arg;
    uint32_t l = *(const uint32_t *)left, r = *(const uint32_t *)right;
    const struct position_node *a = &map->nodes[l], *b = &map->nodes[r];

    if (a->parent != b->parent)
        return a->parent < b->parent ? -1 : 1;

    int order = position_compare_keys(a, b->key, b->index);

    return order ? order : l < r ? -1 : l > r;
}

static void position_sort_nodes(struct position_map *map)
{
    map->sorted = must_calloc(map->count, sizeof(*map->sorted));
    for (uint32_t i = 0; i < map->count; i++)
        map->sorted[i] = i;
    qsort_r(map->sorted, map->count, sizeof(*map->sorted),
            position_compare_nodes, map);
}

struct position_map *position_map_create(const char *text, size_t len)
{
    struct position_map *map = must_calloc(1, sizeof(*map));

    map->text = text;
    map->len = len;
    position_scan(map);
    position_sort_nodes(map);
    return map;
}

void position_map_destroy(struct position_map *map)
{
    if (!map)
        return;
    free(map->nodes);
    free(map->children);
    free(map->sorted);
    free(map->keys);
    free(map);
}

/* ---- finding ---------------------------------------------------------- */

/* The first in sorted[] that comes after this child of `parent`. */
static uint32_t position_upper_bound(const struct position_map *map,
                                     uint32_t parent, const char *key,
                                     uint32_t index)
{
    uint32_t low = 0, high = map->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct position_node *node = &map->nodes[map->sorted[middle]];
        bool is_after = node->parent != parent
                            ? node->parent > parent
                            : position_compare_keys(node, key, index) > 0;

        if (is_after)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Of equal keys the last one, which is also the one jansson takes. */
static uint32_t position_find_child(const struct position_map *map,
                                    uint32_t parent, const char *name)
{
    bool is_list = map->text[map->nodes[parent].at] == '[';
    uint32_t index = is_list ? (uint32_t)strtoul(name, NULL, 10) : 0;
    uint32_t after =
        position_upper_bound(map, parent, is_list ? NULL : name, index);

    if (after == 0)
        return POSITION_NONE;

    uint32_t found = map->sorted[after - 1];
    const struct position_node *node = &map->nodes[found];

    if (node->parent != parent ||
        position_compare_keys(node, is_list ? NULL : name, index) != 0)
        return POSITION_NONE;
    return found;
}

/* Copies the next part of a path without its escapes; returns what follows. */
static const char *position_next_part(const char *path, char *part)
{
    while (*path && *path != '/') {
        if (path[0] == '~' && (path[1] == '0' || path[1] == '1')) {
            *part++ = path[1] == '1' ? '/' : '~';
            path += 2;
        } else {
            *part++ = *path++;
        }
    }
    *part = '\0';
    return path;
}

/* How far the path goes: sets the last node met; true if that is its end. */
static bool position_walk(const struct position_map *map, const char *path,
                          uint32_t *at)
{
    char *part = must_calloc(strlen(path) + 1, 1);
    uint32_t next = 0;

    *at = 0;
    while (*path == '/') {
        path = position_next_part(path + 1, part);
        next = position_find_child(map, *at, part);
        if (next == POSITION_NONE)
            break;
        *at = next;
    }
    free(part);
    return next != POSITION_NONE;
}

static bool find(const struct position_map *map, const char *path, bool is_near,
                 struct position *found)
{
    uint32_t at;

    if (map->count == 0 || (!position_walk(map, path, &at) && !is_near))
        return false;

    const struct position_node *node = &map->nodes[at];

    *found =
        (struct position){node->key_at, node->key_end, node->at, node->end};
    return true;
}

bool position_find(const struct position_map *map, const char *path,
                   struct position *found)
{
    return find(map, path, false, found);
}

bool position_find_near(const struct position_map *map, const char *path,
                        struct position *found)
{
    return find(map, path, true, found);
}

size_t position_count(const struct position_map *map)
{
    return map->count;
}

/* A key that begins with // is a comment, with all that is below it. */
static bool position_is_comment(const struct position_map *map, uint32_t at)
{
    for (; at != POSITION_NONE; at = map->nodes[at].parent) {
        const char *key = map->nodes[at].key;

        if (key && key[0] == '/' && key[1] == '/')
            return true;
    }
    return false;
}

void position_each_duplicate(const struct position_map *map,
                             void (*fn)(const char *key, size_t first,
                                        size_t again, void *arg),
                             void *arg)
{
    uint32_t first = 0;

    for (uint32_t i = 1; i < map->count; i++) {
        const struct position_node *a = &map->nodes[map->sorted[first]];
        const struct position_node *b = &map->nodes[map->sorted[i]];

        if (!b->key || a->parent != b->parent || strcmp(a->key, b->key))
            first = i;
        else if (!position_is_comment(map, map->sorted[i]))
            fn(b->key, a->key_at, b->key_at, arg);
    }
}

bool position_open_bracket(const struct position_map *map, size_t *offset)
{
    if (map->open == POSITION_NONE)
        return false;
    *offset = map->nodes[map->open].at;
    return true;
}

void position_line(const char *text, size_t len, size_t offset, size_t *line,
                   size_t *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < offset && i < len; i++) {
        if (text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            ++*column; /* bytes inside a character do not count */
        }
    }
}

/* ---- paths ------------------------------------------------------------ */

char *position_path_key(const char *parent, const char *key)
{
    size_t len = strlen(parent);
    char *path = must_calloc(len + 2 * strlen(key) + 2, 1), *out = path + len;

    memcpy(path, parent, len);
    for (*out++ = '/'; *key; key++) {
        if (*key == '/' || *key == '~') {
            *out++ = '~';
            *out++ = *key == '/' ? '1' : '0';
        } else {
            *out++ = *key;
        }
    }
    return path;
}

char *position_path_index(const char *parent, size_t index)
{
    return must_printf("%s/%zu", parent, index);
}
