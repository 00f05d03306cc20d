/* The --help of a command, made of the table of its options. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "cli/arguments.h"
#include "cli/columns.h"

#define HELP_WIDTH 79
#define LEFT_WIDTH 21 /* a longer option stands on a line of its own */

static const struct argument help_line = {.name = "help", .help = "this text"};

/* "  --delay 10ms  "; to be freed. */
static char *arguments_help_left(const struct argument *argument)
{
    return must_printf("  --%s%s%s  ", argument->name,
                       argument->value ? " " : "",
                       argument->value ? argument->value : "");
}

/* The widest of what stands left of the help, as far as it fits. */
static size_t arguments_help_width(const struct argument *table)
{
    size_t widest = strlen("  --help  ");

    for (; table->help; table++) {
        char *left = table->name ? arguments_help_left(table) : must_copy("");
        size_t width = columns_width(left);

        if (width > widest && width <= LEFT_WIDTH)
            widest = width;
        free(left);
    }
    return widest;
}

static void arguments_help_print_line(const struct argument *argument,
                                      size_t width)
{
    char *left = arguments_help_left(argument), *first;

    bool is_wide = columns_width(left) > width;

    if (is_wide)
        printf("%.*s\n", (int)strlen(left) - 2, left);
    first = must_printf("%-*s", (int)width, is_wide ? "" : left);
    columns_paragraph(stdout, first, argument->help, HELP_WIDTH);
    free(first);
    free(left);
}

/* Each line is wrapped, if it is too long. */
static void arguments_help_print_text(const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        char *line = must_printf("%.*s", (int)len, text);

        columns_paragraph(stdout, "", line, HELP_WIDTH);
        free(line);
        text += len + (text[len] == '\n');
    }
}

void arguments_print_help(const struct arguments *arguments)
{
    const struct argument *argument = arguments->table;
    size_t width = arguments_help_width(argument);

    arguments_help_print_text(arguments->head);
    putchar('\n');
    for (; argument->help; argument++) {
        if (argument->name)
            arguments_help_print_line(argument, width);
        else if (argument > arguments->table)
            putchar('\n');
        if (!argument->name)
            arguments_help_print_text(argument->help);
    }
    arguments_help_print_line(&help_line, width);
    putchar('\n');
    arguments_help_print_text(arguments->tail);
}
