/* Looks into the source for an open() that returns PG_STOP and holds nobody
   back: what the server takes as PG_PASS is better said where it is written. */

#include "build/build.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"

/* ---- the code in a source --------------------------------------------------
 */

/* The end of the comment or literal that begins here; `text` itself where none
   does. */
static char *build_open_skip(char *text)
{
    char *end = text;

    if (!strncmp(text, "/*", 2)) {
        end = strstr(text + 2, "*/");
        return end ? end + 2 : text + strlen(text);
    }
    if (!strncmp(text, "//", 2))
        return text + strcspn(text, "\n");
    if (*text != '"' && *text != '\'')
        return text;
    for (end = text + 1; *end && *end != *text && *end != '\n'; end++)
        if (*end == '\\' && end[1])
            end++;
    return *end ? end + 1 : end;
}

/* Comments and literals become blanks, so that places stay. */
static void build_open_blank(char *text)
{
    while (*text) {
        char *end = build_open_skip(text);

        if (end == text)
            text++;
        for (; text < end; text++)
            if (*text != '\n')
                *text = ' ';
    }
}

/* NULL: it cannot be read any more. The caller frees it. */
static char *build_open_read(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    ssize_t len;

    if (!file)
        return NULL;
    len = getdelim(&text, &size, '\0', file);
    fclose(file);
    if (len < 0) {
        free(text);
        return NULL;
    }
    build_open_blank(text);
    return text;
}

/* ---- what is looked for ----------------------------------------------------
 */

static bool build_open_is_in_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static char *build_open_blanks(char *text)
{
    return text + strspn(text, " \t\n");
}

/* The next place from `at` where this word stands alone, or NULL. */
static char *build_open_word(char *text, char *at, const char *word)
{
    size_t len = strlen(word);

    for (; (at = strstr(at, word)); at += len)
        if ((at == text || !build_open_is_in_name(at[-1])) &&
            !build_open_is_in_name(at[len]))
            return at;
    return NULL;
}

/* The name behind `.open =`, to be freed; NULL: there is none. */
static char *build_open_name(char *text)
{
    char *at = text;
    size_t len = 0;

    while ((at = build_open_word(text, at, "open"))) {
        char *value = build_open_blanks(at + strlen("open"));

        if (at > text && at[-1] == '.' && *value == '=') {
            value = build_open_blanks(value + 1);
            while (build_open_is_in_name(value[len]))
                len++;
            return must_printf("%.*s", (int)len, value);
        }
        at = value;
    }
    return NULL;
}

/* The end of what a bracket opens here. */
static char *build_open_bracket(char *text, char opens, char closes)
{
    unsigned depth = 0;

    for (; *text; text++) {
        if (*text == opens)
            depth++;
        else if (*text == closes && --depth == 0)
            return text + 1;
    }
    return text;
}

/* The body of the function; NULL: it is not in this file. */
static char *build_open_body(char *text, const char *name)
{
    char *at = text;

    while ((at = build_open_word(text, at, name))) {
        at = build_open_blanks(at + strlen(name));
        if (*at != '(')
            continue;
        at = build_open_blanks(build_open_bracket(at, '(', ')'));
        if (*at == '{')
            return at;
    }
    return NULL;
}

static unsigned build_open_line(const char *text, const char *at)
{
    unsigned line = 1;

    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

static void build_open_look(const struct build *build, char *text,
                            const char *name)
{
    char *body = build_open_body(text, name), *stop;

    if (!body)
        return;
    *build_open_bracket(body, '{', '}') = '\0';
    stop = build_open_word(text, body, "PG_STOP");
    if (stop)
        text_print(stderr,
                   "playground build: warning: %s:%u: open() returns PG_STOP, "
                   "but nothing in %s calls pg_ready(), so it is taken as "
                   "PG_PASS; return PG_PASS\n",
                   build->source, build_open_line(text, stop), build->source);
}

void build_warn_open(const struct build *build, const struct verdict *verdict)
{
    char *text, *name;

    if (!verdict->has_open || verdict->may_hold)
        return;
    text = build_open_read(build->source);
    name = text ? build_open_name(text) : NULL;
    if (name)
        build_open_look(build, text, name);
    free(name);
    free(text);
}
