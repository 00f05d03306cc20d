/* The command line of `playground wire`: what happens to the packets, and which
   two commands stand at the ends. */

#include "wire/wire_command_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "base/text.h"
#include "cli/arguments.h"

#define TO_RIGHT (1u << WIRE_LEFT) /* the packets that the left end sends */
#define TO_LEFT  (1u << WIRE_RIGHT)

/* ---- values that need more than the table ----------------------------- */

/* Sets an impairment of each direction that is spoken of. */
static bool wire_command_line_take_impairment(const struct argument *argument,
                                              const char *text, void *target,
                                              char *error, size_t error_size)
{
    struct wire_command_line *line = target;

    return (!(line->directions & TO_RIGHT) ||
            arguments_take(argument, text, &line->options.to_right, error,
                           error_size)) &&
           (!(line->directions & TO_LEFT) ||
            arguments_take(argument, text, &line->options.to_left, error,
                           error_size));
}

static bool wire_command_line_add_drop(struct wire_command_line *line,
                                       unsigned number, char *error,
                                       size_t error_size)
{
    for (int side = WIRE_LEFT; side <= WIRE_RIGHT; side++) {
        unsigned *count = &line->drop_counts[side];

        if (!(line->directions & 1u << side))
            continue;
        if (*count == WIRE_DROPS) {
            snprintf(error, error_size, "takes no more than %d numbers",
                     WIRE_DROPS);
            return false;
        }
        line->drops[side][(*count)++] = number;
    }
    return true;
}

/* "3,5", added to the lists. */
static bool wire_command_line_take_drops(const struct argument *argument,
                                         const char *text, void *target,
                                         char *error, size_t error_size)
{
    char *copy = must_copy(text), *rest = copy, *part;
    bool is_fine = true;

    while (is_fine && (part = strsep(&rest, ","))) {
        long double number;

        is_fine =
            quantity_read(&argument->range, part, &number, error, error_size) &&
            wire_command_line_add_drop(target, (unsigned)number, error,
                                       error_size);
    }
    free(copy);
    return is_fine;
}

static bool wire_command_line_take_link(const struct argument *argument,
                                        const char *text, void *target,
                                        char *error, size_t error_size)
{
    struct wire_command_line *line = target;
    char wrong[TEXT_QUOTE_BYTES];

    (void)argument;
    line->options.kind = !strcmp(text, "tun") ? WIRE_TUN : WIRE_VETH;
    if (line->options.kind == WIRE_TUN || !strcmp(text, "veth"))
        return true;
    snprintf(error, error_size, "takes tun or veth, not %s",
             text_quote(text, wrong));
    return false;
}

/* ---- the table -------------------------------------------------------- */

#define SWITCH(field)                                                          \
    .type = ARGUMENT_FLAG, ARGUMENT_FIELD(struct wire_command_line, field)
#define TEXT(field)                                                            \
    .type = ARGUMENT_TEXT, ARGUMENT_FIELD(struct wire_command_line, field)
#define WHOLE(field, minimum, maximum)                                         \
    .type = ARGUMENT_WHOLE, ARGUMENT_FIELD(struct wire_command_line, field),   \
    .range = {QUANTITY_COUNT, minimum, maximum, .is_whole = true}
#define TIME(field)                                                            \
    .type = ARGUMENT_REAL, ARGUMENT_FIELD(struct wire_command_line, field),    \
    .range = {QUANTITY_MS, 0, 60000, .needs_unit = true}
#define DIRECTIONS(set)                                                        \
    .type = ARGUMENT_CONSTANT, .constant = set,                                \
    ARGUMENT_FIELD(struct wire_command_line, directions)
#define IMPAIRMENT(kind, field, unit, minimum, maximum)                        \
    .type = kind, ARGUMENT_FIELD(struct wire_direction, field),                \
    .range = {unit, minimum, maximum, .needs_unit = unit != QUANTITY_BYTES},   \
    .take = wire_command_line_take_impairment
