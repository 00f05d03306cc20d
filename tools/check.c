/* playground check CONFIG: says whether a config is right. */

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "config.h"
#include "problems.h"

static const char help[] =
    "usage: playground check CONFIG\n"
    "\n"
    "Says `CONFIG: ok`, or what is wrong, where, and what to do. It reads the\n"
    "config as `playground run` does and loads its plugins, but opens no "
    "port.\n"
    "\n"
    "Exit status: 0 the config is right, 2 it is not.\n"
    "\n"
    "example: playground check config/chat.json\n";

int cmd_check(int argc, char **argv)
{
    struct problems *problems;
    struct config *config;
    int status;

    if (argc == 2 && !strcmp(argv[1], "--help")) {
        fputs(help, stdout);
        return 0;
    }
    if (argc != 2 || argv[1][0] == '-') {
        fputs("check takes one config; `playground check --help` shows how\n",
              stderr);
        return 2;
    }
    problems = problems_create(argv[1]);
    config = config_load(argv[1], NULL, 0, NULL, problems);
    status = config ? 0 : 2;
    problems_print(problems, stderr);
    if (config)
        printf("%s: ok\n", argv[1]);
    config_destroy(config);
    problems_destroy(problems);
    return status;
}
