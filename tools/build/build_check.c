/* Loads the plugin that was compiled, in a process of its own. */

#include "build/build.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin/object.h"

#define BUILD_LOAD_SECONDS 10

static enum plugin_kind build_check_kind_of(const char *path)
{
    struct object_symbol symbol;
    struct object object;
    char error[256];
    bool is_transport;

    if (!object_open(&object, path, error, sizeof(error)))
        return PLUGIN_HANDLER;
    is_transport = object_find(&object, "pg_transport", &symbol);
    object_close(&object);
    return is_transport ? PLUGIN_TRANSPORT : PLUGIN_HANDLER;
}

static void build_check_describe(struct verdict *verdict,
                                 const struct plugin *plugin)
{
    const char *summary = plugin_summary(plugin);

    verdict->is_good = true;
    verdict->needs = plugin->handler.needs;
    verdict->makes = plugin->handler.makes;
    snprintf(verdict->text, sizeof(verdict->text), "%s",
             summary ? summary : "no summary");
}

/* Loads the plugin from the scratch folder and reports into `out`. */
static void build_check_load(const struct build *build, int out)
{
    const char *const folders[] = {build->scratch, NULL};
    const struct plugin_search search = {folders};
    struct verdict verdict = {.kind = build_check_kind_of(build->made)};
    const struct plugin *plugin = plugin_load(
        verdict.kind, build->name, &search, verdict.text, sizeof(verdict.text));

    if (plugin)
        build_check_describe(&verdict, plugin);
    _exit(write(out, &verdict, sizeof(verdict)) == sizeof(verdict) ? 0 : 1);
}

/* Loads it in a process of its own, because loading runs the plugin's
   constructors; the alarm ends one that does not come back. */
static bool build_check_load_apart(const struct build *build,
                                   struct verdict *verdict)
{
    int ends[2], status;
    bool has_told;
    pid_t pid;

    if (pipe(ends) < 0 || (pid = fork()) < 0) {
        fprintf(stderr, "playground build: cannot start a process: %s\n",
                strerror(errno));
        return false;
    }
    if (pid == 0) {
        close(ends[0]);
        alarm(BUILD_LOAD_SECONDS);
        build_check_load(build, ends[1]);
    }
    close(ends[1]);
    has_told = read(ends[0], verdict, sizeof(*verdict)) == sizeof(*verdict);
    close(ends[0]);
    status = build_wait(pid);
    if (!has_told)
        fprintf(stderr,
                "playground build: %s ends the process that loads it (%s); "
                "look at its constructors\n",
                build->target,
                WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit");
    return has_told;
}

/* The error names the file in the scratch folder; people know the target. */
static void build_check_print_error(const struct build *build, const char *text)
{
    const char *at = strstr(text, build->made);

    if (at)
        fprintf(stderr, "playground build: %.*s%s%s\n", (int)(at - text), text,
                build->target, at + strlen(build->made));
    else
        fprintf(stderr, "playground build: %s: %s\n", build->source, text);
}

bool build_check(const struct build *build, struct verdict *verdict)
{
    if (!build_check_load_apart(build, verdict))
        return false;
    if (!verdict->is_good)
        build_check_print_error(build, verdict->text);
    return verdict->is_good;
}
