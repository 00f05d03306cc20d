/*
 * playground build FILE.c: compiles a plugin into FILE.so beside it.
 *
 * The new file takes the old one's place by rename(2) once it is known to
 * load. A server that has the old one loaded goes on with it; writing into the
 * file that it has mapped would end it.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "elf.h"
#include "plugin.h"

#define BUILD_LOAD_SECONDS 10
#define BUILD_OPTIONS_MAX  64

static const char build_help[] =
    "usage: playground build FILE.c [COMPILER OPTION...]\n"
    "\n"
    "Compiles a handler or a transport into FILE.so beside FILE.c, with\n"
    "warnings on, and checks that it loads. What follows FILE.c goes to the\n"
    "compiler, for example -lm or -DDEBUG. The compiler is cc, or what the\n"
    "environment variable CC names.\n"
    "\n"
    "A config in the same folder finds the plugin by its name, FILE.\n";

/* Warnings are what a beginner's plugin is most likely to need; what cannot be
   right is an error, above all a callback that forgets its verdict. */
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

/* Where everything is: FOLDER/NAME.c becomes FOLDER/NAME.so by way of
   FOLDER/.build-XXXXXX/NAME.so. */
struct build {
    const char *source;
    char folder[PATH_MAX], name[NAME_MAX + 1];
    char scratch[PATH_MAX], made[PATH_MAX], target[PATH_MAX];
    char include[PATH_MAX];
    char **extra; /* options of the command line, ends with NULL */
};

/* What the process that loads the plugin tells about it. */
struct verdict {
    enum plugin_kind kind;
    enum pg_kind needs, makes;
    bool is_good;
    char text[1024]; /* the summary, or what is wrong */
};

static int wrong_usage(const char *text, const char *what)
{
    fprintf(stderr, "playground build: %s%s\n", what, text);
    return 2;
}

/* ---- places ----------------------------------------------------------- */

/* snprintf() that refuses to cut. */
static bool join(char *out, size_t size, const char *first, const char *second,
                 const char *third)
{
    int len = snprintf(out, size, "%s%s%s", first, second, third);

    return len >= 0 && (size_t)len < size;
}

static bool find_places(struct build *build)
{
    const char *slash = strrchr(build->source, '/');
    const char *name = slash ? slash + 1 : build->source;

    snprintf(build->folder, sizeof(build->folder), "%.*s",
             slash ? (int)(slash - build->source) : 1,
             slash ? build->source : ".");
    if (slash == build->source)
        strcpy(build->folder, "/");
    snprintf(build->name, sizeof(build->name), "%.*s", (int)strlen(name) - 2,
             name);
    return join(build->target, sizeof(build->target), build->folder, "/",
                build->name) &&
           join(build->target, sizeof(build->target) - 3, build->target, "", "");
}
