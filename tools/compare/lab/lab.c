#include "compare/lab/lab_parts.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"
#include "base/text.h"

/* splitmix64: numbers that a seed repeats on every machine. */
static uint64_t lab_next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void run_init(struct run *run, const struct experiment *experiment,
              const struct settings *settings, const char *folder, int out)
{
    *run = (struct run){
        .experiment = experiment,
        .settings = settings,
        .folder = folder,
        .result = result_create(experiment),
        .out = out,
        .random = (uint64_t)settings->values[SETTING_SEED],
    };
}

/* ---- to the parent ---------------------------------------------------- */

/* One object a line. When the parent has gone there is nobody to tell. */
static void lab_tell(struct run *run, json_t *what)
{
    char *line = json_dumps(what, JSON_COMPACT);
    size_t len = line ? strlen(line) : 0, done = 0;

    if (!line)
        _exit(1);
    line[len++] = '\n'; /* in the place of the NUL */
    while (done < len) {
        ssize_t wrote = write(run->out, line + done, len - done);

        if (wrote < 0 && errno != EINTR)
            _exit(1);
        if (wrote > 0)
            done += (size_t)wrote;
    }
    free(line);
}

void run_report(struct run *run)
{
    lab_tell(run, run->result);
}

void run_progress(struct run *run, const char *format, ...)
{
    va_list arguments;
    json_t *message = json_object();

    va_start(arguments, format);
    result_set(message, "progress", result_text(format, arguments));
    va_end(arguments);
    lab_tell(run, message);
    json_decref(message);
}

/* The experiment sees that a connection has ended; the server knows why. */
static json_t *lab_with_last_words(struct run *run, json_t *error)
{
    char words[512], *how, *clean, *text;
    json_t *whole;

    if (!server_last_words(run, words, sizeof(words)))
        return error;
    how = strstr(words, "; to see where"); /* names a config of ours */
    if (how)
        *how = '\0';
    clean = text_clean(words);
    text = must_printf("%s. The server said: %s%s", json_string_value(error),
                       clean,
                       how ? ". To see where: `gdb --args playground run "
                             "--single CONFIG`, and talk to it"
                           : "");
    whole = json_string(text);
    json_decref(error);
    free(text);
    free(clean);
    return whole;
}

void run_fail(struct run *run, const char *format, ...)
{
    va_list arguments;
    json_t *error;

    va_start(arguments, format);
    error = result_text(format, arguments);
    va_end(arguments);
    result_set(run->result, "error", lab_with_last_words(run, error));
    run_report(run);
    _exit(1);
}

void run_fail_errno(struct run *run, const char *what)
{
    run_fail(run, "%s: %s", what, strerror(errno));
}

const char *run_folder(const struct run *run)
{
    return run->folder;
}

/* ---- settings and chance ---------------------------------------------- */

double run_setting(struct run *run, enum setting which, double fallback)
{
    bool is_given = run->settings->given & SETTING(which);
    double value = is_given ? run->settings->values[which] : fallback;
    json_t *used = json_object_get(run->result, "settings");

    assert(run->experiment->settings & SETTING(which));
    result_set(used, setting_infos[which].name,
               value == rint(value) ? json_integer((json_int_t)value)
                                    : json_real(value));
    return value;
}

bool run_is_given(const struct run *run, unsigned settings)
{
    return run->settings->given & settings;
}

uint64_t run_seed(const struct run *run)
{
    return (uint64_t)run->settings->values[SETTING_SEED];
}

double run_random(struct run *run)
{
    return (double)(lab_next_random(&run->random) >> 11) * 0x1p-53;
}

/* ---- time ------------------------------------------------------------- */

double run_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void run_sleep_ms(double ms)
{
    struct timespec left = {
        .tv_sec = (time_t)(ms / 1e3),
        .tv_nsec = (long)((ms - 1e3 * (double)(time_t)(ms / 1e3)) * 1e6),
    };

    while (nanosleep(&left, &left) && errno == EINTR)
        ;
}

/* ---- sockets ---------------------------------------------------------- */

int run_socket(struct run *run, enum side side)
{
    struct timeval limit = {.tv_sec = 5};
    int type = side == SIDE_TCP ? SOCK_STREAM : SOCK_DGRAM;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
        run_fail_errno(run, "socket");
    return fd;
}

int run_connect(struct run *run, const struct server *server, enum side side)
{
    struct sockaddr_in to = server_address(server, side);
    int fd = run_socket(run, side);

    if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
        run_fail_errno(run, "connect to the server");
    return fd;
}

void run_send(struct run *run, int fd, const void *data, size_t len)
{
    const char *at = data;

    do {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);

        if (sent < 0 && errno != EINTR)
            run_fail_errno(run, "send");
        if (sent >= 0) {
            at += sent;
            len -= (size_t)sent;
        }
    } while (len > 0);
}

bool run_is_readable(int fd, int limit_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    double limit = run_now_ms() + limit_ms, left;

    while (poll(&poll_fd, 1, limit_ms) < 0 && errno == EINTR) {
        left = limit - run_now_ms();
        limit_ms = left > 0 ? (int)left : 0;
    }
    return poll_fd.revents != 0;
}

void run_recv(struct run *run, int fd, void *data, size_t len)
{
    char *at = data;

    while (len > 0) {
        ssize_t got = recv(fd, at, len, 0);

        if (got == 0)
            run_fail(run, "the server closed, with %zu bytes missing", len);
        if (got < 0 && errno == EAGAIN)
            run_fail(run, "no answer, with %zu bytes missing", len);
        if (got < 0 && errno != EINTR)
            run_fail_errno(run, "recv");
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

/* ---- figures ---------------------------------------------------------- */

static int lab_compare_values(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

double run_median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), lab_compare_values);
    return count % 2 ? values[count / 2]
                     : (values[count / 2 - 1] + values[count / 2]) / 2;
}
