/*
 * playground build FILE.c: compiles a plugin into FILE.so beside it.
 *
 * The new file takes the old one's place by rename(2), and only once it is
 * known to load: a server that has the old one loaded goes on with it, while
 * writing into a file it has mapped would end it.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "must.h"
#include "object.h"
#include "plugin.h"

#define BUILD_LOAD_SECONDS 10

extern char **environ;

static const char build_help[] =
    "usage: playground build FILE.c [COMPILER OPTION...]\n"
    "\n"
    "Compiles a handler or a transport into FILE.so beside FILE.c, with\n"
    "warnings on, and checks that it loads. What follows FILE.c goes to the\n"
    "compiler, for example -lm or -DDEBUG. The compiler is cc, or what the\n"
    "environment variable CC names.\n"
    "\n"
    "A config in the same folder finds the plugin by its name, FILE.\n";

/* Warnings are those a first plugin is likely to need; what cannot be right
   is an error, above all a callback that forgets its verdict. */
static const char *const build_options[] = {
    "-std=c11",
    "-D_GNU_SOURCE",
    "-fPIC",
    "-shared",
    "-fvisibility=hidden",
    "-O2",
    "-g",
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wshadow",
    "-Wvla",
    "-Wpointer-arith",
    "-Wwrite-strings",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Wno-unused-parameter",
    "-Werror=return-type",
    "-Werror=implicit-function-declaration",
    "-Werror=incompatible-pointer-types",
    "-Werror=int-conversion",
};

#define BUILD_OPTIONS (sizeof(build_options) / sizeof(build_options[0]))

/* FOLDER/NAME.c becomes FOLDER/NAME.so by way of SCRATCH/NAME.so. */
struct build {
    const char *source;
    char *folder; /* ends with a slash, or is empty */
    char *name, *scratch, *made, *target;
    char *include; /* the compiler's -I option */
    char **extra;  /* the command line's own options; ends with NULL */
};

/* What the process that loads the plugin has to tell. */
struct verdict {
    bool is_good;
    enum plugin_kind kind;
    enum pg_kind needs, makes;
    char text[1024]; /* the summary, or what is wrong */
};

/* ---- places ----------------------------------------------------------- */

static bool has_header(const char *folder)
{
    char *path = must_printf("%s/playground/handler.h", folder);
    bool is_there = access(path, R_OK) == 0;

    free(path);
    return is_there;
}

/* The headers beside an installed program, or the source tree's. */
static char *find_include(void)
{
    char program[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
    char *slash, *folder;

    if (len > 0) {
        program[len] = '\0';
        slash = strrchr(program, '/');
        folder =
            must_printf("%.*s/../include", (int)(slash - program), program);
        if (has_header(folder))
            return folder;
        free(folder);
    }
    if (has_header(PLAYGROUND_SOURCE_INCLUDE))
        return must_copy(PLAYGROUND_SOURCE_INCLUDE);
    return NULL;
}

static void find_places(struct build *build)
{
    const char *slash = strrchr(build->source, '/');
    const char *name = slash ? slash + 1 : build->source;

    build->folder =
        must_printf("%.*s", (int)(name - build->source), build->source);
    build->name = must_printf("%.*s", (int)strlen(name) - 2, name);
    build->target = must_printf("%s%s.so", build->folder, build->name);
    build->scratch = must_printf("%s.build-XXXXXX", build->folder);
}

/* A folder of our own, on the target's file system so that rename works. */
static bool make_scratch(struct build *build)
{
    if (!mkdtemp(build->scratch)) {
        fprintf(stderr,
                "playground build: cannot write beside %s: %s; copy it to a "
                "folder of your own\n",
                build->source, strerror(errno));
        return false;
    }
    build->made = must_printf("%s/%s.so", build->scratch, build->name);
    return true;
}

static void finish(struct build *build)
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

/* ---- compiling -------------------------------------------------------- */

struct words {
    char **list; /* ends with NULL */
    size_t count;
};

static void add(struct words *words, const char *word)
{
    words->list = must_realloc(words->list, words->count + 2, sizeof(char *));
    words->list[words->count++] = must_copy(word);
    words->list[words->count] = NULL;
}

static void add_split(struct words *words, const char *text)
{
    char *copy = must_copy(text), *rest = copy, *word;

    while ((word = strsep(&rest, " \t")) != NULL)
        if (*word)
            add(words, word);
    free(copy);
}

static void words_finish(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->list[i]);
    free(words->list);
}

