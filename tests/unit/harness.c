#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/output.h"
#include "config/config.h"
#include "engine/core.h"
#include "engine/life.h"
#include "engine/mail.h"
#include "engine/turn.h"
#include "harness_transport.h"
#include "out/end.h"
#include "out/flush.h"
#include "outside/virtual.h"
#include "places/problems.h"
#include "plugin/plugin.h"
#include "state/counter.h"
#include "state/mark.h"
#include "workers/commons.h"

#define FAKE_FD 1000000 /* the harness has no descriptors */

#define CUT_WAIT_MS 60000

struct chunk {
    uint8_t *data;
    size_t len;
};

struct chunks {
    struct chunk *list;
    size_t count;
};

struct peer_end {
    struct pg_listener *listener;
    uint64_t number;   /* of the session; 0: none yet */
    struct chunks in;  /* pushed and not yet read */
    struct chunks out; /* writes or records */
    struct chunk all;  /* out, joined */
    bool has_ended, is_reset, is_blocked, is_closed, is_finished;
    bool is_short; /* its socket takes so many bytes, and is blocked then */
    size_t room;
    uint64_t acknowledged; /* as its system says; see harness_acknowledge() */
    enum pg_why why;
    char reason[256];
};

struct harness {
    struct problems *problems;
    struct config *config;
    char overrun[64]; /* who wrote behind the end of its state; "": nobody */
    struct peer_end peers[HARNESS_PEERS];
    int peer_count;
};

static struct harness *harness; /* one at a time, like the core */

int harness_own;

/* ---- chunks ----------------------------------------------------------- */

static void chunks_add(struct chunks *chunks, const void *data, size_t len)
{
    struct chunk chunk = {.len = len};

    harness_own++;
    chunk.data = malloc(len + 1);
    assert_non_null(chunk.data);
    if (len)
        memcpy(chunk.data, data, len);
    chunk.data[len] = '\0';
    chunks->list = realloc(chunks->list, (chunks->count + 1) * sizeof(chunk));
    assert_non_null(chunks->list);
    chunks->list[chunks->count++] = chunk;
    harness_own--;
}

static void chunks_take_first(struct chunks *chunks)
{
    free(chunks->list[0].data);
    memmove(chunks->list, chunks->list + 1,
            --chunks->count * sizeof(*chunks->list));
}

static void chunks_clear(struct chunks *chunks)
{
    while (chunks->count)
        free(chunks->list[--chunks->count].data);
    free(chunks->list);
    *chunks = (struct chunks){0};
}

/* ---- the transport ---------------------------------------------------- */

static struct peer_end *end_of(const struct pg_session *session)
{
    const struct harness_session *data = pg_session_data_const(session);

    return &harness->peers[data->peer];
}

ssize_t harness_recv(struct pg_session *session, int fd, void *buffer,
                     size_t size)
{
    struct peer_end *end = end_of(session);
    struct chunk *first = end->in.list;
    size_t len;

    (void)fd;
    if (end->is_reset)
        return -ECONNRESET;
    if (!end->in.count && !end->has_ended) {
        pg_session_readable(session, false);
        return -EAGAIN;
    }
    if (!end->in.count)
        return 0;
    len = first->len < size ? first->len : size;
    memcpy(buffer, first->data, len);
    memmove(first->data, first->data + len, first->len - len);
    first->len -= len;
    if (!first->len)
        chunks_take_first(&end->in);
    if (!end->in.count && !end->has_ended) /* as epoll(7) would see it */
        pg_session_readable(session, false);
    return (ssize_t)len;
}

ssize_t harness_send(struct pg_session *session, int fd,
                     const struct iovec *parts, int count)
{
    struct peer_end *end = end_of(session);
    ssize_t total = 0;

    (void)fd;
    if (end->is_blocked)
        return -EAGAIN;
    if (end->is_reset)
        return -EPIPE;
    for (int i = 0; i < count && !end->is_blocked; i++) {
        size_t len = parts[i].iov_len;

        if (end->is_short && len > end->room)
            len = end->room;
        chunks_add(&end->out, parts[i].iov_base, len);
        total += (ssize_t)len;
        end->room -= len;
        end->is_blocked = end->is_short && end->room == 0;
    }
    return total;
}

