/*
 * fuzz_lines: whatever bytes come and however they are cut, `lines` makes the
 * same lines of them, and those are what the definition says.
 *
 * Input: a byte for max_bytes, one for how to cut, then what the peer sends.
 */
#include "fuzz.h"
#include "fuzz_stream.h"

#include "engine/core.h"
#include "options/options.h"
#include "state/counter.h"

#define LIMITS                                                                 \
    "{ \"frame_bytes\": 1024, \"session_queue_bytes\": 4096,"                  \
    " \"max_sessions\": 64, \"queue_bytes_total\": 65536,"                     \
    " \"kept_bytes_total\": 65536 }"

static struct harness *h;

static size_t choose_max(uint8_t choice)
{
    static const size_t choices[] = {1, 7, 64, 500};
    size_t max = choices[choice % 4];
    struct pg_entry *entry = core->config->entries[0];

    options_set_int(options_find(entry->handler->options, "max_bytes"),
                    (int64_t)max, entry->options);
    return max;
}

/* ---- what must come out ----------------------------------------------- */

struct expected {
    uint8_t bytes[8192];
    size_t len;
    bool is_closed; /* by a line that is too long */
};

static bool expect_line(struct expected *expected, struct pg_bytes line,
                        size_t max)
{
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    if (line.len > max)
        return false;
    if (line.len)
        memcpy(expected->bytes + expected->len, line.data, line.len);
    expected->len += line.len;
    expected->bytes[expected->len++] = '\n';
    return true;
}

static void expect(struct expected *expected, struct pg_bytes in, size_t max)
{
    const uint8_t *end;

    *expected = (struct expected){.len = 0};
    while (in.len && (end = memchr(in.data, '\n', in.len))) {
        size_t len = (size_t)(end - in.data);

        if (!expect_line(expected, pg_bytes(in.data, len), max)) {
            expected->is_closed = true;
            return;
        }
        in = pg_bytes(end + 1, in.len - len - 1);
    }
    if (in.len && !expect_line(expected, in, max))
        expected->is_closed = true;
}

/* Answers that find no room in the queue are dropped, and counted. */
static uint64_t dropped(void)
{
    return counter_value(COUNTER_LISTENER | 1, "dropped: send queue full");
}

/* A record is refused whole when one of its lines is too long. An empty one
   is a line too. */
static void check_record(struct pg_bytes in, const struct expected *expected)
{
    int peer = harness_connect_by(h, PG_RECORDS);
    uint64_t before = dropped();
    struct pg_bytes out;

    harness_push(h, peer, in);
    out = harness_out(h, peer);
    if (dropped() > before)
        MUST(out.len < expected->len);
    else if (expected->is_closed)
        MUST(out.len == 0);
    else if (in.len == 0)
        MUST(pg_equals(out, "\n"));
    else
        MUST(out.len == expected->len &&
             !memcmp(out.data, expected->bytes, out.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct expected expected;
    struct fuzz fuzz = {data, size};
    size_t max = choose_max(fuzz_byte(&fuzz));
    uint8_t cut = fuzz_byte(&fuzz);
    struct pg_bytes in = fuzz_bytes(&fuzz, STREAM_BYTES), out;
    int peer;

    expect(&expected, in, max);
    peer = stream_check_cuts(h, in, cut);
    out = harness_out(h, peer);
    MUST(out.len == expected.len && !memcmp(out.data, expected.bytes, out.len));
    MUST((harness_close_why(h, peer) == PG_WHY_EOF) == !expected.is_closed);
    check_record(in, &expected);
    stream_forget(h);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    h = harness_create_both(
        "[{\"plugin\": \"lines\", \"max_bytes\": 500, \"hint_s\": 0},"
        " \"echo\"]",
        LIMITS);
    return 0;
}
