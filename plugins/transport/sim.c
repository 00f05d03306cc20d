/*
 * sim - clients that are not there: no socket, no waiting, and the same seed
 * gives the same to the byte.
 *
 *     client --- link to the server --- [ chain ] --- link back --- client
 *
 * Each client comes within the first interval, says its messages, an interval
 * apart, and takes what it is sent. All that happens is an event with a time,
 * to the nanosecond; the clock jumps from one to the next. A link is that of
 * common/link.h: records are lost, doubled and reordered, a stream is only
 * delayed, and its sender waits when too much is on its way.
 */
#include "transport/sim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* ---- the clock -------------------------------------------------------- */

static uint64_t sim_next_ns(struct pg_listener *listener)
{
    const struct sim *sim = pg_listener_private(listener);

    if (sim->is_over)
        return UINT64_MAX;
    if (sim->count && sim->events[0].at_ns <= sim->end_ns)
        return sim->events[0].at_ns;
    return sim->end_ns;
}

static int sim_step(struct pg_listener *listener)
{
    struct sim *sim = pg_listener_private(listener);
    struct event event;
    int error;

    if (!sim->count || sim->events[0].at_ns > sim->end_ns) {
        sim->is_over = true;
        return 0;
    }
    event = sim_take_first(sim);
    error = sim_handle(listener, &event);
    if (sim->trace && ferror(sim->trace))
        return -EIO;
    return error ? error : sim->error;
}

/* ---- what the core asks of a transport -------------------------------- */

static ssize_t sim_recv(struct pg_session *session, int fd, void *buffer,
                        size_t size)
{
    struct sim *sim = pg_listener_private(pg_session_listener(session));
    struct client *client = sim_client_of(sim, session);
    size_t left = client->inbox ? client->inbox->len - client->inbox_at : 0;
    size_t len = left < size ? left : size;

    (void)fd;
    if (len)
        memcpy(buffer, client->inbox->bytes + client->inbox_at, len);
    client->inbox_at += len;
    if (left == len && !client->has_ended)
        pg_session_readable(session, false);
    if (client->is_waiting && sim_room(client, TO_SERVER) > 0) {
        client->is_waiting = false; /* once, however often we are called */
        sim_plan(sim, pg_now_ns(), SAYS, client);
    }
    return len || client->has_ended ? (ssize_t)len : -EAGAIN;
}

static ssize_t sim_send(struct pg_session *session, int fd,
                        const struct iovec *parts, int count)
{
    struct sim *sim = pg_listener_private(pg_session_listener(session));
    struct client *client = sim_client_of(sim, session);
    ssize_t sent = 0;

    (void)fd;
    for (int i = 0; i < count && !client->is_blocked; i++) {
        size_t room = sim_room(client, TO_CLIENT);
        size_t len = parts[i].iov_len < room ? parts[i].iov_len : room;

        client->is_blocked = len < parts[i].iov_len;
        if (len)
            sim_transmit(sim, client, TO_CLIENT,
                         pg_bytes(parts[i].iov_base, len));
        sent += (ssize_t)len;
    }
    return sent ? sent : -EAGAIN;
}

/* The core's last word: FIN, or RST. */
static void sim_say_goodbye(struct sim *sim, struct client *client,
                            enum event_type type)
{
    if (!sim->is_stream || client->is_let_go)
        return;
    client->is_let_go = true;
    sim_schedule(sim, sim_sign_ns(sim, client, TO_CLIENT), type, client,
                 TO_CLIENT, NULL);
}

static void sim_finish(struct pg_session *session, int fd)
{
    struct sim *sim = pg_listener_private(pg_session_listener(session));

    (void)fd;
    sim_say_goodbye(sim, sim_client_of(sim, session), ENDS);
}

static int sim_send_records(struct pg_listener *listener, int fd,
                            const struct pg_record *records, int count)
{
    struct sim *sim = pg_listener_private(listener);

    (void)fd;
    for (int i = 0; i < count; i++)
        sim_transmit(sim, sim_client_of(sim, records[i].session), TO_CLIENT,
                     records[i].bytes);
    return count;
}

static void sim_release(struct pg_session *session, enum pg_end how)
{
    struct sim *sim = pg_listener_private(pg_session_listener(session));
    struct client *client = sim_client_of(sim, session);

    sim_say_goodbye(sim, client, how == PG_END_ABORT ? RESETS : ENDS);
    client->session = NULL;
}

static void sim_address(struct pg_listener *listener,
                        const struct pg_session *session, int fd, char *text,
                        size_t size)
{
    struct sim *sim = pg_listener_private(listener);

    (void)fd;
    if (session)
        snprintf(text, size, "client %zu",
                 (size_t)(sim_client_of(sim, session) - sim->clients) + 1);
    else
        snprintf(text, size, "%d clients", sim->options->clients);
}