#define SHARE(field) IMPAIRMENT(ARGUMENT_SHARE, field, QUANTITY_PERCENT, 0, 100)
#define DELAY(field) IMPAIRMENT(ARGUMENT_REAL, field, QUANTITY_MS, 0, 60000)

static const struct argument wire_command_line_table[] = {
    {.help = "What happens to the packets; both ways, unless it stands behind "
             "one of"},
    {"to-right", NULL, "from here on: what the left end sends (the client)",
     DIRECTIONS(TO_RIGHT)},
    {"to-left", NULL, "from here on: what the right end sends (the server)",
     DIRECTIONS(TO_LEFT)},
    {"both", NULL, "from here on: both ways again",
     DIRECTIONS(TO_RIGHT | TO_LEFT)},
    {.help = ""},
    {"loss", "1%", "so many are lost", SHARE(loss)},
    {"drop", "N[,N]...",
     "exactly these are lost, counted from 1 among those that carry data (TCP "
     "segments, UDP datagrams)",
     "3,5", .range = {QUANTITY_COUNT, 1, UINT32_MAX, .is_whole = true},
     .take = wire_command_line_take_drops},
    {"delay", "10ms", "each takes so long; a round trip twice that",
     DELAY(delay_ms)},
    {"jitter", "2ms", "... give or take so much; the order stays",
     DELAY(jitter_ms)},
    {"reorder", "5%", "so many are held back, 20 ms, and are overtaken",
     SHARE(reorder)},
    {"duplicate", "1%", "so many arrive twice", SHARE(duplicate)},
    {"rate", "10mbit", "so much a second, headers included",
     IMPAIRMENT(ARGUMENT_REAL, rate_mbit, QUANTITY_MBIT, 0.001L, 100000)},
    {"queue", "64KiB",
     "how much may wait for that, more is dropped (default what takes 100 ms)",
     IMPAIRMENT(ARGUMENT_WHOLE, queue_bytes, QUANTITY_BYTES, 100, 1000000000)},
    {.help = ""},
    {"seed", "N",
     "another N, other packets lost; the same, the same (default 1)", "7",
     WHOLE(options.seed, 0, INT64_MAX)},
    {"mtu", "BYTES", "of the largest packet (default 1500)", "1400",
     WHOLE(options.mtu, 68, 65535)},
    {"pcap", "FILE", "all that the ends send, lost or not, for Wireshark",
     "link.pcap", TEXT(options.pcap)},
    {"log", "FILE",
     "what RIGHT prints goes there instead of to stderr, for a client on a "
     "terminal",
     "server.log", TEXT(log)},
    {"wait", "1s", "for RIGHT to listen before LEFT starts", TIME(wait_ms)},
    {"linger", "0.5s",
     "how long the link has to be silent, once LEFT has ended, before RIGHT is "
     "told to end (and the delays on top)",
     TIME(linger_ms)},
    {"link", "tun|veth", "how it is made (default tun, where that is allowed)",
     "tun", .take = wire_command_line_take_link},
    {"json", NULL, "the summary on stderr as one line of JSON",
     SWITCH(is_json)},
    {"check", NULL, "only says whether the link can be made here",
     SWITCH(is_check)},
    {0}};

static const struct arguments wire_arguments = {
    .command = "wire",
    .is_ordered = true,
    .table = wire_command_line_table,
    .head =
        "usage: playground wire [OPTION]... CONFIG [-- LEFT...]\n"
        "       playground wire [OPTION]... -- LEFT... -- RIGHT...\n\n"
        "Runs two commands at the two ends of a link that loses, delays and "
        "reorders packets: real ones, of the kernel's own TCP and UDP. No "
        "root is needed; the rest of the machine notices nothing.\n\n"
        "  left  10.77.0.1  <---- link ---->  10.77.0.2  right\n"
        "        fd77::1                        fd77::2\n\n"
        "With CONFIG, the right end serves it and the left end is a client: "
        "LEFT, or `playground client` without it (`-- bash` for a shell). "
        "LEFT starts when RIGHT listens; when LEFT ends, RIGHT is told to. "
        "Both find the addresses in WIRE_SELF and WIRE_PEER (WIRE_SELF6, "
        "WIRE_PEER6), with CONFIG also WIRE_URL.\n",
    .tail =
        "Exit status: that of LEFT (128 + N when signal N ended it); 1 if the "
        "link or a command cannot be started, 2 wrong usage or wrong "
        "config.\n\n"
        "  playground wire --delay 50ms config/chat.json\n"
        "  playground wire --loss 5% --pcap lost.pcap config/echo.json -- \\\n"
        "      sh -c 'seq 100 | playground client $WIRE_URL'\n"
        "  playground wire --to-right --loss 1% -- \\\n"
        "      iperf3 -c 10.77.0.2 -- iperf3 -s -1\n",
};

