/*
 * fuzz_length: whatever bytes come and however they are cut, `length` takes
 * the same frames out of them; what it took and echo sent back is what came.
 *
 * Input: two bytes of options, one for how to cut, then what the peer sends.
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

static const struct pg_option *option(const char *name)
{
    return options_find(core->config->entries[0]->handler->options, name);
}

static void set(const char *name, const char *text)
{
    MUST(!options_set_text(option(name), text,
                           core->config->entries[0]->options));
}

/* True: messages are given on with their header. */
static bool choose(uint8_t first, uint8_t second)
{
    static const char *const sizes[] = {"1", "2", "4", "8"};
    static const char *const offsets[] = {"0", "1", "3", "256"};
    static const char *const most[] = {"1", "7", "64", "500"};
    struct pg_entry *entry = core->config->entries[0];
    bool strips = first & 1;

    set("strip", strips ? "true" : "false");
    set("order", first & 2 ? "little" : "big");
    set("includes", first & 4 ? "header" : "payload");
    set("size", sizes[first >> 3 & 3]);
    set("offset", offsets[second & 3]);
    set("max_bytes", most[second >> 2 & 3]);
    MUST(entry->handler->init(entry) == 0);
    return !strips;
}

/* Answers that find no room in the queue are dropped, and counted. */
static uint64_t dropped(void)
{
    return counter_value(COUNTER_LISTENER | 1, "dropped: send queue full");
}

/* What is whole frames comes back as a record each, all or nothing. */
static void check_record(struct pg_bytes in, bool is_same)
{
    int peer = harness_connect_by(h, PG_RECORDS);
    uint64_t before = dropped();
    struct pg_bytes out;

    harness_push(h, peer, in);
    out = harness_out(h, peer);
    MUST(out.len == 0 || out.len == in.len || dropped() > before);
    if (is_same && dropped() == before && out.len)
        MUST(!memcmp(in.data, out.data, out.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz fuzz = {data, size};
    uint8_t first = fuzz_byte(&fuzz);
    bool is_same = choose(first, fuzz_byte(&fuzz));
    uint8_t cut = fuzz_byte(&fuzz);
    struct pg_bytes in = fuzz_bytes(&fuzz, STREAM_BYTES), out;

    out = harness_out(h, stream_check_cuts(h, in, cut));
    MUST(out.len <= in.len);
    if (is_same && out.len)
        MUST(!memcmp(in.data, out.data, out.len));
    check_record(in, is_same);
    stream_forget(h);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    h = harness_create_both("[{\"plugin\": \"length\", \"max_bytes\": 500},"
                            " \"echo\"]",
                            LIMITS);
    return 0;
}
