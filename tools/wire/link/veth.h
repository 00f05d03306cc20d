/* veth - a pair of network interfaces, each where the other's packets come
   out, in two namespaces; by rtnetlink(7), see also veth(4). */
#ifndef VETH_H
#define VETH_H

/* `name` in the current namespace, `peer` in that of the descriptor. 0 or
   -errno. */
int veth_create(const char *name, const char *peer, int peer_namespace);

#endif