/* `compiler` may bring options of its own, "ccache gcc". */
static struct words command_line(const struct build *build,
                                 const char *compiler)
{
    struct words words = {0};

    add_split(&words, compiler);
    for (size_t i = 0; i < BUILD_OPTIONS; i++)
        add(&words, build_options[i]);
    add(&words, build->include);
    add(&words, "-o");
    add(&words, build->made);
    add(&words, build->source);
    for (char **option = build->extra; *option; option++)
        add(&words, *option);
    return words;
}

static int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

/* 0: compiled; 1: the compiler has said why not; -errno: it did not start. */
static int compile_with(const struct build *build, const char *compiler)
{
    struct words words = command_line(build, compiler);
    pid_t pid;
    int error, status;

    error = posix_spawnp(&pid, words.list[0], NULL, NULL, words.list, environ);
    words_finish(&words);
    if (error)
        return -error;
    status = wait_for(pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

static int no_compiler(const char *chosen)
{
    if (chosen)
        fprintf(stderr,
                "playground build: cannot run the compiler \"%s\" that CC "
                "names; correct it, or `unset CC` to use cc\n",
                chosen);
    else
        fprintf(stderr, "playground build: there is no C compiler; install "
                        "one: apt install gcc libc6-dev\n");
    return 1;
}

/* PLAYGROUND_COMPILER made this program. It comes last, because it may be one
   that only the build knows of. */
static int compile(const struct build *build)
{
    static const char *const usual[] = {"cc", "gcc", "clang",
                                        PLAYGROUND_COMPILER};
    const char *chosen = getenv("CC");
    int status = -ENOENT;

    if (chosen && chosen[strspn(chosen, " \t")]) {
        status = compile_with(build, chosen);
        return status < 0 ? no_compiler(chosen) : status;
    }
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        status = compile_with(build, usual[i]);
        if (status >= 0)
            return status;
    }
    return no_compiler(NULL);
}

/* ---- checking --------------------------------------------------------- */

static enum plugin_kind kind_of(const char *path)
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

static void describe(struct verdict *verdict, const struct plugin *plugin)
{
    const char *summary = plugin_summary(plugin);

    verdict->is_good = true;
    verdict->needs = plugin->handler.needs;
    verdict->makes = plugin->handler.makes;
    snprintf(verdict->text, sizeof(verdict->text), "%s",
             summary ? summary : "no summary");
}

/* Loads the plugin from the scratch folder and reports into `out`. */
static void load(const struct build *build, int out)
{
    const char *const folders[] = {build->scratch, NULL};
    const struct plugin_search search = {folders};
    struct verdict verdict = {.kind = kind_of(build->made)};
    const struct plugin *plugin = plugin_load(
        verdict.kind, build->name, &search, verdict.text, sizeof(verdict.text));

    if (plugin)
        describe(&verdict, plugin);
    _exit(write(out, &verdict, sizeof(verdict)) == sizeof(verdict) ? 0 : 1);
}

/* In a process of its own, because loading runs the plugin's constructors;
   the alarm ends one that does not come back. */
static bool load_apart(const struct build *build, struct verdict *verdict)
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
        load(build, ends[1]);
    }
    close(ends[1]);
    has_told = read(ends[0], verdict, sizeof(*verdict)) == sizeof(*verdict);
    close(ends[0]);
    status = wait_for(pid);
    if (!has_told)
        fprintf(stderr,
                "playground build: %s ends the process that loads it (%s); "
                "look at its constructors\n",
                build->target,
                WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit");
    return has_told;
}

