/* pg_name_key(): one key for every spelling of a name, none for what could be
   mistaken for another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include <playground/handler.h>

#include "spellings.h"

#define ROUNDS 20000

static const char *key_of(const char *name)
{
    static char keys[4][PG_KEY_BYTES + 1];
    static unsigned at;
    char *key = keys[at++ % 4];
    const char *problem = pg_name_key(pg_text(name), key);

    if (problem)
        fail_msg("\"%s\" %s", name, problem);
    return key;
}

static void expect_same(const char *one, const char *other)
{
    assert_string_equal(key_of(one), key_of(other));
}

static void expect_two(const char *one, const char *other)
{
    assert_string_not_equal(key_of(one), key_of(other));
}

static void expect_problem(const char *name, const char *expected)
{
    char key[PG_KEY_BYTES + 1] = "untouched";
    const char *problem = pg_name_key(pg_text(name), key);

    if (!problem)
        fail_msg("\"%s\" is a name", name);
    assert_string_equal(problem, expected);
    assert_string_equal(key, "");
}

#define MIXED  "mixes letters or digits of different scripts"
#define OTHERS "holds something else than letters, digits and - _ ."
#define FIRST  "begins with neither a letter nor a digit"
#define UNSEEN "holds a mark that cannot be seen"

static void test_name_key_is_one_for_all_spellings(void **state)
{
    (void)state;
    assert_string_equal(key_of("guest1"), "guest1");
    assert_string_equal(key_of("JOS\u00c9"), "jos\u00e9");
    expect_same("jos\u00e9", "jose\u0301");
    expect_same("stra\u00dfe", "STRASSE");
    expect_same("\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2",
                "\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3");
    expect_same("ana", "\uff21\uff4e\uff21");    /* wide */
    expect_same("fia", "\ufb01a");               /* a ligature */
    expect_same("k2", "\u212a\u00b2");           /* the kelvin sign */
    expect_same("\u30ac", "\uff76\uff9e");       /* narrow katakana */
    expect_same("\ud55c", "\u1112\u1161\u11ab"); /* jamo */
    expect_same("\u03c9", "\u2126");             /* the ohm sign */
    expect_two("ana", "an\u00e1");
    expect_two("ana", "anna");
    expect_two("a.b", "a-b");
}