void harness_finish(struct pg_session *session, int fd)
{
    (void)fd;
    end_of(session)->is_finished = true;
}

/* What send() takes has not been acknowledged for that. */
void harness_look(struct pg_session *session, int fd, struct pg_look *look)
{
    (void)fd;
    look->taken = end_of(session)->acknowledged;
}

/* Takes few at once, as a socket may that is nearly full. */
#define TAKEN_MOST 3

/* Of a run; returns how many datagrams. */
static int take_run(struct chunks *out, struct pg_bytes left, size_t size,
                    int most)
{
    int taken = 0;

    do { /* once for an empty one too */
        size_t len = left.len < size ? left.len : size;

        chunks_add(out, left.data, len);
        left = pg_bytes(left.data + len, left.len - len);
    } while (++taken < most && left.len);
    return taken;
}

int harness_send_records(struct pg_listener *listener, int fd,
                         const struct pg_record *records, int count)
{
    int taken = 0;

    (void)listener, (void)fd;
    for (int i = 0; i < count && taken < TAKEN_MOST; i++) {
        struct peer_end *end = end_of(records[i].session);

        if (end->is_blocked)
            return taken ? taken : -EAGAIN;
        taken += take_run(&end->out, records[i].bytes, records[i].size,
                          TAKEN_MOST - taken);
    }
    return taken;
}

/* A handler may not write behind the end of its state. */
static void note_overrun(const struct pg_session *session)
{
    const char *name = slot_overrun(session);

    if (name && !harness->overrun[0])
        snprintf(harness->overrun, sizeof(harness->overrun), "%s", name);
}

static void harness_release(struct pg_session *session, enum pg_end how)
{
    struct peer_end *end = end_of(session);

    (void)how;
    note_overrun(session);
    if (end->number != session->number)
        return; /* somebody has come anew from the same address */
    end->is_closed = true;
    end->why = (enum pg_why)session->why;
    snprintf(end->reason, sizeof(end->reason), "%s", session_reason(session));
    end->number = 0;
}

static uint64_t harness_next_ns(struct pg_listener *listener)
{
    (void)listener;
    return UINT64_MAX;
}

static int harness_step(struct pg_listener *listener)
{
    (void)listener;
    return 0;
}

static int harness_stop(struct pg_listener *listener, FILE *out)
{
    (void)listener, (void)out;
    return 0;
}

const struct pg_simulation harness_simulation = {
    .next_ns = harness_next_ns,
    .step = harness_step,
    .release = harness_release,
    .stop = harness_stop,
};

void harness_address(struct pg_listener *listener,
                     const struct pg_session *session, int fd, char *text,
                     size_t size)
{
    (void)listener, (void)fd;
    snprintf(text, size, "peer %d",
             session ? (int)(end_of(session) - harness->peers) : -1);
}

void harness_local(struct pg_listener *listener,
                   const struct pg_session *session, char *text, size_t size)
{
    (void)listener, (void)session;
    snprintf(text, size, "harness");
}

static struct pg_session *session_of(int peer)
{
    struct peer_end *end = &harness->peers[peer];

    assert_in_range(peer, 0, harness->peer_count - 1);
    return end->number ? session_by_number(end->number) : NULL;
}

static bool is_stream(int peer)
{
    return harness->peers[peer].listener->transport->provides == PG_STREAM;
}

/* Whether recv() of a stream has something to say. */
static void set_readable(int peer)
{
    const struct peer_end *end = &harness->peers[peer];
    struct pg_session *session = session_of(peer);

    if (session && is_stream(peer))
        pg_session_readable(session,
                            end->in.count || end->has_ended || end->is_reset);
    virtual_turn();
}

/* ---- life ------------------------------------------------------------- */

#define FORGED                                                                 \
    ((enum pg_kind)(PG_RECORDS + 1)) /* as PG_ANY, with forgeries              \
                                      */

