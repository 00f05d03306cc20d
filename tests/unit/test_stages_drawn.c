/* Chains, words and events are drawn, and whatever happens each entry is opened
   once, in its turn, is told its end and said goodbye to at most once, is
   closed once, and runs no more after that. A seed that fails is repeated with
   PLAYGROUND_SEED. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/slot.h"

#define SEEDS        120
#define SEEDS_LONG   5000
#define ENTRIES_MOST 5
#define PEERS        3
#define STEPS        40
#define LONG_MS      1000000

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % below;
}

/* ---- what has to hold ------------------------------------------------------
 */

struct entry_model {
    bool holds; /* its open() returns PG_STOP without pg_ready() */
    bool is_open, has_ended, has_said_bye, is_closed;
};

static struct session_model {
    uint64_t number;
    struct entry_model entries[ENTRIES_MOST];
    unsigned last; /* the entry that ran before */
    unsigned opened, byes, closes;
} models[64];

static struct entry_model plan[ENTRIES_MOST];
static unsigned entries;
static int peers[PEERS];
static bool keeps; /* what comes in, and never resumes in recv() */
static char journal[1 << 16];

__attribute__((visibility("default"))) void journal_add(uint64_t session,
                                                        const char *text);

static struct session_model *model_of(uint64_t number)
{
    struct session_model *model = models;

    while (model->number && model->number != number)
        model++;
    assert_true(model < models + 63);
    if (!model->number)
        memcpy(model->entries, plan, sizeof(plan));
    model->number = number;
    return model;
}

static void judge_open(struct session_model *model, unsigned at)
{
    assert_int_equal(model->opened++, at);
    assert_int_equal(model->closes + model->byes, 0);
    model->entries[at].is_open = true;
    if (at && model->entries[at - 1].holds) /* it lets them in itself */
        assert_int_equal(model->last, at - 1);
}

static void judge_end(struct session_model *model, unsigned at)
{
    assert_false(model->entries[at].has_ended);
    model->entries[at].has_ended = true;
    assert_int_equal(model->closes + model->byes, 0);
    for (unsigned i = at + 1; i < model->opened; i++)
        assert_false(model->entries[i].has_ended);
}

static void judge_bye(struct session_model *model, unsigned at)
{
    assert_int_equal(at, model->opened - 1 - model->byes++);
    assert_int_equal(model->closes, 0);
}

static void judge_close(struct session_model *model, unsigned at)
{
    assert_int_equal(at, model->closes++);
    assert_true(model->byes == 0 || model->byes == model->opened);
    model->entries[at].is_closed = true;
}

static void judge(struct session_model *model, unsigned at, const char *what)
{
    struct entry_model *entry = &model->entries[at];

    assert_false(entry->is_closed);
    if (!strcmp(what, "open"))
        judge_open(model, at);
    assert_true(entry->is_open);
    if (!strcmp(what, "end"))
        judge_end(model, at);
    else if (!strcmp(what, "bye"))
        judge_bye(model, at);
    else if (!strcmp(what, "close"))
        judge_close(model, at);
    else if (!strncmp(what, "recv", 4) || !strncmp(what, "told", 4))
        assert_false(entry->has_ended || model->closes + model->byes);
    else if (!strcmp(what, "timer") || !strcmp(what, "room"))
        assert_int_equal(model->closes + model->byes, 0);
}

void journal_add(uint64_t session, const char *text)
{
    struct session_model *model = model_of(session);
    unsigned at = (unsigned)(text[0] - 'a');
    size_t len = strlen(journal);

    snprintf(journal + len, sizeof(journal) - len, " %d:%s",
             (int)(model - models), text);
    if (strchr(text, ':') && !strchr(text, '('))
        return; /* what a function has returned */
    judge(model, at, text + 2);
    if (strncmp(text + 2, "send", 4) != 0)
        model->last = at;
}

/* ---- what is drawn ---------------------------------------------------------
 */

/* A word that stands here twice is drawn twice as often. */
static const char *const recv_words[] = {
    "forward=x", "forward=x", "forward=x", "forward=x", "send=y", "ready",
    "ready",     "ready",     "end",       "end",       "pass",   "pass",
    "pass",      "later=z",   "later=z",   "pause",     "resume", "resume",
    "timer",     "keep",      "close",     "reset",     "drop",   "stop",
    "shout=s",   "much=90"};
static const char *const open_words[] = {
    "forward=x", "send=y", "ready", "ready", "timer", "timer",
    "send=y",    "end",    "close", "fill",  "pause", "send=y"};
static const char *const end_words[] = {"forward=x", "send=y", "ready",
                                        "timer",     "resume", "end"};
static const char *const timer_words[] = {"send=y", "ready",         "ready",
                                          "resume", "resume",        "end",
                                          "close",  "timer=99999999"};
static const char *const bye_words[] = {
    "send=y", "much=99", "forward=x", "end",  "close",
    "timer",  "pause",   "ready",     "keep", "shout=s"};
static const char *const send_words[] = {"forward=w stop", "later=v stop",
                                         "end", "ready", "drop"};

#define WORDS(list) list, sizeof(list) / sizeof(*list)

