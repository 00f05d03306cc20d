/* The command line of `playground client`, and what --framing says. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "cli/arguments.h"
#include "client/client.h"

static bool client_options_take_framing(const struct argument *argument,
                                        const char *text, void *target,
                                        char *error, size_t error_size)
{
    struct client_options *options = target;

    (void)argument;
    if (options->framing_count == CLIENT_FRAMINGS) {
        snprintf(error, error_size, "may be given %d times at the most",
                 CLIENT_FRAMINGS);
        return false;
    }
    options->framings[options->framing_count++] = text;
    return true;
}

#define OPTION(kind, field)                                                    \
    .type = kind, ARGUMENT_FIELD(struct client_options, field)
#define SECONDS(field, minimum)                                                \
    OPTION(ARGUMENT_MS, field),                                                \
        .range = {QUANTITY_SECONDS, minimum, .most = 86400}

static const struct argument client_options_table[] = {
    {"framing", "NAME[,KEY=VALUE]...",
     "cut and put together messages with a framing layer, the same plugin and "
     "options as on the server; may be given several times, from the wire "
     "upwards",
     "length,size=2", .take = client_options_take_framing},
    {"hex", NULL, "show the bytes of each read and each send in hex",
     OPTION(ARGUMENT_FLAG, is_hex)},
    {"quit-word", "WORD",
     "typing this word leaves (default SAIR, \"\": none); only on a terminal",
     "bye", OPTION(ARGUMENT_TEXT, quit_word)},
    {"timeout", "SECONDS", "how long to try to connect (default 10)", "10",
     SECONDS(timeout_ms, 0.001L)},
    {"wait", "SECONDS",
     "udp: how long to wait for the last answers after the end of input "
     "(default 1)",
     "1", SECONDS(wait_ms, 0)},
    {"quiet", NULL, "say nothing on stderr but what went wrong",
     OPTION(ARGUMENT_FLAG, is_quiet)},
    {0}};

static const struct arguments client_arguments = {
    .command = "client",
    .table = client_options_table,
    .head =
        "usage: playground client [OPTION]... URL\n\n"
        "Talks to a server: what you type is sent, what comes is printed.\n\n"
        "URL is tcp://HOST:PORT or udp://HOST:PORT, where an IPv6 address "
        "stands in brackets and the port is 5000 if none is given, or "
        "unix:PATH or unix-seqpacket:PATH on this machine.\n",
    .tail =
        "On a terminal each typed line is one message: over tcp and unix with "
        "its "
        "line end, over udp and unix-seqpacket as one record without it. "
        "Ctrl-D at the start of a "
        "line says goodbye and waits for the last answers, Ctrl-C leaves at "
        "once.\n\n"
        "From a pipe or a file the bytes go over tcp and unix as they are; "
        "over the others, or with --framing, each line is one message. "
        "Messages are printed "
        "with a line end, the bytes of a stream as they come. Only they go to "
        "stdout.\n\n"
        "Exit status: 0 fine, 1 failed (refused, reset, no answer, timed "
        "out), 2 wrong usage or URL, 130 after Ctrl-C.\n\n"
        "  playground client tcp://127.0.0.1:5000\n"
        "  playground client udp://localhost\n"
        "  printf 'um\\ndois\\n' | playground client tcp://127.0.0.1:5000\n"
        "  playground client --framing length,size=2,order=little "
        "tcp://[::1]:5000\n"
        "  playground client --hex udp://192.168.1.23:5000\n"
        "  playground client unix:playground.sock\n",
};

int client_options_read(struct client_options *options, int argc, char **argv)
{
    char error[512];
    int status;

    *options = (struct client_options){
        .quit_word = "SAIR", .timeout_ms = 10000, .wait_ms = 1000};
    status = arguments_read(&client_arguments, argc, argv, options);
    if (status >= 0)
        return status;
    if (optind == argc)
        return arguments_refuse(&client_arguments,
                                "the URL is missing; write for example "
                                "`playground client tcp://127.0.0.1:5000`");
    if (optind + 1 < argc)
        return arguments_refuse(
            &client_arguments,
            "one URL at a time: \"%s\" is too much; leave it out",
            argv[optind + 1]);
    if (!client_url_parse(argv[optind], &options->url, error, sizeof(error)))
        return arguments_refuse(&client_arguments, "%s", error);
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