static const char *transport_of(enum pg_kind provides)
{
    return provides == FORGED       ? "\"harness-stream\", \"harness-forged\""
           : provides == PG_STREAM  ? "\"harness-stream\""
           : provides == PG_RECORDS ? "\"harness-records\""
                                    : "\"harness-stream\", \"harness-records\"";
}

/* PG_ANY: under both. */
static struct config *load(enum pg_kind provides, const char *handlers,
                           const char *limits, struct problems *problems)
{
    struct config *config;
    char *text;

    plugin_set_builtin_folder(PLUGINS);
    harness_own++;
    assert_true(asprintf(&text,
                         "{ \"plugin_path\": [\"%s\"],\n"
                         "\"transports\": [%s],\n"
                         "\"limits\": %s,\n\"handlers\": %s }\n",
                         BAD_PLUGINS, transport_of(provides), limits,
                         handlers) > 0);
    harness_own--;
    config = config_load("harness.json", text, strlen(text),
                         &(struct config_overrides){0}, problems);
    free(text);
    return config;
}

/* False: the config was refused. */
static bool begin(enum pg_kind provides, const char *handlers,
                  const char *limits)
{
    harness = NULL; /* a test that failed may have left one */
    core = NULL;
    slot_gap = 16;
    harness_own++;
    harness = calloc(1, sizeof(*harness));
    assert_non_null(harness);
    harness_own--;
    harness->problems = problems_create("harness.json");
    harness->config = load(provides, handlers, limits, harness->problems);
    return harness->config != NULL;
}

static struct commons *shared;

void harness_share(struct commons *commons)
{
    shared = commons;
}

void harness_mail(struct harness *unused)
{
    (void)unused;
    mail_take();
    virtual_turn();
}

static unsigned workers(void)
{
    return shared ? commons_workers(shared) : 1;
}

static bool create_core(void)
{
    int error = virtual_start(harness->config);

    if (!error)
        error =
            core_create(harness->config, &virtual_io, -1, shared, 0, workers());
    shared = NULL;

    if (error)
        problems_add(harness->problems, "", false, "%s", strerror(-error));
    return !error && core_init_entries();
}

struct harness *harness_try(enum pg_kind provides, const char *handlers,
                            const char *limits)
{
    if (begin(provides, handlers, limits) && create_core())
        return harness;
    problems_print(harness->problems, stderr);
    harness_destroy(harness);
    return NULL;
}

struct harness *harness_create_limits(enum pg_kind provides,
                                      const char *handlers, const char *limits)
{
    struct harness *made = harness_try(provides, handlers, limits);

    if (!made)
        fail_msg("the chain was refused");
    return made;
}

int harness_arena_fd(struct harness *unused)
{
    (void)unused;
    return core->arena.fd;
}

struct harness *harness_attach(enum pg_kind provides, const char *handlers,
                               int arena_fd, int peers)
{
    assert_true(begin(provides, handlers, "{}"));
    assert_int_equal(virtual_start(harness->config), 0);
    assert_int_equal(core_attach(harness->config, &virtual_io, arena_fd, shared,
                                 0, workers()),
                     0);
    shared = NULL;
    for (uint32_t i = 0; i < core->live_count; i++) {
        const struct pg_session *session = session_at(core->live[i]);

        end_of(session)->number = session->number;
        end_of(session)->listener = session_listener(session);
    }
    harness->peer_count = peers;
    assert_true(core_init_entries());
    return harness;
}

struct harness *harness_create(enum pg_kind provides, const char *handlers)
{
    return harness_create_limits(provides, handlers, "{}");
}

struct harness *harness_create_both(const char *handlers, const char *limits)
{
    return harness_create_limits(PG_ANY, handlers, limits);
}

struct harness *harness_create_forged(const char *handlers, const char *limits)
{
    return harness_create_limits(FORGED, handlers, limits);
}

