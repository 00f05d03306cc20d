#include "places/position_map.h"

#include <stdbool.h>
#include <string.h>

#include "base/must.h"

struct scan {
    struct position_map *map;
    const char *text;
    size_t len, at;
};

/* ---- strings ---------------------------------------------------------- */

static void position_scan_skip_space(struct scan *scan)
{
    while (scan->at < scan->len && memchr(" \t\r\n", scan->text[scan->at], 4))
        scan->at++;
}

/* From the opening quote to behind the closing one, or to the end. */
static void position_scan_skip_string(struct scan *scan)
{
    for (scan->at++; scan->at < scan->len; scan->at++) {
        if (scan->text[scan->at] == '"') {
            scan->at++;
            return;
        }
        if (scan->text[scan->at] == '\\' && scan->at + 1 < scan->len)
            scan->at++;
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

/* What follows "\u"; returns how many bytes of it were used. */
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

/* What is between the quotes, decoded and ended with NUL. */
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
    node->key_at = node->key_end = node->at = node->end = scan->at;
    if (map->open != POSITION_NONE)
        node->index = map->children[map->open]++;
    return node;
}

/* Reads a string, number or word, or opens a container. */
static void position_scan_value(struct scan *scan, struct position_node *node)
{
    char c = scan->text[scan->at];

    node->at = scan->at;
    if (c == '{' || c == '[') {
        scan->map->open = (uint32_t)(node - scan->map->nodes);
        scan->at++;
    } else if (c == '"') {
        position_scan_skip_string(scan);
    } else {
        do
            scan->at++;
        while (scan->at < scan->len &&
               !memchr(" \t\r\n,:\"[]{}", scan->text[scan->at], 11));
    }
    node->end = scan->at;
}

/* "key" : value. False: there is no such thing here. */
static bool position_scan_member(struct scan *scan)
{
    if (scan->text[scan->at] != '"')
        return false;

    struct position_node *node = position_scan_add_node(scan);

    position_scan_skip_string(scan);
    node->key_end = scan->at;
    node->key =
        position_scan_decode(scan->map, node->key_at + 1, node->key_end - 1);
    position_scan_skip_space(scan);
    node->at = node->end = scan->at;
    if (scan->at == scan->len || scan->text[scan->at] != ':')
        return false;
    scan->at++;
    position_scan_skip_space(scan);
    if (scan->at == scan->len)
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
    bool is_object = scan->text[open->at] == '{';

    position_scan_skip_space(scan);
    if (scan->at == scan->len)
        return false;

    char c = scan->text[scan->at];

    if (c == (is_object ? '}' : ']')) {
        open->end = ++scan->at;
        map->open = open->parent;
    } else if (c == ',') {
        scan->at++;
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
    if (scan.at < scan.len)
        position_scan_value(&scan, position_scan_add_node(&scan));
    while (map->open != POSITION_NONE && position_scan_next(&scan))
        ;
}
