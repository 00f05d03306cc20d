#include "cli/usage.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/names.h"
#include "base/text.h"

/* What was typed, without "=VALUE". Of several letters behind one dash,
   getopt_long() has not done with the word yet. */
static char *usage_word_of(char **argv)
{
    const char *here = argv[optind];
    bool is_letter = here && here[0] == '-' && optopt && here[1] == optopt;
    const char *word = is_letter ? here : argv[optind - 1];

    return must_printf("%.*s", (int)strcspn(word, "="), word);
}

static void usage_advise(const char *command, const struct option *options,
                         const char *word)
{
    struct names names = {0};
    const char *near;

    for (; options->name; options++)
        names_add(&names, options->name);
    near = names_near(&names, word + strspn(word, "-"));
    if (near && names_has(&names, word + strspn(word, "-")))
        text_print(stderr, "%s takes no value; delete the = and what follows\n",
                   word);
    else if (near)
        text_print(stderr, "unknown option %s; did you mean --%s?\n", word,
                   near);
    else
        text_print(stderr,
                   "unknown option %s; `playground %s --help` lists them\n",
                   word, command);
    names_finish(&names);
}

int usage_refuse(const char *command, const struct option *options, int answer,
                 char **argv)
{
    char *word = usage_word_of(argv);

    text_print(stderr, "playground %s: ", command);
    if (answer == ':')
        text_print(stderr,
                   "%s needs a value; `playground %s --help` shows how\n", word,
                   command);
    else
        usage_advise(command, options, word);
    free(word);
    return 2;
}