static void clear_peers(void)
{
    for (int i = 0; i < harness->peer_count; i++) {
        chunks_clear(&harness->peers[i].in);
        chunks_clear(&harness->peers[i].out);
        free(harness->peers[i].all.data);
        harness->peers[i] = (struct peer_end){0};
    }
    harness->peer_count = 0;
}

void harness_forget(struct harness *unused)
{
    for (int i = 0; i < harness->peer_count; i++) {
        struct pg_session *session = session_of(i);

        if (session)
            session_end(session, PG_END_ABORT, PG_WHY_RESET, "forgotten");
        harness_block(unused, i, false);
    }
    turn_end();
    clear_peers();
}

void harness_destroy(struct harness *unused)
{
    (void)unused;
    for (int i = 0; i < harness->peer_count; i++)
        harness->peers[i].is_blocked = false;
    core_destroy(); /* releases all sessions */
    if (harness->overrun[0])
        fail_msg("\"%s\" wrote behind the end of its state", harness->overrun);
    virtual_finish();
    clear_peers();
    config_destroy(harness->config);
    problems_destroy(harness->problems);
    free(harness);
    harness = NULL;
}

const char *harness_take_overrun(struct harness *unused)
{
    static char name[sizeof(harness->overrun)];

    (void)unused;
    for (uint32_t i = 0; i < core->live_count; i++)
        note_overrun(session_at(core->live[i]));
    memcpy(name, harness->overrun, sizeof(name));
    harness->overrun[0] = '\0';
    return name;
}

char *harness_refusal(enum pg_kind provides, const char *handlers)
{
    struct problems *problems = problems_create("harness.json");
    struct config *config = load(provides, handlers, "{}", problems);
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_null(config);
    assert_non_null(out);
    problems_print(problems, out);
    fclose(out);
    problems_destroy(problems);
    return text;
}

/* ---- what a test does ------------------------------------------------- */

void harness_idle(struct harness *unused, uint64_t ms)
{
    (void)unused;
    for (unsigned i = 0; i < harness->config->listener_count; i++)
        pg_listener_idle(harness->config->listeners[i], ms);
}

void harness_peers(struct harness *unused, uint64_t most)
{
    (void)unused;
    for (unsigned i = 0; i < harness->config->listener_count; i++)
        pg_listener_peers(harness->config->listeners[i], most);
}

void harness_unverified(struct harness *unused, uint64_t ratio)
{
    (void)unused;
    for (unsigned i = 0; i < harness->config->listener_count; i++)
        pg_listener_unverified(harness->config->listeners[i], ratio);
}

void harness_datagram(struct harness *unused, int address, const char *text)
{
    struct pg_listener *listener = harness->config->listeners[1];
    struct harness_session data = {(uint32_t)address};
    struct pg_session *session = pg_session_find(listener, &data);

    (void)unused;
    assert_in_range(address, 0, HARNESS_PEERS - 1);
    if (address >= harness->peer_count)
        harness->peer_count = address + 1;
    harness->peers[address].listener = listener;
    core_clock();
    if (session)
        pg_session_recv(session, pg_text(text));
    else
        session = pg_session_meet(listener, &data, pg_text(text));
    harness->peers[address].number = session ? session->number : 0;
}

void harness_turn(struct harness *unused)
{
    (void)unused;
    virtual_turn();
}

void harness_begin_at(struct harness *unused, int number)
{
    (void)unused;
    assert_in_range(number, harness->peer_count, HARNESS_PEERS - 1);
    harness->peer_count = number;
}

int harness_connect(struct harness *unused)
{
    return harness_connect_by(
        unused, harness->config->listeners[0]->transport->provides);
}

int harness_connect_by(struct harness *unused, enum pg_kind provides)
{
    struct harness_session data = {(uint32_t)harness->peer_count};
    struct pg_listener **listener = harness->config->listeners;
    int peer = harness->peer_count++;
    struct pg_session *session;

    (void)unused;
    assert_true(peer < HARNESS_PEERS);
    while ((*listener)->transport->provides != provides)
        listener++;
    harness->peers[peer].listener = *listener;
    core_clock();
    session =
        session_create(*listener, is_stream(peer) ? FAKE_FD + peer : -1, &data);
    if (!session) {
        harness->peers[peer].is_closed = true;
        return peer;
    }
    harness->peers[peer].number = session->number;
    session_start(session);
    virtual_turn();
    return peer;
}

