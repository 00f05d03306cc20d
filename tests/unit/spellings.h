/*
 * spellings - names in many scripts, each spelt in ways that are the same name,
 * drawn by a seed.
 */
#ifndef SPELLINGS_H
#define SPELLINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#define SPELLING_BYTES 256

/* splitmix64: one in `many`. */
static inline unsigned spelling_draw(uint64_t *seed, unsigned many)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (unsigned)((z ^ z >> 31) % many);
}

/* No two of them are the same name, or could be mixed into one but for the
   three Japanese ones. */
static const char *const spelling_names[] = {
    "josé",     "Ångström", "straße", "ivan-2.0",   "Ưuyễn",
    "Ὀδυσσεύς", "Μαρία",    "Йосиф",  "ёлка_7",     "Հայկ",
    "한글",     "ガギグ",   "ぱぴぷ", "東京タワー", "Ⴀⴁ",
    "देवना",     "שָׁלוֹם",     "ابجد١",  "ไทย",        "ፊደል",
};

#define SPELLING_NAMES (sizeof(spelling_names) / sizeof(*spelling_names))

/* One that is made to be compatible with it and nothing else. */
static inline ucs4_t spelling_compatible(uint64_t *seed, ucs4_t character)
{
    bool is_bold = spelling_draw(seed, 2);

    if (is_bold && character >= 'A' && character <= 'Z')
        return 0x1d400 + character - 'A'; /* mathematical, bold */
    if (is_bold && character >= 'a' && character <= 'z')
        return 0x1d41a + character - 'a';
    if (character > ' ' && character < 0x7f)
        return 0xff00 + character - ' '; /* as wide as a Chinese one */
    return character;
}

static inline ucs4_t spelling_other(uint64_t *seed, ucs4_t character)
{
    switch (spelling_draw(seed, 4)) {
    case 0:
        return uc_toupper(character);
    case 1:
        return uc_tolower(character);
    case 2:
        return spelling_compatible(seed, character);
    default:
        return character;
    }
}

/* Writes `name` in another spelling; returns its length. Bounded by `most`:
   what grows beyond is the name as it is. */
static inline size_t spelling_of(uint64_t *seed, const char *name, char *out,
                                 size_t most)
{
    const uninorm_t forms[] = {UNINORM_NFC, UNINORM_NFD, UNINORM_NFKC,
                               UNINORM_NFKD};
    const uint8_t *text = (const uint8_t *)name;
    uint8_t other[SPELLING_BYTES], made[SPELLING_BYTES];
    size_t len = 0, made_len = sizeof(made), left = strlen(name);
    ucs4_t character;

    while (left > 0) {
        int bytes = u8_mbtouc(&character, text, left);

        character = spelling_other(seed, character);
        len += (size_t)u8_uctomb(other + len, character,
                                 (int)(sizeof(other) - len));
        text += bytes;
        left -= (size_t)bytes;
    }
    if (!u8_normalize(forms[spelling_draw(seed, 4)], other, len, made,
                      &made_len) ||
        made_len > most) {
        strcpy(out, name);
        return strlen(name);
    }
    memcpy(out, made, made_len);
    out[made_len] = '\0';
    return made_len;
}

#endif
