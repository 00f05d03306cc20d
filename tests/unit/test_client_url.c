#include "client/client_url.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_url(const char *text, const char *transport,
                       const char *host, int port)
{
    struct client_url url;
    char error[256] = "";

    if (!client_url_parse(text, &url, error, sizeof(error)))
        fail_msg("%s: %s", text, error);
    assert_string_equal(url.transport, transport);
    assert_string_equal(url.host, host);
    assert_int_equal(url.port, port);
}

static void assert_refused(const char *text, const char *expected)
{
    struct client_url url;
    char error[256] = "";

    assert_false(client_url_parse(text, &url, error, sizeof(error)));
    assert_string_equal(error, expected);
}

static void test_url_has_transport_host_and_port(void **state)
{
    (void)state;
    assert_url("tcp://127.0.0.1:6000", "tcp", "127.0.0.1", 6000);
    assert_url("udp://some.host.example:1", "udp", "some.host.example", 1);
    assert_url("UDP://localhost:65535", "udp", "localhost", 65535);
}

static void test_url_without_port_means_5000(void **state)
{
    (void)state;
    assert_url("tcp://localhost", "tcp", "localhost", 5000);
    assert_url("tcp://[::1]", "tcp", "::1", 5000);
}

static void test_url_takes_ipv6_in_brackets(void **state)
{
    (void)state;
    assert_url("tcp://[::1]:5001", "tcp", "::1", 5001);
    assert_url("udp://[fe80::1%eth0]:5001", "udp", "fe80::1%eth0", 5001);
}

static void assert_path(const char *text, const char *path, const char *type)
{
    struct client_url url;
    char error[256] = "";

    if (!client_url_parse(text, &url, error, sizeof(error)))
        fail_msg("%s: %s", text, error);
    assert_string_equal(url.transport, "unix");
    assert_string_equal(url.path, path);
    assert_string_equal(url.type, type);
    assert_string_equal(url.host, "");
}

static void test_url_of_unix_is_a_path_to_the_byte(void **state)
{
    char text[CLIENT_PATH_BYTES + 8];

    (void)state;
    assert_path("unix:chat.sock", "chat.sock", "stream");
    assert_path("UNIX:/run/a b:c/?#@[]", "/run/a b:c/?#@[]", "stream");
    assert_path("unix:///run/chat", "/run/chat", "stream");
    assert_path("unix-seqpacket:../x/", "../x/", "seqpacket");
    assert_path("unix-seqpacket://x", "x", "seqpacket");
    assert_refused("unix:", "the path is missing; write unix:playground.sock "
                            "for example");
    assert_refused("unix://", "the path is missing; write unix:playground.sock "
                              "for example");
    assert_refused("unix:\xff", "the path is not UTF-8; rename the folder, or "
                                "change to it first");
    snprintf(text, sizeof(text), "unix:%0*d", CLIENT_PATH_BYTES, 1);
    assert_refused(text, "the path has 512 bytes; a socket's has at most 107, "
                         "so change to its folder first");
}

static void test_url_may_end_with_a_slash(void **state)
{
    (void)state;
    assert_url("tcp://localhost:5001/", "tcp", "localhost", 5001);
    assert_url("tcp://[::1]/", "tcp", "::1", 5000);
}

static void test_url_names_the_transport_that_was_meant(void **state)
{
    (void)state;
    assert_refused("tpc://localhost:5000", "unknown transport \"tpc\"; did you "
                                           "mean tcp://localhost:5000 ?");
    assert_refused("ucp://h", "unknown transport \"ucp\"; did you mean "
                              "tcp://h ?");
    assert_refused("http://localhost", "unknown transport \"http\"; known are "
                                       "tcp, udp and unix, as in "
                                       "tcp://localhost");
    assert_refused("://localhost", "unknown transport \"\"; known are tcp, "
                                   "udp and unix, as in tcp://localhost");
    assert_refused("localhost:5000",
                   "\"localhost:5000\" does not say how to connect; write "
                   "tcp://HOST:PORT, udp://HOST:PORT or unix:PATH, for "
                   "example tcp://127.0.0.1:5000");
}