/* ---- the commands ----------------------------------------------------- */

/* Ends the list at the next "--", and returns what is behind it, or NULL. */
static char **wire_command_line_split(char **argv)
{
    while (*argv && strcmp(*argv, "--") != 0)
        argv++;
    if (!*argv)
        return NULL;
    *argv = NULL;
    return argv + 1;
}

/* CONFIG [-- LEFT...] */
static int wire_command_line_read_config(struct wire_command_line *line,
                                         char **argv)
{
    line->config = *argv++;
    if (*argv && strcmp(*argv, "--") != 0)
        return arguments_refuse(
            &wire_arguments,
            "one config at a time: \"%s\" is too much; what is to run at the "
            "left end stands behind --",
            *argv);
    line->left = wire_command_line_split(argv);
    if (line->left && wire_command_line_split(line->left))
        return arguments_refuse(&wire_arguments,
                                "with a config the right end serves it; leave "
                                "out the second --");
    if (line->left && !*line->left)
        return arguments_refuse(&wire_arguments,
                                "-- and no command; write for example -- bash");
    return -1;
}

/* LEFT... -- RIGHT... */
static int wire_command_line_read_commands(struct wire_command_line *line,
                                           char **argv)
{
    line->left = argv;
    line->right = wire_command_line_split(argv);
    if (!*line->left)
        return arguments_refuse(&wire_arguments,
                                "what is to run is missing; write a config, or "
                                "two commands: -- LEFT... -- RIGHT...");
    if (!line->right || !*line->right)
        return arguments_refuse(&wire_arguments,
                                "the right end's command is missing; write it "
                                "behind a second --");
    if (wire_command_line_split(line->right))
        return arguments_refuse(&wire_arguments,
                                "a link has two ends; leave out the third --");
    return -1;
}

static int wire_command_line_check_jitter(const struct wire_command_line *line)
{
    const struct wire_direction *ways[] = {&line->options.to_right,
                                           &line->options.to_left};

    for (int i = 0; i < 2; i++) {
        if (ways[i]->jitter_ms > ways[i]->delay_ms)
            return arguments_refuse(
                &wire_arguments,
                "--jitter %gms is more than the delay of %gms; a "
                "packet cannot arrive before it was sent",
                ways[i]->jitter_ms, ways[i]->delay_ms);
        if (ways[i]->queue_bytes && ways[i]->rate_mbit == 0)
            return arguments_refuse(
                &wire_arguments,
                "--queue needs a --rate: without one nothing waits");
    }
    return -1;
}

int wire_command_line_read(struct wire_command_line *line, int argc,
                           char **argv)
{
    int status;

    *line = (struct wire_command_line){.options.seed = 1,
                                       .directions = TO_RIGHT | TO_LEFT,
                                       .wait_ms = 1000,
                                       .linger_ms = 500};
    status = arguments_read(&wire_arguments, argc, argv, line);
    if (status < 0)
        status = wire_command_line_check_jitter(line);
    if (status >= 0 || line->is_check)
        return status;
    if (optind < argc && strcmp(argv[optind - 1], "--") != 0)
        return wire_command_line_read_config(line, argv + optind);
    return wire_command_line_read_commands(line, argv + optind);
}
