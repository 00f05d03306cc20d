/* playground check CONFIG: says whether a config is right. */

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/text.h"
#include "cli/json_out.h"
#include "cli/usage.h"
#include "commands.h"
#include "config/config.h"
#include "places/problems.h"

static const char help[] =
    "usage: playground check [--json] CONFIG\n"
    "\n"
    "Says `CONFIG: ok`, or what is wrong, where, and what to do. It reads the\n"
    "config as `playground run` does and loads its plugins, but opens no "
    "port.\n"
    "\n"
    "  --json  the same for a program to read, on stdout: \"ok\", and a list\n"
    "          of \"problems\" with line, column (from 1; 0: the whole file),\n"
    "          whether it is a warning, and the text\n"
    "\n"
    "Exit status: 0 the config is right, 2 it is not.\n"
    "\n"
    "example: playground check config/chat.json\n";

static void check_add_problem(const struct problem_report *report, void *arg)
{
    json_t *problem =
        json_pack("{s:i, s:i, s:b, s:s}", "line", (int)report->line, "column",
                  (int)report->column, "warning", report->is_warning, "text",
                  report->text);

    json_array_append_new(arg, problem);
}

static void check_print_json(const char *path, const struct problems *problems,
                             bool is_right)
{
    char *file = text_clean(path); /* it may be no UTF-8 */
    json_t *list = json_array(), *all;

    problems_each(problems, check_add_problem, list);
    all = json_pack("{s:s, s:b, s:o}", "file", file, "ok", is_right, "problems",
                    list);
    json_out(all, JSON_INDENT(2), stdout);
    json_decref(all);
    free(file);
}

static int check(const char *path, bool is_json)
{
    struct problems *problems = problems_create(path);
    struct config *config = config_load(path, NULL, 0, NULL, problems);
    int status = config ? 0 : 2;

    if (is_json) {
        check_print_json(path, problems, config != NULL);
    } else {
        problems_print(problems, stderr);
        if (config)
            text_print(stdout, "%s: ok\n", path);
    }
    config_destroy(config);
    problems_destroy(problems);
    return status;
}

int cmd_check(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    bool is_json = false;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (option == '?' || option == ':')
            return usage_refuse("check", options, option, argv);
        is_json = true;
    }
    if (argc - optind != 1) {
        fputs("playground check: give one config, such as `playground check "
              "config/chat.json`\n",
              stderr);
        return 2;
    }
    return check(argv[optind], is_json);
}
