/* log: who came, what they said, who left and why. */
#include "harness.h"

#include "base/output.h"

#include <jansson.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"

#define PEER "harness-stream peer 0"

/* ---- a log file ------------------------------------------------------- */

struct logged {
    char folder[64], path[96], handlers[512];
    char *text;
};

/* A chain of a log with these options, and of `rest`. */
static void setup_chain(struct logged *logged, const char *options,
                        const char *rest)
{
    strcpy(logged->folder, "/tmp/test_log.XXXXXX");
    assert_non_null(mkdtemp(logged->folder));
    snprintf(logged->path, sizeof(logged->path), "%s/log", logged->folder);
    snprintf(logged->handlers, sizeof(logged->handlers),
             "[{\"plugin\": \"log\", \"file\": \"%s\"%s}%s]", logged->path,
             options, rest);
    logged->text = NULL;
}

static void read_log(struct logged *logged)
{
    FILE *file = fopen(logged->path, "r");
    size_t size = 1 << 20, len;

    assert_non_null(file);
    logged->text = malloc(size);
    assert_non_null(logged->text);
    len = fread(logged->text, 1, size - 1, file);
    logged->text[len] = '\0';
    assert_int_equal(strlen(logged->text), len); /* no NUL gets through */
    fclose(file);
}

static void clean_up(struct logged *logged)
{
    free(logged->text);
    unlink(logged->path);
    rmdir(logged->folder);
}

/* What a log says of one peer that sends `in` and leaves. */
static void log_one(struct logged *logged, enum pg_kind provides,
                    const char *options, const char *rest, struct pg_bytes in)
{
    struct harness *harness;
    int peer;

    setup_chain(logged, options, rest);
    harness = harness_create(provides, logged->handlers);
    peer = harness_connect(harness);
    harness_push(harness, peer, in);
    harness_end(harness, peer);
    harness_destroy(harness);
    assert_int_equal(output_finish(60000), 0);
    read_log(logged);
}

static void assert_matches(const char *text, const char *pattern)
{
    regex_t regex;

    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&regex, text, 0, NULL, 0) != 0)
        fail_msg("\"%s\" does not match \"%s\"", text, pattern);
    regfree(&regex);
}

#define TIME "[0-2][0-9]:[0-5][0-9]:[0-6][0-9] "

/* The objects of a log, all valid, in an array. */
static json_t *parse_lines(char *text)
{
    json_t *all = json_array();
    json_error_t error;

    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *object = json_loads(line, JSON_ALLOW_NUL, &error);

        if (!object)
            fail_msg("\"%s\": %s", line, error.text);
        json_array_append_new(all, object);
    }
    return all;
}

static const char *string_of(const json_t *all, size_t at, const char *key)
{
    const char *text =
        json_string_value(json_object_get(json_array_get(all, at), key));

    assert_non_null(text);
    return text;
}

