/* playground compare: experiments that show what TCP and UDP do. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/remedy.h"
#include "base/text.h"
#include "cli/columns.h"
#include "cli/json_out.h"
#include "cli/whole_file.h"
#include "commands.h"
#include "compare/lab/child.h"
#include "compare/lab/result_parts.h"
#include "compare/report/page.h"
#include "compare/report/predict.h"
#include "compare/report/print_text.h"
#include "compare/report/report.h"
#include "compare/request.h"

static void compare_list_json(void)
{
    json_t *list = json_array();

    for (size_t i = 0; experiments[i]; i++) {
        json_t *one = result_create(experiments[i]), *brief = json_object();
        static const char *const keys[] = {"name", "title", "question",
                                           "is_first", "needs"};

        for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
            result_set(brief, keys[k],
                       json_incref(json_object_get(one, keys[k])));
        result_append(list, brief);
        json_decref(one);
    }
    json_out(list, JSON_INDENT(2), stdout);
    json_decref(list);
}

static int compare_list_experiments(const struct request *request)
{
    if (request->is_json) {
        compare_list_json();
        return 0;
    }
    print_text_list(stdout, experiments, columns_of_terminal(STDOUT_FILENO));
    puts("\n*  one of those for a first class; `playground compare first` runs "
         "them.\n`playground compare NAME...` or `all` runs others, --help "
         "says how.");
    return 0;
}

/* Asked in text, so not into the JSON of stdout. */
static int compare_ask(const struct request *request,
                       const struct experiment *experiment)
{
    return predict_ask(experiment, stdin, request->is_json ? stderr : stdout);
}

static void compare_print_one(const struct request *request,
                              const json_t *result, size_t number)
{
    size_t width = columns_of_terminal(STDOUT_FILENO);

    if (request->is_json)
        return;
    if (number > 1 && !request->predicts)
        putchar('\n');
    print_text(stdout, result, width);
    predict_tell(result, stdout, width);
    if (request->predicts)
        putchar('\n');
    fflush(stdout);
}

static void compare_run_all(const struct request *request, json_t *results)
{
    for (size_t i = 0; i < request->count; i++) {
        const struct experiment *experiment = request->chosen[i];
        struct progress progress;
        int guess = request->predicts ? compare_ask(request, experiment) : -1;
        json_t *result;

        progress_begin(&progress, experiment->name, i + 1, request->count);
        result = child_run(experiment, &request->settings, &progress);
        if (request->predicts)
            predict_note(result, experiment, guess);
        result_append(results, result);
        compare_print_one(request, result, i + 1);
    }
}

/* True when it stands in the file. */
static bool compare_write_page(const struct request *request,
                               const json_t *report)
{
    struct whole_file file;

    if (!request->page)
        return true;
    if (whole_file_begin(&file, request->page)) {
        page_print(file.out, report);
        if (whole_file_end(&file)) {
            text_print(stderr, "the page: %s\n", request->page);
            return true;
        }
    }
    text_print(stderr,
               "playground compare: cannot write %s: %s; make room for it. "
               "What was there before is left as it was\n",
               request->page, strerror(errno));
    return false;
}

/* A page that cannot be written is reported before the experiments rather than
   after them. */
static bool compare_may_write_page(const struct request *request)
{
    struct whole_file file;
    struct stat status;
    char text[REMEDY_BYTES];

    if (!request->page ||
        (stat(request->page, &status) == 0 && !S_ISREG(status.st_mode) &&
         !S_ISDIR(status.st_mode)))
        return true;
    if (whole_file_begin(&file, request->page)) {
        whole_file_drop(&file);
        return true;
    }
    text_print(stderr, "playground compare: cannot write %s: %s\n",
               request->page,
               remedy_file(REMEDY_WRITE, request->page, errno,
                           "give --html another file", text, sizeof(text)));
    return false;
}

static int compare_run_request(const struct request *request)
{
    json_t *report =
        report_create(request->command, request->settings.values[SETTING_SEED]);
    json_t *results = json_object_get(report, "experiments");
    int status;

    compare_run_all(request, results);
    if (request->is_json)
        json_out(report, JSON_INDENT(2), stdout);
    else if (request->predicts)
        predict_sum(results, stdout);
    status = report_exit_status(report);
    if (!compare_write_page(request, report))
        status = 1;
    json_decref(report);
    return status;
}

/* A full disk must not look like a success. */
static int compare_check_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fputs("playground compare: the output could not be written and is lost; "
          "is the disk full?\n",
          stderr);
    return status ? status : 1;
}

int cmd_compare(int argc, char **argv)
{
    struct request request;
    int status = request_parse(&request, argc, argv);

    if (status < 0 && request.count == 0)
        status = compare_list_experiments(&request);
    else if (status < 0)
        status = compare_may_write_page(&request)
                     ? compare_run_request(&request)
                     : 1;
    request_finish(&request);
    return compare_check_output(status);
}
