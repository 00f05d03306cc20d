/* chat-broadcast: what one member says, all the others hear. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "spellings.h"

#define ROOM "[\"lines\", \"chat-broadcast\"]"
#define NAMELESS                                                               \
    "[\"lines\", {\"plugin\": \"chat-broadcast\","                             \
    " \"names\": false}]"

static void clear_all(struct harness *harness, int count)
{
    for (int i = 0; i < count; i++)
        harness_clear(harness, i);
}

/* A room with `count` members who have heard each other come. */
static struct harness *room_of(enum pg_kind provides, int count)
{
    struct harness *harness = harness_create(provides, ROOM);

    for (int i = 0; i < count; i++)
        assert_int_equal(harness_connect(harness), i);
    clear_all(harness, count);
    return harness;
}

/* ---- coming and going ------------------------------------------------- */

static void test_chat_names_and_greets_who_comes(void **state)
{
    struct harness *harness = harness_create(PG_STREAM, ROOM);
    int one = harness_connect(harness), two, three;

    (void)state;
    assert_bytes(harness_out(harness, one),
                 "you are guest1, alone here; /who /nick /quit\n");
    harness_clear(harness, one);

    two = harness_connect(harness);
    assert_bytes(harness_out(harness, two),
                 "you are guest2, with guest1; /who /nick /quit\n");
    assert_bytes(harness_out(harness, one), "guest2 joined\n");
    clear_all(harness, 2);

    three = harness_connect(harness);
    assert_bytes(harness_out(harness, three),
                 "you are guest3, with guest1, guest2; /who /nick /quit\n");
    assert_bytes(harness_out(harness, one), "guest3 joined\n");
    assert_bytes(harness_out(harness, two), "guest3 joined\n");
    harness_destroy(harness);
}

static void test_chat_greeting_stays_short_in_a_full_room(void **state)
{
    struct harness *harness = room_of(PG_STREAM, 12);
    int late = harness_connect(harness);

    (void)state;
    assert_bytes(harness_out(harness, late),
                 "you are guest13, with guest1, guest2, guest3, guest4, "
                 "guest5, guest6, guest7, guest8, guest9, guest10 and 2 more; "
                 "/who /nick /quit\n");
    harness_destroy(harness);
}

static void
test_chat_tells_who_left_and_why_if_it_is_not_the_usual(void **state)
{
    struct harness *harness = room_of(PG_STREAM, 4);

    (void)state;
    harness_end(harness, 1);
    assert_bytes(harness_out(harness, 0), "guest2 left\n");
    harness_clear(harness, 0);
    harness_push_text(harness, 2, "/quit\n");
    assert_bytes(harness_out(harness, 0), "guest3 left\n");
    harness_clear(harness, 0);
    harness_reset(harness, 3);
    assert_bytes(harness_out(harness, 0), "guest4 left (connection reset)\n");
    harness_destroy(harness);
}

static void test_chat_gives_no_name_twice_while_somebody_is_there(void **state)
{
    struct harness *harness = room_of(PG_STREAM, 2);
    int next;

    (void)state;
    harness_end(harness, 1);
    next = harness_connect(harness);
    assert_bytes(harness_out(harness, next),
                 "you are guest3, with guest1; /who /nick /quit\n");
    harness_end(harness, 0);
    harness_end(harness, next);
    next = harness_connect(harness);
    assert_bytes(harness_out(harness, next),
                 "you are guest1, alone here; /who /nick /quit\n");
    harness_destroy(harness);
}

static void test_chat_skips_a_guest_number_that_is_taken(void **state)
{
    struct harness *harness = room_of(PG_STREAM, 1);
    int next;

    (void)state;
    harness_push_text(harness, 0, "/nick guest2\n");
    next = harness_connect(harness);

    assert_bytes(harness_out(harness, next),
                 "you are guest3, with guest2; /who /nick /quit\n");
    harness_destroy(harness);
}

static void test_chat_quit_says_goodbye_and_closes(void **state)
{
    struct harness *harness = room_of(PG_STREAM, 1);

    (void)state;
    harness_push_text(harness, 0, "/quit\nnot heard\n");

    assert_bytes(harness_out(harness, 0), "goodbye, guest1\n");
    assert_true(harness_is_closed(harness, 0));
    assert_int_equal(harness_close_why(harness, 0), PG_WHY_HANDLER);
    assert_string_equal(harness_close_reason(harness, 0), "said /quit");
    harness_destroy(harness);
}

/* ---- talking ---------------------------------------------------------- */

