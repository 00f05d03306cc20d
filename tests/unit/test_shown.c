/* Whatever a text holds, no way to people lets through what a terminal obeys
   or nobody sees; the texts are drawn, and a failure names its seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <wctype.h>

#include "base/hash.h"
#include "base/output.h"
#include "base/say.h"
#include "base/text.h"
#include "cli/columns.h"
#include "cli/json_out.h"
#include "client/terminal/client_text.h"
#include "compare/report/html.h"
#include "places/problems.h"

#define ROUNDS    3000
#define TEXT_MAX  48 /* characters of a drawn text */
#define SEED_NOTE "seed %u: "

/* ---- what must not come out --------------------------------------------- */

/* Not libunistring's words, so that a wrong question to it is seen. */
static bool is_forbidden(wchar_t c)
{
    static const struct {
        wchar_t first, last;
    } ranges[] = {{0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},
                  {0x34f, 0x34f},     {0x61c, 0x61c},     {0x115f, 0x1160},
                  {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},
                  {0x2028, 0x202e},   {0x2060, 0x206f},   {0x3164, 0x3164},
                  {0xd800, 0xf8ff},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},
                  {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},
                  {0xfffe, 0xffff},   {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
                  {0xe0000, 0x10ffff}};

    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return !iswprint((wint_t)c);
}

/* `lines`: line ends are the writer's own. */
static void assert_harmless(const char *shown, size_t len, bool lines,
                            unsigned seed, const char *where)
{
    mbstate_t state = {0};

    for (size_t at = 0; at < len;) {
        wchar_t c = 0;
        size_t bytes = mbrtowc(&c, shown + at, len - at, &state);

        if (bytes == 0 || bytes > len ||
            (is_forbidden(c) && !(lines && c == '\n')))
            fail_msg(SEED_NOTE "%s lets U+%04X through, byte %zu of \"%.*s\"",
                     seed, where, (unsigned)c, at, (int)len, shown);
        at += bytes;
    }
}

/* ---- drawing ------------------------------------------------------------ */

static uint64_t drawn;

static unsigned draw(unsigned below)
{
    return (unsigned)(hash_random(&drawn) % below);
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80)
        return (size_t)sprintf(out, "%c", (int)c);
    if (c < 0x800)
        return (size_t)sprintf(out, "%c%c", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
    if (c < 0x10000) /* a surrogate, too */
        return (size_t)sprintf(out, "%c%c%c", 0xe0 | c >> 12,
                               0x80 | (c >> 6 & 0x3f), 0x80 | (c & 0x3f));
    return (size_t)sprintf(out, "%c%c%c%c", 0xf0 | c >> 18,
                           0x80 | (c >> 12 & 0x3f), 0x80 | (c >> 6 & 0x3f),
                           0x80 | (c & 0x3f));
}

static size_t draw_character(char *out)
{
    static const uint32_t bad[] = {
        0x1b,   0x7f,   0x85,   0x9b,   0xad,   0x34f,   0x61c,
        0x200b, 0x200d, 0x200e, 0x200f, 0x2028, 0x202a,  0x202e,
        0x2060, 0x2066, 0x2069, 0x3164, 0xd800, 0xe000,  0xfdd0,
        0xfe0f, 0xfeff, 0xfff9, 0xffff, 0x378,  0xe0001, 0xe007f};
    static const uint32_t good[] = {'a',   '\\',   '"',     '<',  0xe9,
                                    0x301, 0x65e5, 0x1f600, 0xa0, 0x3000};

    switch (draw(7)) {
    case 0: /* a byte, so that sequences are cut, too long, or none */
        *out = (char)(1 + draw(255));
        return 1;
    case 1:
        return put_utf8(out, bad[draw(sizeof(bad) / sizeof(*bad))]);
    case 2:
        return put_utf8(out, good[draw(sizeof(good) / sizeof(*good))]);
    case 3:
        return put_utf8(out, 1 + draw(0x1f));
    case 4: /* the planes where characters are */
        return put_utf8(out, 1 + draw(0x1ffff));
    case 5:
        return put_utf8(out, 1 + draw(0x10ffff));
    default:
        return put_utf8(out, ' ' + draw(95));
    }
}

/* Without NUL bytes. */
static size_t draw_text(char text[4 * TEXT_MAX + 1], unsigned seed)
{
    size_t len = 0;
    unsigned count;

    drawn = seed;
    count = draw(TEXT_MAX + 1);
    for (unsigned i = 0; i < count; i++)
        len += draw_character(text + len);
    text[len] = '\0';
    return len;
}