static void sim_local(struct pg_listener *listener,
                      const struct pg_session *session, char *text, size_t size)
{
    (void)listener, (void)session;
    snprintf(text, size, "server");
}

/* ---- life ------------------------------------------------------------- */

static enum pg_kind sim_kind(struct pg_listener *listener)
{
    const struct sim_options *options = pg_listener_options(listener);

    return !strcmp(options->provides, "stream") ? PG_STREAM : PG_RECORDS;
}

static int sim_check(struct pg_listener *listener)
{
    const struct sim_options *options = pg_listener_options(listener);
    const char *key = link_needs_records(&options->link);

    if (sim_kind(listener) == PG_STREAM && key)
        return pg_listen_fail(
            listener, key,
            "\"%s\" cannot be on a stream: " LINK_WHY_NO_STREAM
            "; delete it, or write \"provides\": \"records\"",
            key);
    return 0;
}

#define SAY_BYTES_MOST (16u << 20) /* of a file with messages */

/* The whole file, with a NUL behind it. NULL with errno; EFBIG: it has more
   than SAY_BYTES_MOST, or no end. */
static char *sim_read_file(FILE *file)
{
    size_t len = 0, size = 0, got;
    char *text = NULL, *more;

    do {
        size += 65536;
        more = realloc(text, size + 1);
        if (!more)
            break;
        text = more;
        got = fread(text + len, 1, size - len, file);
        len += got;
        text[len] = '\0';
    } while (got > 0 && len <= SAY_BYTES_MOST);
    if (more && !ferror(file) && len <= SAY_BYTES_MOST)
        return text;
    if (len > SAY_BYTES_MOST)
        errno = EFBIG;
    free(text);
    return NULL;
}

/* Each line of the file, or the one text. */
static bool sim_split_says(struct sim *sim, char *text)
{
    char *save = NULL;

    do {
        char *line = sim->file ? strtok_r(text, "\n", &save) : text;
        char **says;

        text = NULL;
        if (!line && sim->say_count)
            return true;
        says = realloc(sim->says, (sim->say_count + 1) * sizeof(*says));
        if (!says)
            return false;
        says[sim->say_count++] = line ? line : (char *)(uintptr_t) "";
        sim->says = says;
    } while (sim->file);
    return true;
}

static int sim_read_says(struct pg_listener *listener)
{
    struct sim *sim = pg_listener_private(listener);
    const char *say = sim->options->say;
    FILE *file;
    int error;

    if (say[0] == '@') {
        file = pg_listener_file(listener, say + 1, "re");
        if (!file)
            return pg_listen_fail(listener, "say", "cannot read %s: %s",
                                  say + 1, pg_file_error());
        sim->file = sim_read_file(file);
        error = errno;
        fclose(file);
        if (!sim->file)
            return pg_listen_fail(listener, "say",
                                  "cannot read %s: %s; give a file of at most "
                                  "16 MiB, or a text without @",
                                  say + 1, strerror(error));
    }
    if (sim_split_says(sim, sim->file ? sim->file : (char *)(uintptr_t)say))
        return 0;
    return pg_listen_fail(listener, "say", "no memory for the messages");
}

static int sim_open_trace(struct pg_listener *listener)
{
    struct sim *sim = pg_listener_private(listener);
    const char *path = sim->options->trace;

    if (!path || !*path)
        return 0;
    sim->trace =
        !strcmp(path, "-") ? stdout : pg_listener_file(listener, path, "we");
    if (sim->trace)
        return 0;
    return pg_listen_fail(listener, "trace", "cannot write %s: %s", path,
                          pg_file_error());
}

/* Each client comes at a time of its own within the first interval. */
static void sim_plan_clients(struct sim *sim)
{
    uint64_t interval_ns = (uint64_t)sim->options->interval_ms * 1000000;

    for (int i = 0; i < sim->options->clients; i++) {
        struct client *client = &sim->clients[i];

        for (unsigned way = 0; way < WAYS; way++)
            client->links[way].key =
                link_key((uint64_t)sim->options->seed, (uint64_t)i + 1, way);
        sim_plan(sim,
                 sim->start_ns +
                     link_draw(client->links, 0, LINK_FREE) % (interval_ns + 1),
                 COMES, client);
    }
}

static int sim_adopt(struct pg_listener *listener, int fd)
{
    struct sim *sim = pg_listener_private(listener);

    (void)fd;
    sim->options = pg_listener_options(listener);
    sim->is_stream = sim_kind(listener) == PG_STREAM;
    sim->link = link_terms_of(&sim->options->link, sim_kind(listener));
    sim->start_ns = sim->end_ns = pg_now_ns();
    sim->clients = calloc((size_t)sim->options->clients, sizeof(*sim->clients));
    if (!sim->clients)
        return pg_listen_fail(listener, "clients", "no memory for %d clients",
                              sim->options->clients);
    if (sim_read_says(listener) || sim_open_trace(listener))
        return -EINVAL;
    sim_plan_clients(sim);
    return 0;
}

