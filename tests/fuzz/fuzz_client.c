/*
 * fuzz_client: whatever a server sends, the client shows text that cannot
 * move a terminal's cursor, the same however the reads were cut; and whatever
 * is given as a URL is taken apart or refused with a reason.
 *
 * Input: a byte for where to cut, then the bytes.
 */
#include "fuzz.h"

#include <locale.h>

#include "client/client_url.c"
#include "client/terminal/client_text.c"

static void show(struct client_buffer *out, struct pg_bytes in, size_t piece)
{
    struct client_view view = {.width = 20};

    while (in.len) {
        size_t len = in.len < piece ? in.len : piece;

        client_view_add(&view, pg_bytes(in.data, len), out);
        in = pg_bytes(in.data + len, in.len - len);
        MUST(view.column <= 20);
    }
    client_view_flush(&view, out);
}

/* What can be seen, line ends and nothing else. */
static void check_harmless(const struct client_buffer *out)
{
    struct pg_bytes left = pg_bytes(out->data, out->len);
    uint32_t character;
    size_t len;

    while (left.len) {
        len = pg_utf8_next(left, &character);
        MUST(len > 0);
        MUST(character == '\n' || pg_utf8_width(character) >= 0);
        left = pg_bytes(left.data + len, left.len - len);
    }
}

static void check_view(struct pg_bytes in, size_t piece)
{
    struct client_buffer whole = {0}, cut = {0};

    show(&whole, in, in.len + 1);
    show(&cut, in, piece);
    check_harmless(&whole);
    MUST(whole.len == cut.len);
    MUST(whole.len == 0 || !memcmp(whole.data, cut.data, whole.len));
    client_buffer_finish(&whole);
    client_buffer_finish(&cut);
}

static void check_hex(struct pg_bytes in, unsigned columns)
{
    struct client_buffer out = {0};

    client_hex(&out, false, in, columns);
    check_harmless(&out);
    client_buffer_finish(&out);
}

static void check_url(struct pg_bytes in)
{
    char error[256] = "", *text = calloc(1, in.len + 1);
    struct client_url url;

    MUST(text);
    if (in.len)
        memcpy(text, in.data, in.len);
    if (client_url_parse(text, &url, error, sizeof(error))) {
        MUST(url.port >= 1 && url.port <= 65535);
        MUST(!url.path[0] != !url.host[0]);
        MUST(url.path[0] ? !strcmp(url.transport, "unix")
                         : !strcmp(url.transport, "tcp") ||
                               !strcmp(url.transport, "udp"));
    } else {
        MUST(error[0]);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz fuzz = {data, size};
    uint8_t choice = fuzz_byte(&fuzz);
    struct pg_bytes in = fuzz_bytes(&fuzz, fuzz.len);

    check_view(in, 1 + choice % 7);
    check_hex(in, choice);
    check_url(in);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    MUST(setlocale(LC_ALL, "C.UTF-8"));
    return 0;
}