static json_int_t number_of(const json_t *all, size_t at, const char *key)
{
    const json_t *value = json_object_get(json_array_get(all, at), key);

    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

/* ---- text ------------------------------------------------------------- */

static void
test_log_says_who_came_what_they_said_and_why_they_left(void **state)
{
    struct logged logged;

    (void)state;
    log_one(&logged, PG_STREAM, "", ", \"echo\"", pg_text("um\ndois"));

    assert_matches(logged.text, "^" TIME PEER " came\n" TIME PEER
                                " said 7 bytes: um\\\\ndois\n" TIME PEER
                                " left: end of input\n$");
    clean_up(&logged);
}

/* The lecture's lesson: two messages of its client in one read. */
static void
test_log_shows_reads_before_framing_and_messages_behind(void **state)
{
    struct logged logged;
    char handlers[1024];
    struct harness *harness;
    int peer;

    (void)state;
    setup_chain(&logged, "", "");
    snprintf(handlers, sizeof(handlers),
             "[{\"plugin\": \"log\", \"file\": \"%s\"}, \"lines\","
             " {\"plugin\": \"log\", \"name\": \"behind\", \"file\": \"%s\"},"
             " \"echo\"]",
             logged.path, logged.path);
    harness = harness_create(PG_STREAM, handlers);
    peer = harness_connect(harness);
    harness_push_text(harness, peer, "um\ndo");
    harness_push_text(harness, peer, "is\n");
    harness_destroy(harness);
    assert_int_equal(output_finish(60000), 0);
    read_log(&logged);

    /* Two files to one path: the order between the two logs is open. */
    assert_matches(logged.text, TIME PEER " said 5 bytes: um\\\\ndo\n");
    assert_matches(logged.text, TIME PEER " said 3 bytes: is\\\\n\n");
    assert_matches(logged.text, TIME "behind " PEER " said 2 bytes: um\n");
    assert_matches(logged.text, TIME "behind " PEER " said 4 bytes: dois\n");
    clean_up(&logged);
}

static void test_log_escapes_what_would_drive_a_terminal(void **state)
{
    struct logged logged;

    (void)state;
    log_one(&logged, PG_RECORDS, "", ", \"echo\"",
            pg_bytes("\x1b[2J\r\n\t\\\"\0\x7f\xc2\x9b\xff ol\xc3\xa1", 19));

    assert_non_null(strstr(logged.text,
                           " said 19 bytes: \\x1b[2J\\r\\n\\t\\\\\"\\x00\\x7f"
                           "\\u009b\\xff ol\xc3\xa1\n"));
    clean_up(&logged);
}

static void test_log_counts_one_byte_and_an_empty_record(void **state)
{
    struct logged logged;

    (void)state;
    log_one(&logged, PG_RECORDS, "", ", \"echo\"", pg_text("x"));
    assert_non_null(strstr(logged.text, " said 1 byte: x\n"));
    clean_up(&logged);
    log_one(&logged, PG_RECORDS, "", ", \"echo\"", pg_text(""));
    assert_non_null(strstr(logged.text, " said 0 bytes: \n"));
    clean_up(&logged);
}

static void test_log_cuts_long_messages_and_says_so(void **state)
{
    static char bytes[3000];
    struct logged logged;
    const char *shown;

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    log_one(&logged, PG_RECORDS, "", ", \"echo\"",
            pg_bytes(bytes, sizeof(bytes)));
    shown = strstr(logged.text, " said 3000 bytes: ");
    assert_non_null(shown);
    shown += strlen(" said 3000 bytes: ");
    assert_int_equal(strspn(shown, "x"), 1024);
    assert_non_null(strstr(shown, "x ... (the first 1024 shown)\n"));
    clean_up(&logged);

    /* 1,023 bytes, then a character of two: it is not cut in the middle. */
    memcpy(bytes + 1023, "\xc3\xa1", 2);
    log_one(&logged, PG_RECORDS, "", ", \"echo\"",
            pg_bytes(bytes, sizeof(bytes)));
    assert_non_null(strstr(logged.text, "x ... (the first 1023 shown)\n"));
    clean_up(&logged);
}

static void test_log_shows_bytes_as_numbers(void **state)
{
    struct logged logged;

    (void)state;
    log_one(&logged, PG_RECORDS, ", \"hexdump\": true", ", \"echo\"",
            pg_bytes("0123456789abcdef\0\xff~", 19));

    assert_non_null(
        strstr(logged.text,
               "\n    0000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  "
               "|0123456789abcdef|\n"
               "    0010  00 ff 7e                                         "
               "|..~|\n"));
    clean_up(&logged);
}

/* A virtual clock's, where the clock on the wall is virtual, too. */
static void test_log_shows_the_time_of_each_message(void **state)
{
    struct logged logged;
    struct harness *harness;
    json_t *all;
    int peer;

    (void)state;
    setup_chain(&logged, ", \"format\": \"json\"", ", \"echo\"");
    harness = harness_create(PG_STREAM, logged.handlers);
    peer = harness_connect(harness);
    harness_advance(harness, 90061007);
    harness_push_text(harness, peer, "x");
    harness_destroy(harness);
    assert_int_equal(output_finish(60000), 0);
    read_log(&logged);
    all = parse_lines(logged.text);

    assert_string_equal(string_of(all, 0, "time"), "2000-01-01T00:00:00.000Z");
    assert_string_equal(string_of(all, 1, "time"), "2000-01-02T01:01:01.007Z");
    json_decref(all);
    clean_up(&logged);
}

/* Even a message that is escaped to the utmost fits into its line. */
static void test_log_has_room_for_the_worst_message(void **state)
{
    static char bytes[70000];
    struct logged logged;

    (void)state;
    memset(bytes, 1, sizeof(bytes));
    log_one(&logged, PG_RECORDS, ", \"hexdump\": true", ", \"echo\"",
            pg_bytes(bytes, 65507));

    assert_non_null(strstr(logged.text, "\\x01 ... (the first 1024 shown)\n"));
    assert_non_null(strstr(logged.text, "\n    03f0  01 01"));
    clean_up(&logged);
}

static void test_log_shows_what_goes_out_if_asked(void **state)
{
    struct logged logged;

    (void)state;
    log_one(&logged, PG_STREAM, ", \"send\": true", ", \"echo\"",
            pg_text("hello"));
    assert_non_null(strstr(logged.text, PEER " said 5 bytes: hello\n"));
    assert_non_null(strstr(logged.text, PEER " gets 5 bytes: hello\n"));
    clean_up(&logged);
    log_one(&logged, PG_STREAM, "", ", \"echo\"", pg_text("hello"));
    assert_null(strstr(logged.text, "gets"));
    clean_up(&logged);
}

/* lines makes the answer one byte longer than a datagram can be. */
static void test_log_shows_what_could_not_go_out(void **state)
{
    static char bytes[65507];
    char rest[] = ", \"lines\", \"echo\"";
    struct logged logged;
    json_t *all;

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    log_one(&logged, PG_RECORDS, ", \"send\": true", rest,
            pg_bytes(bytes, sizeof(bytes)));
    assert_non_null(strstr(logged.text, " does not get 65508 bytes: xxx"));
    clean_up(&logged);
    log_one(&logged, PG_RECORDS, ", \"send\": true, \"format\": \"json\"", rest,
            pg_bytes(bytes, sizeof(bytes)));
    all = parse_lines(logged.text);
    assert_string_equal(string_of(all, 2, "event"), "unsent");
    assert_int_equal(number_of(all, 2, "bytes"), 65508);
    json_decref(all);
    clean_up(&logged);
}

static void test_log_shows_a_broadcast_once(void **state)
{
    struct logged logged;
    struct harness *harness;
    int first;

    (void)state;
    setup_chain(&logged, ", \"send\": true",
                ", {\"plugin\": \"chat-broadcast\", \"names\": false}");
    harness = harness_create(PG_RECORDS, logged.handlers);
    first = harness_connect(harness);
    harness_connect(harness);
    harness_connect(harness);
    harness_push_text(harness, first, "hello");
    harness_destroy(harness);
    assert_int_equal(output_finish(60000), 0);
    read_log(&logged);

    assert_matches(logged.text, TIME "everyone gets 5 bytes: hello\n");
    assert_null(strstr(strstr(logged.text, "gets") + 1, "gets"));
    clean_up(&logged);
}

static void test_log_says_why_a_session_was_closed(void **state)
{
    struct logged logged;
    struct harness *harness;
    int peer;

    (void)state;
    log_one(&logged, PG_STREAM, "",
            ", {\"plugin\": \"lines\", \"max_bytes\": 4}, \"echo\"",
            pg_text("12345\n"));
    assert_non_null(
        strstr(logged.text, " left: line of 5 bytes or more > max_bytes 4\n"));
    clean_up(&logged);

    setup_chain(&logged, "", ", \"echo\"");
    harness = harness_create(PG_STREAM, logged.handlers);
    peer = harness_connect(harness);
    harness_reset(harness, peer);
    harness_destroy(harness);
    output_finish(60000);
    read_log(&logged);
    assert_non_null(strstr(logged.text, " left: connection reset\n"));
    clean_up(&logged);
}

/* ---- JSON ------------------------------------------------------------- */

static void test_log_writes_a_json_object_a_line(void **state)
{
    struct logged logged;
    json_t *all;

    (void)state;
    log_one(&logged, PG_STREAM, ", \"format\": \"json\", \"send\": true",
            ", \"echo\"", pg_text("um\ndois"));
    all = parse_lines(logged.text);

    assert_int_equal(json_array_size(all), 4);
    assert_string_equal(string_of(all, 0, "event"), "open");
    assert_string_equal(string_of(all, 1, "event"), "recv");
    assert_string_equal(string_of(all, 2, "event"), "send");
    assert_string_equal(string_of(all, 3, "event"), "close");
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(string_of(all, i, "time"),
                            "2000-01-01T00:00:00.000Z");
        assert_string_equal(string_of(all, i, "entry"), "log");
        assert_string_equal(string_of(all, i, "peer"), PEER);
        assert_true(number_of(all, i, "session") > 0);
    }
    assert_int_equal(number_of(all, 1, "bytes"), 7);
    assert_string_equal(string_of(all, 1, "text"), "um\ndois");
    assert_null(json_object_get(json_array_get(all, 1), "hex"));
    assert_string_equal(string_of(all, 3, "why"), "eof");
    assert_string_equal(string_of(all, 3, "reason"), "end of input");
    json_decref(all);
    clean_up(&logged);
}

