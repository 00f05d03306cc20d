/* The command line of compare. */

#include "compare/request.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "base/names.h"
#include "base/text.h"
#include "cli/arguments.h"

#define REQUEST(kind, field) .type = kind, ARGUMENT_FIELD(struct request, field)

/* Behind them come the settings. */
static const struct argument fixed_table[] = {
    {"json", NULL, "one JSON object with all that was found",
     REQUEST(ARGUMENT_FLAG, is_json)},
    {"html", "FILE", "a page with tables and plots, complete in one file",
     "report.html", REQUEST(ARGUMENT_TEXT, page)},
    {"predict", NULL, "asks for your guess before each experiment",
     REQUEST(ARGUMENT_FLAG, predicts)},
    {.help = "With --swap it runs your own config, once over each transport, "
             "and measures latency, loss, order, system calls, bytes on the "
             "wire and memory. With --loss, --delay and the like the two ends "
             "stand at a link that does so."},
    {.help = ""},
    {"swap", "tcp,udp", "the two transports that it runs over",
     REQUEST(ARGUMENT_TEXT, swap.pair)},
    {"send", "FILE",
     "what the clients say, one message a line, with \\n \\r \\t \\0 \\\\ and "
     "\\xHH; default: messages of 64 bytes",
     "messages.txt", REQUEST(ARGUMENT_TEXT, swap.send)},
    {"hex", NULL, "the lines of that file are hex digits",
     REQUEST(ARGUMENT_FLAG, swap.is_hex)},
    {.help = "For those that use them, which stand in brackets; else they are "
             "refused. A unit may follow, as in 1%, 20ms, 10mbit:"},
    {.help = ""},
};

#define FIXED (sizeof(fixed_table) / sizeof(*fixed_table))

static const struct arguments compare_arguments = {
    .command = "compare",
    .head =
        "usage: playground compare [OPTIONS] NAME... | first | all\n"
        "       playground compare [OPTIONS] CONFIG --swap tcp,udp\n\n"
        "Experiments that show what TCP and UDP do, each on both, with this "
        "program's own server and real sockets. Without a NAME it lists them. "
        "`first` stands for those marked for a first class, `all` for all.\n",
    .tail = "Exit status: 0 fine, 1 an experiment could not be run or did not "
            "come out as theory says, 2 wrong usage, 3 this machine was too "
            "busy to tell.\n\n"
            "example: playground compare boundaries --html report.html\n"
            "example: playground compare config/chat.json --swap tcp,udp\n",
};

/* ---- words of the command line ---------------------------------------- */

