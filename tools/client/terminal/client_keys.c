/* Cuts what was typed into keys that libedit can take one by one. */

#include "client/terminal/client_keys.h"

#define ESC          0x1b
#define SEQUENCE_MAX 32

#define CONTROL(letter) ((letter)&0x1f)

/* Sequences behind "ESC [" or "ESC O", and the key of emacs that does the
   same. */
static const struct sequence {
    const char *text;
    wchar_t key[KEY_MAX];
} sequences[] = {
    {"A", {CONTROL('P')}},  {"B", {CONTROL('N')}},  {"C", {CONTROL('F')}},
    {"D", {CONTROL('B')}},  {"H", {CONTROL('A')}},  {"F", {CONTROL('E')}},
    {"1~", {CONTROL('A')}}, {"4~", {CONTROL('E')}}, {"7~", {CONTROL('A')}},
    {"8~", {CONTROL('E')}}, {"3~", {KEY_DELETE}},   {"1;5C", {ESC, 'f'}},
    {"1;5D", {ESC, 'b'}},   {"1;3C", {ESC, 'f'}},   {"1;3D", {ESC, 'b'}},
};

/* Control characters that edit; Ctrl-C and Ctrl-Z become signals. */
static const char controls[] = "ABDEFHIKLNPTUWY";
/* Keys with Alt, which comes as an ESC before them, go word by word. */
static const char metas[] = "bBfFdDcCuUlL\x7f\x08";

static int client_keys_look_up(const char *text, size_t len,
                               wchar_t key[KEY_MAX])
{
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        const struct sequence *one = &sequences[i];

        if (strlen(one->text) != len || memcmp(one->text, text, len) != 0)
            continue;
        memcpy(key, one->key, sizeof(one->key));
        return key[1] ? 2 : 1;
    }
    return 0;
}

/* "ESC [ 1 ; 5 C": digits and signs, then one byte from "@" to "~". */
static int client_keys_read_sequence(struct client_buffer *typed,
                                     wchar_t key[KEY_MAX])
{
    size_t at = 2;
    int count;

    while (at < typed->len && at < SEQUENCE_MAX && typed->data[at] >= 0x20 &&
           typed->data[at] < 0x40)
        at++;
    if (at == typed->len)
        return -1;
    count = client_keys_look_up(typed->data + 2, at - 1, key);
    client_buffer_drop(typed, at + 1);
    return count;
}

static int client_keys_read_escape(struct client_buffer *typed,
                                   wchar_t key[KEY_MAX])
{
    char second;

    if (typed->len < 2)
        return -1;
    second = typed->data[1];
    if (second == '[' || second == 'O')
        return client_keys_read_sequence(typed, key);
    if (second == '\0' || !strchr(metas, second)) {
        client_buffer_drop(typed, 1);
        return 0;
    }
    key[0] = ESC;
    key[1] = (wchar_t)second;
    client_buffer_drop(typed, 2);
    return 2;
}

static int client_keys_read_control(struct client_buffer *typed,
                                    wchar_t key[KEY_MAX])
{
    char c = typed->data[0];

    client_buffer_drop(typed, 1);
    if (c == '\r' || c == '\n')
        key[0] = '\n';
    else if (c == 0x7f)
        key[0] = CONTROL('H');
    else if (c != 0 && strchr(controls, c + '@'))
        key[0] = c;
    else
        return 0;
    return 1;
}

int client_keys_next(struct client_buffer *typed, wchar_t key[KEY_MAX])
{
    uint32_t c;
    int len = client_utf8((const uint8_t *)typed->data, typed->len, &c);

    if (len == 0)
        return -1;
    if (len < 0) {
        client_buffer_drop(typed, 1);
        return 0;
    }
    if (c == ESC)
        return client_keys_read_escape(typed, key);
    if (c < 0x20 || c == 0x7f)
        return client_keys_read_control(typed, key);
    client_buffer_drop(typed, (size_t)len);
    key[0] = (wchar_t)c;
    /* Whether libedit can draw it, which asks the C library. */
    return wcwidth(key[0]) < 0 ? 0 : 1;
}