void harness_push(struct harness *unused, int peer, struct pg_bytes bytes)
{
    struct pg_session *session = session_of(peer);

    (void)unused;
    core_clock();
    if (is_stream(peer)) {
        if (bytes.len)
            chunks_add(&harness->peers[peer].in, bytes.data, bytes.len);
        set_readable(peer);
    } else if (session) {
        size_t size;
        uint8_t *buffer = pg_read_buffer(harness->peers[peer].listener, &size);

        assert_true(bytes.len <= size);
        if (bytes.len)
            memcpy(buffer, bytes.data, bytes.len);
        pg_session_recv(session, pg_bytes(buffer, bytes.len));
    }
    virtual_turn();
}

void harness_offer(struct harness *unused, int peer, struct pg_bytes bytes)
{
    (void)unused;
    chunks_add(&harness->peers[peer].in, bytes.data, bytes.len);
    pg_session_readable(session_of(peer), true);
}

void harness_push_within(struct harness *unused, int peer, const char *text)
{
    (void)unused;
    core_clock();
    pg_session_recv(session_of(peer), pg_text(text));
}

void harness_push_text(struct harness *unused, int peer, const char *text)
{
    harness_push(unused, peer, pg_text(text));
}

void harness_end(struct harness *unused, int peer)
{
    (void)unused;
    harness->peers[peer].has_ended = true;
    core_clock();
    set_readable(peer);
}

void harness_reset(struct harness *unused, int peer)
{
    (void)unused;
    harness->peers[peer].is_reset = true;
    core_clock();
    set_readable(peer);
}

void harness_advance(struct harness *unused, uint64_t ms)
{
    (void)unused;
    virtual_advance(virtual_io.now_ns() + ms * 1000000);
}

void harness_acknowledge(struct harness *unused, int peer, uint64_t bytes)
{
    (void)unused;
    harness->peers[peer].acknowledged += bytes;
}

static void set_blocked(int peer, bool is_blocked)
{
    struct pg_session *session = session_of(peer);

    harness->peers[peer].is_blocked = is_blocked;
    if (is_blocked || !session)
        return;
    core_clock();
    if (is_stream(peer))
        pg_session_writable(session);
    else
        flush_unblock(harness->peers[peer].listener);
    virtual_turn();
}

void harness_block(struct harness *unused, int peer, bool is_blocked)
{
    (void)unused;
    harness->peers[peer].is_short = false;
    set_blocked(peer, is_blocked);
}

void harness_block_after(struct harness *unused, int peer, size_t bytes)
{
    (void)unused;
    harness->peers[peer].is_short = true;
    harness->peers[peer].room = bytes;
    set_blocked(peer, bytes == 0);
}

/* ---- what a test sees ------------------------------------------------- */

struct pg_bytes harness_out(struct harness *unused, int peer)
{
    struct peer_end *end = &harness->peers[peer];
    size_t len = 0;

    (void)unused;
    for (size_t i = 0; i < end->out.count; i++)
        len += end->out.list[i].len;
    free(end->all.data);
    harness_own++;
    end->all.data = malloc(len + 1);
    assert_non_null(end->all.data);
    harness_own--;
    end->all.len = 0;
    for (size_t i = 0; i < end->out.count; i++) {
        memcpy(end->all.data + end->all.len, end->out.list[i].data,
               end->out.list[i].len);
        end->all.len += end->out.list[i].len;
    }
    return pg_bytes(end->all.data, len);
}

size_t harness_record_count(struct harness *unused, int peer)
{
    (void)unused;
    return harness->peers[peer].out.count;
}

struct pg_bytes harness_record(struct harness *unused, int peer, size_t at)
{
    struct chunks *out = &harness->peers[peer].out;

    (void)unused;
    assert_true(at < out->count);
    return pg_bytes(out->list[at].data, out->list[at].len);
}

