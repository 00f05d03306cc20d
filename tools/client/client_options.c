#include "base/text.h"
#include "client/client.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "cli/usage.h"

static const char help[] =
    "usage: playground client [OPTION]... URL\n"
    "\n"
    "Talks to a server: what you type is sent, what comes is printed.\n"
    "\n"
    "URL is tcp://HOST:PORT or udp://HOST:PORT; an IPv6 address stands in\n"
    "brackets, and the port is 5000 if none is given.\n"
    "\n"
    "  --framing NAME[,KEY=VALUE]...\n"
    "                    cut and put together messages with a framing layer,\n"
    "                    the same plugin and options as on the server; may be\n"
    "                    given several times, from the wire upwards\n"
    "  --hex             show the bytes of each read and each send in hex\n"
    "  --quit-word WORD  typing this word leaves (default SAIR, \"\": none);\n"
    "                    only on a terminal\n"
    "  --timeout SECONDS how long to try to connect (default 10)\n"
    "  --wait SECONDS    udp: how long to wait for the last answers after the\n"
    "                    end of input (default 1)\n"
    "  --quiet           say nothing on stderr but what went wrong\n"
    "  --help            this text\n"
    "\n"
    "On a terminal each typed line is one message: over tcp with its line "
    "end,\n"
    "over udp as one datagram without it. Ctrl-D at the start of a line says\n"
    "goodbye and waits for the last answers, Ctrl-C leaves at once.\n"
    "\n"
    "From a pipe or a file the bytes go over tcp as they are; over udp, or "
    "with\n"
    "--framing, each line is one message. Messages are printed with a line "
    "end,\n"
    "the bytes of a stream as they come. Only they go to stdout.\n"
    "\n"
    "Exit status: 0 fine, 1 failed (refused, reset, no answer, timed out), 2\n"
    "wrong usage or URL, 130 after Ctrl-C.\n"
    "\n"
    "  playground client tcp://127.0.0.1:5000\n"
    "  playground client udp://localhost\n"
    "  printf 'um\\ndois\\n' | playground client tcp://127.0.0.1:5000\n"
    "  playground client --framing length,size=2,order=little "
    "tcp://[::1]:5000\n"
    "  playground client --hex udp://192.168.1.23:5000\n";

enum {
    OPTION_FRAMING = 256,
    OPTION_HEX,
    OPTION_QUIT_WORD,
    OPTION_TIMEOUT,
    OPTION_WAIT,
    OPTION_QUIET,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"framing", required_argument, NULL, OPTION_FRAMING},
    {"hex", no_argument, NULL, OPTION_HEX},
    {"quit-word", required_argument, NULL, OPTION_QUIT_WORD},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"wait", required_argument, NULL, OPTION_WAIT},
    {"quiet", no_argument, NULL, OPTION_QUIET},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static int client_options_usage(const char *format, ...) PG_PRINTF(1, 2);

static int client_options_usage(const char *format, ...)
{
    va_list arguments;

    fputs("playground client: ", stderr);
    va_start(arguments, format);
    text_vprint(stderr, format, arguments);
    va_end(arguments);
    fputs("\nsee playground client --help\n", stderr);
    return 2;
}

/* -1: fine. */
static int client_options_read_seconds(const char *option, const char *text,
                                       double least, uint64_t *ms)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end || !isfinite(seconds) || seconds < least ||
        seconds > 86400)
        return client_options_usage(
            "--%s %s: not a number of seconds; write one from %g to "
            "86400",
            option, text, least);
    *ms = (uint64_t)(seconds * 1000 + 0.5);
    return -1;
}

static int client_options_add_framing(struct client_options *options,
                                      const char *text)
{
    if (options->framing_count == CLIENT_FRAMINGS)
        return client_options_usage(
            "more than %d --framing; nobody needs that many layers",
            CLIENT_FRAMINGS);
    options->framings[options->framing_count++] = text;
    return -1;
}