static void test_chat_relays_to_all_the_others(void **state)
{
    static const enum pg_kind kinds[] = {PG_STREAM, PG_RECORDS};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct harness *harness = room_of(kinds[i], 3);

        harness_push_text(harness, 1, "hello\n");
        assert_bytes(harness_out(harness, 0), "guest2: hello\n");
        assert_bytes(harness_out(harness, 1), "");
        assert_bytes(harness_out(harness, 2), "guest2: hello\n");
        harness_destroy(harness);
    }
}

static void expect_relay(const char *said, const char *heard)
{
    struct harness *harness = room_of(PG_STREAM, 2);

    harness_push_text(harness, 0, said);
    assert_bytes(harness_out(harness, 1), heard);
    harness_destroy(harness);
}

static void test_chat_relays_texts_unchanged(void **state)
{
    (void)state;
    expect_relay("  two  spaces \n", "guest1:   two  spaces \n");
    expect_relay(" /who\n", "guest1:  /who\n");
    expect_relay("//who\n", "guest1: //who\n");
    expect_relay("guest2: not me\n", "guest1: guest2: not me\n");
    expect_relay("ol\xc3\xa1 \xff\x1b[1m\n",
                 "guest1: ol\xc3\xa1 \xff\x1b[1m\n");
}

static void test_chat_drops_empty_messages(void **state)
{
    struct harness *harness = room_of(PG_STREAM, 2);

    (void)state;
    harness_push_text(harness, 0, "\n\r\n");

    assert_bytes(harness_out(harness, 1), "");
    assert_bytes(harness_out(harness, 0), "");
    assert_int_equal(
        harness_counter(harness, "chat-broadcast", "empty message"), 2);
    harness_destroy(harness);
}

static void test_chat_answers_the_same_however_a_stream_is_cut(void **state)
{
    (void)state;
    harness_cut_everywhere(ROOM, pg_text("/who\n/nick ana\r\n/nick\nhello\n"
                                         "/nope\n\n//\n/who\n/quit\n/who\n"));
    harness_cut_everywhere(NAMELESS, pg_text("/who\nhello\n"));
}

/* ---- names ------------------------------------------------------------ */

static void test_chat_nick_tells_everybody(void **state)
{
    struct harness *harness = room_of(PG_STREAM, 2);

    (void)state;
    harness_push_text(harness, 0, "/nick  ana \n");
    assert_bytes(harness_out(harness, 0), "you are now ana\n");
    assert_bytes(harness_out(harness, 1), "guest1 is now ana\n");
    clear_all(harness, 2);
    harness_push_text(harness, 0, "hello\n");
    assert_bytes(harness_out(harness, 1), "ana: hello\n");
    clear_all(harness, 2);

    /* The name that was given back can be had. */
    harness_push_text(harness, 1, "/nick guest1\n");
    assert_bytes(harness_out(harness, 1), "you are now guest1\n");
    clear_all(harness, 2);
    harness_end(harness, 0);
    assert_bytes(harness_out(harness, 1), "ana left\n");
    harness_destroy(harness);
}

static void test_chat_nick_refuses_a_name_that_is_taken(void **state)
{
    struct harness *harness = room_of(PG_STREAM, 2);

    (void)state;
    harness_push_text(harness, 0, "/nick guest2\n");
    assert_bytes(harness_out(harness, 0),
                 "guest2 is taken; /who lists the names\n");
    assert_bytes(harness_out(harness, 1), "");
    harness_clear(harness, 0);
    harness_push_text(harness, 0, "/nick GUEST2\n");
    assert_bytes(harness_out(harness, 0),
                 "GUEST2 is taken; /who lists the names\n");
    harness_clear(harness, 0);
    harness_push_text(harness, 0, "hello\n");
    assert_bytes(harness_out(harness, 1), "guest1: hello\n");
    harness_destroy(harness);
}

static void test_chat_nick_takes_the_name_one_has(void **state)
{
    struct harness *harness = room_of(PG_STREAM, 2);

    (void)state;
    harness_push_text(harness, 0, "/nick guest1\n");
    assert_bytes(harness_out(harness, 0), "you are now guest1\n");
    assert_bytes(harness_out(harness, 1), "");
    clear_all(harness, 2);
    harness_push_text(harness, 0, "/nick Guest1\n");
    assert_bytes(harness_out(harness, 0), "you are now Guest1\n");
    assert_bytes(harness_out(harness, 1), "guest1 is now Guest1\n");
    clear_all(harness, 2);
    harness_push_text(harness, 1, "/nick guest1\n/who\n");
    assert_bytes(harness_out(harness, 1),
                 "guest1 is taken; /who lists the names\n"
                 "here are Guest1, guest2\n");
    harness_destroy(harness);
}