static void test_name_key_takes_names_of_one_script(void **state)
{
    static const char *const names[] = {
        "a",
        "7",
        "4chan",
        "Jo\u00e3o_2.0",
        "x--y",
        "e\u0301\u0302",
        "\u674e",
        "\u6771\u4eac\u30bf\u30ef\u30fc",
        "\u3042\u30a2\u4e9c",
        "\u30fc\u30fc",
        "\u3105\u4e2d",
        "\ud55c\u6f22",
        "\u0639\u0661",
        "\u0915\u093f\u0967",
        "\u05e9\u05c1",
        "\u0430\u0301",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        key_of(names[i]);
}

static void test_name_key_refuses_mixed_scripts(void **state)
{
    static const char *const names[] = {
        "\u0430na",           /* Cyrillic */
        "ana\u03bf",          /* Greek */
        "a\u6771",            /* Latin with Han */
        "\u3042\ud55c",       /* Hiragana with Hangul */
        "\u3105\u3042",       /* Bopomofo with Hiragana */
        "\u3105\u4e2d\u3042", /* ... though Han goes with both */
        "bo\u0966",           /* a Devanagari zero */
        "\u0915\u09671",      /* two kinds of digits */
        "1\u0661",
        "a\u30fc",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        expect_problem(names[i], MIXED);
}

static void test_name_key_refuses_what_is_no_name(void **state)
{
    char longest[PG_KEY_BYTES + 2];

    (void)state;
    memset(longest, 'x', PG_KEY_BYTES + 1);
    longest[PG_KEY_BYTES + 1] = '\0';
    expect_problem(longest, "is too long");
    key_of(longest + 1);
    expect_problem("\u3300\u3300\u3300\u3300\u3300\u3300", "is too long");
    expect_problem("", "is empty");
    expect_problem("ana\xff", "is no UTF-8");
    expect_problem("\xc1\xa1", "is no UTF-8");
    expect_problem("-ana", FIRST);
    expect_problem(".", FIRST);
    expect_problem("_ana", FIRST);
    expect_problem("/who", FIRST);
    expect_problem(" ana", FIRST);
    expect_problem("\u0301ana", FIRST);
    expect_problem("\U0001f411", FIRST); /* a sheep */
    expect_problem("\u202eana", FIRST);  /* right to left */
    expect_problem("two words", OTHERS);
    expect_problem("ana:", OTHERS);
    expect_problem("ana\uff1a", OTHERS); /* a wide colon */
    expect_problem("a\tb", OTHERS);
    expect_problem("a\u00a0b", OTHERS);
    expect_problem("a\u00b4", OTHERS);   /* a space with an acute */
    expect_problem("ana\u200b", OTHERS); /* no width */
    expect_problem("ana\u200d", OTHERS); /* the joiner */
    expect_problem("ana\ufe0f", OTHERS); /* a variation selector */
    expect_problem("ana\u034f", OTHERS);
    expect_problem("a\u3164", OTHERS);       /* the Hangul filler */
    expect_problem("ana\U000e0021", OTHERS); /* a tag */
    expect_problem("ana\u2010", OTHERS);     /* another hyphen */
    expect_problem("a\u20dd", OTHERS);       /* an enclosing circle */
    expect_problem("a-\u0338", OTHERS);      /* a mark on no letter */
    expect_problem("ana\u02b9", OTHERS);     /* a letter of no script */
    expect_problem("ana\ue000", OTHERS);
    expect_problem("ana\u0378", OTHERS); /* not assigned */
    expect_problem("x\u0301\u0301", UNSEEN);
    expect_problem("i\u0307", UNSEEN);
}

static void test_name_key_stops_at_no_nul(void **state)
{
    char key[PG_KEY_BYTES + 1];

    (void)state;
    assert_string_equal(pg_name_key(pg_bytes("ana\0x", 5), key), OTHERS);
    assert_null(pg_name_key(pg_bytes("anax", 3), key));
    assert_string_equal(key, "ana");
}

/* Two spellings have one key exactly if the library's own comparison, which
   makes no key, takes them for the same. */
static void test_name_key_of_drawn_spellings(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        unsigned a = spelling_draw(&seed, SPELLING_NAMES),
                 b = spelling_draw(&seed, 3)
                         ? a
                         : spelling_draw(&seed, SPELLING_NAMES);
        char one[SPELLING_BYTES], other[SPELLING_BYTES];
        size_t one_len =
                   spelling_of(&seed, spelling_names[a], one, PG_KEY_BYTES),
               other_len =
                   spelling_of(&seed, spelling_names[b], other, PG_KEY_BYTES);
        int result = 1;

        assert_int_equal(u8_casecmp((uint8_t *)one, one_len, (uint8_t *)other,
                                    other_len, NULL, UNINORM_NFKC, &result),
                         0);
        assert_int_equal(result == 0, a == b);
        if ((a == b) != !strcmp(key_of(one), key_of(other)))
            fail_msg("round %d: \"%s\" and \"%s\"", round, one, other);
        expect_same(one, key_of(one)); /* a key is its own */
    }
}

static bool is_japanese(const char *name)
{
    return !strcmp(name, "ガギグ") || !strcmp(name, "ぱぴぷ") ||
           !strcmp(name, "東京タワー");
}

/* Of two names in two scripts none can be made, wherever one is put. */
static void test_name_key_of_drawn_mixtures(void **state)
{
    const unsigned latin = 5, greek = 7, cyrillic = 9; /* the first ones */
    uint64_t seed = 2;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        unsigned a = spelling_draw(&seed, SPELLING_NAMES),
                 b = spelling_draw(&seed, SPELLING_NAMES);
        const char *one = spelling_names[a], *other = spelling_names[b];
        char mixed[2 * SPELLING_BYTES], key[PG_KEY_BYTES + 1];
        size_t len;

        if ((a < latin && b < latin) ||
            (a >= latin && a < greek && b >= latin && b < greek) ||
            (a >= greek && a < cyrillic && b >= greek && b < cyrillic) ||
            a == b || (is_japanese(one) && is_japanese(other)))
            continue;
        len = spelling_of(&seed, one, mixed, 30);
        if (spelling_draw(&seed, 2))
            mixed[len++] = "-_.1"[spelling_draw(&seed, 4)];
        spelling_of(&seed, other, mixed + len, 30);
        if (!pg_name_key(pg_text(mixed), key))
            fail_msg("round %d: \"%s\" is a name", round, mixed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name_key_is_one_for_all_spellings),
        cmocka_unit_test(test_name_key_takes_names_of_one_script),
        cmocka_unit_test(test_name_key_refuses_mixed_scripts),
        cmocka_unit_test(test_name_key_refuses_what_is_no_name),
        cmocka_unit_test(test_name_key_stops_at_no_nul),
        cmocka_unit_test(test_name_key_of_drawn_spellings),
        cmocka_unit_test(test_name_key_of_drawn_mixtures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
