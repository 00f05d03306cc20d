/* Reads a config file as JSON, and says what is wrong with the text. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/remedy.h"
#include "config/config_parts.h"
#include "places/position.h"
#include "places/syntax.h"

#define USUAL "give the path of a config, such as config/chat.json"

static char *config_file_read_stream(FILE *file, size_t *len)
{
    char *text = NULL;
    size_t got, more;

    *len = 0;
    do {
        more = *len + 65536;
        text = must_realloc(text, *len + more, 1);
        got = fread(text + *len, 1, more, file);
        *len += got;
    } while (got > 0 && *len < CONFIG_BYTES_MOST);
    return text;
}

/* Returns NULL after adding a problem. */
static char *config_file_read(const char *path, size_t *len,
                              struct problems *problems)
{
    FILE *file = fopen(path, "re");
    char *text = NULL, said[REMEDY_BYTES];
    int error = errno;

    if (file) {
        text = config_file_read_stream(file, len);
        error = ferror(file) ? errno : 0;
        fclose(file);
    }
    if (!error && *len < CONFIG_BYTES_MOST)
        return text;
    free(text);
    if (error)
        remedy_file(REMEDY_READ, path, error, USUAL, said, sizeof(said));
    else
        snprintf(said, sizeof(said), "the file is larger than 8 MiB; %s",
                 USUAL);
    problems_add(problems, "", false, "%s", said);
    return NULL;
}

static void config_file_say_duplicate(const char *key, size_t first,
                                      size_t again, void *arg)
{
    size_t line, column;

    if (problems_is_full(arg)) {
        problems_add_unseen(arg);
        return;
    }
    problems_line(arg, first, &line, &column);
    problems_add_at(arg, again,
                    "the key \"%s\" is there twice; delete this one or that of "
                    "line %zu, column %zu",
                    key, line, column);
}

void config_complain_whole(struct problems *problems, const char *text)
{
    struct position top = {0};

    position_find(problems_map(problems), "", &top);
    problems_add_at(problems, top.value, "%s", text);
}

static json_t *config_file_parse(const char *text, size_t len,
                                 struct problems *problems)
{
    json_error_t error;
    json_t *root;

    problems_set_text(problems, text, len);
    root = json_loadb(text, len, 0, &error);
    if (!root) {
        syntax_explain(problems, text, len, &error);
        return NULL;
    }
    position_each_duplicate(problems_map(problems), config_file_say_duplicate,
                            problems);
    if (json_is_object(root))
        return root;
    config_complain_whole(problems,
                          "a config is an object; write { \"transports\": "
                          "[\"tcp\"], \"handlers\": [\"echo\"] }");
    json_decref(root);
    return NULL;
}

json_t *config_file_load(const char *path, const char *text, size_t len,
                         struct problems *problems)
{
    char *own = text ? NULL : config_file_read(path, &len, problems);
    json_t *root = NULL;

    if (text || own)
        root = config_file_parse(text ? text : own, len, problems);
    free(own);
    return root;
}