static void test_log_json_is_valid_whatever_peers_send(void **state)
{
    static uint8_t bytes[512];
    struct logged logged;
    char hex[2 * sizeof(bytes) + 1];
    json_t *all;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i < 256 ? i : i * 7 + i / 16);
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    }
    log_one(&logged, PG_RECORDS, ", \"format\": \"json\"", ", \"echo\"",
            pg_bytes(bytes, sizeof(bytes)));
    all = parse_lines(logged.text);

    assert_int_equal(number_of(all, 1, "bytes"), sizeof(bytes));
    assert_string_equal(string_of(all, 1, "hex"), hex);
    assert_null(json_object_get(json_array_get(all, 1), "shown"));
    json_decref(all);
    clean_up(&logged);
}

static void test_log_json_says_what_is_not_shown(void **state)
{
    static char bytes[65507];
    struct logged logged;
    json_t *all;

    (void)state;
    memset(bytes, 1, sizeof(bytes)); /* each takes six in JSON */
    log_one(&logged, PG_RECORDS, ", \"format\": \"json\", \"hexdump\": true",
            ", \"echo\"", pg_bytes(bytes, sizeof(bytes)));
    all = parse_lines(logged.text);

    assert_int_equal(number_of(all, 1, "bytes"), sizeof(bytes));
    assert_int_equal(number_of(all, 1, "shown"), 1024);
    assert_int_equal(strlen(string_of(all, 1, "text")), 1024);
    assert_int_equal(strlen(string_of(all, 1, "hex")), 2048);
    json_decref(all);
    clean_up(&logged);
}

