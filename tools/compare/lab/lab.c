/* The lab: settings, chance, time, sockets, and what goes to the parent. */

#include "base/hash.h"
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
#include "wire/link/wire.h"

void lab_init(struct lab *lab, const struct experiment *experiment,
              const struct settings *settings, const char *folder, int out)
{
    *lab = (struct lab){
        .experiment = experiment,
        .settings = settings,
        .folder = folder,
        .result = result_create(experiment),
        .out = out,
        .random = (uint64_t)settings->values[SETTING_SEED],
        .lateness = lateness_start(),
    };
    if (!lab->lateness)
        lab_fail_errno(lab, "a process that measures lateness");
}

/* ---- to the parent ---------------------------------------------------- */

/* Writes one object a line. When the parent has gone there is nobody to
   tell. */
static void lab_tell(struct lab *lab, json_t *what)
{
    char *line = json_dumps(what, JSON_COMPACT);
    size_t len = line ? strlen(line) : 0, done = 0;

    if (!line)
        _exit(1);
    line[len++] = '\n'; /* in the place of the NUL */
    while (done < len) {
        ssize_t wrote = write(lab->out, line + done, len - done);

        if (wrote < 0 && errno != EINTR)
            _exit(1);
        if (wrote > 0)
            done += (size_t)wrote;
    }
    free(line);
}

/* An answer that a busy machine gave is no answer to the question. */
void lab_report(struct lab *lab)
{
    result_set(lab->result, "busy", json_boolean(lab->is_busy));
    result_set(lab->result, "late_ms", json_real(lab_late_ms(lab)));
    if (lab->is_busy)
        json_object_del(lab->result, "answer");
    lab_tell(lab, lab->result);
}

void lab_progress(struct lab *lab, const char *format, ...)
{
    va_list arguments;
    json_t *message = json_object();

    va_start(arguments, format);
    result_set(message, "progress", result_text(format, arguments));
    va_end(arguments);
    lab_tell(lab, message);
    json_decref(message);
}

/* The experiment sees that a connection has ended; the server knows why. */
static json_t *lab_with_last_words(struct lab *lab, json_t *error)
{
    char words[512], *how, *clean, *text;
    json_t *whole;

    if (!server_last_words(lab, words, sizeof(words)))
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

void lab_fail(struct lab *lab, const char *format, ...)
{
    va_list arguments;
    json_t *error;

    va_start(arguments, format);
    error = result_text(format, arguments);
    va_end(arguments);
    result_set(lab->result, "error", lab_with_last_words(lab, error));
    lab_report(lab);
    _exit(1);
}

void lab_fail_errno(struct lab *lab, const char *what)
{
    lab_fail(lab, "%s: %s", what, strerror(errno));
}

const char *lab_folder(const struct lab *lab)
{
    return lab->folder;
}

/* ---- settings and chance ---------------------------------------------- */

double lab_setting(struct lab *lab, enum setting which, double fallback)
{
    bool is_given = lab->settings->given & SETTING(which);
    double value = is_given ? lab->settings->values[which] : fallback;
    json_t *used = json_object_get(lab->result, "settings");

    assert(lab->experiment->settings & SETTING(which));
    result_set(used, setting_infos[which].name,
               value == rint(value) ? json_integer((json_int_t)value)
                                    : json_real(value));
    return value;
}

bool lab_is_given(const struct lab *lab, unsigned settings)
{
    return lab->settings->given & settings;
}

uint64_t lab_seed(const struct lab *lab)
{
    return (uint64_t)lab->settings->values[SETTING_SEED];
}

double lab_random(struct lab *lab)
{
    return (double)(hash_random(&lab->random) >> 11) * 0x1p-53;
}

/* ---- time ------------------------------------------------------------- */

double lab_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void lab_sleep_ms(double ms)
{
    struct timespec left = {
        .tv_sec = (time_t)(ms / 1e3),
        .tv_nsec = (long)((ms - 1e3 * (double)(time_t)(ms / 1e3)) * 1e6),
    };

    while (nanosleep(&left, &left) && errno == EINTR)
        ;
}

/* ---- a busy machine --------------------------------------------------- */

/* The forwarder of the link is 0 late where there is no link, or none any
   more. */
static double lab_forwarder_late_ms(const struct lab *lab)
{
    struct wire_counts counts[2] = {0};
    uint64_t there, back;

    if (lab->wire)
        wire_counts(lab->wire, counts);
    there = counts[WIRE_LEFT].late_max_ns;
    back = counts[WIRE_RIGHT].late_max_ns;
    return (double)(there > back ? there : back) / 1e6;
}

double lab_late_ms(struct lab *lab)
{
    double ours = lateness_worst_ms(lab->lateness);
    double forwarders = lab_forwarder_late_ms(lab);

    return ours > forwarders ? ours : forwarders;
}

void lab_note_late(struct lab *lab, double ms)
{
    lateness_note(lab->lateness, ms);
}

/* ---- sockets ---------------------------------------------------------- */

int lab_socket(struct lab *lab, enum side side)
{
    struct timeval limit = {.tv_sec = LAB_LIMIT_MS / 1000};
    int type = side == SIDE_TCP ? SOCK_STREAM : SOCK_DGRAM;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
        lab_fail_errno(lab, "socket");
    return fd;
}

int lab_connect(struct lab *lab, const struct server *server, enum side side)
{
    struct sockaddr_in to = server_address(server, side);
    int fd = lab_socket(lab, side);

    if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
        lab_fail_errno(lab, "connect to the server");
    return fd;
}

void lab_send(struct lab *lab, int fd, const void *data, size_t len)
{
    const char *at = data;

    do {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);

        if (sent < 0 && errno != EINTR)
            lab_fail_errno(lab, "send");
        if (sent >= 0) {
            at += sent;
            len -= (size_t)sent;
        }
    } while (len > 0);
}

bool lab_is_readable(int fd, int limit_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    double limit = lab_now_ms() + limit_ms, left;

    while (poll(&poll_fd, 1, limit_ms) < 0 && errno == EINTR) {
        left = limit - lab_now_ms();
        limit_ms = left > 0 ? (int)left : 0;
    }
    return poll_fd.revents != 0;
}

void lab_recv(struct lab *lab, int fd, void *data, size_t len)
{
    char *at = data;

    while (len > 0) {
        ssize_t got = recv(fd, at, len, 0);

        if (got == 0)
            lab_fail(lab, "the server closed, with %zu bytes missing", len);
        if (got < 0 && errno == EAGAIN)
            lab_fail(lab, "no answer, with %zu bytes missing", len);
        if (got < 0 && errno != EINTR)
            lab_fail_errno(lab, "recv");
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

double lab_median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), lab_compare_values);
    return count % 2 ? values[count / 2]
                     : (values[count / 2 - 1] + values[count / 2]) / 2;
}
