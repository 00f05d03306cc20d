/* playground: the program and its subcommands. */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/inherited.h"
#include "base/names.h"
#include "base/remedy.h"
#include "base/text.h"
#include "commands.h"
#include "process/guard.h"

struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
    const char *group; /* a heading above the command; NULL: none */
};

static const struct command commands[] = {
    {"run", "serve what a config says", cmd_run, "serve"},
    {"check", "say whether a config is right, and what to mend", cmd_check,
     NULL},
    {"plugins", "list the plugins, or one plugin's options", cmd_plugins, NULL},
    {"client", "talk to a server: tcp://HOST:PORT, udp://HOST:PORT", cmd_client,
     NULL},
    {"build", "compile a plugin: FILE.c becomes FILE.so", cmd_build,
     "write a plugin"},
    {"compare", "experiments that show what TCP and UDP do", cmd_compare,
     "experiment"},
    {"wire", "two commands at the two ends of a link that loses packets",
     cmd_wire, NULL},
    {GUARD_WORKER_COMMAND, NULL, cmd_worker, NULL},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void playground_print_help(FILE *out)
{
    fputs("usage: playground COMMAND [ARGUMENTS]\n", out);
    for (size_t i = 0; i < COMMANDS; i++) {
        if (commands[i].group)
            fprintf(out, "\n%s\n", commands[i].group);
        if (commands[i].summary)
            fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].summary);
    }
    fputs("\n`playground COMMAND --help` says more. --version prints the "
          "version.\n",
          out);
}

static int playground_unknown(const char *name)
{
    struct names names = {0};
    const char *near;

    for (size_t i = 0; i < COMMANDS; i++)
        if (commands[i].summary)
            names_add(&names, commands[i].name);
    near = names_near(&names, name);
    text_print(stderr, "playground: there is no command \"%s\"; ", name);
    if (near)
        text_print(stderr, "did you mean `playground %s`?\n", near);
    else
        text_print(stderr, "`playground --help` lists them\n");
    names_finish(&names);
    return 2;
}

/* A descriptor from 0 to 2 that is closed would be given to the next socket. */
static void playground_open_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            exit(1);
}

#define OTHER_FILE "write to another file"

/* A command has succeeded only when all it prints could be written. */
static int playground_finish(int status)
{
    const int error = fflush(stdout) ? errno : 0;
    char text[REMEDY_BYTES];

    if (!error && !ferror(stdout))
        return status;
    text_print(stderr,
               "playground: not everything could be written to stdout%s%s\n",
               error ? ": " : "; " OTHER_FILE,
               error ? remedy_file(REMEDY_WRITE, "/dev/stdout", error,
                                   OTHER_FILE, text, sizeof(text))
                     : "");
    return status ? status : 1;
}

/* A server has told what there was to tell long before it ends, and simulate.c
   sees to it itself. */
static bool playground_is_serving(const struct command *command)
{
    return command->run == cmd_run || command->run == cmd_worker;
}

static int playground_run(const struct command *command, int argc, char **argv)
{
    int status = command->run(argc, argv);

    return playground_is_serving(command) ? status : playground_finish(status);
}

int main(int argc, char **argv)
{
    playground_open_standard();
    inherited_set_anew();
    crash_watch();
    if (argc < 2) {
        playground_print_help(stderr);
        return 2;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
        !strcmp(argv[1], "help")) {
        playground_print_help(stdout);
        return playground_finish(0);
    }
    if (!strcmp(argv[1], "--version")) {
        puts("playground " PLAYGROUND_VERSION);
        return playground_finish(0);
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i].name, argv[1]))
            return playground_run(&commands[i], argc - 1, argv + 1);
    return playground_unknown(argv[1]);
}
