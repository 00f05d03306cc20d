/* Names that exist, and how alike two of them are. */

#include "base/names.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"

#define uthash_malloc(size)       must_calloc(1, size)
#define uthash_free(memory, size) free(memory)
#include <uthash.h>

#define LONGEST 64 /* no longer name is compared */
#define FAR     (LONGEST + 1)
#define LISTED  16 /* names in one message */

struct names_item {
    const char *name; /* the text in the list */
    unsigned next;    /* NAME-2 to NAME-(next - 1) are taken */
    UT_hash_handle hh;
};

static struct names_item *names_find(const struct names *names,
                                     const char *name)
{
    struct names_item *item;

    HASH_FIND_STR(names->items, name, item);
    return item;
}

void names_add(struct names *names, const char *name)
{
    struct names_item *item;

    if (names_find(names, name))
        return;
    item = must_calloc(1, sizeof(*item));
    item->name = must_copy(name);
    item->next = 2;
    names->list = must_grow(names->list, names->count, sizeof(*names->list));
    names->list[names->count++] = (char *)(uintptr_t)item->name;
    HASH_ADD_KEYPTR(hh, names->items, item->name, strlen(item->name), item);
}

const char *names_add_unique(struct names *names, const char *name)
{
    struct names_item *taken = names_find(names, name);
    char *wanted = must_copy(name);

    while (names_find(names, wanted)) {
        free(wanted);
        wanted = must_printf("%s-%u", name, taken->next++);
    }
    names_add(names, wanted);
    free(wanted);
    return names->list[names->count - 1];
}

static int names_compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

void names_sort(struct names *names)
{
    if (names->count > 1)
        qsort(names->list, names->count, sizeof(*names->list), names_compare);
}

void names_finish(struct names *names)
{
    struct names_item *item, *next;

    HASH_ITER(hh, names->items, item, next)
    {
        HASH_DEL(names->items, item);
        free(item);
    }
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
    *names = (struct names){0};
}

bool names_has(const struct names *names, const char *name)
{
    return names_find(names, name) != NULL;
}

/* ---- likeness --------------------------------------------------------- */

static bool names_same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned names_least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Letters to insert, delete, change or swap with the next (optimal string
   alignment), without regard to case. */
static unsigned names_distance(const char *a, const char *b)
{
    size_t rows = strlen(a), columns = strlen(b);
    unsigned d[LONGEST + 1][LONGEST + 1];

    if (rows > LONGEST || columns > LONGEST)
        return FAR;
    for (size_t i = 0; i <= rows; i++)
        d[i][0] = (unsigned)i;
    for (size_t j = 0; j <= columns; j++)
        d[0][j] = (unsigned)j;
    for (size_t i = 1; i <= rows; i++) {
        for (size_t j = 1; j <= columns; j++) {
            d[i][j] =
                names_least(d[i - 1][j] + 1, d[i][j - 1] + 1,
                            d[i - 1][j - 1] + !names_same(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && names_same(a[i - 1], b[j - 2]) &&
                names_same(a[i - 2], b[j - 1]) && d[i - 2][j - 2] + 1 < d[i][j])
                d[i][j] = d[i - 2][j - 2] + 1;
        }
    }
    return d[rows][columns];
}

/* Each letter that one has more than the other is at least one to change. */
static bool names_differ_in_length(const char *a, const char *b, size_t allowed)
{
    size_t la = strlen(a), lb = strlen(b);

    return la > lb ? la - lb > allowed : lb - la > allowed;
}

/* A third of the letters may differ; a part of a name stands for the whole. */
static unsigned names_likeness(const char *word, const char *name)
{
    size_t len = strlen(word);
    unsigned allowed = (unsigned)(len + 1) / 3, apart;

    if (allowed > 3)
        allowed = 3;
    apart = names_differ_in_length(word, name, allowed)
                ? FAR
                : names_distance(word, name);
    if (apart <= allowed)
        return apart;
    return len >= 3 && len <= LONGEST && strcasestr(name, word) ? 4 : FAR;
}

const char *names_near(const struct names *names, const char *word)
{
    const char *best = NULL;
    unsigned nearest = FAR;

    for (size_t i = 0; i < names->count; i++) {
        unsigned apart = names_likeness(word, names->list[i]);

        if (apart < nearest) {
            nearest = apart;
            best = names->list[i];
        }
    }
    return best;
}

/* ---- in messages ------------------------------------------------------ */

static char *names_append(char *text, const char *glue, const char *more)
{
    char *longer = must_printf("%s%s%s", text, glue, more);

    free(text);
    return longer;
}

char *names_join(const struct names *names, const char *last)
{
    char *text = must_copy(""), quote[TEXT_QUOTE_BYTES];
    char *final = must_printf(" %s ", last);

    for (size_t i = 0; i < names->count; i++) {
        const char *glue = i + 1 == names->count ? final : ", ";

        text = names_append(text, i ? glue : "",
                            text_quote(names->list[i], quote));
    }
    free(final);
    return text;
}

static char *names_list(const struct names *names, const char *intro)
{
    char *text = must_copy(intro);

    for (size_t i = 0; i < names->count && i < LISTED; i++)
        text = names_append(text, i ? ", " : " ", names->list[i]);
    if (names->count > LISTED)
        text = names_append(text, ", ", "...");
    return text;
}

char *names_advice(const struct names *names, const char *word,
                   const char *intro)
{
    const char *near = names_near(names, word);
    char quote[TEXT_QUOTE_BYTES];

    if (near)
        return must_printf("did you mean %s?", text_quote(near, quote));
    return names_list(names, intro);
}