/* ---- the escapers ------------------------------------------------------- */

static void test_shown_text_is_harmless(void **state)
{
    char text[4 * TEXT_MAX + 1], quote[TEXT_QUOTE_BYTES];

    (void)state;
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        struct say_line line = {0};
        char *clean;

        draw_text(text, seed);
        clean = text_clean(text);
        assert_harmless(clean, strlen(clean), false, seed, "text_clean");
        text_quote(text, quote);
        assert_harmless(quote, strlen(quote), false, seed, "text_quote");
        say_add(&line, text);
        assert_harmless(line.text, line.len, false, seed, "say_add");
        free(clean);
    }
}

static void test_shown_text_is_as_wide_as_it_says(void **state)
{
    char text[4 * TEXT_MAX + 1];

    (void)state;
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        char *clean;

        draw_text(text, seed);
        clean = text_clean(text);
        assert_int_equal(columns_width(text), columns_width(clean));
        free(clean);
    }
    assert_int_equal(columns_width("e\u0301"), 1);
    assert_int_equal(columns_width("\u65e5\U0001f600"), 4);
    assert_int_equal(columns_width("\u200f"), strlen("\\u200f"));
}

/* What stands behind a backslash; moves on to what follows it. */
static size_t unescape(const char **at, char *out)
{
    static const char codes[] = "nrt\\\"", bytes[] = "\n\r\t\\\"";
    const char *code = strchr(codes, **at);
    int digits = **at == 'x' ? 2 : **at == 'u' ? 4 : 8;
    char number[9] = "";

    if (code) {
        *out = bytes[code - codes];
        *at += 1;
        return 1;
    }
    memcpy(number, *at + 1, (size_t)digits);
    *at += 1 + digits;
    if (digits > 2)
        return put_utf8(out, (uint32_t)strtoul(number, NULL, 16));
    *out = (char)strtoul(number, NULL, 16);
    return 1;
}

static void assert_says_all(const char *text, size_t len, const char *shown,
                            unsigned seed)
{
    char back[4 * TEXT_MAX + 8];
    size_t back_len = 0;

    while (*shown) {
        assert_true(back_len <= len);
        if (*shown++ == '\\')
            back_len += unescape(&shown, back + back_len);
        else
            back[back_len++] = shown[-1];
    }
    if (back_len != len || memcmp(back, text, len) != 0)
        fail_msg(SEED_NOTE "the bytes cannot be told from what is shown", seed);
}

static void test_shown_line_is_harmless_and_says_all(void **state)
{
    char text[4 * TEXT_MAX + 1], shown[10 * 4 * TEXT_MAX];

    (void)state;
    for (unsigned seed = 0; seed < 2 * ROUNDS; seed++) {
        enum pg_utf8_form form = seed % 2 ? PG_UTF8_LINE : PG_UTF8_QUOTED;
        size_t used, len = draw_text(text, seed);
        size_t shown_len =
            text_show(shown, sizeof(shown), pg_bytes(text, len), form, &used);

        assert_int_equal(used, len);
        assert_harmless(shown, shown_len, false, seed, "text_show");
        assert_says_all(text, len, shown, seed);
    }
}

/* With any room, nothing is cut in two and nothing is written beyond. */
static void test_shown_line_is_cut_between_characters(void **state)
{
    char text[4 * TEXT_MAX + 1], shown[64];

    (void)state;
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        size_t used, len = draw_text(text, seed), size = draw(40);
        size_t shown_len;

        memset(shown, '!', sizeof(shown));
        shown_len =
            text_show(shown, size, pg_bytes(text, len), PG_UTF8_LINE, &used);

        assert_true(shown_len < size || (size == 0 && shown_len == 0));
        assert_int_equal(shown[size], '!');
        if (size > 0) {
            assert_says_all(text, used, shown, seed);
            assert_true(used == len || shown_len + 10 >= size);
        }
    }
}

static void test_shown_json_is_harmless_json(void **state)
{
    char text[4 * TEXT_MAX + 1], shown[12 * 4 * TEXT_MAX], *end;

    (void)state;
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        size_t len = draw_text(text, seed);
        json_t *value;

        end = shown + sprintf(shown, "[\"");
        end += text_show(end, sizeof(shown) - 8, pg_bytes(text, len),
                         PG_UTF8_JSON, NULL);
        strcpy(end, "\"]");
        assert_harmless(shown, strlen(shown), false, seed, "PG_UTF8_JSON");
        value = json_loads(shown, 0, NULL);
        assert_non_null(value);
        if (pg_utf8_is_valid(pg_bytes(text, len)))
            assert_string_equal(json_string_value(json_array_get(value, 0)),
                                text);
        json_decref(value);
    }
}

