/* The playground's own server, started for an experiment. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"
#include "base/program.h"
#include "cli/announced.h"
#include "compare/lab/lab_parts.h"
#include "wire/link/wire.h"

#define READY_MS  30000
#define PIPE_SIZE (1024 * 1024) /* a log need not wait for us to read it */
#define LINE_SIZE (64 * 1024)
#define LAST_MS   300
#define LAST_SIZE 2048 /* of what it said last */

/* A pipe read line by line. */
struct pipe_lines {
    int fd;
    size_t len;
    char data[LINE_SIZE];
};

struct server {
    pid_t pid;
    struct pipe_lines out, err;
    struct sockaddr_in addresses[2]; /* by enum side; port 0: none */
    char *last; /* the end of its stderr while it is mute, shared with the
                   process that reads it; NULL: it is not mute */
    struct server *before; /* the server that was started before this one */
};

/* ---- lines ------------------------------------------------------------ */

/* Takes the first line off; false when no whole one is there. */
static bool server_take_line(struct pipe_lines *lines, char *line)
{
    char *end = memchr(lines->data, '\n', lines->len);

    if (!end && lines->len == sizeof(lines->data))
        end = lines->data + lines->len - 1; /* cut: longer than any of ours */
    if (!end)
        return false;

    size_t len = (size_t)(end - lines->data);

    memcpy(line, lines->data, len);
    line[len] = '\0';
    lines->len -= len + 1;
    memmove(lines->data, end + 1, lines->len);
    return true;
}

/* The next line, of LINE_SIZE bytes at the most; false at the end and when
   none comes until `limit` (of lab_now_ms). */
static bool server_next_line(struct pipe_lines *lines, char *line, double limit)
{
    while (!server_take_line(lines, line)) {
        struct pollfd poll_fd = {.fd = lines->fd, .events = POLLIN};
        double left = limit - lab_now_ms();
        ssize_t got;

        if (poll(&poll_fd, 1, left > 0 ? (int)left + 1 : 0) <= 0 && left <= 0)
            return false;
        if (!poll_fd.revents)
            continue;
        got = read(lines->fd, lines->data + lines->len,
                   sizeof(lines->data) - lines->len);
        if (got == 0)
            return false;
        if (got > 0)
            lines->len += (size_t)got;
    }
    return true;
}

/* ---- start ------------------------------------------------------------ */

/* Port 0 wherever the config names none. */
static void server_take_free_ports(json_t *config)
{
    json_t *transport, *list = json_object_get(config, "transports");
    size_t i;

    json_array_foreach (list, i, transport) {
        if (json_is_string(transport)) {
            json_t *whole = json_object();

            result_set(whole, "plugin", json_incref(transport));
            json_array_set_new(list, i, whole);
            transport = whole;
        }
        if (!json_object_get(transport, "port"))
            result_set(transport, "port", json_integer(0));
    }
}

static char *server_write_config(struct lab *lab, json_t *config)
{
    char *path = must_printf("%s/server-%u.json", lab->folder, lab->servers++);

    server_take_free_ports(config);
    if (json_dump_file(config, path, JSON_INDENT(4)))
        lab_fail_errno(lab, path);
    json_decref(config);
    return path;
}

/* In the new process: one process of the server, which ends with the
   experiment. */
static void server_serve(char *const arguments[], const int out[2],
                         const int err[2], pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    signal(SIGPIPE, SIG_DFL);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    execv(arguments[0], arguments);
    perror(arguments[0]);
    _exit(1);
}

static pid_t server_start_here(struct lab *lab, char *const arguments[],
                               const int out[2], const int err[2])
{
    pid_t parent = getpid(), pid = fork();

    if (pid < 0)
        lab_fail_errno(lab, "fork");
    if (pid == 0)
        server_serve(arguments, out, err, parent);
    return pid;
}