void harness_clear(struct harness *unused, int peer)
{
    (void)unused;
    chunks_clear(&harness->peers[peer].out);
}

static bool is_closed(int peer)
{
    struct pg_session *session = session_of(peer);

    return !session || session->flags & SESSION_CLOSED;
}

bool harness_is_gone(struct harness *unused, int peer)
{
    (void)unused;
    return !session_of(peer);
}

bool harness_is_closed(struct harness *unused, int peer)
{
    (void)unused;
    return is_closed(peer);
}

enum pg_why harness_close_why(struct harness *unused, int peer)
{
    struct pg_session *session = session_of(peer);

    (void)unused;
    assert_true(is_closed(peer));
    return session ? (enum pg_why)session->why : harness->peers[peer].why;
}

const char *harness_close_reason(struct harness *unused, int peer)
{
    struct pg_session *session = session_of(peer);

    (void)unused;
    assert_true(is_closed(peer));
    return session ? session_reason(session) : harness->peers[peer].reason;
}

bool harness_is_read(struct harness *unused, int peer)
{
    struct pg_session *session = session_of(peer);

    (void)unused;
    return session && session->watching & CORE_READ;
}

static uint64_t counter_of_transports(const char *name)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < harness->config->listener_count; i++)
        sum += counter_value(counter_of_listener(i), name);
    return sum;
}

uint64_t harness_counter(struct harness *unused, const char *entry,
                         const char *name)
{
    (void)unused;
    if (!entry)
        return counter_of_transports(name);
    for (unsigned i = 0; i < harness->config->entry_count; i++)
        if (!strcmp(harness->config->entries[i]->name, entry))
            return counter_value((uint16_t)i, name);
    fail_msg("there is no entry \"%s\"", entry);
    return 0;
}

void harness_assert_bytes(struct pg_bytes bytes, const char *text,
                          const char *file, int line)
{
    if (pg_equals(bytes, text))
        return;
    print_error("got    \"%.*s\"\nwanted \"%s\"\n", (int)bytes.len,
                (const char *)bytes.data, text);
    _fail(file, line);
}

/* ---- every position --------------------------------------------------- */

static void copy_out(struct chunk *to, int peer)
{
    struct pg_bytes out = harness_out(harness, peer);

    to->data = realloc(to->data, out.len + 1);
    assert_non_null(to->data);
    memcpy(to->data, out.data, out.len);
    to->len = out.len;
}

/* `step` 0: in two pieces, cut at `cut`; else pieces of that length. */
static void run_cut(const char *handlers, struct pg_bytes input, size_t cut,
                    size_t step, struct chunk *out)
{
    struct harness *h = harness_create(PG_STREAM, handlers);
    int peer = harness_connect(h);

    if (step == 0) {
        harness_push(h, peer, pg_bytes(input.data, cut));
        harness_push(h, peer, pg_bytes(input.data + cut, input.len - cut));
    }
    for (size_t at = 0; step > 0 && at < input.len; at += step)
        harness_push(h, peer,
                     pg_bytes(input.data + at,
                              input.len - at < step ? input.len - at : step));
    harness_end(h, peer);
    harness_advance(h, CUT_WAIT_MS); /* an entry may delay */
    copy_out(out, peer);
    harness_destroy(h);
}

void harness_cut_everywhere(const char *handlers, struct pg_bytes input)
{
    struct chunk whole = {0}, other = {0};

    run_cut(handlers, input, input.len, 0, &whole);
    for (size_t cut = 0; cut <= input.len + 1; cut++) {
        bool by_byte = cut == input.len + 1;

        run_cut(handlers, input, by_byte ? 0 : cut, by_byte, &other);
        if (other.len != whole.len ||
            memcmp(other.data, whole.data, whole.len) != 0)
            fail_msg("%s: cut at byte %zu of %zu gave \"%.*s\", whole "
                     "\"%.*s\"",
                     handlers, cut, input.len, (int)other.len, other.data,
                     (int)whole.len, whole.data);
    }
    free(whole.data);
    free(other.data);
}
