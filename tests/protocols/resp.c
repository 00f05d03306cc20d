/*
 * resp: a key-value store for redis-cli and redis-benchmark (RESP, version 2).
 *
 *     *2 CRLF $3 CRLF GET CRLF $1 CRLF k CRLF     a command: bulk strings
 *     GET k LF                                    the same, typed by a person
 *     +OK   -ERR why   :7   $3 CRLF abc   $-1     answers; the last: no value
 *
 * A command is carried out once its answer has been taken. So a peer that does
 * not read stops us between two commands, and none is ever done twice.
 */
#include <malloc.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>

#include <playground/handler.h>

#define RESP_ARGS  64         /* of one command */
#define RESP_BYTES (64 << 20) /* of all keys and values */

struct resp_item {
    struct pg_bytes key; /* first, so that a key alone compares with an item */
    struct pg_bytes value; /* a NUL stands behind it */
};

struct resp_store {
    void *items; /* tsearch(3): nobody can choose keys that make it slow */
    size_t bytes;
};

struct resp_call {
    struct pg_ctx *ctx;
    struct resp_store *store;
    void *bulk;           /* room for an answer */
    const char *at, *end; /* of the input: behind the command, and of all */
    struct pg_bytes *args;
    size_t count;
    bool is_wrong; /* nobody knows where the next command begins */
};

static int resp_compare(const void *one, const void *other)
{
    const struct pg_bytes *a = one, *b = other;

    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return memcmp(a->data, b->data, a->len);
}

static void resp_remove(struct resp_store *store, struct resp_item *item)
{
    if (item)
        tdelete(item, &store->items, resp_compare);
    store->bytes -= malloc_usable_size(item);
    free(item);
}

/* ---- commands: each returns what pg_send() says of its answer ------------ */

static int resp_say(struct resp_call *call, const char *line)
{
    return pg_send(call->ctx, pg_text(line));
}

static int resp_say_bulk(struct resp_call *call, struct pg_bytes value)
{
    char *bulk = call->bulk, *end = bulk + sprintf(bulk, "$%zu\r\n", value.len);

    end = mempcpy(mempcpy(end, value.data, value.len), "\r\n", 2);
    return pg_send(call->ctx, pg_bytes(bulk, (size_t)(end - bulk)));
}

static int resp_set(struct resp_call *call, struct resp_item *old,
                    struct pg_bytes value, const char *answer)
{
    struct resp_store *store = call->store;
    struct pg_bytes key = call->args[1];
    size_t size = sizeof(struct resp_item) + key.len + value.len + 1;
    bool has_room = store->bytes + size <= RESP_BYTES;
    struct resp_item *item = has_room ? calloc(1, size) : NULL;
    int sent = resp_say(call, item ? answer : "-OOM no room for more\r\n");

    if (item == NULL || sent < 0) {
        free(item);
        return sent;
    }
    item->key = pg_bytes(item + 1, key.len);
    item->value = pg_bytes(item->key.data + key.len, value.len);
    mempcpy(mempcpy(item + 1, key.data, key.len), value.data, value.len);
    resp_remove(store, old);
    store->bytes += malloc_usable_size(item);
    if (tsearch(item, &store->items, resp_compare) == NULL) {
        resp_remove(store, item);
        pg_reset(call->ctx, "no memory"); /* the answer goes with it */
    }
    return sent;
}

static int resp_incr(struct resp_call *call, struct resp_item *old)
{
    const char *text = old ? (const char *)old->value.data : "0";
    char *end, line[32];
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno || end == text || *end || number == INT64_MAX)
        return resp_say(call, "-ERR value is not an integer or too large\r\n");
    sprintf(line, ":%lld\r\n", number + 1);
    return resp_set(call, old, pg_bytes(line + 1, strlen(line) - 3), line);
}

static int resp_del(struct resp_call *call, struct resp_item *item)
{
    int sent = resp_say(call, item ? ":1\r\n" : ":0\r\n");

    if (sent >= 0)
        resp_remove(call->store, item);
    return sent;
}

static bool resp_is(const struct resp_call *call, const char *name, size_t args)
{
    return call->count == args && call->args[0].len == strlen(name) &&
           !strncasecmp((const char *)call->args[0].data, name, strlen(name));
}

