/* A report: what was run, where, and how it came out. */

#include "compare/report/report.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "compare/lab/result_parts.h"

/* PRETTY_NAME="Debian GNU/Linux 12 (bookworm)" in os-release(5). */
static json_t *report_distribution(void)
{
    FILE *file = fopen("/etc/os-release", "re");
    char line[256], name[200] = "";

    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "PRETTY_NAME=\"%199[^\"\n]", name) == 1)
            break;
    if (file)
        fclose(file);
    return json_string(name);
}

static json_t *report_machine(void)
{
    struct utsname name;
    json_t *object = json_object();
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    if (!uname(&name)) {
        char kernel[sizeof(name.sysname) + sizeof(name.release) + 2];

        snprintf(kernel, sizeof(kernel), "%s %s", name.sysname, name.release);
        result_set(object, "kernel", json_string(kernel));
        result_set(object, "architecture", json_string(name.machine));
    }
    result_set(object, "distribution", report_distribution());
    result_set(object, "cpus", json_integer(cpus));
    return object;
}

static json_t *report_date(void)
{
    time_t now = time(NULL);
    struct tm utc;
    char text[32];

    gmtime_r(&now, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

json_t *report_create(const char *command, double seed)
{
    json_t *report = json_object();
    char *clean = text_clean(command);

    result_set(report, "command", json_string(clean));
    free(clean);
    result_set(report, "seed", json_integer((json_int_t)seed));
    result_set(report, "version", json_string(PLAYGROUND_VERSION));
    result_set(report, "date", report_date());
    result_set(report, "machine", report_machine());
    result_set(report, "experiments", json_array());
    return report;
}

static int report_status_of_result(const json_t *result)
{
    int status = 0;
    json_t *check;
    size_t i;

    if (json_object_get(result, "error"))
        return 1;
    json_array_foreach (json_object_get(result, "checks"), i, check) {
        if (json_is_true(json_object_get(check, "holds")))
            continue;
        if (!json_is_true(json_object_get(check, "busy")))
            return 1;
        status = 3;
    }
    return status;
}

int report_exit_status(const json_t *report)
{
    int status = 0;
    json_t *result;
    size_t i;

    json_array_foreach (json_object_get(report, "experiments"), i, result) {
        int one = report_status_of_result(result);

        if (one == 1)
            return 1;
        status = one ? one : status;
    }
    return status;
}