/* What is wrong names the file in the scratch folder; people know the other. */
static void print_error(const struct build *build, const char *text)
{
    const char *at = strstr(text, build->made);

    if (at)
        fprintf(stderr, "playground build: %.*s%s%s\n", (int)(at - text), text,
                build->target, at + strlen(build->made));
    else
        fprintf(stderr, "playground build: %s: %s\n", build->source, text);
}

static bool check(const struct build *build, struct verdict *verdict)
{
    if (!load_apart(build, verdict))
        return false;
    if (!verdict->is_good)
        print_error(build, verdict->text);
    return verdict->is_good;
}

/* ---- what to do next -------------------------------------------------- */

static void print_config(const char *name, const struct verdict *verdict)
{
    if (verdict->kind == PLUGIN_TRANSPORT)
        printf("    { \"transports\": [\"%s\"], \"handlers\": [\"echo\"] }\n",
               name);
    else if (verdict->makes == PG_RECORDS)
        printf("    { \"transports\": [\"tcp\"], "
               "\"handlers\": [\"%s\", \"echo\"] }\n",
               name);
    else if (verdict->needs == PG_RECORDS)
        printf("    { \"transports\": [\"tcp\"], "
               "\"handlers\": [\"lines\", \"%s\"] }\n",
               name);
    else
        printf("    { \"transports\": [\"tcp\"], \"handlers\": [\"%s\"] }\n",
               name);
}

static void print_next(const struct build *build, const struct verdict *verdict)
{
    printf("%s: the %s \"%s\", %s\n", build->target,
           verdict->kind == PLUGIN_HANDLER ? "handler" : "transport",
           build->name, verdict->text);
    printf("To use it, write this into %smy.json:\n\n", build->folder);
    print_config(build->name, verdict);
    printf("\nand serve: playground run %smy.json\n", build->folder);
}

/* ---- the command ------------------------------------------------------ */

static int wrong(const char *what, const char *advice)
{
    fprintf(stderr, "playground build: %s; %s\n", what, advice);
    return 2;
}

static int check_source(const char *source)
{
    size_t len = strlen(source);
    struct stat status;
    char what[512];

    snprintf(what, sizeof(what), "%.400s", source);
    if (source[0] == '-')
        return wrong(what, "the file comes first, then the compiler's options");
    if (len < 3 || strcmp(source + len - 2, ".c") != 0 ||
        source[len - 3] == '/')
        return wrong(what, "give a C source, FILE.c");
    if (stat(source, &status) < 0) {
        snprintf(what, sizeof(what), "%.400s: %s", source, strerror(errno));
        return wrong(what, "give the path of a C source");
    }
    if (!S_ISREG(status.st_mode))
        return wrong(what, "this is no file; give a C source, FILE.c");
    return 0;
}

static int install(const struct build *build)
{
    if (rename(build->made, build->target) == 0)
        return 0;
    fprintf(stderr, "playground build: cannot write %s: %s; make room for it\n",
            build->target, strerror(errno));
    return 1;
}

static int build_plugin(struct build *build)
{
    struct verdict verdict;
    char *include = find_include();

    if (!include) {
        fprintf(stderr, "playground build: the headers are not at ../include "
                        "beside the program; install the whole tree\n");
        return 1;
    }
    build->include = must_printf("-I%s", include);
    free(include);
    find_places(build);
    if (!make_scratch(build) || compile(build) != 0 ||
        !check(build, &verdict) || install(build) != 0)
        return 1;
    print_next(build, &verdict);
    return 0;
}

int cmd_build(int argc, char **argv)
{
    struct build build = {0};
    int status;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(build_help, stdout);
            return 0;
        }
    }
    if (argc < 2)
        return wrong("no file given", "usage: playground build FILE.c");
    status = check_source(argv[1]);
    if (status != 0)
        return status;
    build.source = argv[1];
    build.extra = argv + 2;
    status = build_plugin(&build);
    finish(&build);
    return status;
}