static pid_t server_start_there(struct lab *lab, struct wire *wire,
                                char *const arguments[], int out, int err)
{
    const int fds[3] = {-1, out, err};
    pid_t pid = wire_spawn(wire, WIRE_RIGHT, arguments, fds);

    if (pid < 0) {
        errno = -pid;
        lab_fail_errno(lab, "a server at the other end of the link");
    }
    return pid;
}

static void server_start(struct lab *lab, struct server *server, char *path,
                         const struct server_how *how)
{
    char *arguments[8] = {(char *)(uintptr_t)program_to_run(), "run"};
    int out[2], err[2], count = 2;

    if (!how->is_whole)
        arguments[count++] = "--single";
    if (how->wire) {
        arguments[count++] = "--host";
        arguments[count++] =
            (char *)(uintptr_t)wire_address(WIRE_RIGHT, AF_INET);
    }
    arguments[count] = path;
    if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
        lab_fail_errno(lab, "pipe");
    fcntl(err[1], F_SETPIPE_SZ, PIPE_SIZE); /* without, it is 64 KiB */
    server->pid = how->wire ? server_start_there(lab, how->wire, arguments,
                                                 out[1], err[1])
                            : server_start_here(lab, arguments, out, err);
    close(out[1]);
    close(err[1]);
    server->out.fd = out[0];
    server->err.fd = err[0];
}

static void server_note_address(struct server *server, const char *line)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct announced announced;
    char *colon;

    if (!announced_listener(line, &announced) ||
        !(colon = strrchr(announced.address, ':')))
        return;
    *colon = '\0';
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    if (inet_pton(AF_INET, announced.address, &address.sin_addr) != 1)
        return;

    int side = !strcmp(announced.transport, "tcp") ? SIDE_TCP : SIDE_UDP;

    if (server->addresses[side].sin_port == 0)
        server->addresses[side] = address;
}

static void server_await_ready(struct lab *lab, struct server *server)
{
    double limit = lab_now_ms() + READY_MS;
    char line[LINE_SIZE];

    while (server_next_line(&server->out, line, limit)) {
        if (announced_ready(line))
            return;
        server_note_address(server, line);
    }
    if (server_next_line(&server->err, line, lab_now_ms() + 100))
        lab_fail(lab, "the server did not start: %s", line);
    lab_fail(lab, "the server did not start");
}

struct server *lab_server_as(struct lab *lab, json_t *config,
                             const struct server_how *how)
{
    struct server *server = must_calloc(1, sizeof(*server));
    char *path;

    if (!config)
        lab_fail(lab, "the server's config could not be made");
    server->before = lab->newest;
    lab->newest = server;
    path = server_write_config(lab, config);
    server_start(lab, server, path, how);
    free(path);
    server_await_ready(lab, server);
    return server;
}

struct server *lab_server(struct lab *lab, json_t *config)
{
    const struct server_how how = {NULL, false};

    return lab_server_as(lab, config, &how);
}

struct server *lab_log_server(struct lab *lab, const char *handler)
{
    json_t *config =
        json_pack("{s:[s,s], s:[{s:s,s:s}]}", "transports", "tcp", "udp",
                  "handlers", "plugin", "log", "format", "json");

    if (handler)
        result_append(json_object_get(config, "handlers"),
                      json_string(handler));
    return lab_server(lab, config);
}

struct sockaddr_in server_address(const struct server *server, enum side side)
{
    return server->addresses[side];
}

pid_t server_pid(const struct server *server)
{
    return server->pid;
}

/* ---- what it does ----------------------------------------------------- */

json_t *server_event(struct server *server, const char *event, int limit_ms)
{
    double limit = lab_now_ms() + limit_ms;
    char line[LINE_SIZE];

    while (server_next_line(&server->err, line, limit)) {
        json_t *found = json_loads(line, JSON_ALLOW_NUL, NULL);
        const char *name = json_string_value(json_object_get(found, "event"));

        if (name && (!event || !strcmp(name, event)))
            return found;
        json_decref(found);
    }
    return NULL;
}