static void test_url_says_what_is_wrong_with_the_port(void **state)
{
    (void)state;
    assert_refused("tcp://h:", "the port is missing after the colon; write a "
                               "number, or leave the colon out for 5000");
    assert_refused("tcp://h:abc", "the port \"abc\" is not a number; write one "
                                  "from 1 to 65535");
    assert_refused("tcp://h:5000x", "the port \"5000x\" is not a number; write "
                                    "one from 1 to 65535");
    assert_refused("tcp://h:0", "there is no port 0 to connect to; write a "
                                "number from 1 to 65535");
    assert_refused("tcp://[::1]:65536", "there is no port 65536 to connect to; "
                                        "write a number from 1 to 65535");
    assert_refused("tcp://h:99999999999999999999",
                   "there is no port 99999999999999999999 to connect to; write "
                   "a number from 1 to 65535");
    assert_refused("tcp://h:-1", "the port \"-1\" is not a number; write one "
                                 "from 1 to 65535");
}

static void test_url_says_what_is_wrong_with_the_host(void **state)
{
    (void)state;
    assert_refused("udp://:5000", "the host is missing; write "
                                  "udp://127.0.0.1:5000 for a server on this "
                                  "machine");
    assert_refused("tcp://", "the host is missing; write tcp://127.0.0.1:5000 "
                             "for a server on this machine");
    assert_refused("tcp://::1:5000", "an IPv6 address stands in brackets; "
                                     "write tcp://[::1]:5000");
    assert_refused("tcp://[::1", "the \"]\" is missing after the IPv6 address; "
                                 "write tcp://[::1]:5000");
    assert_refused("tcp://[::1]5000", "\"5000\" does not fit after \"]\"; "
                                      "write a colon and the port");
    assert_refused("tcp://a b:1", "there is a space in the host; write a name "
                                  "or an address as in tcp://127.0.0.1:5000");
    assert_refused("tcp://me:secret@h:1",
                   "there is an \"@\" in the host; tcp knows no user names, "
                   "leave out what stands before it");
}

/* By the rule of configs, see test_address_remedy.c. */
static void test_url_takes_one_spelling_of_an_ipv4_address(void **state)
{
    static const char *const odd[] = {
        "127.0.0.01", "010.0.0.1", "127.1",     "0x7f.0.0.1",
        "1",          "1.2.3.256", "1.2.3.4.5", "127.0.0.1.",
    };
    struct client_url url;
    char error[256], text[64];

    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
        snprintf(text, sizeof(text), "%s://%s:5000", i % 2 ? "tcp" : "udp",
                 odd[i]);
        assert_false(client_url_parse(text, &url, error, sizeof(error)));
        assert_non_null(strstr(error, "write four numbers from 0 to 255"));
    }
    assert_url("udp://10.0.0.1:5000", "udp", "10.0.0.1", 5000);
    assert_url("tcp://1.example:1", "tcp", "1.example", 1);
}

static void test_url_has_no_path(void **state)
{
    (void)state;
    assert_refused("tcp://h/room", "\"/room\" is too much; nothing follows the "
                                   "host and port of a tcp URL");
    assert_refused("tcp://h:1/room", "\"/room\" is too much; nothing follows "
                                     "the port of a tcp URL");
}

static void test_url_may_be_of_any_length(void **state)
{
    char text[2000];
    struct client_url url;
    char error[64];

    (void)state;
    for (size_t len = 6; len < sizeof(text); len++) {
        memset(text, 'a', len);
        memcpy(text, "tcp://", 6);
        text[len] = '\0';
        assert_int_equal(client_url_parse(text, &url, error, sizeof(error)),
                         len > 6 && len - 6 < CLIENT_HOST_BYTES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_url_has_transport_host_and_port),
        cmocka_unit_test(test_url_without_port_means_5000),
        cmocka_unit_test(test_url_takes_ipv6_in_brackets),
        cmocka_unit_test(test_url_of_unix_is_a_path_to_the_byte),
        cmocka_unit_test(test_url_may_end_with_a_slash),
        cmocka_unit_test(test_url_names_the_transport_that_was_meant),
        cmocka_unit_test(test_url_says_what_is_wrong_with_the_port),
        cmocka_unit_test(test_url_says_what_is_wrong_with_the_host),
        cmocka_unit_test(test_url_takes_one_spelling_of_an_ipv4_address),
        cmocka_unit_test(test_url_has_no_path),
        cmocka_unit_test(test_url_may_be_of_any_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
