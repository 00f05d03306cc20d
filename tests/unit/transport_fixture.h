/*
 * For the tests of one transport's file, which include it whole: a listener
 * made by hand, and what an open socket says about itself.
 */
#ifndef TRANSPORT_FIXTURE_H
#define TRANSPORT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "engine/core.h"

static inline int socket_option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof(value);

    assert_int_equal(getsockopt(fd, level, name, &value, &length), 0);
    return value;
}

static inline void assert_never_blocks(int fd)
{
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* The address a socket is bound to. */
static inline struct sockaddr_storage bound_address(int fd, socklen_t *length)
{
    struct sockaddr_storage address = {0};

    *length = sizeof(address);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, length), 0);
    return address;
}

#endif