/* ---- the ways out ------------------------------------------------------- */

/* What a function writes to a stream. */
struct written {
    char *text;
    size_t len;
    FILE *out;
};

static void written_check(struct written *written, bool lines, unsigned seed,
                          const char *where)
{
    fclose(written->out);
    assert_harmless(written->text, written->len, lines, seed, where);
    free(written->text);
}

static void test_shown_streams_are_harmless(void **state)
{
    char text[4 * TEXT_MAX + 1];

    (void)state;
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        struct written written;
        size_t len = draw_text(text, seed);

        written.out = open_memstream(&written.text, &written.len);
        text_print(written.out, "a file: %s", text);
        fputc('\n', written.out);
        html_text(written.out, text);
        written_check(&written, true, seed, "text_print or html_text");
        if (!pg_utf8_is_valid(pg_bytes(text, len)))
            continue;

        json_t *value = json_pack("{s:s}", "key", text), *again;

        written.out = open_memstream(&written.text, &written.len);
        assert_int_equal(json_out(value, JSON_INDENT(2), written.out), 0);
        fflush(written.out);
        again = json_loads(written.text, 0, NULL);
        assert_true(json_equal(value, again));
        written_check(&written, true, seed, "json_out");
        json_decref(value);
        json_decref(again);
    }
}

/* A key of a config, in a message and in the line that is shown. */
static void test_shown_problems_are_harmless(void **state)
{
    char text[4 * TEXT_MAX + 1], config[4 * TEXT_MAX + 32];

    (void)state;
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        struct written written;
        struct problems *problems;
        size_t len = draw_text(text, seed);

        len = (size_t)sprintf(config, "{\n  \"%s\": 1\n}\n", text);
        problems = problems_create(text);
        problems_set_text(problems, config, len);
        problems_add_at(problems, 2 + draw((unsigned)len - 2),
                        "unknown key \"%s\"", text);
        written.out = open_memstream(&written.text, &written.len);
        problems_print(problems, written.out);
        written_check(&written, true, seed, "problems_print");
        problems_destroy(problems);
    }
}

static void test_shown_client_is_harmless(void **state)
{
    char text[4 * TEXT_MAX + 1];

    (void)state;
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        struct client_view view = {.width = 20};
        struct client_buffer out = {0};
        size_t len = draw_text(text, seed), cut = draw((unsigned)len + 1);

        client_view_add(&view, pg_bytes(text, cut), &out);
        client_view_add(&view, pg_bytes(text + cut, len - cut), &out);
        client_view_flush(&view, &out);
        assert_harmless(out.data, out.len, true, seed, "client_view");
        client_buffer_finish(&out);
    }
}

static void test_shown_output_is_harmless(void **state)
{
    char text[4 * TEXT_MAX + 1], path[] = "/tmp/test_shown.XXXXXX";
    static char all[ROUNDS * (10 * 4 * TEXT_MAX)];
    struct pg_file *file;
    FILE *in;

    (void)state;
    assert_true(mkstemp(path) >= 0);
    file = output_open(path);
    output_be_patient();
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        draw_text(text, seed);
        output_line(file, "%s", text);
    }
    output_close(file, 60000);
    in = fopen(path, "r");
    assert_harmless(all, fread(all, 1, sizeof(all), in), true, 0,
                    "output_line");
    fclose(in);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shown_text_is_harmless),
        cmocka_unit_test(test_shown_text_is_as_wide_as_it_says),
        cmocka_unit_test(test_shown_line_is_harmless_and_says_all),
        cmocka_unit_test(test_shown_line_is_cut_between_characters),
        cmocka_unit_test(test_shown_json_is_harmless_json),
        cmocka_unit_test(test_shown_streams_are_harmless),
        cmocka_unit_test(test_shown_problems_are_harmless),
        cmocka_unit_test(test_shown_client_is_harmless),
        cmocka_unit_test(test_shown_output_is_harmless),
    };

    setlocale(LC_CTYPE, "C.UTF-8"); /* for what is expected, not for what is */
    return cmocka_run_group_tests_name("shown", tests, NULL, NULL);
}