/* Whoever comes second to a name is refused, however it is spelt, and the
   first one's is shown as it was chosen. */
static void expect_one_of_two(uint64_t *seed, const char *name)
{
    struct harness *harness = room_of(PG_STREAM, 2);
    char one[SPELLING_BYTES], other[SPELLING_BYTES], line[1024];

    spelling_of(seed, name, one, 32);
    spelling_of(seed, name, other, 32);
    snprintf(line, sizeof(line), "/nick %s\n", one);
    harness_push_text(harness, 0, line);
    snprintf(line, sizeof(line), "/nick %s\n/who\n", other);
    harness_push_text(harness, 1, line);
    snprintf(line, sizeof(line),
             "guest1 is now %s\n%s is taken; /who lists the names\n"
             "here are guest2, %s\n",
             one, other, one);
    assert_bytes(harness_out(harness, 1), line);
    harness_destroy(harness);
}

static void test_chat_gives_no_name_twice_in_another_spelling(void **state)
{
    uint64_t seed = 3;

    (void)state;
    for (int i = 0; i < 100; i++)
        expect_one_of_two(&seed,
                          spelling_names[spelling_draw(&seed, SPELLING_NAMES)]);
}

static void expect_name(const char *name)
{
    struct harness *harness = room_of(PG_STREAM, 2);
    char line[256];

    snprintf(line, sizeof(line), "/nick %s\n", name);
    harness_push_text(harness, 0, line);
    snprintf(line, sizeof(line), "guest1 is now %s\n", name);
    assert_bytes(harness_out(harness, 1), line);
    harness_destroy(harness);
}

static void expect_no_name(const char *name, const char *problem)
{
    struct harness *harness = room_of(PG_STREAM, 2);
    char line[256];

    snprintf(line, sizeof(line), "/nick %s\n", name);
    harness_push_text(harness, 0, line);
    assert_bytes(harness_out(harness, 1), "");
    snprintf(line, sizeof(line),
             "no such name can be had: it %s; /nick NAME takes letters and "
             "digits of one script, - _ . behind the first of them, up to 32 "
             "bytes\n",
             problem);
    assert_bytes(harness_out(harness, 0), line);
    harness_destroy(harness);
}

/* All of the rules are pg_name_key()'s, see test_name_key.c. */
static void test_chat_nick_takes_names(void **state)
{
    (void)state;
    expect_name("a");
    expect_name("Jo\xc3\xa3o_2.0");
    expect_name("\xe6\x9d\x8e");
    expect_name("12345678901234567890123456789012");
}

static void test_chat_nick_refuses_names_that_could_mislead(void **state)
{
    static const char others[] =
        "holds something else than letters, digits and - _ .";

    (void)state;
    expect_no_name("", "is empty");
    expect_no_name("123456789012345678901234567890123", "is too long");
    expect_no_name("two words", others);
    expect_no_name("ana:", others);
    expect_no_name("ana,", others);
    expect_no_name("a;b", others);
    expect_no_name("/who", "begins with neither a letter nor a digit");
    expect_no_name("\x1b[31mred", "begins with neither a letter nor a digit");
    expect_no_name("ana\xe2\x80\x8b", others); /* zero-width space */
    expect_no_name("ana\xfe", "is no UTF-8");
    expect_no_name("\xd0\xb0na", /* Cyrillic */
                   "mixes letters or digits of different scripts");
}

/* ---- commands --------------------------------------------------------- */

static void test_chat_who_lists_everybody(void **state)
{
    struct harness *harness = room_of(PG_STREAM, 3);

    (void)state;
    harness_push_text(harness, 1, "/nick ana\n");
    clear_all(harness, 3);
    harness_push_text(harness, 0, "/who\n");

    assert_bytes(harness_out(harness, 1), "");
    assert_bytes(harness_out(harness, 0), "here are guest1, guest3, ana\n");
    harness_destroy(harness);
}

