#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: load MODE [OPTION...] [-- COMMAND...]\n"
    "modes: tcp-echo udp-echo tcp-broadcast udp-broadcast hold start\n"
    "  --port N         of the server, on 127.0.0.1\n"
    "  --server PID     whose CPU time, with all its children's, is measured\n"
    "  --connections N  clients; subscribers of a broadcast\n"
    "  --size N         bytes a message\n"
    "  --depth N        messages in flight on each connection; lines out\n"
    "  --warm S         seconds before the window\n"
    "  --seconds S      the window; with --messages the limit\n"
    "  --messages N     end after so many\n"
    "  --rate N         messages a second (open loop), echo only\n"
    "  --segment        send and receive with UDP_SEGMENT and UDP_GRO\n"
    "  --framing NAME   of a broadcast: lines redis nats mqtt\n"
    "  --times N        start COMMAND so often\n";

void fail(const char *format, ...)
{
    va_list arguments;

    fputs("load: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

uint64_t now_ns(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

int load_connect(const struct options *options, int type)
{
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), on = 1, big = 4 << 20;

    if (fd < 0)
        fail("socket: %s", strerror(errno));
    if (type == SOCK_STREAM)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    else
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
    if (connect(fd, (const struct sockaddr *)&options->server,
                sizeof(options->server)))
        fail("connect: %s", strerror(errno));
    return fd;
}

void load_raise_files(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},
    {"server", required_argument, NULL, 'S'},
    {"connections", required_argument, NULL, 'c'},
    {"size", required_argument, NULL, 'b'},
    {"depth", required_argument, NULL, 'd'},
    {"warm", required_argument, NULL, 'w'},
    {"seconds", required_argument, NULL, 's'},
    {"messages", required_argument, NULL, 'm'},
    {"rate", required_argument, NULL, 'r'},
    {"segment", no_argument, NULL, 'g'},
    {"framing", required_argument, NULL, 'f'},
    {"times", required_argument, NULL, 't'},
    {0},
};

static void set_option(struct options *options, int which)
{
    switch (which) {
    case 'p':
        options->server.sin_port = htons((uint16_t)atoi(optarg));
        break;
    case 'S':
        options->server_pid = atoi(optarg);
        break;
    case 'c':
        options->connections = (unsigned)atoi(optarg);
        break;
    case 'b':
        options->size = (unsigned)atoi(optarg);
        break;
    case 'd':
        options->depth = (unsigned)atoi(optarg);
        break;
    case 'w':
        options->warm_s = atof(optarg);
        break;
    case 's':
        options->seconds = atof(optarg);
        break;
    case 'm':
        options->messages = strtoull(optarg, NULL, 10);
        break;
    case 'r':
        options->rate = atof(optarg);
        break;
    case 'g':
        options->is_segmented = true;
        break;
    case 'f':
        options->framing = optarg;
        break;
    case 't':
        options->times = (unsigned)atoi(optarg);
        break;
    default:
        fputs(usage, stderr);
        exit(2);
    }
}

static const struct {
    const char *name;
    void (*run)(const struct options *options);
    bool is_measured, is_broadcast;
} modes[] = {
    {"tcp-echo", tcp_echo, true, false},
    {"udp-echo", udp_echo, true, false},
    {"tcp-broadcast", tcp_broadcast, true, true},
    {"udp-broadcast", udp_broadcast, true, true},
    {"hold", hold, false, false},
    {"start", start, false, false},
};

static void run_mode(struct options *options)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        if (strcmp(modes[i].name, options->mode))
            continue;
        options->fan_out = modes[i].is_broadcast ? options->connections : 1;
        modes[i].run(options);
        if (modes[i].is_measured)
            run_report();
        return;
    }
    fputs(usage, stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    struct options options = {
        .connections = 1,
        .size = 64,
        .depth = 1,
        .warm_s = 0.2,
        .seconds = 1,
        .framing = "lines",
        .times = 1,
    };
    int which;

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlives the runner */
    options.server.sin_family = AF_INET;
    options.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while ((which = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        set_option(&options, which);
    if (optind == argc || !options.connections || !options.size ||
        !options.depth || !options.times) {
        fputs(usage, stderr);
        return 2;
    }
    options.mode = argv[optind];
    options.command = argv + optind + 1;
    load_raise_files();
    pattern_init();
    run_mode(&options);
    return 0;
}