/* ---- where it goes ---------------------------------------------------- */

static void test_log_goes_to_stderr_by_itself(void **state)
{
    struct capture capture = capture_begin();
    struct harness *harness = harness_create(PG_STREAM, "[\"log\", \"echo\"]");
    char *said;

    (void)state;
    harness_push_text(harness, harness_connect(harness), "hello");
    harness_destroy(harness);
    said = capture_text(&capture);
    capture_end(&capture);

    assert_matches(said,
                   "^" TIME PEER " came\n" TIME PEER " said 5 bytes: hello\n");
    free(said);
}

static void test_log_changes_nothing_that_passes(void **state)
{
    struct capture capture = capture_begin();

    (void)state;
    harness_cut_everywhere("[{\"plugin\": \"log\", \"send\": true}, \"lines\","
                           " {\"plugin\": \"log\", \"format\": \"json\","
                           " \"send\": true}, \"echo\"]",
                           pg_text("um\ndois\n\ntres"));
    capture_end(&capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_log_says_who_came_what_they_said_and_why_they_left),
        cmocka_unit_test(
            test_log_shows_reads_before_framing_and_messages_behind),
        cmocka_unit_test(test_log_escapes_what_would_drive_a_terminal),
        cmocka_unit_test(test_log_counts_one_byte_and_an_empty_record),
        cmocka_unit_test(test_log_cuts_long_messages_and_says_so),
        cmocka_unit_test(test_log_shows_bytes_as_numbers),
        cmocka_unit_test(test_log_shows_the_time_of_each_message),
        cmocka_unit_test(test_log_has_room_for_the_worst_message),
        cmocka_unit_test(test_log_shows_what_goes_out_if_asked),
        cmocka_unit_test(test_log_shows_what_could_not_go_out),
        cmocka_unit_test(test_log_shows_a_broadcast_once),
        cmocka_unit_test(test_log_says_why_a_session_was_closed),
        cmocka_unit_test(test_log_writes_a_json_object_a_line),
        cmocka_unit_test(test_log_json_is_valid_whatever_peers_send),
        cmocka_unit_test(test_log_json_says_what_is_not_shown),
        cmocka_unit_test(test_log_goes_to_stderr_by_itself),
        cmocka_unit_test(test_log_changes_nothing_that_passes),
    };

    output_be_patient(); /* on a busy machine, too, a log is written */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
