/*
 * load - makes the traffic for tools/bench, checks every byte that comes back
 * and prints what it saw as one line of JSON.
 *
 *   main.c       the command line
 *   run.c        one run: warm-up, window, count or end; the report
 *   histogram.c  latencies
 *   pattern.c    the bytes that are sent
 *   process.c    CPU time of the server and all its children
 *   tcp_echo.c udp_echo.c tcp_broadcast.c udp_broadcast.c   the traffic
 *   protocols.c  how lines, redis, nats and mqtt put a message
 *   hold.c       connections that stay idle
 *   start.c      how long a server takes until it says "ready"
 */
#ifndef LOAD_H
#define LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct options {
    const char *mode;
    struct sockaddr_in server;
    int server_pid;       /* 0: its CPU time is not measured */
    unsigned connections; /* of an echo; subscribers of a broadcast */
    unsigned size;        /* bytes a message */
    unsigned depth;       /* in flight on each connection; lines out */
    unsigned fan_out;     /* deliveries a message: 1, or `connections` */
    uint64_t messages;    /* end after so many; 0: after `seconds` */
    double warm_s, seconds;
    double rate;         /* messages a second, open loop; 0: closed loop */
    bool is_segmented;   /* UDP_SEGMENT and UDP_GRO */
    const char *framing; /* of a broadcast: lines, redis, nats, mqtt */
    unsigned times;      /* starts of a server */
    char **command;      /* that server */
};

/* Says what is wrong, and ends with status 1. */
__attribute__((format(printf, 1, 2), noreturn)) void fail(const char *format,
                                                          ...);
uint64_t now_ns(void);

/* ---- sockets ---------------------------------------------------------- */

int load_connect(const struct options *options, int type);
void load_raise_files(void);

/* ---- pattern ---------------------------------------------------------- */

#define PATTERN_BYTES ((size_t)1 << 20)
#define PATTERN_MORE  ((size_t)1 << 18) /* readable beyond any position */

void pattern_init(void);
/* At least PATTERN_MORE bytes of the endless pattern. */
const uint8_t *pattern_at(uint64_t position);

/* ---- histogram -------------------------------------------------------- */

void histogram_add(uint64_t ns, uint64_t times);
void histogram_clear(void);
double histogram_us(double share); /* 0.5: the median */

/* ---- the server's processes ------------------------------------------- */

struct usage {
    uint64_t cpu_ns;    /* user and system time */
    uint64_t waited_ns; /* ready to run, but another had the CPU */
};

struct usage process_tree_usage(int pid);

/* ---- one run ---------------------------------------------------------- */

void run_start(const struct options *options);
/* Also moves on from warm-up to the window. False: it is over. */
bool run_goes_on(uint64_t now);
/* May one more message be sent? Counts it. */
bool run_may_send(void);
/* `times` messages came back (or were delivered) after so long. */
void run_count(uint64_t latency_ns, uint64_t times);
void run_lost(uint64_t times);
/* All that may be sent has been sent, and has been answered or lost. */
bool run_is_answered(void);
void run_report(void);

/* ---- traffic ---------------------------------------------------------- */

void tcp_echo(const struct options *options);
void udp_echo(const struct options *options);
void tcp_broadcast(const struct options *options);
void udp_broadcast(const struct options *options);
void hold(const struct options *options);
void start(const struct options *options);

#endif
