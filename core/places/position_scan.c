/* Reads a JSON text into the nodes of a position map. */

#include "places/position_map.h"

#include <string.h>

#include "base/must.h"

struct scan {
    struct position_map *map;
    const char *text;
    size_t len, offset;
};

/* ---- strings ---------------------------------------------------------- */

static void position_scan_skip_space(struct scan *scan)
{
    while (scan->offset < scan->len &&
           memchr(" \t\r\n", scan->text[scan->offset], 4))
        scan->offset++;
}

/* From the opening quote to behind the closing one, or to the end. */
static void position_scan_skip_string(struct scan *scan)
{
    for (scan->offset++; scan->offset < scan->len; scan->offset++) {
        if (scan->text[scan->offset] == '"') {
            scan->offset++;
            return;
        }
        if (scan->text[scan->offset] == '\\' && scan->offset + 1 < scan->len)
            scan->offset++;
    }
}

static uint32_t position_scan_read_hex(const char *text, size_t len)
{
    uint32_t code = 0;

    for (size_t i = 0; i < 4 && i < len; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = strchr(digits, text[i] | 0x20);

        if (!text[i] || !digit)
            return 0xfffd;
        code = code << 4 | (uint32_t)(digit - digits);
    }
    return code;
}

static char *position_scan_put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *out++ = (char)(0xe0 | code >> 12);
        } else {
            *out++ = (char)(0xf0 | code >> 18);
            *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        }
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *out++ = (char)(0x80 | (code & 0x3f));
    return out;
}

/* Decodes the digits behind "\u", and a second half if there is one. Returns
   how many bytes it used. */
static size_t position_scan_decode_unicode(const char *in, size_t len,
                                           char **out)
{
    uint32_t code = position_scan_read_hex(in, len);
    size_t used = len < 4 ? len : 4;

    if (code >= 0xd800 && code < 0xdc00 && len >= 10 && in[4] == '\\' &&
        in[5] == 'u') {
        uint32_t low = position_scan_read_hex(in + 6, 4);

        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            used = 10;
        }
    }
    *out = position_scan_put_utf8(*out, code);
    return used;
}

/* Decodes the text between two quotes and ends it with NUL. */
static const char *position_scan_decode(struct position_map *map, size_t from,
                                        size_t to)
{
    static const char escapes[] = "bfnrt", bytes[] = "\b\f\n\r\t";
    char *key = map->keys + map->keys_used, *out = key;

    while (from < to) {
        char c = map->text[from++];
        const char *escape;

        if (c != '\\' || from == to) {
            *out++ = c;
        } else if ((c = map->text[from++]) == 'u') {
            from +=
                position_scan_decode_unicode(map->text + from, to - from, &out);
        } else {
            escape = c ? strchr(escapes, c) : NULL;
            *out++ = escape ? bytes[escape - escapes] : c;
        }
    }
    *out++ = '\0';
    map->keys_used += (size_t)(out - key);
    return key;
}

/* ---- the scanner ------------------------------------------------------ */

static struct position_node *position_scan_add_node(struct scan *scan)
{
    struct position_map *map = scan->map;

    map->nodes = must_grow(map->nodes, map->count, sizeof(*map->nodes));
    map->children =
        must_grow(map->children, map->count, sizeof(*map->children));
    map->children[map->count] = 0;

    struct position_node *node = &map->nodes[map->count++];

    *node = (struct position_node){.parent = map->open};
    node->where = (struct position){scan->offset, scan->offset, scan->offset,
                                    scan->offset};
    if (map->open != POSITION_NONE) {
        node->index = map->children[map->open]++;
        node->is_comment = map->nodes[map->open].is_comment;
    }
    return node;
}

/* Reads a string, number or word, or opens a container. */
static void position_scan_value(struct scan *scan, struct position_node *node)
{
    char c = scan->text[scan->offset];

    node->where.value = scan->offset;
    if (c == '{' || c == '[') {
        scan->map->open = (uint32_t)(node - scan->map->nodes);
        scan->offset++;
    } else if (c == '"') {
        position_scan_skip_string(scan);
    } else {
        do
            scan->offset++;
        while (scan->offset < scan->len &&
               !memchr(" \t\r\n,:\"[]{}", scan->text[scan->offset], 11));
    }
    node->where.value_end = scan->offset;
}

/* "key" : value. False: there is no such thing here. */
static bool position_scan_member(struct scan *scan)
{
    if (scan->text[scan->offset] != '"')
        return false;

    struct position_node *node = position_scan_add_node(scan);

    position_scan_skip_string(scan);
    node->where.key_end = scan->offset;
    node->key = position_scan_decode(scan->map, node->where.key + 1,
                                     node->where.key_end - 1);
    node->is_comment |= node->key[0] == '/' && node->key[1] == '/';
    position_scan_skip_space(scan);
    node->where.value = node->where.value_end = scan->offset;
    if (scan->offset == scan->len || scan->text[scan->offset] != ':')
        return false;
    scan->offset++;
    position_scan_skip_space(scan);
    if (scan->offset == scan->len)
        return false;
    position_scan_value(scan, node);
    return true;
}

/* The next thing inside the container that is open. Commas are not counted:
   whether there are enough of them is not for us to say. */
static bool position_scan_next(struct scan *scan)
{
    struct position_map *map = scan->map;
    struct position_node *open = &map->nodes[map->open];
    bool is_object = scan->text[open->where.value] == '{';

    position_scan_skip_space(scan);
    if (scan->offset == scan->len)
        return false;

    char c = scan->text[scan->offset];

    if (c == (is_object ? '}' : ']')) {
        open->where.value_end = ++scan->offset;
        map->open = open->parent;
    } else if (c == ',') {
        scan->offset++;
    } else if (is_object) {
        return position_scan_member(scan);
    } else if (c == ']' || c == '}' || c == ':') {
        return false;
    } else {
        position_scan_value(scan, position_scan_add_node(scan));
    }
    return true;
}

void position_scan(struct position_map *map)
{
    struct scan scan = {map, map->text, map->len, 0};

    map->open = POSITION_NONE;
    map->keys = must_calloc(map->len + 1, 1);
    position_scan_skip_space(&scan);
    if (scan.offset < scan.len)
        position_scan_value(&scan, position_scan_add_node(&scan));
    while (map->open != POSITION_NONE && position_scan_next(&scan))
        ;
}
