/*
 * http: a server of two pages, for curl and wrk (HTTP/1.1: RFC 9110, RFC 9112).
 *
 *     GET /         a word
 *     GET /big/N    N bytes, as fast as the peer takes them
 *
 * Answers come one after the other, as they were asked for: a request is dealt
 * with when the answer before it has been taken, and is kept until then.
 */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <playground/handler.h>

#define HTTP_HEAD_BYTES 8192 /* of a request: its line and its fields */
#define HTTP_OTHERS     "@(POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH)"
struct http_private {
    time_t now_s; /* of `date` */
    char date[32];
    char zeros[16384]; /* a piece of /big/N */
};

struct http_state {
    uint64_t answer_left; /* bytes of /big/N still to send */
    uint64_t body_left;   /* bytes of a request's body still to come */
    bool is_last;         /* no request is answered after this one */
};

struct http_request {
    char *method, *path, *version;
    bool is_last, has_coding;
    int hosts, lengths;
    uint64_t body_bytes;
};

/* ---- the head of a request: false, if it is none ------------------------- */

/* Digits alone: no sign, no space, nothing that does not fit. */
static bool http_is_number(const char *text, uint64_t *number)
{
    errno = 0;
    *number = strtoull(text, NULL, 10);
    return *text && !text[strspn(text, "0123456789")] && errno == 0;
}

/* Takes a line without its CRLF; NULL: none, or there is a CR or LF inside. */
static char *http_line(char **head)
{
    char *line = *head, *end = line + strcspn(line, "\r\n");

    if (strncmp(end, "\r\n", 2) != 0)
        return NULL;
    *end = '\0';
    *head = end + 2;
    return line;
}

/* GET / HTTP/1.1 */
static bool http_first(struct http_request *request, char *line)
{
    request->method = line ? strsep(&line, " ") : NULL;
    request->path = line ? strsep(&line, " ") : NULL;
    request->version = line;
    return line && strlen(line) == 8 && !strncmp(line, "HTTP/", 5);
}

/* Name: value */
static bool http_field(struct http_request *request, char *line)
{
    char *name = strsep(&line, ":"), *end;

    if (line == NULL || *name == '\0' || strpbrk(name, " \t"))
        return false;
    line += strspn(line, " \t");
    for (end = line + strlen(line); end > line && strchr(" \t", end[-1]);)
        *--end = '\0';
    request->hosts += !strcasecmp(name, "Host");
    request->has_coding |= !strcasecmp(name, "Transfer-Encoding");
    if (!strcasecmp(name, "Expect") || /* it would wait for "100 Continue" */
        (!strcasecmp(name, "Connection") && strcasestr(line, "close")))
        request->is_last = true;
    if (strcasecmp(name, "Content-Length") != 0)
        return true;
    request->lengths++;
    return http_is_number(line, &request->body_bytes);
}

static bool http_parse(struct http_request *request, char *head)
{
    char *line;

    if (!http_first(request, http_line(&head)))
        return false;
    while ((line = http_line(&head)) && *line)
        if (!http_field(request, line))
            return false;
    if (request->version[7] == '0') /* it need not name its host */
        request->is_last = true, request->hosts = 1;
    return line != NULL;
}

/* ---- answers: each returns what pg_send() said last ---------------------- */

static const char *http_date(struct http_private *self)
{
    time_t now_s = (time_t)(pg_wall_ms() / 1000);
    struct tm tm;

    if (now_s != self->now_s)
        strftime(self->date, sizeof(self->date), "%a, %d %b %Y %T GMT",
                 gmtime_r(&now_s, &tm));
    self->now_s = now_s;
    return self->date;
}

/* Goes on with /big/N, until all is sent or it is enough for now. */
static int http_pour(struct pg_ctx *ctx)
{
    const struct http_private *self = pg_private(ctx);
    struct http_state *state = pg_state(ctx);
    uint64_t len = sizeof(self->zeros);
    int sent = 0;

    while (state->answer_left > 0 && sent == 0) {
        if (len > state->answer_left)
            len = state->answer_left;
        sent = pg_send(ctx, pg_bytes(self->zeros, len));
        state->answer_left -= sent < 0 ? 0 : len;
    }
    if (state->answer_left == 0 && state->is_last)
        pg_close(ctx, "the last answer is sent");
    return sent;
}

