/* Runs the compiler, with the warnings a first plugin needs. */

#include "build/build.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"
#include "base/remedy.h"
#include "base/text.h"

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

struct words {
    char **list; /* ends with NULL */
    size_t count;
};

static void build_compile_add(struct words *words, const char *word)
{
    words->list = must_realloc(words->list, words->count + 2, sizeof(char *));
    words->list[words->count++] = must_copy(word);
    words->list[words->count] = NULL;
}

static void build_compile_add_split(struct words *words, const char *text)
{
    char *copy = must_copy(text), *rest = copy, *word;

    while ((word = strsep(&rest, " \t")) != NULL)
        if (*word)
            build_compile_add(words, word);
    free(copy);
}

static void build_compile_words_finish(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->list[i]);
    free(words->list);
}

/* `compiler` may bring options of its own, "ccache gcc". */
static struct words build_compile_command_line(const struct build *build,
                                               const char *compiler)
{
    struct words words = {0};

    build_compile_add_split(&words, compiler);
    for (size_t i = 0; i < BUILD_OPTIONS; i++)
        build_compile_add(&words, build_options[i]);
    build_compile_add(&words, build->include);
    build_compile_add(&words, "-o");
    build_compile_add(&words, build->made);
    build_compile_add(&words, build->source);
    for (char **option = build->extra; *option; option++)
        build_compile_add(&words, *option);
    return words;
}

/* 0: compiled; 1: the compiler has said why not; -errno: it did not start. */
static int build_compile_with(const struct build *build, const char *compiler)
{
    struct words words = build_compile_command_line(build, compiler);
    pid_t pid;
    int error, status;

    error = posix_spawnp(&pid, words.list[0], NULL, NULL, words.list, environ);
    build_compile_words_finish(&words);
    if (error)
        return -error;
    status = build_wait(pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

static void build_compile_cannot_run(const char *what, const char *compiler,
                                     int error)
{
    char text[REMEDY_BYTES], *name;

    name = must_printf("%.*s", (int)strcspn(compiler, " \t"), compiler);
    text_print(stderr,
               "playground build: cannot run the compiler \"%s\"%s: %s\n",
               compiler, what,
               remedy_file(REMEDY_RUN, name, error, "choose another: CC=gcc",
                           text, sizeof(text)));
    free(name);
}

/* `error`: of the one in CC, or of the usual ones. */
static int build_compile_no_compiler(const char *chosen, const char *usual,
                                     int error)
{
    if (chosen)
        build_compile_cannot_run(" that CC names",
                                 chosen + strspn(chosen, " \t"), error);
    else if (error != ENOENT)
        build_compile_cannot_run("", usual, error);
    else
        text_print(stderr, "playground build: there is no C compiler; install "
                           "one: apt install gcc libc6-dev\n");
    return 1;
}

/* PLAYGROUND_COMPILER made this program. It comes last, because it may be one
   that only the build knows of. */
int build_compile(const struct build *build)
{
    static const char *const usual[] = {"cc", "gcc", "clang",
                                        PLAYGROUND_COMPILER};
    const char *chosen = getenv("CC"), *bad = usual[0];
    int status = -ENOENT, error = ENOENT;

    if (chosen && chosen[strspn(chosen, " \t")]) {
        status = build_compile_with(build, chosen);
        return status < 0 ? build_compile_no_compiler(chosen, NULL, -status)
                          : status;
    }
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        status = build_compile_with(build, usual[i]);
        if (status >= 0)
            return status;
        if (status != -ENOENT && error == ENOENT) {
            bad = usual[i];
            error = -status;
        }
    }
    return build_compile_no_compiler(NULL, bad, error);
}