static void test_chat_who_takes_several_lines_for_many(void **state)
{
    struct harness *harness = room_of(PG_RECORDS, 60);
    struct pg_bytes out;
    char line[64], *text;

    (void)state;
    for (int i = 0; i < 60; i++) {
        snprintf(line, sizeof(line), "/nick a-name-of-the-longest-length--%02d",
                 i);
        harness_push_text(harness, i, line);
    }
    clear_all(harness, 60);
    harness_push_text(harness, 0, "/who");

    assert_int_equal(harness_record_count(harness, 0), 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(harness_record(harness, 0, i).len <= 1025);
    assert_memory_equal(harness_record(harness, 0, 0).data, "here are a-", 11);
    assert_memory_equal(harness_record(harness, 0, 1).data, "and a-", 6);
    out = harness_out(harness, 0);
    text = strndup((const char *)out.data, out.len);
    for (int i = 0; i < 60; i++) {
        snprintf(line, sizeof(line), "a-name-of-the-longest-length--%02d", i);
        assert_non_null(strstr(text, line));
    }
    free(text);
    harness_destroy(harness);
}

static void expect_advice(const char *line)
{
    struct harness *harness = room_of(PG_STREAM, 2);

    harness_push_text(harness, 0, line);
    assert_bytes(harness_out(harness, 0),
                 "no such command; there are /who, /nick NAME and /quit; to "
                 "say this to all, put a space in front\n");
    assert_bytes(harness_out(harness, 1), "");
    harness_destroy(harness);
}

static void test_chat_gives_advice_on_unknown_commands(void **state)
{
    (void)state;
    expect_advice("/help\n");
    expect_advice("/\n");
    expect_advice("/whoami\n");
    expect_advice("/QUIT\n");
    expect_advice("/etc/passwd is a file\n");
}

/* Without a framing layer a client's line end comes along. */
static void test_chat_understands_commands_with_a_line_end(void **state)
{
    struct harness *harness =
        harness_create(PG_RECORDS, "[\"chat-broadcast\"]");

    (void)state;
    harness_connect(harness);
    harness_clear(harness, 0);
    harness_push_text(harness, 0, "/nick ana\n");
    harness_push_text(harness, 0, "/who\r\n");
    harness_push_text(harness, 0, "/quit\n");
    assert_int_equal(harness_record_count(harness, 0), 3);
    assert_bytes(harness_record(harness, 0, 0), "you are now ana");
    assert_bytes(harness_record(harness, 0, 1), "here are ana");
    assert_bytes(harness_record(harness, 0, 2), "goodbye, ana");
    harness_destroy(harness);
}

/* ---- Telnet ----------------------------------------------------------- */

static void test_chat_leaves_out_what_a_telnet_client_says(void **state)
{
    (void)state;
    expect_relay("\xff\xfd\x03\xff\xfb\x18hello\n", "guest1: hello\n");
    expect_relay("he\xff\xf1llo\n", "guest1: hello\n");
    expect_relay("he\xff\xfa\x18\x01xterm\xff\xffx\xff\xf0llo\n",
                 "guest1: hello\n");
    expect_relay("ten \xff\xff\n", "guest1: ten \xff\n");
    expect_relay("L'Ha\xff-les\n", "guest1: L'Ha\xff-les\n");
    expect_relay("\xff\xfd\x03\nhello\n", "guest1: hello\n");
}

static void test_chat_counts_what_was_nothing_but_telnet(void **state)
{
    struct harness *harness = room_of(PG_STREAM, 2);

    (void)state;
    harness_push_text(harness, 0, "\xff\xfd\x03\n\xff\xfb\x18/who\n");
    assert_bytes(harness_out(harness, 0), "here are guest1, guest2\n");
    assert_bytes(harness_out(harness, 1), "");
    assert_int_equal(
        harness_counter(harness, "chat-broadcast", "Telnet negotiation"), 1);
    harness_destroy(harness);
}

/* A line end is option 10, or the height of a window of ten lines. */
static void test_chat_finds_telnet_that_lines_has_cut(void **state)
{
    (void)state;
    expect_relay("\xff\xfb\nhello\n", "guest1: hello\n");
    expect_relay("\xff\xfa\x1f\x01\x50\x01\n\xff\xf0hello\n",
                 "guest1: hello\n");
    expect_relay("L'Ha\xff\n-les\n", "guest1: L'Ha\nguest1: \xff-les\n");
}

static void test_chat_hears_again_who_never_ends_a_telnet_command(void **state)
{
    struct harness *harness = room_of(PG_STREAM, 2);
    char line[102];

    (void)state;
    memset(line, 'x', 100);
    strcpy(line + 100, "\n");
    harness_push_text(harness, 0, "\xff\xfa\n");
    for (int i = 0; i < 11; i++)
        harness_push_text(harness, 0, line);
    harness_clear(harness, 1);
    harness_push_text(harness, 0, "hello\n");
    assert_bytes(harness_out(harness, 1), "guest1: hello\n");
    harness_destroy(harness);
}

/* Text with commands drawn into it; returns how many bytes, and what is left
   when they are taken out. */
static size_t draw_telnet(uint64_t *seed, char *bytes, char *text)
{
    size_t len = 0, text_len = 0, pieces = 1 + spelling_draw(seed, 6);

    while (pieces-- > 0) {
        char *at = bytes + len;

        switch (spelling_draw(seed, 5)) {
        case 0: /* an option, of any number */
            at[0] = '\xff';
            at[1] = (char)(251 + spelling_draw(seed, 4));
            at[2] = (char)spelling_draw(seed, 256);
            len += 3;
            break;
        case 1: /* a command alone */
            at[0] = '\xff';
            at[1] = (char)(241 + spelling_draw(seed, 9));
            len += 2;
            break;
        case 2:
            len += (size_t)sprintf(at, "\xff\xfa%cx\xff\xff\xff\xf0",
                                   (char)(1 + spelling_draw(seed, 250)));
            break;
        case 3:
            len += (size_t)sprintf(at, "\xff\xff");
            text[text_len++] = '\xff';
            break;
        default:
            at[0] = text[text_len++] = (char)('a' + spelling_draw(seed, 26));
            len++;
        }
    }
    text[text_len] = '\0';
    return len;
}

/* What is heard of one member, without the name in front of each message. */
static void join_heard(struct harness *harness, int peer, char *text)
{
    for (size_t i = 0; i < harness_record_count(harness, peer); i++) {
        struct pg_bytes heard = harness_record(harness, peer, i);

        assert_true(heard.len > 8 && !memcmp(heard.data, "guest1: ", 8));
        memcpy(text, heard.data + 8, heard.len - 8);
        text += heard.len - 8;
    }
    *text = '\0';
}

static void test_chat_finds_telnet_however_it_is_cut(void **state)
{
    struct harness *harness =
        harness_create(PG_RECORDS, "[\"chat-broadcast\"]");
    uint64_t seed = 4;

    (void)state;
    harness_connect(harness);
    harness_connect(harness);
    for (int round = 0; round < 5000; round++) {
        char bytes[80], text[80], heard[80];
        size_t len = draw_telnet(&seed, bytes, text), at = 0;

        clear_all(harness, 2);
        while (at < len) {
            size_t part = 1 + spelling_draw(&seed, (unsigned)(len - at));

            harness_push(harness, 0, pg_bytes(bytes + at, part));
            at += part;
        }
        join_heard(harness, 1, heard);
        if (strcmp(heard, text) != 0)
            fail_msg("round %d: \"%s\", not \"%s\"", round, heard, text);
    }
    harness_destroy(harness);
}

/* ---- slow readers ----------------------------------------------------- */

/* One who never reads is closed; the others miss nothing and are told. */
static void test_chat_closes_who_reads_too_slowly(void **state)
{
    struct harness *harness = harness_create_limits(
        PG_STREAM, ROOM,
        "{\"session_queue_bytes\": 65536, \"frame_bytes\": 16384}");
    static char line[1001];
    size_t heard = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        harness_connect(harness);
    clear_all(harness, 3);
    memset(line, 'x', sizeof(line) - 2);
    line[sizeof(line) - 2] = '\n';
    harness_block(harness, 2, true);
    for (int i = 0; i < 200; i++)
        harness_push_text(harness, 0, line);
    heard = harness_out(harness, 1).len;

    assert_true(harness_is_closed(harness, 2));
    assert_int_equal(harness_close_why(harness, 2), PG_WHY_LIMIT);
    assert_bytes(harness_out(harness, 0), "guest3 left (reads too slowly)\n");
    assert_int_equal(heard, 200 * strlen("guest1: ") + 200 * 1000 +
                                strlen("guest3 left (reads too slowly)\n"));
    harness_destroy(harness);
}

static void test_chat_may_drop_what_a_slow_reader_has_no_room_for(void **state)
{
    struct harness *harness = harness_create_limits(
        PG_STREAM,
        "[\"lines\", {\"plugin\": \"chat-broadcast\", \"slow\": \"drop\"}]",
        "{\"session_queue_bytes\": 65536, \"frame_bytes\": 16384}");
    static char line[1001];
    size_t len;

    (void)state;
    harness_connect(harness);
    harness_connect(harness);
    clear_all(harness, 2);
    memset(line, 'x', sizeof(line) - 2);
    line[sizeof(line) - 2] = '\n';
    harness_block(harness, 1, true);
    for (int i = 0; i < 200; i++)
        harness_push_text(harness, 0, line);
    harness_block(harness, 1, false);
    len = harness_out(harness, 1).len;

    assert_false(harness_is_closed(harness, 1));
    assert_true(len > 32768 && len <= 65536);
    assert_int_equal(len % 1008, 0); /* whole lines only */
    assert_int_equal(
        harness_counter(harness, NULL, "dropped: reads too slowly"),
        200 - len / 1008);
    harness_destroy(harness);
}

/* ---- silent members of a transport without connections ---------------- */

#define WARNING(time)                                                          \
    "you have said nothing for " time " s; say something (/who will do), or "  \
    "you will be taken for gone\n"

/* A member over a transport that forgets who is silent for so long. */
static struct harness *forgetful_room(const char *handlers, uint64_t idle_ms)
{
    struct harness *harness = harness_create(PG_RECORDS, handlers);

    harness_idle(harness, idle_ms);
    harness_connect(harness);
    harness_clear(harness, 0);
    return harness;
}

static void test_chat_warns_a_silent_member_over_udp_once(void **state)
{
    struct harness *harness = forgetful_room(ROOM, 300000);

    (void)state;
    harness_advance(harness, 200000);
    harness_push_text(harness, 0, "still here");
    harness_advance(harness, 269999);
    assert_bytes(harness_out(harness, 0), "");
    harness_advance(harness, 1);
    assert_bytes(harness_out(harness, 0), WARNING("270"));

    harness_clear(harness, 0);
    harness_push_text(harness, 0, "and now again");
    harness_advance(harness, 270000);
    assert_bytes(harness_out(harness, 0), WARNING("270"));
    harness_advance(harness, 29999);
    assert_false(harness_is_closed(harness, 0));
    harness_advance(harness, 1);
    assert_true(harness_is_closed(harness, 0));
    assert_bytes(harness_out(harness, 0), WARNING("270"));
    harness_destroy(harness);
}

/* A connection with an idle time is warned too; at the end of its input it
   leaves at once, and does not wait for that. */
static void test_chat_keeps_nobody_who_has_ended(void **state)
{
    struct harness *harness = harness_create(PG_STREAM, ROOM);
    int member;

    (void)state;
    harness_idle(harness, 300000);
    member = harness_connect(harness);
    harness_push_text(harness, member, "goodb");
    harness_push_text(harness, member, "ye\n");
    harness_end(harness, member);
    assert_true(harness_is_closed(harness, member));
    assert_int_equal(harness_close_why(harness, member), PG_WHY_EOF);
    harness_destroy(harness);
}

/* What it is sent is no sign of its life, so the warning speaks the truth. */
static void test_chat_forgets_a_silent_member_while_others_talk(void **state)
{
    struct harness *harness = forgetful_room(ROOM, 5000);
    int talker = harness_connect(harness);

    (void)state;
    harness_push_text(harness, 0, "hello");
    for (int i = 0; i < 4; i++) {
        harness_advance(harness, 1000);
        harness_push_text(harness, talker, "talks on");
    }
    harness_clear(harness, 0);
    harness_advance(harness, 999);
    assert_bytes(harness_out(harness, 0), WARNING("4.5"));
    assert_false(harness_is_closed(harness, 0));
    harness_advance(harness, 1);
    assert_true(harness_is_closed(harness, 0));
    assert_false(harness_is_closed(harness, talker));
    harness_destroy(harness);
}

static void test_chat_warns_before_the_transport_forgets(void **state)
{
    struct harness *harness = forgetful_room(ROOM, 5000);

    (void)state;
    harness_advance(harness, 4499);
    assert_bytes(harness_out(harness, 0), "");
    harness_advance(harness, 1);
    assert_bytes(harness_out(harness, 0), WARNING("4.5"));
    assert_false(harness_is_closed(harness, 0));
    harness_destroy(harness);
}

static void test_chat_warns_nobody_whom_nobody_forgets(void **state)
{
    struct harness *harness = room_of(PG_STREAM, 1);

    (void)state;
    harness_advance(harness, 3600000);
    assert_bytes(harness_out(harness, 0), "");
    harness_destroy(harness);

    harness = forgetful_room(ROOM, 0);
    harness_advance(harness, 3600000);
    assert_bytes(harness_out(harness, 0), "");
    harness_destroy(harness);
}

static void test_chat_warns_nobody_when_told_not_to(void **state)
{
    struct harness *harness = forgetful_room(
        "[\"lines\", {\"plugin\": \"chat-broadcast\", \"warn_idle_s\": 0}]",
        300000);

    (void)state;
    harness_advance(harness, 299999);
    assert_bytes(harness_out(harness, 0), "");
    harness_destroy(harness);
}

/* ---- without names ---------------------------------------------------- */

static void test_chat_without_names_relays_messages_as_they_came(void **state)
{
    struct harness *harness = harness_create(
        PG_RECORDS, "[{\"plugin\": \"chat-broadcast\", \"names\": false}]");
    int one = harness_connect(harness), two = harness_connect(harness);

    (void)state;
    assert_bytes(harness_out(harness, one), "");
    assert_bytes(harness_out(harness, two), "");
    harness_push_text(harness, one, "/who");
    harness_push_text(harness, one, "");
    harness_push_text(harness, one, "hello\nworld\n");
    harness_push_text(harness, one, "/quit");
    harness_advance(harness, 3600000);

    assert_int_equal(harness_record_count(harness, two), 4);
    assert_bytes(harness_record(harness, two, 0), "/who");
    assert_bytes(harness_record(harness, two, 1), "");
    assert_bytes(harness_record(harness, two, 2), "hello\nworld\n");
    assert_bytes(harness_record(harness, two, 3), "/quit");
    assert_int_equal(harness_record_count(harness, one), 0);
    assert_false(harness_is_closed(harness, one));
    harness_destroy(harness);
}

static void
test_chat_without_names_says_nothing_of_coming_and_going(void **state)
{
    struct harness *harness = harness_create(PG_STREAM, NAMELESS);
    int one = harness_connect(harness), two = harness_connect(harness);

    (void)state;
    harness_push_text(harness, two, "\n");
    harness_end(harness, two);

    assert_bytes(harness_out(harness, one), "\n");
    harness_destroy(harness);
}

static void test_chat_is_refused_on_a_bare_stream(void **state)
{
    char *said = harness_refusal(PG_STREAM, "[\"chat-broadcast\"]");

    (void)state;
    assert_non_null(strstr(said, "chat-broadcast"));
    assert_non_null(strstr(said, "lines"));
    free(said);
}

/* ---- over forged addresses --------------------------------------------- */

#define MEMBER 10 /* a connection */

/* One member, who comes over a stream. */
static struct harness *room_for_strangers(void)
{
    struct harness *harness = harness_create_forged(ROOM, "{}");

    harness_begin_at(harness, MEMBER);
    harness_connect(harness);
    harness_clear(harness, MEMBER);
    return harness;
}

static void say_as(struct harness *harness, int address, const char *text)
{
    harness_clear(harness, address);
    harness_clear(harness, MEMBER);
    harness_datagram(harness, address, text);
    harness_turn(harness);
}

/* What a stranger says first, what it hears then, and what the room does; then
   the same for "yes", which it says next. */
static void expect_stranger(const char *first, const char *answer,
                            const char *room, const char *greeting,
                            const char *joins)
{
    struct harness *harness = room_for_strangers();

    say_as(harness, 0, first);
    assert_bytes(harness_out(harness, 0), answer);
    assert_bytes(harness_out(harness, MEMBER), room);
    harness_clear(harness, MEMBER);
    harness_push_text(harness, MEMBER, "only members hear this\n/who\n");
    assert_bytes(harness_out(harness, 0), answer);
    assert_bytes(harness_out(harness, MEMBER), "here are guest1\n");

    say_as(harness, 0, "yes");
    assert_bytes(harness_out(harness, 0), greeting);
    assert_bytes(harness_out(harness, MEMBER), joins);
    harness_clear(harness, MEMBER);
    harness_push_text(harness, MEMBER, "welcome\n");
    assert_true(harness_record_count(harness, 0) > 1);
    harness_destroy(harness);
}

static void test_chat_lets_strangers_join_with_the_second_message(void **state)
{
    const char *greeting = "you are guest2, with guest1; /who /nick /quit\n";
    const char *go_on = "say one thing more to join; /who /nick NAME /quit\n";
    const char *joins = "guest2 joined\nguest2: yes\n";

    (void)state;
    expect_stranger("x", "you will be guest2; say one thing more to join\n",
                    "guest2: x\n", greeting, joins);
    expect_stranger("x\ny", "you will be guest2; say one thing more to join\n",
                    "guest2: x\nguest2: y\n", greeting, joins);
    expect_stranger("", go_on, "", greeting, joins);
    expect_stranger("/who", go_on, "", greeting, joins);
    expect_stranger("/help", go_on, "", greeting, joins);
    expect_stranger("/nick a b",
                    "no such name can be had; say one thing more to join\n", "",
                    greeting, joins);
    expect_stranger("/nick guest1", "guest1 is taken; /who lists the names\n",
                    "", greeting, joins);
    expect_stranger("/nick Ana",
                    "you will be Ana; say one thing more to join\n", "",
                    "you are Ana, with guest1; /who /nick /quit\n",
                    "Ana joined\nAna: yes\n");
}

static void test_chat_gives_a_wanted_name_to_who_joins_first(void **state)
{
    struct harness *harness = room_for_strangers();

    (void)state;
    say_as(harness, 0, "/nick ana");
    say_as(harness, 1, "/nick ANA");
    say_as(harness, 1, "hello");
    assert_bytes(harness_out(harness, MEMBER), "ANA joined\nANA: hello\n");
    say_as(harness, 0, "hello");
    assert_bytes(harness_record(harness, 0, 0),
                 "ana is taken; /who lists the names\n");
    assert_bytes(harness_out(harness, MEMBER),
                 "guest2 joined\nguest2: hello\n");
    harness_destroy(harness);
}

static void test_chat_gives_no_stranger_a_members_name(void **state)
{
    struct harness *harness = room_for_strangers();

    (void)state;
    harness_push_text(harness, MEMBER, "/nick guest2\n");
    say_as(harness, 0, "x");
    assert_bytes(harness_out(harness, MEMBER), "guest3: x\n");
    harness_push_text(harness, MEMBER, "/nick guest3\n");
    say_as(harness, 0, "y");
    assert_bytes(harness_out(harness, MEMBER), "guest4 joined\nguest4: y\n");
    harness_destroy(harness);
}

static void test_chat_says_nothing_of_strangers_that_go(void **state)
{
    struct harness *harness = room_for_strangers();

    (void)state;
    harness_idle(harness, 1000);
    say_as(harness, 0, "");
    say_as(harness, 1, "/quit");
    assert_bytes(harness_out(harness, 1), "goodbye\n");
    assert_true(harness_is_closed(harness, 1));
    harness_advance(harness, 2000);
    assert_true(harness_is_closed(harness, 0));
    assert_bytes(harness_out(harness, MEMBER), "");
    harness_destroy(harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chat_names_and_greets_who_comes),
        cmocka_unit_test(test_chat_greeting_stays_short_in_a_full_room),
        cmocka_unit_test(
            test_chat_tells_who_left_and_why_if_it_is_not_the_usual),
        cmocka_unit_test(test_chat_gives_no_name_twice_while_somebody_is_there),
        cmocka_unit_test(test_chat_skips_a_guest_number_that_is_taken),
        cmocka_unit_test(test_chat_quit_says_goodbye_and_closes),
        cmocka_unit_test(test_chat_relays_to_all_the_others),
        cmocka_unit_test(test_chat_relays_texts_unchanged),
        cmocka_unit_test(test_chat_drops_empty_messages),
        cmocka_unit_test(test_chat_answers_the_same_however_a_stream_is_cut),
        cmocka_unit_test(test_chat_nick_tells_everybody),
        cmocka_unit_test(test_chat_nick_refuses_a_name_that_is_taken),
        cmocka_unit_test(test_chat_nick_takes_the_name_one_has),
        cmocka_unit_test(test_chat_gives_no_name_twice_in_another_spelling),
        cmocka_unit_test(test_chat_nick_takes_names),
        cmocka_unit_test(test_chat_nick_refuses_names_that_could_mislead),
        cmocka_unit_test(test_chat_who_lists_everybody),
        cmocka_unit_test(test_chat_who_takes_several_lines_for_many),
        cmocka_unit_test(test_chat_gives_advice_on_unknown_commands),
        cmocka_unit_test(test_chat_understands_commands_with_a_line_end),
        cmocka_unit_test(test_chat_leaves_out_what_a_telnet_client_says),
        cmocka_unit_test(test_chat_counts_what_was_nothing_but_telnet),
        cmocka_unit_test(test_chat_finds_telnet_that_lines_has_cut),
        cmocka_unit_test(test_chat_hears_again_who_never_ends_a_telnet_command),
        cmocka_unit_test(test_chat_finds_telnet_however_it_is_cut),
        cmocka_unit_test(test_chat_closes_who_reads_too_slowly),
        cmocka_unit_test(test_chat_may_drop_what_a_slow_reader_has_no_room_for),
        cmocka_unit_test(test_chat_warns_a_silent_member_over_udp_once),
        cmocka_unit_test(test_chat_keeps_nobody_who_has_ended),
        cmocka_unit_test(test_chat_forgets_a_silent_member_while_others_talk),
        cmocka_unit_test(test_chat_warns_before_the_transport_forgets),
        cmocka_unit_test(test_chat_warns_nobody_whom_nobody_forgets),
        cmocka_unit_test(test_chat_warns_nobody_when_told_not_to),
        cmocka_unit_test(test_chat_without_names_relays_messages_as_they_came),
        cmocka_unit_test(
            test_chat_without_names_says_nothing_of_coming_and_going),
        cmocka_unit_test(test_chat_is_refused_on_a_bare_stream),
        cmocka_unit_test(test_chat_lets_strangers_join_with_the_second_message),
        cmocka_unit_test(test_chat_gives_a_wanted_name_to_who_joins_first),
        cmocka_unit_test(test_chat_gives_no_stranger_a_members_name),
        cmocka_unit_test(test_chat_says_nothing_of_strangers_that_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
