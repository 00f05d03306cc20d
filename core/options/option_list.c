/* Options that are lists of texts. */

#include <stdlib.h>

#include "base/must.h"
#include "options/options.h"

json_t *options_words(const char *text)
{
    char *copy = must_copy(text), *rest = copy, *word;
    json_t *list = json_array();
    int error = 0;

    while ((word = strsep(&rest, " ")))
        if (*word)
            error |= json_array_append_new(list, json_string(word));
    free(copy);
    if (!error)
        return list;
    json_decref(list);
    return NULL;
}

static char **option_list_field(const struct pg_option *option, void *out)
{
    char **texts;

    memcpy(&texts, (char *)out + option->offset, sizeof(texts));
    return texts;
}

static size_t option_list_bytes(const json_t *list)
{
    size_t bytes = (json_array_size(list) + 1) * sizeof(char *), i;
    json_t *item;

    json_array_foreach ((json_t *)(uintptr_t)list, i, item)
        bytes += json_string_length(item) + 1;
    return bytes;
}

/* The texts stand behind their addresses, in one piece of memory. */
void options_set_list(const struct pg_option *option, const json_t *list,
                      void *out)
{
    char **texts = must_calloc(1, option_list_bytes(list));
    char *text = (char *)(texts + json_array_size(list) + 1);
    json_t *item;
    size_t i;

    json_array_foreach ((json_t *)(uintptr_t)list, i, item) {
        texts[i] = strcpy(text, json_string_value(item));
        text += json_string_length(item) + 1;
    }
    free(option_list_field(option, out));
    memcpy((char *)out + option->offset, &texts, sizeof(texts));
}

void options_free(const struct pg_option *table, void *out)
{
    for (; table && table->name; table++)
        if (table->type == PG_STRINGS)
            free(option_list_field(table, out));
}