static int resp_run(struct resp_call *call)
{
    struct pg_bytes key = call->args[call->count > 1];
    void *node = tfind(&key, &call->store->items, resp_compare);
    struct resp_item *item = node ? *(struct resp_item **)node : NULL;

    if (resp_is(call, "GET", 2))
        return item ? resp_say_bulk(call, item->value)
                    : resp_say(call, "$-1\r\n");
    if (resp_is(call, "SET", 3))
        return resp_set(call, item, call->args[2], "+OK\r\n");
    if (resp_is(call, "INCR", 2))
        return resp_incr(call, item);
    if (resp_is(call, "DEL", 2))
        return resp_del(call, item);
    if (resp_is(call, "PING", 1))
        return resp_say(call, "+PONG\r\n");
    if (resp_is(call, "PING", 2) || resp_is(call, "ECHO", 2))
        return resp_say_bulk(call, call->args[1]);
    if (resp_is(call, "CONFIG", 3)) /* redis-benchmark wants a name, a value */
        return resp_say(call, "*2\r\n+\r\n+\r\n");
    if (resp_is(call, "COMMAND", call->count)) /* redis-cli, help texts */
        return resp_say(call, "*0\r\n");
    return resp_say(call, "-ERR unknown command, or not its arguments\r\n");
}

/* ---- input: true where a command is all there, and right ----------------- */

/* Takes "*2 CRLF" or "$3 CRLF"; -1: it is not all there, or is_wrong. */
static long resp_number(struct resp_call *call, char mark, long most)
{
    const char *at = call->at;
    long number = 0;

    call->is_wrong = at < call->end && *at != mark;
    while (++at < call->end && *at >= '0' && *at <= '9' && number <= most)
        number = number * 10 + (*at - '0');
    if (call->end - at < 2 || call->is_wrong)
        return -1;
    call->is_wrong =
        at == call->at + 1 || number > most || strncmp(at, "\r\n", 2);
    call->at = at + 2;
    return call->is_wrong ? -1 : number;
}

static bool resp_array(struct resp_call *call)
{
    long count = resp_number(call, '*', RESP_ARGS), len;

    while ((long)call->count < count) {
        len = resp_number(call, '$', INT32_MAX);
        if (len < 0 || call->end - call->at < len + 2)
            return false;
        call->args[call->count++] = pg_bytes(call->at, (size_t)len);
        call->at += len + 2;
    }
    return count >= 0;
}

static bool resp_typed(struct resp_call *call)
{
    const char *word = call->at, *lf = memchr(word, '\n', call->end - word);

    while (lf && (word += strspn(word, " \r")) < lf) {
        size_t len = strcspn(word, " \r\n");

        call->is_wrong = len == 0 || call->count == RESP_ARGS;
        if (call->is_wrong)
            return false;
        call->args[call->count++] = pg_bytes(word, len);
        word += len;
    }
    call->at = lf ? lf + 1 : word;
    return lf != NULL;
}

/* No command is longer than a message may be, however it was cut. */
static bool resp_next(struct resp_call *call)
{
    long most = (long)pg_entry_frame_bytes(pg_entry(call->ctx));
    const char *start = call->at;
    bool is_whole;

    call->count = 0;
    is_whole = *start == '*' ? resp_array(call) : resp_typed(call);
    call->is_wrong |= (is_whole ? call->at : call->end) - start > most;
    return is_whole && !call->is_wrong;
}

static enum pg_verdict resp_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    const char *at = (const char *)in.data, *end = at + in.len;
    size_t most = pg_entry_frame_bytes(pg_entry(ctx)) + 32;
    uint8_t *bulk = pg_scratch(ctx, most);
    struct pg_bytes args[RESP_ARGS];
    struct resp_call call = {ctx, pg_private(ctx), bulk, at, end, args, 0, 0};
    int sent = 0;

    while (sent == 0 && call.at < end && resp_next(&call)) {
        sent = call.count > 0 ? resp_run(&call) : 0;
        at = sent < 0 ? at : call.at;
    }
    if (!call.is_wrong)
        return pg_keep(ctx, pg_bytes(at, (size_t)(end - at)));
    resp_say(&call, "-ERR Protocol error\r\n");
    return pg_close(ctx, "protocol error");
}

static void resp_finish(struct pg_entry *entry)
{
    tdestroy(((struct resp_store *)pg_entry_private(entry))->items, free);
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "resp",
    .summary = "a key-value store for redis-cli",
    .is_volatile = true,
    .one_worker = true,
    .entry_size = sizeof(struct resp_store),
    .recv = resp_recv,
    .finish = resp_finish,
};
