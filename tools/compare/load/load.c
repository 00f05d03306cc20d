/* The clients' process as the experiment sees it: orders and answers. */

#include "compare/load/load_parts.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"
#include "places/problems.h"

struct load {
    pid_t pid;
    int fd;
    struct load_shared *shared;
};

/* Waits for the one byte that says that an order has been carried out. */
static void load_await(struct lab *lab, struct load *load)
{
    char done;
    ssize_t got;

    do
        got = read(load->fd, &done, 1);
    while (got < 0 && errno == EINTR);
    if (load->shared->error[0])
        lab_fail(lab, "%s", load->shared->error);
    if (got != 1)
        lab_fail(lab, "the clients' process has ended without a word");
}

static void load_start_process(struct lab *lab, struct load *load,
                               const struct load_plan *plan)
{
    pid_t parent = getpid();
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        lab_fail_errno(lab, "socketpair");
    load->pid = fork();
    if (load->pid < 0)
        lab_fail_errno(lab, "fork");
    if (load->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        close(ends[0]);
        load_client(plan, load->shared, ends[1]);
    }
    close(ends[1]);
    load->fd = ends[0];
}

struct config *load_echo_config(struct lab *lab)
{
    static const char text[] =
        "{\"transports\": [\"tcp\"], \"handlers\": [\"echo\"]}";
    struct config *config = config_load("echo", text, sizeof(text) - 1, NULL,
                                        problems_create("echo"));

    if (!config)
        lab_fail(lab, "the plugins tcp and echo cannot be loaded");
    return config;
}

struct load *load_start(struct lab *lab, const struct load_plan *plan)
{
    struct load *load = must_calloc(1, sizeof(*load));

    load->shared = mmap(NULL, sizeof(*load->shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (load->shared == MAP_FAILED)
        lab_fail_errno(lab, "memory for what arrives");
    load_start_process(lab, load, plan);
    load_await(lab, load);
    return load;
}

struct load_found load_found(const struct load *load)
{
    return load->shared->found;
}

void load_begin(struct lab *lab, struct load *load, double rate, size_t count)
{
    const struct load_order order = {rate, count};

    if (write(load->fd, &order, sizeof(order)) != (ssize_t)sizeof(order))
        lab_fail_errno(lab, "an order to the clients");
}

int load_fd(const struct load *load)
{
    return load->fd;
}

struct load_result load_end(struct lab *lab, struct load *load)
{
    load_await(lab, load);
    lab_note_late(lab, load->shared->result.behind_ms);
    return load->shared->result;
}

const struct delivery *load_deliveries(const struct load *load, size_t *count)
{
    *count = load->shared->noted;
    return load->shared->deliveries;
}

void load_stop(struct load *load)
{
    close(load->fd);
    while (waitpid(load->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    munmap(load->shared, sizeof(*load->shared));
    free(load);
}
