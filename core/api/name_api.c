/* pg_name_key(): the one form in which two spellings of a name are the same,
   and what a name must be to be told from others by reading it. */

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>

#include <playground/utf8.h>

#define FORM_BYTES 1024 /* a longer form is allocated */

/* Scripts that one writing system mixes, "Augmented Script Sets" of UTS #39,
   section 5.1: two scripts go together if they share one of these. */
enum name_writing {
    NAME_JAPANESE = 1,
    NAME_KOREAN = 2,
    NAME_CHINESE = 4, /* Han with Bopomofo */
};

static const struct {
    const char *script;
    unsigned writing;
} name_mixtures[] = {
    {"Han", NAME_JAPANESE | NAME_KOREAN | NAME_CHINESE},
    {"Hiragana", NAME_JAPANESE},
    {"Katakana", NAME_JAPANESE},
    {"Hangul", NAME_KOREAN},
    {"Bopomofo", NAME_CHINESE},
};

/* Letters, digits and marks that Unicode counts to no script, because several
   use them, and these alone (the property Script_Extensions). */
static const struct {
    uint32_t first, last;
    const char *script;
} name_shared[] = {
    {0x0660, 0x0669, "Arabic"},   /* its digits */
    {0x3006, 0x3006, "Han"},      /* the ideographic closing mark */
    {0x3099, 0x309a, "Hiragana"}, /* voiced sound marks, as combined */
    {0x30fc, 0x30fc, "Hiragana"}, /* the prolonged sound mark */
};

/* What has been seen of a name. */
struct name_look {
    const char *script; /* of the first letter; NULL: none yet */
    unsigned writing;   /* what all of its scripts share */
    uint32_t digit_0;   /* of the decimal digits in it; 0: none yet */
    uint32_t before;    /* the character before this one; 0: none */
    bool takes_mark;    /* that one is a letter or a mark */
};

static unsigned name_writing_of(const char *script)
{
    for (size_t i = 0; i < sizeof(name_mixtures) / sizeof(*name_mixtures); i++)
        if (!strcmp(name_mixtures[i].script, script))
            return name_mixtures[i].writing;
    return 0;
}

static const char *name_script_of(uint32_t character)
{
    const uc_script_t *script = uc_script(character);

    for (size_t i = 0; i < sizeof(name_shared) / sizeof(*name_shared); i++)
        if (character >= name_shared[i].first &&
            character <= name_shared[i].last)
            return name_shared[i].script;
    return script ? script->name : "Unknown";
}

/* False: the script does not go together with those before it. */
static bool name_add_script(struct name_look *look, const char *script)
{
    unsigned writing = name_writing_of(script);

    if (!look->script) {
        look->script = script;
        look->writing = writing;
        return true;
    }
    if (!writing)
        return !strcmp(look->script, script);
    look->writing &= writing;
    return look->writing != 0;
}

static const char *const name_is_mixed =
    "mixes letters or digits of different scripts";
static const char *const name_has_others =
    "holds something else than letters, digits and - _ .";

static const char *name_look_at_digit(struct name_look *look,
                                      uint32_t character)
{
    uint32_t digit_0 = character - (uint32_t)uc_decimal_value(character);

    if (look->digit_0 && look->digit_0 != digit_0)
        return name_is_mixed;
    look->digit_0 = digit_0;
    if (digit_0 != '0' && !name_add_script(look, name_script_of(character)))
        return name_is_mixed;
    return NULL;
}

/* A mark of no script of its own is of that of its letter. One that is drawn
   over itself, or as the dot that i has anyway, is not seen. */
static const char *name_look_at_mark(struct name_look *look, uint32_t character)
{
    const char *script = name_script_of(character);

    if (!look->takes_mark)
        return name_has_others;
    if (character == look->before ||
        (character == 0x307 && uc_is_property_soft_dotted(look->before)))
        return "holds a mark that cannot be seen";
    if (strcmp(script, "Inherited") != 0 && !name_add_script(look, script))
        return name_is_mixed;
    return NULL;
}

