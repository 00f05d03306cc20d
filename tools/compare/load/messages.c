/* The messages that clients say: made up, or read from a file. */

#include "compare/load/messages.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/remedy.h"

#define FILE_MOST_BYTES (8u << 20)

/* ---- tokens ----------------------------------------------------------- */

#define TOKEN_DIGITS (MESSAGES_TOKEN_BYTES - 2)

/* No digit in front of the token, nothing that a chat takes for a command,
   and the token last: when it has come, the whole message has. */
static struct pg_bytes messages_make(struct messages *messages, uint64_t number)
{
    static const char words[] = "one of many messages that are all alike but "
                                "for ";
    char token[32];
    size_t at = MESSAGES_DEFAULT_BYTES - MESSAGES_TOKEN_BYTES;

    memset(messages->made, '.', at);
    memcpy(messages->made, words, sizeof(words) - 1);
    snprintf(token, sizeof(token), "PG%0*" PRIu64, TOKEN_DIGITS,
             number % UINT64_C(10000000000));
    memcpy(messages->made + at, token, MESSAGES_TOKEN_BYTES);
    return pg_bytes(messages->made, MESSAGES_DEFAULT_BYTES);
}

static void messages_scan_byte(struct token_scan *scan, uint8_t byte)
{
    int letter = toupper(byte);

    if (scan->matched >= 2 && isdigit(byte)) {
        scan->number = 10 * scan->number + (byte - '0');
        scan->matched++;
    } else if (scan->matched == 1 && letter == 'G') {
        scan->matched = 2;
        scan->number = 0;
    } else {
        scan->matched = letter == 'P';
    }
}

bool token_next(struct token_scan *scan, struct pg_bytes *in, uint64_t *number)
{
    for (size_t i = 0; i < in->len; i++) {
        messages_scan_byte(scan, in->data[i]);
        if (scan->matched < MESSAGES_TOKEN_BYTES)
            continue;
        *number = scan->number;
        scan->matched = 0;
        *in = pg_bytes(in->data + i + 1, in->len - i - 1);
        return true;
    }
    *in = pg_bytes(in->data, 0);
    return false;
}

struct pg_bytes messages_get(struct messages *messages, uint64_t number)
{
    if (!messages->list)
        return messages_make(messages, number);
    return messages->list[number % messages->count];
}

/* ---- one line --------------------------------------------------------- */

static int messages_hex_digit(int letter)
{
    if (isdigit(letter))
        return letter - '0';
    return isxdigit(letter) ? tolower(letter) - 'a' + 10 : -1;
}

