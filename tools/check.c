/* playground check CONFIG: says whether a config is right. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/crash.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "cli/json_out.h"
#include "commands.h"
#include "config/config.h"
#include "places/problems.h"

struct check_request {
    bool is_json;
};

static const struct arguments check_arguments = {
    .command = "check",
    .head =
        "usage: playground check [--json] CONFIG\n\n"
        "Says `CONFIG: ok`, or what is wrong, where, and what to do. It reads "
        "the config as `playground run` does and loads its plugins, but opens "
        "no port.\n",
    .table =
        (const struct argument[]){
            {"json", NULL,
             "the same for a program to read, on stdout: \"ok\", and a list of "
             "\"problems\" with line, column (from 1; 0: the whole file), "
             "whether it is a warning, the text, and the \"other\" place if it "
             "is about two",
             NULL, ARGUMENT_FLAG,
             ARGUMENT_FIELD(struct check_request, is_json)},
            {0}},
    .tail = "Exit status: 0 the config is right, 2 it is not.\n\n"
            "example: playground check config/chat.json\n",
};

static void check_add_problem(const struct problem_report *report, void *arg)
{
    json_t *problem =
        json_pack("{s:i, s:i, s:b, s:s}", "line", (int)report->line, "column",
                  (int)report->column, "warning", report->is_warning, "text",
                  report->text);

    if (report->other_line)
        json_object_set_new(problem, "other",
                            json_pack("{s:i, s:i}", "line",
                                      (int)report->other_line, "column",
                                      (int)report->other_column));
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

/* ---- a plugin ends the program ---------------------------------------- */

static char *crashed_file; /* as JSON, with its quotes */

/* From a signal handler: nothing but write(2). */
static void check_write(const char *text, size_t len)
{
    ssize_t done = write(STDOUT_FILENO, text, len);

    (void)done;
}

static void check_write_escaped(const char *text)
{
    struct pg_bytes left = pg_text(text);

    while (left.len > 0) {
        char shown[256];
        size_t used,
            len = text_show(shown, sizeof(shown), left, PG_UTF8_JSON, &used);

        check_write(shown, len);
        left = pg_bytes(left.data + used, left.len - used);
    }
}

/* The number behind the last but `skip` colons of "FILE:LINE:COLUMN". */
static void check_write_number(const char *place, int skip)
{
    const char *end = place + strlen(place), *start;

    for (start = end; start > place && skip >= 0; skip--) {
        end = start;
        do
            start--;
        while (start > place && *start != ':');
    }
    if (*start == ':' && start[1] >= '0' && start[1] <= '9')
        check_write(start + 1, (size_t)(end - start - 1));
    else
        check_write("0", 1);
}

static void check_say_crash(const char *place, const char *text)
{
    static const char head[] = "{\"ok\": false, \"file\": ",
                      line[] = ", \"problems\": [{\"line\": ",
                      column[] = ", \"column\": ",
                      what[] = ", \"warning\": false, \"text\": \"",
                      tail[] = "\"}]}\n";

    check_write(head, sizeof(head) - 1);
    check_write(crashed_file, strlen(crashed_file));
    check_write(line, sizeof(line) - 1);
    check_write_number(place, 1);
    check_write(column, sizeof(column) - 1);
    check_write_number(place, 0);
    check_write(what, sizeof(what) - 1);
    check_write_escaped(text);
    check_write(tail, sizeof(tail) - 1);
}

static void check_watch_crashes(const char *path)
{
    char *file = text_clean(path);
    json_t *name = json_string(file);

    crashed_file = json_dumps(name, JSON_ENCODE_ANY);
    json_decref(name);
    free(file);
    crash_say_by(check_say_crash);
}

static int check(const char *path, bool is_json)
{
    struct problems *problems = problems_create(path);
    struct config *config;
    int status;

    if (is_json)
        check_watch_crashes(path);
    config = config_load(path, NULL, 0, NULL, problems);
    status = config ? 0 : 2;
    free(crashed_file);
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
    struct check_request request = {0};
    int status = arguments_read(&check_arguments, argc, argv, &request);

    if (status >= 0)
        return status;
    if (argc - optind != 1)
        return arguments_refuse(
            &check_arguments,
            "give one config, such as `playground check config/chat.json`");
    return check(argv[optind], request.is_json);
}
