/*
 * playground build FILE.c: compiles a plugin into FILE.so beside it.
 *
 * The new file takes the old one's place by rename(2), and only once it is
 * known to load: a server that has the old one loaded goes on with it, while
 * writing into a file it has mapped would end it.
 */
#include "build/build.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/inherited.h"
#include "base/must.h"
#include "base/program.h"
#include "base/remedy.h"
#include "base/text.h"
#include "cli/arguments.h"
#include "commands.h"

static const struct arguments build_arguments = {
    .command = "build",
    .head =
        "usage: playground build FILE.c [COMPILER OPTION...]\n\n"
        "Compiles a handler or a transport into FILE.so beside FILE.c, with "
        "warnings on, and checks that it loads. What follows FILE.c goes to "
        "the compiler, for example -lm or -DDEBUG. The compiler is cc, or "
        "what the environment variable CC names.\n",
    .table = (const struct argument[]){{0}},
    .tail =
        "A config in the same folder finds the plugin by its name, FILE.\n\n"
        "Exit status: 0 built, 1 it cannot be compiled or loaded, 2 wrong "
        "usage.\n\n"
        "example: playground build shout.c\n",
};

/* ---- places ----------------------------------------------------------- */

static bool build_has_header(const char *folder)
{
    char *path = must_printf("%s/playground/handler.h", folder);
    bool is_there = access(path, R_OK) == 0;

    free(path);
    return is_there;
}

/* The headers beside an installed program, or the source tree's. */
static char *build_find_include(void)
{
    const char *program = program_path();
    char *folder;

    if (*program) {
        const char *slash = strrchr(program, '/');

        folder =
            must_printf("%.*s/../include", (int)(slash - program), program);
        if (build_has_header(folder))
            return folder;
        free(folder);
    }
    if (build_has_header(PLAYGROUND_SOURCE_INCLUDE))
        return must_copy(PLAYGROUND_SOURCE_INCLUDE);
    return NULL;
}

static void build_find_places(struct build *build)
{
    const char *slash = strrchr(build->source, '/');
    const char *name = slash ? slash + 1 : build->source;

    build->folder =
        must_printf("%.*s", (int)(name - build->source), build->source);
    build->name = must_printf("%.*s", (int)strlen(name) - 2, name);
    build->target = must_printf("%s%s.so", build->folder, build->name);
    build->scratch = must_printf("%s.build-XXXXXX", build->folder);
}

/* The folder of the build that runs, for a signal to clear away; its own texts,
   because it comes at any time. */
static struct {
    char folder[4096], made[4096];
} building;

static void build_on_signal(int number)
{
    unlink(building.made);
    rmdir(building.folder);
    signal(number, SIG_DFL);
    raise(number);
}

static void build_watch_signals(const struct build *build)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

    snprintf(building.folder, sizeof(building.folder), "%s", build->scratch);
    snprintf(building.made, sizeof(building.made), "%s", build->made);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (!inherited_is_ignored(numbers[i]))
            signal(numbers[i], build_on_signal);
}

/* A folder of our own, on the target's file system so that rename works. */
static bool build_make_scratch(struct build *build)
{
    char text[REMEDY_BYTES];

    if (!mkdtemp(build->scratch)) {
        text_print(stderr, "playground build: cannot write beside %s: %s\n",
                   build->source,
                   remedy_file(REMEDY_MAKE, build->target, errno,
                               "copy it to a folder of your own", text,
                               sizeof(text)));
        return false;
    }
    build->made = must_printf("%s/%s.so", build->scratch, build->name);
    build_watch_signals(build);
    return true;
}

static void build_finish(struct build *build)
{
    if (build->made) {
        unlink(build->made);
        rmdir(build->scratch);
    }
    free(build->folder);
    free(build->name);
    free(build->scratch);
    free(build->made);
    free(build->target);
    free(build->include);
}