/* Two digits, or -1. */
static int messages_hex_pair(struct pg_bytes text)
{
    int high = text.len > 0 ? messages_hex_digit(text.data[0]) : -1;
    int low = text.len > 1 ? messages_hex_digit(text.data[1]) : -1;

    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Reads what stands behind a backslash: returns its byte, and in `used` its
   letters. */
static int messages_escape(struct pg_bytes text, size_t *used)
{
    static const char letters[] = "\\nrt0";
    static const char bytes[] = "\\\n\r\t";
    const char *at;

    *used = 1;
    if (text.len == 0)
        return -1;
    if (text.data[0] == 'x') {
        *used = 3;
        return messages_hex_pair(pg_bytes(text.data + 1, text.len - 1));
    }
    at = text.data[0] ? strchr(letters, text.data[0]) : NULL;
    return at ? bytes[at - letters] : -1;
}

/* The readers below return the length of what they write, or -1 with the place
   in `at`. */
static long messages_read_text(struct pg_bytes line, uint8_t *out, size_t *at)
{
    long len = 0;

    for (*at = 0; *at < line.len; (*at)++) {
        size_t used = 0;
        int byte = line.data[*at];

        if (byte == '\\')
            byte = messages_escape(
                pg_bytes(line.data + *at + 1, line.len - *at - 1), &used);
        if (byte < 0)
            return -1;
        *at += used;
        out[len++] = (uint8_t)byte;
    }
    return len;
}

static long messages_read_hex(struct pg_bytes line, uint8_t *out, size_t *at)
{
    long len = 0;

    for (*at = 0; *at < line.len; (*at)++) {
        int byte;

        if (isspace(line.data[*at]))
            continue;
        byte = messages_hex_pair(pg_bytes(line.data + *at, line.len - *at));
        if (byte < 0)
            return -1;
        ++*at;
        out[len++] = (uint8_t)byte;
    }
    return len;
}

/* ---- all of them ------------------------------------------------------ */

static const char *messages_advice(bool is_hex)
{
    return is_hex ? "write two hex digits for each byte, as in 68 65 6a"
                  : "write \\\\ for a backslash, or \\n \\r \\t \\0 \\xHH";
}

/* Reads one line to the end of the memory in use. */
static bool messages_add_line(struct messages *messages, struct pg_bytes line,
                              size_t *used, bool is_hex, char *error,
                              size_t error_size)
{
    uint8_t *out = messages->memory + *used;
    size_t at;
    long len;

    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    len = is_hex ? messages_read_hex(line, out, &at)
                 : messages_read_text(line, out, &at);
    if (len < 0)
        snprintf(error, error_size, "%zu: %s; %s", at + 1,
                 is_hex ? "no hex digits" : "no such escape",
                 messages_advice(is_hex));
    else if (len == 0)
        snprintf(error, error_size,
                 "1: an empty message, which a stream cannot show; delete "
                 "the line");
    else if (len > MESSAGES_MOST_BYTES)
        snprintf(error, error_size,
                 "1: %ld bytes do not fit into a datagram; %d are the most",
                 len, MESSAGES_MOST_BYTES);
    if (len <= 0 || len > MESSAGES_MOST_BYTES)
        return false;
    messages->list = must_realloc(messages->list, messages->count + 1,
                                  sizeof(*messages->list));
    messages->list[messages->count++] = pg_bytes(out, (size_t)len);
    *used += (size_t)len;
    return true;
}

bool messages_parse(struct messages *messages, struct pg_bytes text,
                    const char *path, bool is_hex, char *error,
                    size_t error_size)
{
    size_t used = 0;
    char why[256];

    *messages = (struct messages){.memory = must_calloc(text.len + 1, 1)};
    for (unsigned number = 1; text.len > 0; number++) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;

        if (!messages_add_line(messages, pg_bytes(text.data, len), &used,
                               is_hex, why, sizeof(why))) {
            snprintf(error, error_size, "%s:%u:%s", path, number, why);
            messages_finish(messages);
            return false;
        }
        len += end != NULL;
        text = pg_bytes(text.data + len, text.len - len);
    }
    if (messages->count > 0)
        return true;
    snprintf(error, error_size, "%s: no message in it; write one a line", path);
    messages_finish(messages);
    return false;
}

#define USUAL "give a file with one message a line"

bool messages_read(struct messages *messages, const char *path, bool is_hex,
                   char *error, size_t error_size)
{
    FILE *file = fopen(path, "re");
    char said[REMEDY_BYTES];
    uint8_t *text;
    size_t len;
    bool is_good;

    if (!file) {
        snprintf(
            error, error_size, "%s: %s", path,
            remedy_file(REMEDY_READ, path, errno, USUAL, said, sizeof(said)));
        return false;
    }
    text = must_calloc(FILE_MOST_BYTES, 1);
    len = fread(text, 1, FILE_MOST_BYTES, file);
    is_good = !ferror(file) && len < FILE_MOST_BYTES;
    if (ferror(file))
        snprintf(
            error, error_size, "%s: %s", path,
            remedy_file(REMEDY_READ, path, errno, USUAL, said, sizeof(said)));
    else if (!is_good)
        snprintf(error, error_size, "%s: 8 MiB or more; give a smaller file",
                 path);
    fclose(file);
    is_good = is_good && messages_parse(messages, pg_bytes(text, len), path,
                                        is_hex, error, error_size);
    free(text);
    return is_good;
}

void messages_finish(struct messages *messages)
{
    free(messages->list);
    free(messages->memory);
    *messages = (struct messages){0};
}

/* ---- are they all different? ------------------------------------------- */

static int messages_by_bytes(const void *a, const void *b)
{
    const struct pg_bytes *one = a, *other = b;
    size_t len = one->len < other->len ? one->len : other->len;
    int order = memcmp(one->data, other->data, len);

    return order ? order : one->len < other->len ? -1 : one->len > other->len;
}

bool messages_repeat(const struct messages *messages, uint64_t sent)
{
    struct pg_bytes *sorted;
    bool is_same = false;

    if (!messages->list || sent > messages->count)
        return messages->list != NULL;
    sorted = must_calloc(messages->count, sizeof(*sorted));
    memcpy(sorted, messages->list, messages->count * sizeof(*sorted));
    qsort(sorted, sent, sizeof(*sorted), messages_by_bytes);
    for (uint64_t i = 1; i < sent && !is_same; i++)
        is_same = messages_by_bytes(&sorted[i - 1], &sorted[i]) == 0;
    free(sorted);
    return is_same;
}
