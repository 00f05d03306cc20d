/* largest: how long can a message be? */
#include "compare/lab/lab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/must.h"

#include "compare/experiments/fragments.h"

#define LARGE   (10 * 1000 * 1000) /* in one send() over TCP */
#define HIGHEST 70000              /* certainly too long for a datagram */

static int largest_try_size(int fd, const char *data, size_t size)
{
    return send(fd, data, size, 0) < 0 ? errno : 0;
}

/* The longest datagram that send() takes: halving. */
static size_t largest_find_longest(int fd, const char *data)
{
    size_t fits = 0, fails = HIGHEST;

    while (fails - fits > 1) {
        size_t middle = (fits + fails) / 2;

        if (largest_try_size(fd, data, middle) == 0)
            fits = middle;
        else
            fails = middle;
    }
    return fits;
}

/* Whether a message of that length arrives whole: as one read over UDP,
   in any number of them over TCP. */
static bool largest_arrives(struct server *server, json_int_t size, int *reads)
{
    json_int_t bytes = 0;

    for (*reads = 0; bytes < size; ++*reads) {
        json_t *event = server_event(server, "recv", LAB_LIMIT_MS);

        if (!event)
            return false;
        bytes += json_integer_value(json_object_get(event, "bytes"));
        json_decref(event);
    }
    return bytes == size;
}

static void largest_run(struct lab *lab)
{
    struct server *server = lab_log_server(lab, NULL);
    int tcp = lab_connect(lab, server, SIDE_TCP);
    int udp = lab_connect(lab, server, SIDE_UDP);
    char *data = must_calloc(LARGE, 1);
    size_t longest;
    int beyond, tcp_reads, udp_reads;
    bool tcp_arrives, udp_arrives;

    memset(data, 'x', LARGE);
    lab_send(lab, tcp, data, LARGE);
    tcp_arrives = largest_arrives(server, LARGE, &tcp_reads);
    longest = largest_find_longest(udp, data);
    beyond = largest_try_size(udp, data, longest + 1);

    server = lab_log_server(lab, NULL);
    udp = lab_connect(lab, server, SIDE_UDP);
    lab_send(lab, udp, data, longest);
    udp_arrives = largest_arrives(server, (json_int_t)longest, &udp_reads);
    free(data);

    result_did(lab,
               "The client sends 10,000,000 bytes with one send() over TCP, "
               "and looks for the longest datagram that send() takes.");
    result_row(lab, "longest", "longest message in one send()", "bytes",
               value_text("no limit"), value_count(longest));
    result_row(lab, "beyond", "one byte more", "", value_none(),
               value_text("%s", beyond ? strerror(beyond) : "fine"));
    result_bools(lab, "whole", "it arrives whole", tcp_arrives, udp_arrives);
    result_counts(lab, "reads", "in so many reads of the server", "", tcp_reads,
                  udp_reads);
    result_why(lab,
               "The length field of an IPv4 packet has 16 bits: 65,535 bytes "
               "less 20 of the IP header and 8 of the UDP header leave 65,507. "
               "A stream has no length.");
    result_check(lab, "udp_limit_is_65507",
                 longest == 65507 && beyond == EMSGSIZE,
                 "65,507 bytes fit into a datagram, 65,508 do not");
    result_check(lab, "udp_arrives_whole", udp_arrives && udp_reads == 1,
                 "the longest datagram arrives as one message");
    result_check(lab, "tcp_takes_more", tcp_arrives && tcp_reads > 1,
                 "TCP carries far more, in as many reads as it takes");
    fragments_measure(lab);
    result_answer(lab, longest == 65507 ? 1 : longest < 65507 ? 0 : 2);
}

const struct experiment experiment_largest = {
    .name = "largest",
    .title = "Largest message and fragmentation",
    .question = "How long can a message be?",
    .need = NEED_LINK,
    .settings = FRAGMENTS_SETTINGS,
    .guess = {"How many bytes does a single UDP datagram carry at the most?",
              {"about 1,500, what fits into an Ethernet frame",
               "about 64 KiB, what the length field can say",
               "as many as you like, as with TCP"}},
    .run = largest_run,
};
