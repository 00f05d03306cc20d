#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/address.h"
#include "config/config_parts.h"
#include "options/options.h"

#define CAP_NET_BIND_SERVICE_BIT 10 /* capabilities(7) */

struct target {
    struct sockaddr_storage address;
    int port;
    bool is_known;
};

static struct target
config_network_target_of(const struct pg_listener *listener)
{
    const struct pg_option *host =
        options_find(listener->transport->options, "host");
    const struct pg_option *port =
        options_find(listener->transport->options, "port");
    struct target target = {0};
    socklen_t length;
    const char *text;

    if (!host || !port || host->type != PG_STRING || port->type != PG_INT)
        return target;
    text = options_get_string(host, listener->options);
    target.port = (int)options_get_int(port, listener->options);
    target.is_known = text && pg_address(text, target.port, false,
                                         &target.address, &length) == 0;
    return target;
}

/* ---- two on one address ----------------------------------------------- */

static bool config_network_clash(const struct target *a, const struct target *b)
{
    if (!a->is_known || !b->is_known || a->port != b->port || a->port == 0)
        return false;
    return address_is_wildcard((const struct sockaddr *)&a->address) ||
           address_is_wildcard((const struct sockaddr *)&b->address) ||
           address_equal((const struct sockaddr *)&a->address,
                         (const struct sockaddr *)&b->address, true);
}

static void config_network_check_pair(const struct pg_listener *first,
                                      struct pg_listener *second)
{
    struct target a = config_network_target_of(first),
                  b = config_network_target_of(second);

    if (!strcmp(first->transport->name, second->transport->name) &&
        config_network_clash(&a, &b))
        pg_listen_fail(second, "port",
                       "%s listens on the same address as %s, port %d; give "
                       "one of them another port",
                       second->name, first->name, b.port);
}

/* ---- ports that need privileges --------------------------------------- */

static int config_network_first_free_port(void)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
    int port = 1024;

    if (file) {
        if (fscanf(file, "%d", &port) != 1)
            port = 1024;
        fclose(file);
    }
    return port;
}

static bool config_network_may_bind_any(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    unsigned long long bits = 0;
    char line[256];

    if (!file)
        return geteuid() == 0;
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "CapEff: %llx", &bits) == 1)
            break;
    fclose(file);
    return bits >> CAP_NET_BIND_SERVICE_BIT & 1;
}

static void config_network_check_port(struct pg_listener *listener)
{
    struct target target =
        config_network_target_of(listener); /* `host` may be a name */

    if (target.port != 0 && target.port < config_network_first_free_port() &&
        !config_network_may_bind_any())
        pg_listen_fail(listener, "port", "port %d needs privileges; try %d",
                       target.port, target.port + 5000);
}

void config_check_network(struct config *config)
{
    for (unsigned i = 0; i < config->listener_count; i++) {
        config_network_check_port(config->listeners[i]);
        for (unsigned j = 0; j < i; j++)
            config_network_check_pair(config->listeners[j],
                                      config->listeners[i]);
    }
}
