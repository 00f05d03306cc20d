/*
 * address - numeric addresses as text and back, and what to say about them.
 *
 * pg_address(), pg_address_text() and pg_address_fail() are declared in
 * playground/transport.h; here is what only the core needs.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdio.h>

#include <playground/transport.h>

/* "[" + the longest IPv6 address + "%" + an interface + "]:65535" + NUL. */
#define ADDRESS_TEXT_BYTES 80

/* The port in host byte order; 0 when the family has none. */
int address_port(const struct sockaddr *address);

/* "0.0.0.0" or "::": every address of this machine. */
bool address_is_wildcard(const struct sockaddr *address);

/* Same address and port, whatever the family: ::ffff:127.0.0.1 of an IPv6
   socket is 127.0.0.1. `with_port` false compares the addresses only. */
bool address_equal(const struct sockaddr *a, const struct sockaddr *b,
                   bool with_port);

/* 127.0.0.0/8 or ::1. */
bool address_is_loopback(const struct sockaddr *address);

/*
 * For a socket bound to a wildcard address: one line for each address other
 * machines may use, `others: playground client tcp://192.168.1.23:5000`.
 * Leaves out loopback, interfaces that are down, and link-local IPv6, which
 * means something else on every machine. Any other socket: prints nothing.
 */
void address_print_others(const char *transport, const struct sockaddr *bound,
                          FILE *out);

/* True of "127.0.0.1", "0x7f.1", "1": an IPv4 address, well spelt or not. */
bool address_ends_in_number(const char *host);

/* ---- address_remedy.c ------------------------------------------------- */

/* False if this process may not bind(2) to the port, as far as can be seen. */
bool address_may_bind(int port);

/* What is wrong and, after a semicolon, what to do, when a socket could not go
   to (`is_to_connect`) or be at this address: for a negative errno. Returns the
   option to blame, "host" or "port", or NULL. */
const char *address_explain(const char *host, int port, bool is_to_connect,
                            int error, char *text, size_t size);

#endif