/* Appends, and leaves out what was there first. */
static void server_keep_end(char *last, const char *text, size_t len)
{
    size_t had = strlen(last), room = LAST_SIZE - 1;

    if (len > room) {
        text += len - room;
        len = room;
    }
    if (had > room - len) {
        memmove(last, last + had - (room - len), room - len);
        had = room - len;
    }
    memcpy(last + had, text, len);
    last[had + len] = '\0';
}

/* In the new process: until the server has closed both. */
static void server_drain(const struct server *server)
{
    struct pollfd fds[] = {{.fd = server->out.fd, .events = POLLIN},
                           {.fd = server->err.fd, .events = POLLIN}};
    char buffer[65536];

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return;
        for (int i = 0; i < 2; i++) {
            ssize_t got;

            if (fds[i].fd < 0 || !fds[i].revents)
                continue;
            got = read(fds[i].fd, buffer, sizeof(buffer));
            if (got <= 0)
                fds[i].fd = -1;
            else if (i == 1)
                server_keep_end(server->last, buffer, (size_t)got);
        }
    }
}

void server_mute(struct lab *lab, struct server *server)
{
    pid_t parent = getpid(), pid;

    server->last = mmap(NULL, LAST_SIZE, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (server->last == MAP_FAILED)
        lab_fail_errno(lab, "memory for what the server says");
    pid = fork();
    if (pid < 0)
        lab_fail_errno(lab, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent)
            server_drain(server);
        _exit(0);
    }
    close(server->out.fd);
    close(server->err.fd);
}

/* ---- its last words --------------------------------------------------- */

/* Copies what a server has said on stderr and nobody has read. */
static void server_read_last(struct server *server, char last[LAST_SIZE])
{
    char line[LINE_SIZE];

    if (server->last) {
        memcpy(last, server->last, LAST_SIZE);
        return;
    }
    while (server_next_line(&server->err, line, lab_now_ms())) {
        server_keep_end(last, line, strlen(line));
        server_keep_end(last, "\n", 1);
    }
}

/* Copies the last line in which a server says how it, a worker or a handler
   has ended; what handlers log is passed over. */
static bool server_find_end(char *last, char *found, size_t size)
{
    char *place, *line = strtok_r(last, "\n", &place);
    bool is_found = false;

    for (; line; line = strtok_r(NULL, "\n", &place)) {
        bool is_death = !strncmp(line, "worker ", 7) && strstr(line, " (pid ");

        if (!is_death && !strstr(line, " crashed: ") &&
            strncmp(line, "playground: ", 12) != 0)
            continue;
        if (is_found && is_death)
            continue; /* the crash says more */
        snprintf(found, size, "%s", line);
        is_found = true;
    }
    return is_found;
}

static bool server_find_last_words(const struct lab *lab, char *words,
                                   size_t size)
{
    for (struct server *one = lab->newest; one; one = one->before) {
        char last[LAST_SIZE] = "";

        server_read_last(one, last);
        if (server_find_end(last, words, size))
            return true;
    }
    return false;
}

bool server_last_words(const struct lab *lab, char *words, size_t size)
{
    double limit = lab_now_ms() + LAST_MS;

    while (!server_find_last_words(lab, words, size)) {
        if (!lab->newest || !lab->newest->last || lab_now_ms() > limit)
            return false;
        lab_sleep_ms(5); /* who reads it may not have had its turn */
    }
    return true;
}

void server_pause(struct server *server)
{
    siginfo_t info;

    kill(server->pid, SIGSTOP);
    while (
        waitid(P_PID, (id_t)server->pid, &info, WSTOPPED | WEXITED | WNOWAIT) &&
        errno == EINTR)
        ;
}

void server_resume(struct server *server)
{
    kill(server->pid, SIGCONT);
}

int server_stop(struct server *server, int signal_number)
{
    int status = 0;

    kill(server->pid, signal_number);
    while (waitpid(server->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}
