#include "wire/command_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <playground/handler.h>

#include "base/text.h"
#include "cli/quantity.h"
#include "cli/usage.h"

static const char help[] =
    "usage: playground wire [OPTION]... CONFIG [-- LEFT...]\n"
    "       playground wire [OPTION]... -- LEFT... -- RIGHT...\n"
    "\n"
    "Runs two commands at the two ends of a link that loses, delays and\n"
    "reorders packets: real ones, of the kernel's own TCP and UDP. No root is\n"
    "needed; the rest of the machine notices nothing.\n"
    "\n"
    "  left  10.77.0.1  <---- link ---->  10.77.0.2  right\n"
    "        fd77::1                        fd77::2\n"
    "\n"
    "With CONFIG, the right end serves it and the left end is a client: LEFT,\n"
    "or `playground client` without it (`-- bash` for a shell). LEFT starts\n"
    "when RIGHT listens; when LEFT ends, RIGHT is told to. Both find the\n"
    "addresses in WIRE_SELF and WIRE_PEER (WIRE_SELF6, WIRE_PEER6), with\n"
    "CONFIG also WIRE_URL.\n"
    "\n"
    "What happens to the packets; both ways, unless it stands behind one of\n"
    "  --to-right        from here on: what the left end sends (the client)\n"
    "  --to-left         from here on: what the right end sends (the server)\n"
    "  --both            from here on: both ways again\n"
    "\n"
    "  --loss 1%         so many are lost\n"
    "  --drop N[,N]...   exactly these are lost, counted from 1 among those\n"
    "                    that carry data (TCP segments, UDP datagrams)\n"
    "  --delay 10ms      each takes so long; a round trip twice that\n"
    "  --jitter 2ms      ... give or take so much; the order stays\n"
    "  --reorder 5%      so many are overtaken by the next one\n"
    "  --duplicate 1%    so many arrive twice\n"
    "  --rate 10mbit     so much a second, headers included\n"
    "  --queue 64KiB     how much may wait for that, more is dropped (default\n"
    "                    what takes 100 ms)\n"
    "\n"
    "  --seed N          another N, other packets lost; the same, the same\n"
    "                    (default 1)\n"
    "  --mtu BYTES       of the largest packet (default 1500)\n"
    "  --pcap FILE       all that the ends send, lost or not, for Wireshark\n"
    "  --log FILE        what RIGHT prints goes there instead of to stderr, "
    "for a\n"
    "                    client on a terminal\n"
    "  --wait 1s         for RIGHT to listen before LEFT starts\n"
    "  --linger 0.5s     how long the link has to be silent, once LEFT has "
    "ended,\n"
    "                    before RIGHT is told to end (and the delays on top)\n"
    "  --link tun|veth   how it is made (default tun, where that is allowed)\n"
    "  --json            the summary on stderr as one line of JSON\n"
    "  --check           only says whether the link can be made here\n"
    "  --help            this text\n"
    "\n"
    "Exit status: that of LEFT (128 + N when signal N ended it); 1 if the "
    "link\n"
    "or a command cannot be started, 2 wrong usage or wrong config.\n"
    "\n"
    "  playground wire --delay 50ms config/chat.json\n"
    "  playground wire --loss 5% --pcap lost.pcap config/echo.json -- \\\n"
    "      sh -c 'seq 100 | playground client $WIRE_URL'\n"
    "  playground wire --to-right --loss 1% -- \\\n"
    "      iperf3 -c 10.77.0.2 -- iperf3 -s -1\n";

enum {
    OPTION_TO_RIGHT = 256,
    OPTION_TO_LEFT,
    OPTION_BOTH,
    OPTION_LOSS,
    OPTION_DROP,
    OPTION_DELAY,
    OPTION_JITTER,
    OPTION_REORDER,
    OPTION_DUPLICATE,
    OPTION_RATE,
    OPTION_QUEUE,
    OPTION_SEED,
    OPTION_MTU,
    OPTION_PCAP,
    OPTION_LOG,
    OPTION_WAIT,
    OPTION_LINGER,
    OPTION_LINK,
    OPTION_JSON,
    OPTION_CHECK,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"to-right", no_argument, NULL, OPTION_TO_RIGHT},
    {"to-left", no_argument, NULL, OPTION_TO_LEFT},
    {"both", no_argument, NULL, OPTION_BOTH},
    {"loss", required_argument, NULL, OPTION_LOSS},
    {"drop", required_argument, NULL, OPTION_DROP},
    {"delay", required_argument, NULL, OPTION_DELAY},
    {"jitter", required_argument, NULL, OPTION_JITTER},
    {"reorder", required_argument, NULL, OPTION_REORDER},
    {"duplicate", required_argument, NULL, OPTION_DUPLICATE},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"queue", required_argument, NULL, OPTION_QUEUE},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"mtu", required_argument, NULL, OPTION_MTU},
    {"pcap", required_argument, NULL, OPTION_PCAP},
    {"log", required_argument, NULL, OPTION_LOG},
    {"wait", required_argument, NULL, OPTION_WAIT},
    {"linger", required_argument, NULL, OPTION_LINGER},
    {"link", required_argument, NULL, OPTION_LINK},
    {"json", no_argument, NULL, OPTION_JSON},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static int command_line_usage(const char *format, ...) PG_PRINTF(1, 2);

