/* Takes tcp://HOST:PORT or unix:PATH apart, and says what is wrong with it. */

#include "client/client_url.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <playground/handler.h>
#include <playground/utf8.h>

#include "base/names.h"
#include "config/address.h"

static const char *const transports[] = {"tcp", "udp"};

#define TRANSPORTS (sizeof(transports) / sizeof(transports[0]))

/* The URL being read, and where to say what is wrong with it. */
struct reader {
    const char *text;
    struct client_url *url;
    char *error;
    size_t error_size;
};

static bool client_url_fail(struct reader *reader, const char *format, ...)
    PG_PRINTF(2, 3);

static bool client_url_fail(struct reader *reader, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reader->error, reader->error_size, format, arguments);
    va_end(arguments);
    return false;
}

static bool client_url_unknown_transport(struct reader *reader, size_t len,
                                         const char *rest)
{
    struct names known = {0};
    const char *near;
    char word[32];

    snprintf(word, sizeof(word), "%.*s", (int)len, reader->text);
    for (size_t i = 0; i < TRANSPORTS; i++)
        names_add(&known, transports[i]);
    near = names_near(&known, word);
    client_url_fail(
        reader,
        near ? "unknown transport \"%s\"; did you mean %s://%s ?"
             : "unknown transport \"%s\"; known are %s, udp and unix, as in "
               "tcp://%s",
        word, near ? near : "tcp", rest);
    names_finish(&known);
    return false;
}

/* Sets the transport; `rest` becomes what follows "://". */
static bool client_url_read_transport(struct reader *reader, const char **rest)
{
    const char *end = strstr(reader->text, "://");
    size_t len;

    if (end == NULL)
        return client_url_fail(
            reader,
            "\"%s\" does not say how to connect; write "
            "tcp://HOST:PORT, udp://HOST:PORT or unix:PATH, for example "
            "tcp://127.0.0.1:%d",
            reader->text, CLIENT_DEFAULT_PORT);
    *rest = end + 3;
    len = (size_t)(end - reader->text);
    for (size_t i = 0; i < TRANSPORTS; i++)
        if (len == strlen(transports[i]) &&
            strncasecmp(reader->text, transports[i], len) == 0) {
            strcpy(reader->url->transport, transports[i]);
            return true;
        }
    return client_url_unknown_transport(reader, len, *rest);
}

static bool client_url_read_port(struct reader *reader, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    long port = digits && digits < 10 ? strtol(text, NULL, 10) : -1;

    if (*text == '\0')
        return client_url_fail(reader,
                               "the port is missing after the colon; write a "
                               "number, or leave the colon out for %d",
                               CLIENT_DEFAULT_PORT);
    if (text[digits] == '/')
        return client_url_fail(
            reader,
            "\"%s\" is too much; nothing follows the port of "
            "a %s URL",
            text + digits, reader->url->transport);
    if (text[digits] != '\0')
        return client_url_fail(
            reader,
            "the port \"%s\" is not a number; write one from 1 "
            "to 65535",
            text);
    if (port < 1 || port > 65535)
        return client_url_fail(
            reader,
            "there is no port %s to connect to; write a number "
            "from 1 to 65535",
            text);
    reader->url->port = (int)port;
    return true;
}

/* By the rule of configs: what a look-up would take for an address that nobody
   meant, such as 010.0.0.1, is not looked up. */
static bool client_url_check_host(struct reader *reader)
{
    const char *host = reader->url->host;
    struct sockaddr_storage address;
    socklen_t length;

    if (pg_address(host, 0, false, &address, &length) != -EINVAL)
        return true;
    address_explain(host, 0, true, -EINVAL, reader->error, reader->error_size);
    return false;
}

static bool client_url_read_host(struct reader *reader, const char *text,
                                 size_t len)
{
    if (len == 0)
        return client_url_fail(
            reader,
            "the host is missing; write %s://127.0.0.1:%d for "
            "a server on this machine",
            reader->url->transport, CLIENT_DEFAULT_PORT);
    if (len >= CLIENT_HOST_BYTES)
        return client_url_fail(reader,
                               "the host has %zu characters; no name is longer "
                               "than %d",
                               len, CLIENT_HOST_BYTES - 1);
    for (size_t i = 0; i < len; i++)
        if (isspace((unsigned char)text[i]) || iscntrl((unsigned char)text[i]))
            return client_url_fail(
                reader,
                "there is a space in the host; write a name or "
                "an address as in %s://127.0.0.1:%d",
                reader->url->transport, CLIENT_DEFAULT_PORT);
    memcpy(reader->url->host, text, len);
    reader->url->host[len] = '\0';
    return client_url_check_host(reader);
}