static void sim_print_counts(const struct sim *sim, const char *name,
                             enum way way, FILE *out)
{
    const struct counts *counts = &sim->counts[way];
    uint64_t gone = counts->lost + counts->dropped + counts->arrived;

    fprintf(out,
            "%-14s  %10" PRIu64 "  %10" PRIu64 "  %10" PRIu64 "  %10" PRIu64
            "  %10" PRIu64 "  %10" PRIu64 "\n",
            name, counts->sent, counts->lost, counts->dropped, counts->doubled,
            counts->arrived, counts->sent + counts->doubled - gone);
}

static void sim_print_summary(const struct sim *sim, FILE *out)
{
    fprintf(out, "sim: %d clients, %s, seed %" PRId64, sim->options->clients,
            sim->options->provides, sim->options->seed);
    if (sim->refused)
        fprintf(out, ", %" PRIu64 " refused", sim->refused);
    fprintf(out, "\n%-14s  %10s  %10s  %10s  %10s  %10s  %10s\n",
            sim->is_stream ? "bytes" : "records", "sent", "lost", "dropped",
            "doubled", "arrived", "on the way");
    sim_print_counts(sim, "to the server", TO_SERVER, out);
    sim_print_counts(sim, "to the clients", TO_CLIENT, out);
}

static void sim_free_all(struct sim *sim)
{
    while (sim->count)
        free(sim->events[--sim->count].packet);
    for (int i = 0; i < sim->options->clients; i++)
        free(sim->clients[i].inbox);
    free(sim->events);
    free(sim->clients);
    free(sim->says);
    free(sim->file);
}

static int sim_stop(struct pg_listener *listener, FILE *out)
{
    struct sim *sim = pg_listener_private(listener);
    int error = 0;

    if (sim->trace && sim->trace != stdout && fclose(sim->trace))
        error = -errno;
    sim_print_summary(sim, out);
    sim_free_all(sim);
    return error;
}

static const struct pg_option sim_option_table[] = {
    {"provides", PG_STRING, PG_FIELD(struct sim_options, provides),
     .initial = "records", .choices = "records stream",
     .help = "records as over UDP, or streams as over TCP"},
    {"clients", PG_INT, PG_FIELD(struct sim_options, clients), .initial = "10",
     .min = 1, .max = 100000, .help = "how many there are"},
    {"messages", PG_INT, PG_FIELD(struct sim_options, messages),
     .initial = "10", .min = 1, .max = 1000000000,
     .help = "how many each one says"},
    {"interval_ms", PG_INT, PG_FIELD(struct sim_options, interval_ms),
     .unit = "ms", .initial = "1000", .max = 3600000,
     .help = "between two messages; clients come within the first"},
    {"say", PG_STRING, PG_FIELD(struct sim_options, say),
     .initial = "hello {n} of {client}",
     .help = "the messages; @FILE: its lines in turn"},
    {"line_end", PG_BOOL, PG_FIELD(struct sim_options, line_end),
     .initial = "true", .help = "on a stream each ends with a newline"},
    LINK_OPTIONS(struct sim_options, link),
    {"wait_ms", PG_INT, PG_FIELD(struct sim_options, wait_ms), .unit = "ms",
     .initial = "1000", .max = 3600000,
     .help = "after the last message and its way there and back"},
    {"seed", PG_INT, PG_FIELD(struct sim_options, seed), .initial = "1",
     .help = "the same seed gives the same, to the byte"},
    {"trace", PG_STRING, PG_FIELD(struct sim_options, trace),
     .help = "a file for all that happens, a line each; - is stdout"},
    {0},
};

static const struct pg_simulation sim_simulation = {
    .next_ns = sim_next_ns,
    .step = sim_step,
    .release = sim_release,
    .stop = sim_stop,
};

const struct pg_transport pg_transport = {
    .abi = PG_TRANSPORT_ABI,
    .name = "sim",
    .summary = "simulated clients on a virtual clock, by a seed",
    .provides = PG_ANY,
    .kind = sim_kind,
    .options = sim_option_table,
    .options_size = sizeof(struct sim_options),
    .listener_size = sizeof(struct sim),
    .session_size = sizeof(struct sim_session),
    .peer_size = sizeof(struct sim_session),
    .max_record = 65507,
    .check = sim_check,
    .adopt = sim_adopt,
    .recv = sim_recv,
    .send = sim_send,
    .finish = sim_finish,
    .send_records = sim_send_records,
    .address = sim_address,
    .local = sim_local,
    .simulation = &sim_simulation,
};