static int command_line_usage(const char *format, ...)
{
    va_list arguments;

    fputs("playground wire: ", stderr);
    va_start(arguments, format);
    text_vprint(stderr, format, arguments);
    va_end(arguments);
    fputs("\nsee playground wire --help\n", stderr);
    return 2;
}

/* ---- what happens to the packets -------------------------------------- */

/* Adds to the list of one side. */
static bool command_line_read_drops(struct wire_command_line *line, int side,
                                    const char *text, char *error, size_t size)
{
    char *copy = strdup(text), *rest = copy, *part;
    bool is_fine = copy != NULL;

    while (is_fine && (part = strsep(&rest, ","))) {
        unsigned *count = &line->drop_counts[side];
        uint64_t number;

        is_fine = quantity_number(part, 1, UINT32_MAX, &number, error, size);
        if (is_fine && *count == WIRE_DROPS) {
            snprintf(error, size, "more than %d; use --loss", WIRE_DROPS);
            is_fine = false;
        }
        if (is_fine)
            line->drops[side][(*count)++] = (unsigned)number;
    }
    free(copy);
    return is_fine;
}

static bool command_line_read_impairment(struct wire_command_line *line,
                                         int option, int side, char *error,
                                         size_t size)
{
    struct wire_direction *way =
        side == WIRE_LEFT ? &line->options.to_right : &line->options.to_left;

    switch (option) {
    case OPTION_LOSS:
        return quantity_share(optarg, &way->loss, error, size);
    case OPTION_REORDER:
        return quantity_share(optarg, &way->reorder, error, size);
    case OPTION_DUPLICATE:
        return quantity_share(optarg, &way->duplicate, error, size);
    case OPTION_DELAY:
        return quantity_time(optarg, &way->delay_ms, error, size);
    case OPTION_JITTER:
        return quantity_time(optarg, &way->jitter_ms, error, size);
    case OPTION_RATE:
        return quantity_rate(optarg, &way->rate_mbit, error, size);
    case OPTION_QUEUE:
        return quantity_bytes(optarg, &way->queue_bytes, error, size);
    default:
        return command_line_read_drops(line, side, optarg, error, size);
    }
}

/* ---- the rest --------------------------------------------------------- */

static bool command_line_read_link(enum wire_kind *kind, char *error,
                                   size_t size)
{
    *kind = !strcmp(optarg, "tun") ? WIRE_TUN : WIRE_VETH;
    if (*kind == WIRE_TUN || !strcmp(optarg, "veth"))
        return true;
    snprintf(error, size, "\"%s\" is no kind of link; write tun or veth",
             optarg);
    return false;
}

static bool command_line_read_other(struct wire_command_line *line, int option,
                                    char *error, size_t size)
{
    uint64_t number = 0;
    bool is_fine = true;

    switch (option) {
    case OPTION_SEED:
        return quantity_number(optarg, 0, INT64_MAX, &line->options.seed, error,
                               size);
    case OPTION_MTU:
        is_fine = quantity_number(optarg, 68, 65535, &number, error, size);
        line->options.mtu = (unsigned)number;
        break;
    case OPTION_PCAP:
        line->options.pcap = optarg;
        break;
    case OPTION_LOG:
        line->log = optarg;
        break;
    case OPTION_WAIT:
        return quantity_time(optarg, &line->wait_ms, error, size);
    case OPTION_LINGER:
        return quantity_time(optarg, &line->linger_ms, error, size);
    case OPTION_LINK:
        return command_line_read_link(&line->options.kind, error, size);
    case OPTION_JSON:
        line->is_json = true;
        break;
    case OPTION_CHECK:
        line->is_check = true;
        break;
    }
    return is_fine;
}

