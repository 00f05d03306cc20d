/*
 * stages - what the plugin `staged` has written down, and chains of it.
 */
#ifndef STAGES_H
#define STAGES_H

#include "harness.h"

#include <stdio.h>
#include <string.h>

static char journal[8192];

__attribute__((visibility("default"))) void journal_add(uint64_t session,
                                                        const char *text);

void journal_add(uint64_t session, const char *text)
{
    size_t len = strlen(journal);

    (void)session;
    snprintf(journal + len, sizeof(journal) - len, "%s%s", len ? " " : "",
             text);
}

/* What has run since the last look. */
#define ran(wanted)                                                            \
    do {                                                                       \
        assert_string_equal(journal, wanted);                                  \
        journal[0] = '\0';                                                     \
    } while (0)

/* Single quotes are easier to read. */
static inline const char *chain(const char *handlers)
{
    static char text[2048];
    size_t i;

    for (i = 0; handlers[i]; i++)
        text[i] = handlers[i] == '\'' ? '"' : handlers[i];
    text[i] = '\0';
    return text;
}

#define NAMED(name) "{ 'plugin': 'staged', 'name': '" name "'"
#define A           NAMED("a") " }, "
#define B           NAMED("b") " }, "
#define C           NAMED("c") " }"
#define HOLDS       NAMED("h") ", 'open': 'stop' }, "
/* ... with what bye() sends. */
#define SAYS_BYE(name) NAMED(name) ", 'bye': 'send=bye-" name ";' }"

#endif