/* `text` NULL: `len` bytes follow, by http_pour(). */
static int http_answer(struct pg_ctx *ctx, const struct http_request *request,
                       const char *status, const char *text, uint64_t len)
{
    struct http_state *state = pg_state(ctx);
    bool is_head = request->method && !strcmp(request->method, "HEAD");
    char answer[512];
    int sent =
        sprintf(answer,
                "HTTP/1.1 %s\r\nDate: %s\r\nContent-Type: text/plain\r\n"
                "Content-Length: %" PRIu64 "\r\n%s%s\r\n%s",
                status, http_date(pg_private(ctx)), text ? strlen(text) : len,
                !strncmp(status, "405", 3) ? "Allow: GET, HEAD\r\n" : "",
                request->is_last ? "Connection: close\r\n" : "",
                text && !is_head ? text : "");

    sent = pg_send(ctx, pg_bytes(answer, (size_t)sent));
    if (sent < 0)
        return sent;
    state->is_last = request->is_last;
    state->body_left = request->body_bytes;
    state->answer_left = text || is_head ? 0 : len;
    return sent ? sent : http_pour(ctx);
}

/* Behind a head that cannot be relied on nothing can be read. */
static int http_say(struct pg_ctx *ctx, struct http_request *request,
                    const char *status)
{
    request->is_last |= fnmatch("40[45]*", status, 0) != 0;
    return http_answer(ctx, request, status, status, 0);
}

static int http_respond(struct pg_ctx *ctx, struct http_request *request)
{
    const char *method = request->method;
    bool is_get = !strcmp(method, "GET") || !strcmp(method, "HEAD");
    char *path = request->path;
    uint64_t len;

    if (strncmp(request->version, "HTTP/1.", 7) != 0)
        return http_say(ctx, request, "505 HTTP Version Not Supported");
    /* Two lengths, or one beside a coding, are how requests are smuggled. */
    if (request->hosts != 1 || request->lengths + request->has_coding > 1)
        return http_say(ctx, request, "400 Bad Request");
    if (request->has_coding ||
        (!is_get && fnmatch(HTTP_OTHERS, method, FNM_EXTMATCH) != 0))
        return http_say(ctx, request, "501 Not Implemented");
    if (!is_get)
        return http_say(ctx, request, "405 Method Not Allowed");
    if (!strncasecmp(path, "http://", 7)) /* as a proxy is asked */
        path += 7 + strcspn(path + 7, "/");
    path[strcspn(path, "?")] = '\0';
    if (!strcmp(path, "/"))
        return http_answer(ctx, request, "200 OK", "hi", 0);
    if (!strncmp(path, "/big/", 5) && http_is_number(path + 5, &len))
        return http_answer(ctx, request, "200 OK", NULL, len);
    return http_say(ctx, request, "404 Not Found");
}

/* ---- input --------------------------------------------------------------- */

/* `head` ends with an empty line; empty: it would be too long. */
static int http_request(struct pg_ctx *ctx, struct pg_bytes head)
{
    struct http_request request = {0};
    char text[HTTP_HEAD_BYTES + 1];

    *(char *)mempcpy(text, head.data, head.len) = '\0';
    if (head.len == 0)
        return http_say(ctx, &request, "431 Request Header Fields Too Large");
    if (!http_parse(&request, text))
        return http_say(ctx, &request, "400 Bad Request");
    return http_respond(ctx, &request);
}

static enum pg_verdict http_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    struct http_state *state = pg_state(ctx);
    const uint8_t *at = in.data, *last = at + in.len, *end;
    int sent = http_pour(ctx), most;

    while (sent == 0) {
        for (; state->body_left > 0 && at < last; state->body_left--)
            at++;
        while (last - at >= 2 && !memcmp(at, "\r\n", 2))
            at += 2;
        most = last - at < HTTP_HEAD_BYTES ? last - at : HTTP_HEAD_BYTES;
        end = memmem(at, most, "\r\n\r\n", 4);
        if (end == NULL && most < HTTP_HEAD_BYTES)
            break;
        end = end ? end + 4 : at;
        sent = http_request(ctx, pg_bytes(at, (size_t)(end - at)));
        at = sent < 0 ? at : end;
    }
    return pg_keep(ctx, pg_bytes(at, (size_t)(last - at)));
}

static void http_room(struct pg_ctx *ctx)
{
    http_pour(ctx);
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "http",
    .summary = "serves a word, and as many bytes as you like",
    .entry_size = sizeof(struct http_private),
    .session_size = sizeof(struct http_state),
    .recv = http_recv,
    .room = http_room,
};