/* sides: a bit for each side whose packets are meant. */
static int command_line_read_option(struct wire_command_line *line, int option,
                                    const char *name, unsigned *sides)
{
    char error[256];
    bool is_fine = true;

    if (option >= OPTION_TO_RIGHT && option <= OPTION_BOTH)
        *sides = option == OPTION_TO_RIGHT  ? 1u << WIRE_LEFT
                 : option == OPTION_TO_LEFT ? 1u << WIRE_RIGHT
                                            : 3;
    else if (option >= OPTION_LOSS && option <= OPTION_QUEUE)
        for (int side = WIRE_LEFT; side <= WIRE_RIGHT && is_fine; side++)
            is_fine = !(*sides & 1u << side) ||
                      command_line_read_impairment(line, option, side, error,
                                                   sizeof(error));
    else
        is_fine = command_line_read_other(line, option, error, sizeof(error));
    return is_fine ? -1 : command_line_usage("--%s: %s", name, error);
}

static int command_line_read_options(struct wire_command_line *line, int argc,
                                     char **argv)
{
    unsigned sides = 3;
    int option, index, status = -1;

    optind = 0; /* whoever read arguments before us: start anew */
    opterr = 0;
    while (status < 0 && (option = getopt_long(argc, argv, "+:", long_options,
                                               &index)) != -1) {
        if (option == OPTION_HELP) {
            fputs(help, stdout);
            return 0;
        }
        if (option == ':' || option == '?')
            status = usage_refuse("wire", long_options, option, argv);
        else
            status = command_line_read_option(line, option,
                                              long_options[index].name, &sides);
    }
    return status;
}

/* ---- the commands ----------------------------------------------------- */

/* Ends the list at the next "--", and returns what is behind it, or NULL. */
static char **command_line_split(char **argv)
{
    while (*argv && strcmp(*argv, "--") != 0)
        argv++;
    if (!*argv)
        return NULL;
    *argv = NULL;
    return argv + 1;
}

static int command_line_read_commands(struct wire_command_line *line,
                                      char **argv, bool is_behind_dashes)
{
    if (!is_behind_dashes && *argv) {
        line->config = *argv++;
        if (*argv && strcmp(*argv, "--") != 0)
            return command_line_usage(
                "one config at a time: \"%s\" is too much; what is "
                "to run at the left end stands behind --",
                *argv);
        line->left = command_line_split(argv);
        if (line->left && command_line_split(line->left))
            return command_line_usage(
                "with a config the right end serves it; leave out "
                "the second --");
        if (line->left && !*line->left)
            return command_line_usage(
                "-- and no command; write for example -- bash");
        return -1;
    }
    line->left = argv;
    line->right = command_line_split(argv);
    if (!*line->left)
        return command_line_usage(
            "what is to run is missing; write a config, or two "
            "commands: -- LEFT... -- RIGHT...");
    if (!line->right || !*line->right)
        return command_line_usage(
            "the right end's command is missing; write it behind a "
            "second --");
    if (command_line_split(line->right))
        return command_line_usage(
            "a link has two ends; leave out the third --");
    return -1;
}

static int command_line_check_jitter(const struct wire_command_line *line)
{
    const struct wire_direction *ways[] = {&line->options.to_right,
                                           &line->options.to_left};

    for (int i = 0; i < 2; i++) {
        if (ways[i]->jitter_ms > ways[i]->delay_ms)
            return command_line_usage(
                "--jitter %gms is more than the delay of %gms; a "
                "packet cannot arrive before it was sent",
                ways[i]->jitter_ms, ways[i]->delay_ms);
        if (ways[i]->queue_bytes && ways[i]->rate_mbit == 0)
            return command_line_usage(
                "--queue needs a --rate: without one nothing waits");
    }
    return -1;
}

int wire_command_line_read(struct wire_command_line *line, int argc,
                           char **argv)
{
    int status;

    *line = (struct wire_command_line){
        .options.seed = 1, .wait_ms = 1000, .linger_ms = 500};
    status = command_line_read_options(line, argc, argv);
    if (status < 0)
        status = command_line_check_jitter(line);
    if (status < 0 && !line->is_check)
        status = command_line_read_commands(
            line, argv + optind, optind > 1 && !strcmp(argv[optind - 1], "--"));
    return status;
}
