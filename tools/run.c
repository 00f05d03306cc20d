/* playground run: serves. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/arguments.h"
#include "commands.h"
#include "config/config.h"
#include "places/problems.h"
#include "process/guard.h"
#include "process/serve.h"

struct run_request {
    struct config_overrides overrides;
    bool is_single;
};

static bool run_take_host(const struct argument *argument, const char *text,
                          void *target, char *error, size_t error_size);

static const struct arguments run_arguments = {
    .command = "run",
    .head =
        "usage: playground run [--single] [--host ADDR] [--port N] "
        "[CONFIG]\n\n"
        "Serves what CONFIG says (default: ./playground.json) until Ctrl-C or "
        "SIGTERM. Prints `listening ...` for each listener with its real "
        "port, then `ready`, on stdout; everything else goes to stderr. "
        "SIGUSR1 prints the counters there.\n\n"
        "A config whose transport is `sim` is a simulation: it runs to its "
        "end as fast as it goes and says on stdout what happened.\n",
    .table =
        (const struct argument[]){
            {"host", "ADDR",
             "overrides the host of every listener; 0.0.0.0 or :: opens the "
             "server to the network",
             "0.0.0.0", ARGUMENT_TEXT,
             ARGUMENT_FIELD(struct run_request, overrides.host),
             .take = run_take_host},
            {"port", "N",
             "overrides the port of every listener; 0 takes a free one", "5001",
             ARGUMENT_TEXT, ARGUMENT_FIELD(struct run_request, overrides.port),
             .range = {.most = 65535, .is_whole = true}},
            {"single", NULL,
             "one process without guard and with one worker, for gdb and "
             "valgrind",
             NULL, ARGUMENT_FLAG,
             ARGUMENT_FIELD(struct run_request, is_single)},
            {0}},
    .tail =
        "Exit status: 0 stopped when asked, 1 failed while running, 2 wrong "
        "usage or wrong config.\n\n"
        "example: playground run --port 5001 config/chat.json\n",
};

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

/* The value was left out, and the config taken for it. */
static bool run_is_config(const char *text)
{
    size_t len = strlen(text);

    return strchr(text, '/') || (len > 5 && !strcmp(text + len - 5, ".json"));
}

static bool run_take_host(const struct argument *argument, const char *text,
                          void *target, char *error, size_t error_size)
{
    char wrong[TEXT_QUOTE_BYTES];

    if (!run_is_config(text))
        return arguments_take(argument, text, target, error, error_size);
    snprintf(error, error_size, "takes an address, not %s",
             text_quote(text, wrong));
    return false;
}

int cmd_run(int argc, char **argv)
{
    struct run_request request = {0};
    const char *path = "playground.json";
    int status = arguments_read(&run_arguments, argc, argv, &request);

    if (status >= 0)
        return status;
    if (argc - optind > 1)
        return arguments_refuse(
            &run_arguments,
            "give one config, not %d; `playground run --help` shows how",
            argc - optind);
    if (optind < argc)
        path = argv[optind];
    else if (access(path, F_OK))
        return arguments_refuse(
            &run_arguments,
            "no CONFIG is given, and the default, ./playground.json, is not "
            "there; write for example `playground run config/chat.json`");
    if (request.is_single)
        return serve_single(path, &request.overrides);
    status = guard_run(path, &request.overrides);
    return status < 0 ? run_refuse(path, &request.overrides) : status;
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
