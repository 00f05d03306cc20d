/* playground run: serves. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/usage.h"
#include "commands.h"
#include "config/config.h"
#include "places/problems.h"
#include "process/guard.h"
#include "process/serve.h"

static const char help[] =
    "usage: playground run [--single] [--host ADDR] [--port N] [CONFIG]\n"
    "\n"
    "Serves what CONFIG says (default: ./playground.json) until Ctrl-C or\n"
    "SIGTERM. Prints `listening ...` for each listener with its real port, "
    "then\n"
    "`ready`, on stdout; everything else goes to stderr. SIGUSR1 prints the\n"
    "counters there.\n"
    "\n"
    "A config whose transport is `sim` is a simulation: it runs to its end as\n"
    "fast as it goes and says on stdout what happened.\n"
    "\n"
    "  --host ADDR  overrides the host of every listener; 0.0.0.0 or :: opens\n"
    "               the server to the network\n"
    "  --port N     overrides the port of every listener; 0 takes a free one\n"
    "  --single     one process without guard and with one worker, for gdb "
    "and\n"
    "               valgrind\n"
    "\n"
    "Exit status: 0 stopped when asked, 1 failed while running, 2 wrong usage\n"
    "or wrong config.\n"
    "\n"
    "example: playground run --port 5001 config/chat.json\n";

/* Shows what is wrong with a config that could not even be read. */
static int run_refuse(const char *path,
                      const struct config_overrides *overrides)
{
    struct problems *problems = problems_create(path);
    struct config *config = config_load(path, NULL, 0, overrides, problems);

    problems_print(problems, stderr);
    config_destroy(config);
    problems_destroy(problems);
    return 2;
}

/* ---- the command line ------------------------------------------------- */

/* `value` is NULL when there is none. */
static int run_refuse_value(const char *option, const char *value)
{
    bool is_port = !strcmp(option, "--port");

    text_print(stderr,
               "playground run: %s%s%s%s; write for example `playground run %s "
               "config/chat.json`\n",
               is_port ? "--port takes a number from 0 to 65535"
                       : "--host needs an address such as 127.0.0.1",
               value ? ", not \"" : "", value ? value : "", value ? "\"" : "",
               is_port ? "--port 5001" : "--host 0.0.0.0");
    return 2;
}

static bool run_is_port(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len < 6 && strspn(text, "0123456789") == len &&
           atoi(text) <= 65535;
}

/* The value was left out, and the config taken for it. */
static bool run_is_config(const char *text)
{
    size_t len = strlen(text);

    return strchr(text, '/') || (len > 5 && !strcmp(text + len - 5, ".json"));
}

/* -1: go on; else the exit status. */
static int run_check_overrides(const struct config_overrides *overrides)
{
    if (overrides->port && !run_is_port(overrides->port))
        return run_refuse_value("--port", overrides->port);
    if (overrides->host && run_is_config(overrides->host))
        return run_refuse_value("--host", overrides->host);
    return -1;
}

static int run_no_config(void)
{
    fputs("playground run: no CONFIG is given, and the default, "
          "./playground.json, is not there; write for example `playground run "
          "config/chat.json`\n",
          stderr);
    return 2;
}

int cmd_run(int argc, char **argv)
{
    static const struct option options[] = {
        {"single", no_argument, NULL, 's'},
        {"host", required_argument, NULL, 'h'},
        {"port", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, '?' + 256},
        {NULL, 0, NULL, 0},
    };
    struct config_overrides overrides = {0};
    const char *path = "playground.json";
    bool is_single = false;
    int option, status;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        switch (option) {
        case 's':
            is_single = true;
            break;
        case 'h':
            overrides.host = optarg;
            break;
        case 'p':
            overrides.port = optarg;
            break;
        case '?' + 256:
            fputs(help, stdout);
            return 0;
        case ':':
            return run_refuse_value(argv[optind - 1], NULL);
        default:
            return usage_refuse("run", options, option, argv);
        }
    }
    if (argc - optind > 1) {
        fprintf(stderr,
                "playground run: give one config, not %d; `playground run "
                "--help` shows how\n",
                argc - optind);
        return 2;
    }
    status = run_check_overrides(&overrides);
    if (status >= 0)
        return status;
    if (optind < argc)
        path = argv[optind];
    else if (access(path, F_OK))
        return run_no_config();
    if (is_single)
        return serve_single(path, &overrides);
    status = guard_run(path, &overrides);
    return status < 0 ? run_refuse(path, &overrides) : status;
}

/* Not for people: what the guard starts, see guard.h. */
int cmd_worker(int argc, char **argv)
{
    struct config_overrides overrides = {0};

    if (argc != 5) {
        fputs("`playground worker` is started by `playground run`\n", stderr);
        return 2;
    }
    if (strcmp(argv[2], "-") != 0)
        overrides.host = argv[2];
    if (strcmp(argv[3], "-") != 0)
        overrides.port = argv[3];
    return serve_worker(!strcmp(argv[1], "first"), argv[4], &overrides);
}
