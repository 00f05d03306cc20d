/* Says which addresses of a config cannot be listened on. */

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "config/address.h"
#include "config/config_parts.h"
#include "options/options.h"

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

static void config_network_check_pair(struct config *config,
                                      const struct target *targets,
                                      unsigned first, unsigned second)
{
    struct pg_listener *a = config->listeners[first],
                       *b = config->listeners[second];

    if (!strcmp(a->transport->name, b->transport->name) &&
        config_network_clash(&targets[first], &targets[second]))
        pg_listen_fail(b, "port",
                       "%s listens on the same address as %s, port %d; give "
                       "one of them another port",
                       b->name, a->name, targets[second].port);
}

/* ---- ports that need privileges --------------------------------------- */

/* `host` may be a name that nobody has looked up: the port is known then, too.
 */
static void config_network_check_port(struct pg_listener *listener, int port)
{
    if (!address_may_bind(port))
        pg_listen_fail(listener, "port", "port %d needs privileges; try %d",
                       port, port + 5000);
}

void config_check_network(struct config *config)
{
    struct target *targets =
        must_calloc(config->listener_count, sizeof(*targets));

    for (unsigned i = 0; i < config->listener_count; i++) {
        targets[i] = config_network_target_of(config->listeners[i]);
        config_network_check_port(config->listeners[i], targets[i].port);
        for (unsigned j = 0; j < i; j++)
            config_network_check_pair(config, targets, j, i);
    }
    free(targets);
}