static const char *name_look_at_letter(struct name_look *look,
                                       uint32_t character)
{
    const char *script = name_script_of(character);

    if (!strcmp(script, "Common") || !strcmp(script, "Unknown"))
        return name_has_others;
    return name_add_script(look, script) ? NULL : name_is_mixed;
}

static const char *name_look_at(struct name_look *look, uint32_t character)
{
    bool is_letter = uc_is_general_category(character, UC_LETTER);
    bool is_digit = uc_is_general_category(character, UC_DECIMAL_DIGIT_NUMBER);
    bool is_mark = uc_is_general_category(character, UC_MARK) &&
                   !uc_is_general_category(character, UC_ENCLOSING_MARK);
    const char *problem = NULL;

    if (!look->before && !is_letter && !is_digit)
        return "begins with neither a letter nor a digit";
    if (pg_utf8_is_invisible(character) ||
        uc_is_property_default_ignorable_code_point(character))
        return name_has_others;
    if (is_digit)
        problem = name_look_at_digit(look, character);
    else if (is_mark)
        problem = name_look_at_mark(look, character);
    else if (is_letter)
        problem = name_look_at_letter(look, character);
    else if (character != '-' && character != '_' && character != '.')
        return name_has_others;
    look->before = character;
    look->takes_mark = is_letter || is_mark;
    return problem;
}

static const char *name_look_at_all(struct pg_bytes name)
{
    struct name_look look = {0};
    const char *problem = NULL;
    uint32_t character;
    size_t len;

    while (!problem && (len = pg_utf8_next(name, &character)) > 0) {
        problem = name_look_at(&look, character);
        name = pg_bytes(name.data + len, name.len - len);
    }
    return problem;
}

/* ---- forms ------------------------------------------------------------ */

/* A name in one of its forms; `text` is `room`, or allocated, or NULL when
   there was no memory. */
struct name_form {
    uint8_t room[FORM_BYTES];
    uint8_t *text;
    size_t len;
};

static void name_form_finish(struct name_form *form)
{
    if (form->text != form->room)
        free(form->text);
}

static void name_normalise(struct name_form *form, uninorm_t how,
                           const uint8_t *text, size_t len)
{
    form->len = sizeof(form->room);
    form->text = u8_normalize(how, text, len, form->room, &form->len);
}

/* Two rounds reach what no further round changes (Unicode, D147). */
static void name_fold(struct name_form *form, const struct name_form *from)
{
    struct name_form apart;

    form->len = sizeof(form->room);
    form->text = NULL;
    name_normalise(&apart, UNINORM_NFD, from->text, from->len);
    if (apart.text)
        form->text = u8_casefold(apart.text, apart.len, NULL, UNINORM_NFKC,
                                 form->room, &form->len);
    name_form_finish(&apart);
}

static const char *name_write_key(const struct name_form *from, char *key)
{
    struct name_form once, twice = {.text = NULL};
    const char *problem = NULL;

    name_fold(&once, from);
    if (once.text)
        name_fold(&twice, &once);
    if (!twice.text)
        problem = "finds no memory to be compared";
    else if (twice.len > PG_KEY_BYTES)
        problem = "is too long";
    else
        *(char *)mempcpy(key, twice.text, twice.len) = '\0';
    name_form_finish(&once);
    name_form_finish(&twice);
    return problem;
}

const char *pg_name_key(struct pg_bytes shown, char key[PG_KEY_BYTES + 1])
{
    struct name_form form;
    const char *problem;

    key[0] = '\0';
    if (shown.len == 0)
        return "is empty";
    if (shown.len > PG_KEY_BYTES)
        return "is too long";
    if (!pg_utf8_is_valid(shown))
        return "is no UTF-8";
    name_normalise(&form, UNINORM_NFKC, shown.data, shown.len);
    if (!form.text)
        return "finds no memory to be compared";
    problem = name_look_at_all(pg_bytes(form.text, form.len));
    if (!problem)
        problem = name_write_key(&form, key);
    name_form_finish(&form);
    return problem;
}
