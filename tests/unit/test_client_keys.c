#include "client/terminal/client_keys.c"
#include "client/terminal/client_text.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>

/* Types the text in two parts: what libedit would be given is `expected`, and
   `left` bytes wait for more. */
static void assert_cut(const char *text, size_t cut, const wchar_t *expected,
                       size_t left)
{
    struct client_buffer typed = {0};
    size_t ends[] = {cut, strlen(text)}, done = 0;
    wchar_t key[KEY_MAX], keys[64] = {0};
    size_t count = 0;
    int len;

    for (size_t part = 0; part < 2; part++) {
        client_buffer_add(&typed, text + done, ends[part] - done);
        done = ends[part];
        while ((len = client_keys_next(&typed, key)) >= 0)
            for (int i = 0; i < len; i++)
                keys[count++] = key[i];
    }
    assert_int_equal(count, wcslen(expected));
    assert_memory_equal(keys, expected, count * sizeof(*keys));
    assert_int_equal(typed.len, left);
    client_buffer_finish(&typed);
}

static void assert_keys(const char *text, const wchar_t *expected, size_t left)
{
    for (size_t cut = 0; cut <= strlen(text); cut++)
        assert_cut(text, cut, expected, left);
}

static void test_keys_are_characters(void **state)
{
    (void)state;
    assert_keys("ol\xc3\xa1 \xe6\x97\xa5", L"ol\u00e1 \u65e5", 0);
    assert_keys("a\xe6\x97", L"a", 2); /* the rest has not come yet */
    assert_keys("a\xff"
                "b\xc3z",
                L"abz", 0);
}

static void test_keys_that_move_are_those_of_emacs(void **state)
{
    (void)state;
    assert_keys("\033[A\033OB\033[C\033[D", L"\x10\x0e\x06\x02", 0);
    assert_keys("\033[H\033[F\033[1~\033[4~", L"\x01\x05\x01\x05", 0);
    assert_keys("\033[1;5D\033"
                "b\033[1;5C",
                L"\033"
                L"b\033"
                L"b\033"
                L"f",
                0);
}

static void test_keys_delete_and_end_a_line(void **state)
{
    const wchar_t expected[] = {CONTROL('H'), CONTROL('H'), KEY_DELETE,
                                '\n',         '\n',         0};

    (void)state;
    assert_keys("\x7f\x08\033[3~\r\n", expected, 0);
}

static void test_keys_without_meaning_are_left_out(void **state)
{
    (void)state;
    assert_keys("a\033[200~b\033[24;2~c\033Pd", L"abcPd", 0);
    assert_keys("\x12\x13\x16\x18\x1f"
                "e",
                L"e", 0); /* Ctrl-R, Ctrl-S, Ctrl-V, Ctrl-X, Ctrl-_ */
    /* Nobody can type our own keys: U+009D, U+009E. */
    assert_keys("\xc2\x9d\xc2\x9e", L"", 0);
}

static void test_keys_wait_for_the_rest(void **state)
{
    (void)state;
    assert_keys("\033", L"", 1);
    assert_keys("\033[1;", L"", 4);
    assert_keys("\033\033[A", L"\x10", 0);
}

static void test_keys_do_not_wait_for_ever(void **state)
{
    char text[80] = "\033[";

    (void)state;
    memset(text + 2, ';', sizeof(text) - 3);
    assert_cut(text, 2, L";;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_are_characters),
        cmocka_unit_test(test_keys_that_move_are_those_of_emacs),
        cmocka_unit_test(test_keys_delete_and_end_a_line),
        cmocka_unit_test(test_keys_without_meaning_are_left_out),
        cmocka_unit_test(test_keys_wait_for_the_rest),
        cmocka_unit_test(test_keys_do_not_wait_for_ever),
    };

    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
