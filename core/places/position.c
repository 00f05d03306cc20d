/* Finds keys and values in a JSON text, by their paths and by their order. */

#include "places/position.h"

#include <stdio.h>
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

/* ---- lines and columns ------------------------------------------------ */

static void position_pass(char c, size_t *line, size_t *column)
{
    if (c == '\n') {
        ++*line;
        *column = 1;
    } else if (((unsigned char)c & 0xc0) != 0x80) {
        ++*column; /* bytes inside a character do not count */
    }
}

static void position_set_marks(struct position_map *map)
{
    struct position_mark here = {1, 1};

    map->marks =
        must_calloc(map->len / POSITION_MARK_BYTES + 1, sizeof(*map->marks));
    for (size_t i = 0; i < map->len; i++) {
        if (i % POSITION_MARK_BYTES == 0)
            map->marks[i / POSITION_MARK_BYTES] = here;
        position_pass(map->text[i], &here.line, &here.column);
    }
    if (map->len % POSITION_MARK_BYTES == 0)
        map->marks[map->len / POSITION_MARK_BYTES] = here;
}

void position_line(const struct position_map *map, size_t offset, size_t *line,
                   size_t *column)
{
    const struct position_mark *mark;

    if (offset > map->len)
        offset = map->len;
    mark = &map->marks[offset / POSITION_MARK_BYTES];
    *line = mark->line;
    *column = mark->column;
    for (size_t i = offset - offset % POSITION_MARK_BYTES; i < offset; i++)
        position_pass(map->text[i], line, column);
}

/* ---- life ------------------------------------------------------------- */

struct position_map *position_map_create(const char *text, size_t len)
{
    struct position_map *map = must_calloc(1, sizeof(*map));

    map->text = text;
    map->len = len;
    position_scan(map);
    position_sort_nodes(map);
    position_set_marks(map);
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
    free(map->marks);
    free(map);
}

/* ---- finding ---------------------------------------------------------- */

/* Returns where in sorted[] the next one behind this child of `parent` is. */
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

/* Finds the last one of equal keys, which is also the one jansson takes. */
static uint32_t position_find_child(const struct position_map *map,
                                    uint32_t parent, const char *name)
{
    bool is_list = map->text[map->nodes[parent].where.value] == '[';
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

/* Follows the path as far as it goes and sets the last node it met. True if
   that is its end. */
static bool position_walk(const struct position_map *map, const char *path,
                          uint32_t *last)
{
    char *part = must_calloc(strlen(path) + 1, 1);
    uint32_t next = 0;

    *last = 0;
    while (*path == '/') {
        path = position_next_part(path + 1, part);
        next = position_find_child(map, *last, part);
        if (next == POSITION_NONE)
            break;
        *last = next;
    }
    free(part);
    return next != POSITION_NONE;
}

static bool position_find_or(const struct position_map *map, const char *path,
                             bool is_near, struct position *found)
{
    uint32_t last;

    if (map->count == 0 || (!position_walk(map, path, &last) && !is_near))
        return false;
    *found = map->nodes[last].where;
    return true;
}

bool position_find(const struct position_map *map, const char *path,
                   struct position *found)
{
    return position_find_or(map, path, false, found);
}

bool position_find_near(const struct position_map *map, const char *path,
                        struct position *found)
{
    return position_find_or(map, path, true, found);
}

size_t position_count(const struct position_map *map)
{
    return map->count;
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
        else if (!b->is_comment)
            fn(b->key, a->where.key, b->where.key, arg);
    }
}

bool position_open_bracket(const struct position_map *map, size_t *offset)
{
    if (map->open == POSITION_NONE)
        return false;
    *offset = map->nodes[map->open].where.value;
    return true;
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

struct position_path position_path_index(const char *parent, size_t index)
{
    struct position_path path;

    snprintf(path.text, sizeof(path.text), "%s/%zu", parent, index);
    return path;
}