/* "[::1]" or "[::1]:5000" */
static bool client_url_read_brackets(struct reader *reader, const char *text)
{
    const char *end = strchr(text, ']');

    if (end == NULL)
        return client_url_fail(reader,
                               "the \"]\" is missing after the IPv6 address; "
                               "write %s://[::1]:%d",
                               reader->url->transport, CLIENT_DEFAULT_PORT);
    if (end[1] != '\0' && end[1] != ':')
        return client_url_fail(reader,
                               "\"%s\" does not fit after \"]\"; write a colon "
                               "and the port",
                               end + 1);
    if (!client_url_read_host(reader, text + 1, (size_t)(end - text) - 1))
        return false;
    return end[1] == '\0' || client_url_read_port(reader, end + 2);
}

static bool client_url_read_name(struct reader *reader, const char *text)
{
    const char *colon = strchr(text, ':');
    size_t len = strcspn(text, ":/?#");

    if (strchr(text, '@'))
        return client_url_fail(
            reader,
            "there is an \"@\" in the host; %s knows no user "
            "names, leave out what stands before it",
            reader->url->transport);
    if (colon && strchr(colon + 1, ':'))
        return client_url_fail(reader,
                               "an IPv6 address stands in brackets; write "
                               "%s://[::1]:%d",
                               reader->url->transport, CLIENT_DEFAULT_PORT);
    if (text[len] != ':' && text[len] != '\0')
        return client_url_fail(
            reader,
            "\"%s\" is too much; nothing follows the host and "
            "port of a %s URL",
            text + len, reader->url->transport);
    if (!client_url_read_host(reader, text, len))
        return false;
    return text[len] == '\0' || client_url_read_port(reader, colon + 1);
}

/* All that follows the colon is the path, to the byte; as in other programs'
   URLs two slashes may stand before it. */
static bool client_url_read_path(struct reader *reader, const char *path,
                                 const char *type)
{
    size_t len;

    if (!strncmp(path, "//", 2))
        path += 2;
    len = strlen(path);
    if (!len)
        return client_url_fail(reader, "the path is missing; write "
                                       "unix:playground.sock for example");
    if (len >= CLIENT_PATH_BYTES)
        return client_url_fail(reader,
                               "the path has %zu bytes; a socket's has at most "
                               "107, so change to its folder first",
                               len);
    if (!pg_utf8_is_valid(pg_text(path)))
        return client_url_fail(reader, "the path is not UTF-8; rename the "
                                       "folder, or change to it first");
    strcpy(reader->url->transport, "unix");
    memcpy(reader->url->path, path, len + 1);
    reader->url->type = type;
    return true;
}

/* The path behind a scheme; NULL: it is another one. */
static const char *client_url_path_after(const char *text, const char *scheme)
{
    size_t len = strlen(scheme);

    return strncasecmp(text, scheme, len) ? NULL : text + len;
}

bool client_url_parse(const char *text, struct client_url *url, char *error,
                      size_t error_size)
{
    struct reader reader = {text, url, error, error_size};
    char copy[512];
    const char *rest = NULL;
    size_t len;

    *url = (struct client_url){.port = CLIENT_DEFAULT_PORT};
    if ((rest = client_url_path_after(text, "unix:")) != NULL)
        return client_url_read_path(&reader, rest, "stream");
    if ((rest = client_url_path_after(text, "unix-seqpacket:")) != NULL)
        return client_url_read_path(&reader, rest, "seqpacket");
    if (!client_url_read_transport(&reader, &rest))
        return false;
    len = strlen(rest);
    if (len >= sizeof(copy))
        return client_url_fail(&reader,
                               "the URL is too long; write %s://HOST:PORT",
                               url->transport);
    memcpy(copy, rest, len + 1);
    if (len > 1 && copy[len - 1] == '/') /* as browsers copy them */
        copy[len - 1] = '\0';
    return copy[0] == '[' ? client_url_read_brackets(&reader, copy)
                          : client_url_read_name(&reader, copy);
}
