/* The options of a command: reads them, and says what is wrong with them. */

#include "cli/arguments.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/names.h"
#include "base/text.h"

#define ANSWER_HELP 256 /* of getopt_long(); then one for each line */
#define ANSWER_LINE 257

static size_t arguments_count(const struct argument *table)
{
    size_t count = 0;

    while (table[count].help)
        count++;
    return count;
}

/* The table as getopt_long() wants it; to be freed. */
static struct option *arguments_options(const struct argument *table)
{
    size_t lines = arguments_count(table), count = 0;
    struct option *options = must_calloc(lines + 2, sizeof(*options));

    for (size_t i = 0; i < lines; i++)
        if (table[i].name)
            options[count++] = (struct option){
                table[i].name, table[i].value ? required_argument : no_argument,
                NULL, ANSWER_LINE + (int)i};
    options[count] = (struct option){"help", no_argument, NULL, ANSWER_HELP};
    return options;
}

/* ---- values ----------------------------------------------------------- */

static void arguments_store_whole(void *field, size_t size, uint64_t value)
{
    if (size == sizeof(uint64_t))
        *(uint64_t *)field = value;
    else
        *(uint32_t *)field = (uint32_t)value;
}

static void arguments_store(const struct argument *argument, const char *text,
                            long double value, void *field)
{
    switch (argument->type) {
    case ARGUMENT_FLAG:
        *(bool *)field = true;
        break;
    case ARGUMENT_CONSTANT:
        *(unsigned *)field = argument->constant;
        break;
    case ARGUMENT_TEXT:
        *(const char **)field = text;
        break;
    case ARGUMENT_WHOLE:
        arguments_store_whole(field, argument->size, (uint64_t)value);
        break;
    case ARGUMENT_REAL:
        *(double *)field = (double)value;
        break;
    case ARGUMENT_SHARE:
        *(double *)field = (double)(value / 100);
        break;
    case ARGUMENT_MS:
        *(uint64_t *)field = (uint64_t)(value * 1000 + 0.5L);
        break;
    }
}

bool arguments_take(const struct argument *argument, const char *text,
                    void *target, char *error, size_t error_size)
{
    long double value = 0;

    if (argument->range.most > 0 &&
        !quantity_read(&argument->range, text, &value, error, error_size))
        return false;
    arguments_store(argument, text, value, (char *)target + argument->offset);
    return true;
}

/* ---- refusals --------------------------------------------------------- */

int arguments_refuse(const struct arguments *arguments, const char *format, ...)
{
    va_list values;

    text_print(stderr, "playground %s: ", arguments->command);
    va_start(values, format);
    text_vprint(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    return 2;
}

static int arguments_refuse_value(const struct arguments *arguments,
                                  const struct argument *argument,
                                  const char *error)
{
    return arguments_refuse(arguments, "--%s %s; write for example --%s %s",
                            argument->name, error, argument->name,
                            argument->example ? argument->example
                                              : argument->value);
}

/* The word that getopt_long() stopped at, without "=VALUE"; to be freed. Of
   several letters behind one dash it has not done with the word yet. */
static char *arguments_word(char **argv)
{
    const char *here = argv[optind];
    bool is_letter = here && here[0] == '-' && optopt && here[1] == optopt;
    char *word = text_clean(is_letter ? here : argv[optind - 1]);

    word[strcspn(word, "=")] = '\0';
    return word;
}

static int arguments_refuse_word(const struct arguments *arguments,
                                 const struct option *options, const char *word)
{
    const char *name = word + strspn(word, "-"), *near;
    struct names names = {0};

    for (; options->name; options++)
        names_add(&names, options->name);
    near = names_near(&names, name);
    if (near && names_has(&names, name))
        arguments_refuse(arguments,
                         "%s takes no value; delete the = and what follows",
                         word);
    else if (near)
        arguments_refuse(arguments, "unknown option %s; did you mean --%s?",
                         word, near);
    else
        arguments_refuse(arguments,
                         "unknown option %s; `playground %s --help` lists them",
                         word, arguments->command);
    names_finish(&names);
    return 2;
}

/* ---- reading ---------------------------------------------------------- */

static int arguments_read_one(const struct arguments *arguments,
                              const struct argument *argument, void *target)
{
    char error[256];
    bool is_fine = (argument->take ? argument->take : arguments_take)(
        argument, optarg, target, error, sizeof(error));

    return is_fine ? -1 : arguments_refuse_value(arguments, argument, error);
}

static int arguments_read_answer(const struct arguments *arguments, int answer,
                                 const struct option *options, char **argv,
                                 void *target)
{
    char *word;

    if (answer >= ANSWER_LINE)
        return arguments_read_one(
            arguments, &arguments->table[answer - ANSWER_LINE], target);
    if (answer == ':')
        return arguments_refuse_value(arguments,
                                      &arguments->table[optopt - ANSWER_LINE],
                                      "needs a value");
    if (answer == ANSWER_HELP) {
        arguments_print_help(arguments);
        return 0;
    }
    word = arguments_word(argv);
    arguments_refuse_word(arguments, options, word);
    free(word);
    return 2;
}

int arguments_read(const struct arguments *arguments, int argc, char **argv,
                   void *target)
{
    struct option *options = arguments_options(arguments->table);
    const char *letters = arguments->is_ordered ? "+:" : ":";
    int answer, status = -1;

    optind = 0; /* whoever read arguments before us: start anew */
    opterr = 0;
    while (status < 0 &&
           (answer = getopt_long(argc, argv, letters, options, NULL)) != -1)
        status =
            arguments_read_answer(arguments, answer, options, argv, target);
    free(options);
    return status;
}
