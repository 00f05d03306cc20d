/* What the reference servers share: a socket on a free port of the loopback
   interface, announced as the playground does. Any error ends the program. */
#ifndef COMMON_H
#define COMMON_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static inline int must(int result, const char *what)
{
    if (result >= 0)
        return result;
    perror(what);
    exit(1);
}

/* A burst must find room, so that nothing is lost. */
static inline void common_enlarge(int fd)
{
    int big = 4 << 20;

    must(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big)), "SO_RCVBUF");
    must(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &big, sizeof(big)), "SO_SNDBUF");
}

static inline int common_open(int type)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd =
        must(socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
    socklen_t len = sizeof(address);
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(bind(fd, (struct sockaddr *)&address, len), "bind");
    must(getsockname(fd, (struct sockaddr *)&address, &len), "getsockname");
    if (type == SOCK_STREAM)
        must(listen(fd, 4096), "listen");
    else
        common_enlarge(fd);
    printf("listening %s 127.0.0.1:%d\nready\n",
           type == SOCK_STREAM ? "tcp" : "udp", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static inline int common_listen(void)
{
    return common_open(SOCK_STREAM);
}

static inline int common_bind_udp(void)
{
    return common_open(SOCK_DGRAM);
}

/* The next connection, or -1. */
static inline int common_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int on = 1;

    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

#endif
