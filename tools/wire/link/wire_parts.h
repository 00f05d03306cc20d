/* wire_parts - what the files of the wire know of it. */
#ifndef WIRE_PARTS_H
#define WIRE_PARTS_H

#include "wire/link/wire.h"

struct wire {
    int namespaces[2]; /* by side */
    int control;       /* to the forwarder */
    pid_t forwarder;
    enum wire_kind kind;
    bool has_ipv6;
};

#endif