static bool request_is_plain(const char *word)
{
    return *word && word[strspn(word, "abcdefghijklmnopqrstuvwxyz"
                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789-_./=,:%+@")] == '\0';
}

/* In single quotes where a shell would see more than a word. */
static char *request_quoted(const char *word)
{
    char *quote, *out;

    if (request_is_plain(word))
        return must_copy(word);
    quote = out = must_calloc(4 * strlen(word) + 3, 1);
    *out++ = '\'';
    for (; *word; word++)
        out = *word == '\'' ? stpcpy(out, "'\\''") : (*out = *word, out + 1);
    *out = '\'';
    return quote;
}

/* ---- which experiments ------------------------------------------------ */

static void request_choose(struct request *request,
                           const struct experiment *one)
{
    for (size_t i = 0; i < request->count; i++)
        if (request->chosen[i] == one)
            return;
    request->chosen =
        must_grow(request->chosen, request->count, sizeof(*request->chosen));
    request->chosen[request->count++] = one;
}

static void request_choose_all(struct request *request, bool is_first)
{
    for (size_t i = 0; experiments[i]; i++)
        if (!is_first || experiments[i]->is_first)
            request_choose(request, experiments[i]);
}

/* "head-of-line" and "Head of line" are the same words. */
static char *request_words_of(const char *text)
{
    char *words = must_copy(text);

    for (char *at = words; *at; at++)
        *at = isalnum((unsigned char)*at) ? (char)tolower((unsigned char)*at)
                                          : ' ';
    return words;
}

/* The experiment whose title has these words, NULL if none has. */
static const char *request_name_by_title(const char *words)
{
    const char *found = NULL;
    char *wanted = request_words_of(words);

    for (size_t i = 0; experiments[i] && *wanted && !found; i++) {
        char *title = request_words_of(experiments[i]->title);

        if (strstr(title, wanted))
            found = experiments[i]->name;
        free(title);
    }
    free(wanted);
    return found;
}

static bool request_is_config(const char *name)
{
    const char *end = strrchr(name, '.');

    return (end && !strcmp(end, ".json")) || strchr(name, '/');
}

/* The caller frees it. */
static char *request_next_step(const char *name, const struct names *names)
{
    char meant[TEXT_QUOTE_BYTES];
    const char *near = names_near(names, name);

    if (experiment_renamed(name))
        return must_printf("it is called %s now", experiment_renamed(name));
    if (request_is_config(name)) {
        char *word = request_quoted(name), *clean = text_clean(word), *step;

        step = must_printf("a config runs over both with `playground compare "
                           "%s --swap tcp,udp`",
                           clean);
        free(clean);
        free(word);
        return step;
    }
    if (!near)
        near = request_name_by_title(name);
    return near ? must_printf("did you mean %s?", text_quote(near, meant))
                : must_copy("`playground compare` lists them");
}

static void request_refuse_name(const char *name)
{
    char wrong[TEXT_QUOTE_BYTES], *step;
    struct names names = {0};

    for (size_t i = 0; experiments[i]; i++)
        names_add(&names, experiments[i]->name);
    names_add(&names, "first");
    names_add(&names, "all");

    step = request_next_step(name, &names);
    text_print(stderr, "playground compare: there is no experiment %s; %s\n",
               text_quote(name, wrong), step);
    free(step);
    names_finish(&names);
}

static bool request_choose_named(struct request *request, const char *name)
{
    const struct experiment *one = experiment_find(name);

    if (one)
        request_choose(request, one);
    else if (!strcmp(name, "all") || !strcmp(name, "first"))
        request_choose_all(request, !strcmp(name, "first"));
    else
        request_refuse_name(name);
    return one || !strcmp(name, "all") || !strcmp(name, "first");
}

/* ---- settings --------------------------------------------------------- */

static char *request_add_user(char *users, const char *name)
{
    char *more = must_printf("%s%s%s", users, *users ? ", " : "", name);

    free(users);
    return more;
}

/* "loss, headofline, --swap", those that use it; the caller frees it. */
static char *request_users_of(enum setting which)
{
    char *users = must_copy("");

    for (size_t i = 0; experiments[i]; i++)
        if (experiments[i]->settings & SETTING(which))
            users = request_add_user(users, experiments[i]->name);
    return SWAP_SETTINGS & SETTING(which) ? request_add_user(users, "--swap")
                                          : users;
}

static bool request_is_used(const struct request *request, enum setting which)
{
    for (size_t i = 0; i < request->count; i++)
        if (request->chosen[i]->settings & SETTING(which))
            return true;
    return false;
}

/* The seed belongs to the command, used or not. */
static bool request_check_settings(const struct request *request)
{
    bool is_fine = true;

    for (int i = SETTING_SEED + 1; i < SETTINGS; i++) {
        if (!(request->settings.given & SETTING(i)) ||
            request_is_used(request, (enum setting)i))
            continue;

        char *users = request_users_of((enum setting)i);

        text_print(
            stderr,
            "playground compare: no chosen experiment uses --%s; leave it "
            "out, or choose one that does: %s\n",
            setting_infos[i].name, *users ? users : "none yet");
        free(users);
        is_fine = false;
    }
    return is_fine;
}

/* ---- the command again ------------------------------------------------ */

static char *request_command_of(int argc, char **argv,
                                const struct settings *settings)
{
    char *command = must_copy("playground");

    for (int i = 0; i < argc; i++) {
        char *word = request_quoted(argv[i]);
        char *longer = must_printf("%s %s", command, word);

        free(word);
        free(command);
        command = longer;
    }
    if (!(settings->given & SETTING(SETTING_SEED))) {
        char *longer = must_printf("%s --seed %.0f", command,
                                   settings->values[SETTING_SEED]);

        free(command);
        command = longer;
    }
    return command;
}

/* ---- all of it -------------------------------------------------------- */

static bool request_take_setting(const struct argument *argument,
                                 const char *text, void *target, char *error,
                                 size_t error_size)
{
    struct request *request = target;

    return settings_set(&request->settings, (enum setting)argument->constant,
                        text, error, error_size);
}

/* The line of a setting, with who uses it. */
static struct argument request_setting_line(enum setting which)
{
    struct argument line = setting_infos[which];
    char *users = request_users_of(which);

    line.help = must_printf(*users ? "%s (%s)" : "%s", line.help, users);
    line.constant = which;
    line.take = request_take_setting;
    free(users);
    return line;
}

static int request_read_options(struct request *request, int argc, char **argv)
{
    struct argument table[FIXED + SETTINGS + 1] = {0};
    struct arguments arguments = compare_arguments;
    int status;

    memcpy(table, fixed_table, sizeof(fixed_table));
    for (int i = 0; i < SETTINGS; i++)
        table[FIXED + (size_t)i] = request_setting_line((enum setting)i);
    arguments.table = table;
    status = arguments_read(&arguments, argc, argv, request);
    for (int i = 0; i < SETTINGS; i++)
        free((char *)table[FIXED + (size_t)i].help);
    return status;
}

/* Takes what stands behind the options: a config with --swap, else names. */
static bool request_choose_swap(struct request *request, int count,
                                char **words)
{
    const struct experiment *swap;

    if (count != 1) {
        fputs("playground compare: --swap takes one config, as in `playground "
              "compare config/chat.json --swap tcp,udp`\n",
              stderr);
        return false;
    }
    request->swap.config = words[0];
    swap = swap_prepare(&request->swap);
    if (swap)
        request_choose(request, swap);
    return swap != NULL;
}

static bool request_choose_words(struct request *request, int count,
                                 char **words)
{
    bool is_fine = true;

    if (request->swap.pair)
        return request_choose_swap(request, count, words);
    if (request->swap.send || request->swap.is_hex) {
        text_print(
            stderr,
            "playground compare: %s belongs to --swap: it is for a config "
            "of yours\n",
            request->swap.send ? "--send" : "--hex");
        return false;
    }
    for (int i = 0; i < count; i++)
        is_fine = request_choose_named(request, words[i]) && is_fine;
    return is_fine;
}

/* Whether the parts of the request go together. */
static bool request_check_request(const struct request *request)
{
    if (request->count == 0 && (request->page || request->predicts)) {
        text_print(stderr,
                   "playground compare: %s needs the name of an experiment, or "
                   "`all`\n",
                   request->page ? "--html" : "--predict");
        return false;
    }
    return request_check_settings(request);
}

int request_parse(struct request *request, int argc, char **argv)
{
    /* Before getopt reorders it. */
    char **typed = must_calloc((size_t)argc, sizeof(*typed));
    int status;

    memset(request, 0, sizeof(*request));
    settings_init(&request->settings);
    memcpy(typed, argv, (size_t)argc * sizeof(*typed));
    status = request_read_options(request, argc, argv);
    if (status < 0)
        request->command = request_command_of(argc, typed, &request->settings);
    free(typed);
    if (status >= 0)
        return status;
    return request_choose_words(request, argc - optind, argv + optind) &&
                   request_check_request(request)
               ? -1
               : 2;
}

void request_finish(struct request *request)
{
    free(request->chosen);
    free(request->command);
}
