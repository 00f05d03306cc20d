/* A limit hits who causes it: rooms drawn by seed, in which many never read and
   some always do. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core.h"
#include "state/share.h"
#include "state/slot.h"

#define READERS 5
#define SEEDS   5

/* ---- the rule ---------------------------------------------------------- */

static void test_share_leaves_room_for_who_holds_little(void **state)
{
    struct harness *h = harness_create(PG_STREAM, "[\"lines\", \"echo\"]");
    uint64_t total = 1 << 20;

    (void)state;
    assert_int_equal(share_of(total, 0), total - total / 4);
    assert_int_equal(share_of(total, total), total / 4);
    for (unsigned members = 1; members <= 64; members++) {
        uint64_t used = 0;

        harness_connect(h);
        for (unsigned i = 0; i < members; i++) /* one after the other */
            used += share_of(total, used) / 2;
        assert_true(used <= total);
        assert_true(share_of(total, used) >= total / 4 / (members + 1));
    }
    harness_destroy(h);
}

/* ---- a room ------------------------------------------------------------ */

static unsigned drawn(unsigned least, unsigned most)
{
    return least + (unsigned)rand() % (most - least + 1);
}

struct room {
    struct harness *h;
    unsigned members; /* who say, read, or never read: in this order */
    size_t said;      /* letters that each reader is to have */
    uint64_t heap, total;
};

static void room_open(struct room *room, const char *handlers)
{
    char limits[128];

    room->total = (uint64_t)drawn(1, 4) << 20;
    snprintf(limits, sizeof(limits),
             "{\"queue_bytes_total\": %d, \"session_queue_bytes\": %u,"
             " \"frame_bytes\": 20480}",
             (int)room->total, 1u << drawn(16, 20));
    room->h = harness_create_limits(PG_STREAM, handlers, limits);
    room->members = 1 + READERS + drawn(20, 200);
    room->said = 0;
    for (unsigned i = 0; i < room->members; i++)
        harness_connect(room->h);
    for (unsigned i = 1 + READERS; i < room->members; i++)
        harness_block(room->h, (int)i, true);
    room->heap = core->arena.header->heap_used;
}

static void room_say(struct room *room, size_t len)
{
    static char line[20000];

    memset(line, 'x', sizeof(line));
    memcpy(line, "all ", 4);
    strcpy(line + len - 1, "\n");
    harness_push_text(room->h, 0, line);
    room->said += len - 5;
}

/* What the probe says of those who were closed has no such letter. */
static size_t room_heard(const struct room *room, int reader)
{
    struct pg_bytes out = harness_out(room->h, reader);
    size_t count = 0;

    for (size_t i = 0; i < out.len; i++)
        count += out.data[i] == 'x';
    return count;
}

/* Memory is what is bounded: that of the queues, and one stage. */
static void room_holds(const struct room *room)
{
    const struct arena_header *header = core->arena.header;

    assert_true(header->queue_blocks <= room->total);
    assert_true(header->heap_used - room->heap <= room->total + (1 << 20));
    for (int i = 0; i <= READERS; i++)
        assert_false(harness_is_closed(room->h, i));
    for (int i = 1; i <= READERS; i++)
        assert_int_equal(room_heard(room, i), room->said);
}

static void test_share_of_those_who_never_read_is_their_own(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        unsigned most = seed % 3 ? 16000 : 70;
        struct room room;

        srand(seed);
        print_message("seed %u\n", seed);
        room_open(&room, "[\"lines\", \"probe\"]");
        for (int i = 0; i < 120; i++) {
            room_say(&room, drawn(8, most));
            room_holds(&room);
        }
        harness_destroy(room.h);
    }
}

/* Answers to those who do not read stop their reading, and nobody else's. */
static void test_share_of_an_echo_costs_nobody_a_connection(void **state)
{
    static char line[16001];

    (void)state;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct room room;

        srand(seed);
        room_open(&room, "[\"lines\", \"echo\"]");
        memset(line, 'x', sizeof(line) - 1);
        for (int i = 0; i < 150; i++) {
            unsigned who = drawn(0, room.members - 1);

            line[drawn(1, 15999)] = '\n';
            harness_push_text(room.h, (int)who, line);
            if (who <= READERS)
                harness_push_text(room.h, (int)who, "\n");
            memset(line, 'x', sizeof(line) - 1);
            assert_true(core->arena.header->queue_blocks <= room.total);
            for (int reader = 0; reader <= READERS; reader++) {
                assert_false(harness_is_closed(room.h, reader));
                harness_clear(room.h, reader);
            }
        }
        harness_destroy(room.h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share_leaves_room_for_who_holds_little),
        cmocka_unit_test(test_share_of_those_who_never_read_is_their_own),
        cmocka_unit_test(test_share_of_an_echo_costs_nobody_a_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
