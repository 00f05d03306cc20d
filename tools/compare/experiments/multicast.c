/* fanout to a multicast group on the loopback interface. */

#include "compare/experiments/fanout.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/must.h"

#define GROUP "239.255.80.71"

/* A member of the group on the loopback interface; the first chooses the port.
   0, or the errno of what is not possible here. */
static int multicast_join_group(struct lab *lab, struct sockaddr_in *group,
                                int *fd)
{
    struct ip_mreqn request = {.imr_multiaddr = group->sin_addr};
    socklen_t length = sizeof(*group);
    int on = 1;

    request.imr_address.s_addr = htonl(INADDR_LOOPBACK);
    *fd = lab_socket(lab, SIDE_UDP);
    if (setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        bind(*fd, (struct sockaddr *)group, sizeof(*group)) ||
        getsockname(*fd, (struct sockaddr *)group, &length) ||
        setsockopt(*fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request,
                   sizeof(request)))
        return errno;
    return 0;
}

static int multicast_open_sender(struct lab *lab,
                                 const struct sockaddr_in *group, int *fd)
{
    struct in_addr loopback = {htonl(INADDR_LOOPBACK)};

    *fd = lab_socket(lab, SIDE_UDP);
    if (setsockopt(*fd, IPPROTO_IP, IP_MULTICAST_IF, &loopback,
                   sizeof(loopback)) ||
        connect(*fd, (const struct sockaddr *)group, sizeof(*group)))
        return errno;
    return 0;
}

static double multicast_own_cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* The sender's own processor time: on one machine the kernel makes the copies
   within send(). */
static struct outcome multicast_send_all(struct lab *lab, int sender,
                                         const struct audience *audience,
                                         int messages)
{
    double *ms = must_calloc((size_t)messages, sizeof(*ms));
    struct outcome outcome = {0};

    for (int number = 1; number <= messages; number++) {
        char line[FANOUT_SIZE], got[FANOUT_SIZE];
        double begin = lab_now_ms(), begin_us = multicast_own_cpu_us();

        fanout_line(line, number);
        lab_send(lab, sender, line, FANOUT_SIZE);
        outcome.sends++;
        outcome.cpu_us += (multicast_own_cpu_us() - begin_us) / messages;
        for (int i = 0; i < audience->count; i++) {
            lab_recv(lab, audience->fds[i], got, FANOUT_SIZE);
            outcome.received += !memcmp(line, got, FANOUT_SIZE);
        }
        ms[number - 1] = lab_now_ms() - begin;
    }
    outcome.median_ms = lab_median(ms, (size_t)messages);
    free(ms);
    return outcome;
}

bool multicast_measure(struct lab *lab, struct audience *audience, int messages,
                       struct outcome *outcome)
{
    struct sockaddr_in group = {.sin_family = AF_INET};
    int sender = -1, error;

    inet_pton(AF_INET, GROUP, &group.sin_addr);
    for (int i = 0; i < audience->count; i++) {
        error = multicast_join_group(lab, &group, &audience->fds[i]);
        if (error) {
            result_note(lab,
                        "Multicast is not to be had here, so that part was "
                        "left out: %s.",
                        strerror(error));
            return false;
        }
    }
    error = multicast_open_sender(lab, &group, &sender);
    if (error)
        lab_fail(lab, "multicast: %s", strerror(error));
    if (send(sender, "", 0, 0) < 0 ||
        !lab_is_readable(audience->fds[0], LAB_LIMIT_MS)) {
        result_note(lab, "A multicast datagram does not arrive here, so that "
                         "part was left out.");
        return false;
    }
    for (int i = 0; i < audience->count; i++)
        if (recv(audience->fds[i], (char[1]){0}, 1, 0) != 0)
            lab_fail(lab, "multicast: receiver %d got something else", i + 1);
    *outcome = multicast_send_all(lab, sender, audience, messages);
    return true;
}
