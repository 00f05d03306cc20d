/*
 * arguments - the options of a command, each written once, in a table: its
 * name, value, range, help, and the field that it sets. The command line is
 * read by it, and --help and the refusals are made of it.
 */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include <playground/handler.h>

#include "cli/quantity.h"

/* The type of the field, and what of the value goes there. */
enum argument_type {
    ARGUMENT_FLAG,     /* bool; there is no value */
    ARGUMENT_CONSTANT, /* unsigned, becomes .constant; there is no value */
    ARGUMENT_TEXT,     /* const char *, as typed; with a range it is a number */
    ARGUMENT_WHOLE,    /* unsigned or uint64_t or size_t */
    ARGUMENT_REAL,     /* double, in the unit of the range */
    ARGUMENT_SHARE,    /* double from 0 to 1; the range is in percent */
    ARGUMENT_MS,       /* uint64_t; the range is in seconds */
};

/* A line of the table. One with only .help is a paragraph of the help, and one
   with nothing ends the table. */
struct argument {
    const char *name;    /* "delay" */
    const char *value;   /* as in the help: "N", "10ms"; NULL: takes none */
    const char *help;    /* is wrapped */
    const char *example; /* of a value; NULL: .value is one */
    enum argument_type type;
    size_t offset, size; /* ARGUMENT_FIELD(struct x, field) */
    struct quantity range;
    unsigned constant;
    /* Instead of arguments_take(). */
    bool (*take)(const struct argument *argument, const char *text,
                 void *target, char *error, size_t error_size);
};

#define ARGUMENT_FIELD(type, field)                                            \
    .offset = offsetof(type, field), .size = sizeof(((type *)NULL)->field)

struct arguments {
    const char *command; /* "run" */
    const char *head; /* of the help: usage, what the command does; wrapped */
    const struct argument *table;
    const char *tail;
    bool is_ordered; /* what stands behind the first word is no option */
};

/* Reads the options into `target`, a struct whose fields the table names. The
   words among them are left at argv[optind]. -1: go on; else the exit status:
   --help was given, or what is wrong has been said. */
int arguments_read(const struct arguments *arguments, int argc, char **argv,
                   void *target);

/* Sets the field of `target` to the value in `text`. False after writing into
   `error` the rest of a sentence that begins with the option's name. */
bool arguments_take(const struct argument *argument, const char *text,
                    void *target, char *error, size_t error_size);

/* Says "playground COMMAND: ..." on stderr. Returns the exit status, 2. */
int arguments_refuse(const struct arguments *arguments, const char *format, ...)
    PG_PRINTF(2, 3);

void arguments_print_help(const struct arguments *arguments);

#endif
