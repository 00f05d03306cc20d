/*
 * flow - a TCP connection that sends as much as it may, with a congestion
 * control chosen by name, and what it did over time.
 */
#ifndef FLOW_H
#define FLOW_H

#include "compare/lab/lab.h"

struct flow_sample {
    double s;          /* since it began */
    double mbit_s;     /* acknowledged since the sample before */
    double udp_mbit_s; /* of the flood beside it */
    double rtt_ms;
    double window; /* congestion window, in segments */
};

struct flow {
    int fd;
    double begin_ms;
    uint64_t acked; /* bytes, at the last sample */
    struct flow_sample *samples;
    size_t count;
    double mss;
};

/* A flood beside it; zeros: none. */
struct flow_flood {
    int fd;
    double mbit_s; /* of datagrams, headers not counted */
    /* bytes of datagrams that the link has delivered until now */
    double (*delivered)(void *arg);
    void *arg;
};

/* False, with errno: this congestion control cannot be had. */
bool flow_start(struct lab *lab, struct flow *flow, const struct server *server,
                const char *congestion);
/* Sends for so long. */
void flow_send(struct lab *lab, struct flow *flow, double seconds,
               const struct flow_flood *flood);
/* Breaks it off: what has not been sent never is. */
void flow_stop(struct flow *flow);

/* Mean of what was acknowledged from then to then, in Mbit/s. */
double flow_goodput(const struct flow *flow, double from_s, double to_s);
/* Mean round-trip time from then on, as TCP saw it. */
double flow_rtt_ms(const struct flow *flow, double from_s);

#endif
