/* Connecting: the addresses of a name, one after the other. */

#include "client/client.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <jansson.h>

#include "base/remedy.h"
#include "config/address.h"
#include "options/options.h"

#define PATIENCE_MS 1000 /* then whoever waits is told what for */

/* ---- addresses -------------------------------------------------------- */

/* Adds what is tried next: `json`, which is given back, for the plugin. */
static bool client_connect_add(struct client *client, json_t *json)
{
    char *options = json_dumps(json, 0);
    unsigned at = client->address_count++;

    json_decref(json);
    client->listeners[at] = config_add_listener(
        client->config, client->options.url.transport, options);
    free(options);
    return client->listeners[at] != NULL;
}

static bool client_connect_add_address(struct client *client,
                                       const struct addrinfo *found)
{
    const char *transport = client->options.url.transport;
    char host[NI_MAXHOST];
    unsigned at = client->address_count;

    if (at == CLIENT_ADDRESSES ||
        getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof(host), NULL,
                    0, NI_NUMERICHOST))
        return true; /* enough, or of no use */
    snprintf(client->address_text[at], sizeof(client->address_text[at]),
             found->ai_family == AF_INET6 ? "%s [%s]:%d" : "%s %s:%d",
             transport, host, client->options.url.port);
    return client_connect_add(client,
                              json_pack("{s:s, s:i}", "host", host, "port",
                                        client->options.url.port));
}

/*
 * A name may have several addresses, tried one after the other. UDP is told
 * that one was wrong only where ICMP comes back, so there IPv4 comes first,
 * which is where a server listens by default ("localhost" often means ::1
 * first).
 */
static bool client_connect_add_addresses(struct client *client,
                                         const struct addrinfo *all)
{
    bool is_sorted = !strcmp(client->options.url.transport, "udp");
    const int order[] = {AF_INET, AF_INET6};

    for (unsigned i = 0; i < (is_sorted ? 2u : 1u); i++)
        for (const struct addrinfo *one = all; one; one = one->ai_next)
            if ((!is_sorted || one->ai_family == order[i]) &&
                !client_connect_add_address(client, one))
                return false;
    return true;
}

#define NUMBERS "or write the address in numbers"

static const struct remedy client_connect_look_ups[] = {
    {EAI_NONAME, NULL, "check the spelling, " NUMBERS, NULL},
    {EAI_NODATA, NULL, "this name has no address: check the spelling, " NUMBERS,
     NULL},
    {EAI_AGAIN, NULL,
     "no name server has answered: check the network, " NUMBERS, NULL},
    {EAI_FAIL, NULL, "the name server has failed: try again, " NUMBERS, NULL},
    {0},
};

static void client_connect_no_address(struct client *client, int error)
{
    const char *host = client->options.url.host;
    struct remedy_case met = {.error = error};
    const struct remedy *found;
    char text[REMEDY_BYTES];

    if (error == EAI_SYSTEM) {
        client_complain(client, "cannot find \"%s\": %s", host,
                        remedy_resource(errno, text, sizeof(text)));
        return;
    }
    found = remedy_find(client_connect_look_ups, &met);
    if (found)
        remedy_fill(found, &met, text, sizeof(text));
    client_complain(client, "cannot find \"%s\": %s; %s", host,
                    gai_strerror(error), found ? text : "write it in numbers");
}

static int client_connect_add_path(struct client *client)
{
    const struct client_url *url = &client->options.url;

    snprintf(client->address_text[0], sizeof(client->address_text[0]),
             "%s %.107s", url->transport, url->path);
    return client_connect_add(client, json_pack("{s:s, s:s}", "path", url->path,
                                                "type", url->type))
               ? 0
               : 2;
}

int client_connect_look_up(struct client *client)
{
    const struct client_url *url = &client->options.url;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_family = AF_UNSPEC};
    struct addrinfo *all;
    bool is_added;
    int error;

    if (url->path[0])
        return client_connect_add_path(client);
    error = getaddrinfo(url->host, NULL, &hints, &all);
    if (error) {
        client_connect_no_address(client, error);
        return 1;
    }
    is_added = client_connect_add_addresses(client, all);
    freeaddrinfo(all);
    return is_added ? 0 : 2;
}

const char *client_address(const struct client *client)
{
    return client->address_text[client->address];
}

/* ---- connecting ------------------------------------------------------- */

/* In numbers, which the plugin that connects has among its options. */
static const char *client_connect_host(const struct client *client)
{
    const struct pg_listener *listener = client->listeners[client->address];
    const struct pg_option *host =
        options_find(listener->transport->options, "host");

    return options_get_string(host, listener->options);
}

static void client_connect_complain(struct client *client, int error)
{
    char text[REMEDY_BYTES];

    switch (-error) {
    case ECONNREFUSED:
        client_complain(client,
                        "refused: nobody listens on %s; start the "
                        "server, or check address and port",
                        client_address(client));
        break;
    case ETIMEDOUT:
        client_complain(client,
                        "timed out: %s did not answer; check the "
                        "address, the network and the firewall",
                        client_address(client));
        break;
    default:
        if (client->options.url.path[0]) { /* it ended before it accepted us */
            client_complain(client, "no connection to %s: %s; start the server",
                            client_address(client), strerror(-error));
            break;
        }
        address_explain(client_connect_host(client), client->options.url.port,
                        true, error, text, sizeof(text));
        client_complain(client, "no connection to %s: %s",
                        client_address(client), text);
    }
}

bool client_connect_try_next(struct client *client)
{
    if (client->address + 1 >= client->address_count)
        return false;
    client->address++;
    client_note(client, "trying %s", client_address(client));
    client->must_connect = true;
    client_wake(client);
    return true;
}

static void client_connect_failed(int error, void *arg)
{
    struct client *client = arg;

    client_connect_complain(client, error);
    if (!client_connect_try_next(client))
        client_leave(client, 1);
}

void client_connect(struct client *client)
{
    struct pg_listener *listener = client->listeners[client->address];

    client->must_connect = false;
    if (worker_connect(client->worker, listener, client_connect_failed,
                       client) == 0 ||
        client_connect_try_next(client))
        return;
    client_out_problems(client);
    client_leave(client, 1);
}

static void client_connect_timeout(uv_timer_t *timer)
{
    struct client *client = timer->data;

    client_connect_complain(client, -ETIMEDOUT);
    client_leave_at_once(client, 1);
}

static void client_connect_be_patient(uv_timer_t *timer)
{
    struct client *client = timer->data;

    client_note(client, "still connecting to %s; Ctrl-C gives up",
                client_address(client));
    uv_timer_start(timer, client_connect_timeout,
                   client->options.timeout_ms - PATIENCE_MS, 0);
}

void client_connect_start(struct client *client)
{
    uint64_t ms = client->options.timeout_ms;

    client_session_serve(client);
    if (ms > PATIENCE_MS)
        uv_timer_start(&client->timer, client_connect_be_patient, PATIENCE_MS,
                       0);
    else
        uv_timer_start(&client->timer, client_connect_timeout, ms, 0);
    client_connect(client);
}
