/*
 * client_url - where to connect to: tcp://HOST:PORT, udp://[::1]:5000,
 * unix:PATH, unix-seqpacket:PATH.
 */
#ifndef CLIENT_URL_H
#define CLIENT_URL_H

#include <stdbool.h>
#include <stddef.h>

#define CLIENT_DEFAULT_PORT 5000
#define CLIENT_HOST_BYTES   254 /* the longest name of DNS and a NUL */

#define CLIENT_PATH_BYTES 512 /* more than any socket's may have */

struct client_url {
    char transport[8];            /* name of the plugin: "tcp", "udp", "unix" */
    char path[CLIENT_PATH_BYTES]; /* unix; "": it has host and port instead */
    const char *type;             /* unix: "stream" or "seqpacket" */
    char host[CLIENT_HOST_BYTES]; /* a name or an address, no brackets */
    int port;
};

/* Takes a URL apart. False after writing into `error` what is wrong with it
   and, after a semicolon, what to do. */
bool client_url_parse(const char *text, struct client_url *url, char *error,
                      size_t error_size);

#endif