static void draw_words(char *text, const char *const *words, size_t count,
                       unsigned most)
{
    text[0] = '\0';
    for (unsigned left = draw(most + 1); left > 0; left--) {
        strcat(text, words[draw((uint32_t)count)]);
        strcat(text, " ");
    }
}

/* What is kept and at once resumed comes again for ever; of a record nothing is
   kept. */
static void draw_order(char *text)
{
    do
        draw_words(text, WORDS(recv_words), 4);
    while (strstr(text, keeps ? "resume" : "keep"));
}

/* Two in three hold; a few of those are ready at once. */
static void draw_open(char *text, struct entry_model *entry)
{
    draw_words(text, WORDS(open_words), 1);
    if (draw(3) == 0)
        return;
    entry->holds = !strstr(text, "ready");
    strcat(text, "stop");
}

static void draw_entry(char *text, size_t size, unsigned at)
{
    char words[6][256];

    draw_open(words[0], &plan[at]);
    draw_words(words[1], WORDS(end_words), 2);
    draw_words(words[2], WORDS(timer_words), 2);
    draw_words(words[3], WORDS(bye_words), 3);
    draw_words(words[4], WORDS(send_words), draw(6) == 0);
    draw_words(words[5], WORDS(timer_words), 1);
    snprintf(text, size,
             "{ \"plugin\": \"staged\", \"name\": \"%c\", \"open\": \"%s\","
             " \"end\": \"%s\", \"timer\": \"%s\", \"bye\": \"%s\","
             " \"send\": \"%s\", \"room\": \"%s\" }",
             (char)('a' + at), words[0], words[1], words[2], words[3], words[4],
             words[5]);
}

static void draw_chain(char *text, size_t size)
{
    entries = 1 + draw(ENTRIES_MOST);
    memset(plan, 0, sizeof(plan));
    strcpy(text, "[");
    for (unsigned at = 0; at < entries; at++) {
        size_t len = strlen(text);

        draw_entry(text + len, size - len, at);
        strcat(text, at + 1 < entries ? ", " : "]");
    }
}

/* Who comes in the place of one that is over is another. */
static int draw_peer(struct harness *h)
{
    int *peer = &peers[draw(PEERS)];

    if (harness_is_closed(h, *peer))
        *peer = harness_connect(h);
    return *peer;
}

static void draw_event(struct harness *h)
{
    int peer = draw_peer(h);
    char order[256], words[240];

    switch (draw(12)) {
    case 0:
        harness_end(h, peer);
        break;
    case 1:
        if (draw(4) == 0)
            harness_reset(h, peer);
        break;
    case 2:
        harness_block(h, peer, draw(2));
        break;
    case 3:
    case 4:
        harness_advance(h, draw(30));
        break;
    default:
        draw_order(words);
        snprintf(order, sizeof(order), "@%c %s", (char)('a' + draw(entries)),
                 words);
        harness_push_text(h, peer, order);
    }
}

/* ---- runs ------------------------------------------------------------------
 */

static void check_all_is_over(void)
{
    for (struct session_model *model = models; model->number; model++) {
        assert_int_equal(model->closes, model->opened);
        assert_true(model->byes == 0 || model->byes == model->opened);
    }
    assert_int_equal(core->live_count, 0);
    assert_int_equal(core->arena.header->queued, 0);
    assert_int_equal(core->arena.header->kept, 0);
}

static void run(enum pg_kind kind, uint32_t seed)
{
    static char chain[8192];
    struct harness *h;

    random_state = seed;
    keeps = kind == PG_STREAM && draw(2);
    memset(models, 0, sizeof(models));
    journal[0] = '\0';
    draw_chain(chain, sizeof(chain));
    print_message("seed %u: %s\n", seed, chain);
    h = harness_create_limits(kind, chain,
                              "{ \"frame_bytes\": 100,"
                              " \"session_queue_bytes\": 4096 }");
    for (int i = 0; i < PEERS; i++)
        peers[i] = harness_connect(h);
    for (int i = 0; i < STEPS; i++)
        draw_event(h);
    for (int i = 0; i < PEERS; i++) {
        harness_block(h, peers[i], false);
        harness_end(h, peers[i]);
    }
    harness_advance(h, 1000);
    harness_forget(h);
    harness_advance(h, LONG_MS);
    check_all_is_over();
    harness_destroy(h);
}

static void run_all(enum pg_kind kind)
{
    const char *only = getenv("PLAYGROUND_SEED");
    uint32_t seeds = getenv("PLAYGROUND_LONG") ? SEEDS_LONG : SEEDS;

    for (uint32_t seed = 1; seed <= (only ? 1 : seeds); seed++)
        run(kind, only ? (uint32_t)atol(only) : seed);
}

static void test_stages_drawn_on_a_stream(void **state)
{
    (void)state;
    run_all(PG_STREAM);
}

static void test_stages_drawn_on_records(void **state)
{
    (void)state;
    run_all(PG_RECORDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stages_drawn_on_a_stream),
        cmocka_unit_test(test_stages_drawn_on_records),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    if (failed)
        print_message("what ran last:%s\n", journal);
    return failed;
}
