/* The ends of a wire, as its caller uses them: sockets, and who listens. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "wire/link/namespaces.h"
#include "wire/link/wire_parts.h"

int wire_socket(struct wire *wire, enum wire_side side, int domain, int type,
                int protocol)
{
    int error = namespaces_switch(wire->namespaces[side]), fd, back;

    if (error)
        return error;
    fd = socket(domain, type | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        fd = -errno;
    back = namespaces_switch(wire->namespaces[WIRE_LEFT]);
    return back ? back : fd;
}

/* A line each, below a heading; the fourth word is the state, see proc(5). */
static bool ends_has_socket(const char *table, unsigned state)
{
    char path[64], line[256];
    unsigned found;
    bool is_there = false;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/thread-self/net/%s", table);
    file = fopen(path, "re");
    if (!file)
        return false;
    while (!is_there && fgets(line, sizeof(line), file))
        is_there =
            sscanf(line, "%*s %*s %*s %x", &found) == 1 && found == state;
    fclose(file);
    return is_there;
}

#define TCP_LISTENING   10
#define UDP_UNCONNECTED 7

bool wire_is_listening(struct wire *wire, enum wire_side side)
{
    bool is_listening;

    if (namespaces_switch(wire->namespaces[side]))
        return false;
    is_listening = ends_has_socket("tcp", TCP_LISTENING) ||
                   ends_has_socket("tcp6", TCP_LISTENING) ||
                   ends_has_socket("udp", UDP_UNCONNECTED) ||
                   ends_has_socket("udp6", UDP_UNCONNECTED);
    namespaces_switch(wire->namespaces[WIRE_LEFT]);
    return is_listening;
}