static int client_options_read_option(struct client_options *options,
                                      int option, char **argv)
{
    switch (option) {
    case OPTION_FRAMING:
        return client_options_add_framing(options, optarg);
    case OPTION_HEX:
        options->is_hex = true;
        return -1;
    case OPTION_QUIT_WORD:
        options->quit_word = optarg;
        return -1;
    case OPTION_TIMEOUT:
        return client_options_read_seconds("timeout", optarg, 0.001,
                                           &options->timeout_ms);
    case OPTION_WAIT:
        return client_options_read_seconds("wait", optarg, 0,
                                           &options->wait_ms);
    case OPTION_QUIET:
        options->is_quiet = true;
        return -1;
    case OPTION_HELP:
        fputs(help, stdout);
        return 0;
    default:
        return usage_refuse("client", long_options, option, argv);
    }
}

int client_options_read(struct client_options *options, int argc, char **argv)
{
    char error[512];
    int option, status = -1;

    *options = (struct client_options){
        .quit_word = "SAIR", .timeout_ms = 10000, .wait_ms = 1000};
    optind = 0; /* whoever read arguments before us: start anew */
    opterr = 0;
    while (status < 0 &&
           (option = getopt_long(argc, argv, ":", long_options, NULL)) != -1)
        status = client_options_read_option(options, option, argv);
    if (status >= 0)
        return status;
    if (optind == argc)
        return client_options_usage("the URL is missing; write for example "
                                    "playground client tcp://127.0.0.1:5000");
    if (optind + 1 < argc)
        return client_options_usage("one URL at a time: \"%s\" is too much",
                                    argv[optind + 1]);
    if (!client_url_parse(argv[optind], &options->url, error, sizeof(error)))
        return client_options_usage("%s", error);
    return -1;
}

/* ---- framing ---------------------------------------------------------- */

/* 2, true, "2" and little: JSON where it is JSON, else a string. */
static json_t *client_options_framing_value(const char *text, size_t len)
{
    json_t *value = json_loadb(text, len, JSON_DECODE_ANY, NULL);

    if (value && !json_is_object(value) && !json_is_array(value))
        return value;
    json_decref(value);
    return json_stringn(text, len);
}

/* "size=2" */
static bool client_options_framing_option(json_t *object, const char *text,
                                          size_t len, char *error,
                                          size_t error_size)
{
    const char *equals = memchr(text, '=', len);
    size_t key_len = equals ? (size_t)(equals - text) : 0;
    char key[64];
    json_t *value;

    if (key_len == 0 || key_len >= sizeof(key)) {
        snprintf(error, error_size,
                 "\"%.*s\" is no option; write KEY=VALUE, "
                 "for example length,size=2",
                 (int)len, text);
        return false;
    }
    snprintf(key, sizeof(key), "%.*s", (int)key_len, text);
    if (json_object_get(object, key)) {
        snprintf(error, error_size, "\"%s\" is there twice; leave one out",
                 key);
        return false;
    }
    value = client_options_framing_value(equals + 1, len - key_len - 1);
    if (value && json_object_set_new(object, key, value) == 0)
        return true;
    snprintf(error, error_size,
             "the value of \"%s\" is not UTF-8; write it "
             "in UTF-8",
             key);
    return false;
}

bool client_framing_parse(const char *text, char **name, char **json,
                          char *error, size_t error_size)
{
    size_t name_len = strcspn(text, ",");
    const char *at = text + name_len;
    json_t *object = json_object();
    bool is_fine = name_len > 0;

    if (!is_fine)
        snprintf(error, error_size,
                 "the name of a framing layer is missing; "
                 "write lines or length,size=2");
    while (is_fine && *at == ',') {
        size_t len = strcspn(++at, ",");

        is_fine =
            client_options_framing_option(object, at, len, error, error_size);
        at += len;
    }
    if (is_fine) {
        *name = strndup(text, name_len);
        *json = json_dumps(object, 0);
    }
    json_decref(object);
    return is_fine;
}