int build_wait(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

/* ---- what to do next -------------------------------------------------- */

static void build_print_config(const char *name, const struct verdict *verdict)
{
    const char *framing = strcmp(name, "lines") ? "lines" : "length";
    const char *last = strcmp(name, "echo") ? "echo" : "log";

    if (verdict->kind == PLUGIN_TRANSPORT)
        text_print(
            stdout,
            "    { \"transports\": [\"%s\"], \"handlers\": [\"echo\"] }\n",
            name);
    else if (verdict->makes == PG_RECORDS)
        text_print(stdout,
                   "    { \"transports\": [\"tcp\"], "
                   "\"handlers\": [\"%s\", \"%s\"] }\n",
                   name, last);
    else if (verdict->needs == PG_RECORDS)
        text_print(stdout,
                   "    { \"transports\": [\"tcp\"], "
                   "\"handlers\": [\"%s\", \"%s\"] }\n",
                   framing, name);
    else
        text_print(
            stdout,
            "    { \"transports\": [\"tcp\"], \"handlers\": [\"%s\"] }\n",
            name);
}

/* A config finds what lies beside it first. */
static void build_warn_hidden(const struct build *build,
                              const struct verdict *verdict)
{
    if (plugin_has_builtin(verdict->kind, build->name))
        text_print(stderr,
                   "playground build: warning: there is a built-in %s \"%s\" "
                   "too, and configs in this folder now take yours; if they "
                   "should not, rename the file and its .name\n",
                   plugin_kind_text(verdict->kind), build->name);
}

static void build_print_next(const struct build *build,
                             const struct verdict *verdict)
{
    text_print(stdout, "%s: the %s \"%s\", %s\n", build->target,
               plugin_kind_text(verdict->kind), build->name, verdict->text);
    text_print(stdout, "To use it, write this into %smy.json:\n",
               build->folder);
    putchar('\n');
    build_print_config(build->name, verdict);
    putchar('\n');
    text_print(stdout, "and serve: %s run %smy.json\n", program_invocation_name,
               build->folder);
}

/* ---- the command ------------------------------------------------------ */

static bool build_is_cxx(const char *source)
{
    static const char *const endings[] = {".cc", ".cpp", ".cxx", ".c++", ".C"};
    const char *dot = strrchr(source, '.');

    for (size_t i = 0; dot && i < sizeof(endings) / sizeof(*endings); i++)
        if (!strcmp(dot, endings[i]))
            return true;
    return false;
}

static bool build_is_c(const char *source)
{
    size_t len = strlen(source);

    return len >= 3 && !strcmp(source + len - 2, ".c") &&
           source[len - 3] != '/';
}

static int build_check_source(const char *source)
{
    char text[REMEDY_BYTES];
    struct stat status;

    if (source[0] == '-')
        return arguments_refuse(
            &build_arguments,
            "%s; the file comes first, then the compiler's options", source);
    if (build_is_cxx(source))
        return arguments_refuse(&build_arguments,
                                "%s is C++, but handlers and transports are C; "
                                "write it in C, as FILE.c",
                                source);
    if (!build_is_c(source))
        return arguments_refuse(&build_arguments, "%s; give a C source, FILE.c",
                                source);
    if (stat(source, &status) < 0)
        return arguments_refuse(&build_arguments, "%s: %s", source,
                                remedy_file(REMEDY_READ, source, errno,
                                            "give the path of a C source", text,
                                            sizeof(text)));
    if (!S_ISREG(status.st_mode))
        return arguments_refuse(&build_arguments,
                                "%s; this is no file; give a C source, FILE.c",
                                source);
    return 0;
}

/* A umask of 0 would let everybody change what is loaded, and it would be
   refused for that. */
static void build_close_to_others(const struct build *build)
{
    struct stat status;

    if (stat(build->made, &status) == 0)
        chmod(build->made, (status.st_mode & 07777 & ~S_IWOTH) | S_IRUSR);
}

/* It is checked in a folder that is nobody else's: so its own one comes first.
 */
static bool build_check_folder(const struct build *build)
{
    char *warning = NULL, *path = must_printf("./%s", build->target);
    char *problem = plugin_check_folders(
        build->target[0] == '/' ? build->target : path, &warning);

    if (problem || warning)
        text_print(stderr, "playground build: %s%s\n",
                   problem ? "" : "warning: ", problem ? problem : warning);
    free(path);
    free(warning);
    free(problem);
    return problem == NULL;
}

static int build_install(const struct build *build)
{
    char text[REMEDY_BYTES];

    if (rename(build->made, build->target) == 0)
        return 0;
    text_print(stderr, "playground build: cannot write %s: %s\n", build->target,
               remedy_file(REMEDY_MAKE, build->target, errno,
                           "make room for it", text, sizeof(text)));
    return 1;
}

static int build_plugin(struct build *build)
{
    struct verdict verdict;
    char *include = build_find_include();

    if (!include) {
        text_print(stderr,
                   "playground build: the headers are not at ../include "
                   "beside the program; install the whole tree\n");
        return 1;
    }
    build->include = must_printf("-I%s", include);
    free(include);
    build_find_places(build);
    if (!build_check_folder(build) || !build_make_scratch(build) ||
        build_compile(build) != 0)
        return 1;
    build_close_to_others(build);
    if (!build_check(build, &verdict) || build_install(build) != 0)
        return 1;
    build_warn_hidden(build, &verdict);
    build_warn_open(build, &verdict);
    build_print_next(build, &verdict);
    return 0;
}

int cmd_build(int argc, char **argv)
{
    struct build build = {0};
    int status;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            arguments_print_help(&build_arguments);
            return 0;
        }
    }
    if (argc < 2)
        return arguments_refuse(
            &build_arguments,
            "no file is given; write for example `playground build shout.c`");
    status = build_check_source(argv[1]);
    if (status != 0)
        return status;
    build.source = argv[1];
    build.extra = argv + 2;
    status = build_plugin(&build);
    build_finish(&build);
    return status;
}
