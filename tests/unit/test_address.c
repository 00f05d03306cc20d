#include "config/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- helpers ---------------------------------------------------------- */

static struct sockaddr_storage address_of(const char *host, int port)
{
    struct sockaddr_storage address;
    socklen_t length;

    assert_int_equal(pg_address(host, port, false, &address, &length), 0);
    assert_true(length > 0);
    return address;
}

static void assert_round_trip(const char *host, int port, const char *expected)
{
    struct sockaddr_storage address = address_of(host, port);
    char text[ADDRESS_TEXT_BYTES];

    pg_address_text((struct sockaddr *)&address, text, sizeof(text));
    assert_string_equal(text, expected);
}

static int error_of(const char *host, int port, bool lookup)
{
    struct sockaddr_storage address;
    socklen_t length;

    return pg_address(host, port, lookup, &address, &length);
}

static bool are_equal(const char *a, const char *b, int b_port, bool with_port)
{
    struct sockaddr_storage left = address_of(a, 5000);
    struct sockaddr_storage right = address_of(b, b_port);

    return address_equal((struct sockaddr *)&left, (struct sockaddr *)&right,
                         with_port);
}

/* What address_print_others() says about a socket bound to `host`. */
static char *others_of(const char *host)
{
    struct sockaddr_storage bound = address_of(host, 5000);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    address_print_others("tcp", (struct sockaddr *)&bound, out);
    fclose(out);
    return text;
}

/* ---- text and back ---------------------------------------------------- */

static void test_address_reads_what_it_writes(void **state)
{
    (void)state;

    assert_round_trip("127.0.0.1", 5000, "127.0.0.1:5000");
    assert_round_trip("0.0.0.0", 0, "0.0.0.0:0");
    assert_round_trip("255.255.255.255", 65535, "255.255.255.255:65535");
    assert_round_trip("::1", 5000, "[::1]:5000");
    assert_round_trip("::", 1, "[::]:1");
    assert_round_trip("2001:DB8::00a", 80, "[2001:db8::a]:80");
}

static void test_address_shows_mapped_ipv4_as_ipv4(void **state)
{
    (void)state;

    assert_round_trip("::ffff:192.0.2.7", 5000, "192.0.2.7:5000");
}

static void test_address_names_the_interface_of_a_link_local_one(void **state)
{
    (void)state;

    assert_round_trip("fe80::1%lo", 5000, "[fe80::1%lo]:5000");
}

static void test_address_shows_an_interface_that_has_gone(void **state)
{
    struct sockaddr_storage address = address_of("fe80::1", 5000);
    char text[ADDRESS_TEXT_BYTES];

    (void)state;
    ((struct sockaddr_in6 *)&address)->sin6_scope_id = 4000000000u;

    pg_address_text((struct sockaddr *)&address, text, sizeof(text));

    assert_string_equal(text, "[fe80::1%4000000000]:5000");
}

static void test_address_of_another_family_is_unknown(void **state)
{
    const struct sockaddr address = {.sa_family = AF_UNIX};
    char text[ADDRESS_TEXT_BYTES];

    (void)state;

    pg_address_text(&address, text, sizeof(text));

    assert_string_equal(text, "unknown");
    assert_int_equal(address_port(&address), 0);
}

static void test_address_text_fits_any_size(void **state)
{
    struct sockaddr_storage address = address_of("127.0.0.1", 5000);
    char text[ADDRESS_TEXT_BYTES];

    (void)state;
    for (size_t size = 1; size < 15; size++) {
        memset(text, 'x', sizeof(text));

        pg_address_text((struct sockaddr *)&address, text, size);

        assert_int_equal(strlen(text), size - 1);
        assert_memory_equal(text, "127.0.0.1:5000", size - 1);
        assert_int_equal(text[size], 'x');
    }
}

static void test_address_refuses_what_is_none(void **state)
{
    static const char *const wrong[] = {
        "",
        " ",
        "300.1.1.1",
        "1.2.3",
        "127.1",
        "1",
        "1.2.3.4.5",
        "1.2.3.4 ",
        "127.0.0.1:5",
        "[::1]",
        "::g",
        "a b",
        "caf\xc3\xa9",
        "-x",
        ".example",
        "*",
        "tcp://host",
        "::%nothing-has-this-name",
        "a\nb",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(error_of(wrong[i], 5000, false), -EINVAL);
        assert_int_equal(error_of(wrong[i], 5000, true), -EINVAL);
    }
    assert_int_equal(error_of(NULL, 5000, false), -EINVAL);
    assert_int_equal(error_of("127.0.0.1", -1, false), -EINVAL);
    assert_int_equal(error_of("127.0.0.1", 65536, false), -EINVAL);
}

static void test_address_tells_a_name_from_a_mistake(void **state)
{
    (void)state;

    assert_int_equal(error_of("localhost", 5000, false), -ENOENT);
    assert_int_equal(error_of("server-1.example.org", 5000, false), -ENOENT);
    assert_int_equal(error_of("7zip.example", 5000, false), -ENOENT);
}

static void test_address_takes_ipv4_of_a_name_first(void **state)
{
    struct sockaddr_storage address;
    socklen_t length;
    char text[ADDRESS_TEXT_BYTES];

    (void)state;

    if (access("/etc/hosts", R_OK)) {
        assert_true(error_of("localhost", 5000, true) < 0);
        return; /* a chroot so bare that it knows no names */
    }

    assert_int_equal(pg_address("localhost", 5000, true, &address, &length), 0);

    pg_address_text((struct sockaddr *)&address, text, sizeof(text));
    assert_string_equal(text, "127.0.0.1:5000");
    assert_int_equal(length, sizeof(struct sockaddr_in));
}

/* ---- comparing -------------------------------------------------------- */

static void test_address_compares_across_families(void **state)
{
    (void)state;

    assert_true(are_equal("127.0.0.1", "127.0.0.1", 5000, true));
    assert_true(are_equal("127.0.0.1", "::ffff:127.0.0.1", 5000, true));
    assert_true(are_equal("::1", "::1", 5000, true));
    assert_false(are_equal("127.0.0.1", "127.0.0.2", 5000, true));
    assert_false(are_equal("127.0.0.1", "::1", 5000, true));
    assert_false(are_equal("::1", "::2", 5000, true));
    assert_false(are_equal("fe80::1%lo", "fe80::2%lo", 5000, true));
}

static void test_address_compares_ports_when_asked(void **state)
{
    (void)state;

    assert_false(are_equal("127.0.0.1", "127.0.0.1", 5001, true));
    assert_true(are_equal("127.0.0.1", "127.0.0.1", 5001, false));
    assert_false(are_equal("::1", "::1", 5001, true));
    assert_true(are_equal("::1", "::1", 5001, false));
}

static void test_address_knows_wildcards(void **state)
{
    static const struct {
        const char *host;
        bool is_wildcard;
    } cases[] = {
        {"0.0.0.0", true},    {"::", true},   {"::ffff:0.0.0.0", true},
        {"127.0.0.1", false}, {"::1", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sockaddr_storage address = address_of(cases[i].host, 5000);

        assert_int_equal(address_is_wildcard((struct sockaddr *)&address),
                         cases[i].is_wildcard);
    }
}

static void test_address_knows_loopback(void **state)
{
    static const struct {
        const char *host;
        bool is_loopback;
    } cases[] = {
        {"127.0.0.1", true},  {"127.9.9.9", true}, {"::ffff:127.0.0.1", true},
        {"::1", true},        {"::", false},       {"0.0.0.0", false},
        {"128.0.0.1", false}, {"fe80::1", false},  {"::ffff:10.0.0.1", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sockaddr_storage address = address_of(cases[i].host, 5000);

        assert_int_equal(address_is_loopback((struct sockaddr *)&address),
                         cases[i].is_loopback);
    }
}

/* ---- others: ---------------------------------------------------------- */

/* Counted another way: addresses of interfaces that are up and no loopback. */
static size_t count_ipv4_for_others(void)
{
    struct ifaddrs *list;
    size_t count = 0;

    assert_int_equal(getifaddrs(&list), 0);
    for (struct ifaddrs *one = list; one; one = one->ifa_next)
        if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET &&
            (one->ifa_flags & (IFF_UP | IFF_LOOPBACK)) == IFF_UP)
            count++;
    freeifaddrs(list);
    return count;
}

static void test_address_prints_a_line_for_each_interface(void **state)
{
    static const char start[] = "others: playground client tcp://";
    char *text = others_of("0.0.0.0");
    size_t count = 0;

    (void)state;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_memory_equal(line, start, sizeof(start) - 1);
        assert_non_null(strstr(line, ":5000"));
        assert_null(strstr(line, "//127."));
        count++;
    }

    assert_int_equal(count, count_ipv4_for_others());
    free(text);
}

static void test_address_prints_ipv4_for_an_ipv6_wildcard_too(void **state)
{
    char *ipv4 = others_of("0.0.0.0"), *all = others_of("::");

    (void)state;
    for (char *line = strtok(ipv4, "\n"); line; line = strtok(NULL, "\n"))
        assert_non_null(strstr(all, line));

    assert_null(strstr(all, "[fe80:"));
    assert_null(strstr(all, "[::1]"));
    free(ipv4);
    free(all);
}

static void test_address_prints_nothing_for_loopback(void **state)
{
    char *text = others_of("127.0.0.1");

    (void)state;

    assert_string_equal(text, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_reads_what_it_writes),
        cmocka_unit_test(test_address_shows_mapped_ipv4_as_ipv4),
        cmocka_unit_test(test_address_names_the_interface_of_a_link_local_one),
        cmocka_unit_test(test_address_shows_an_interface_that_has_gone),
        cmocka_unit_test(test_address_of_another_family_is_unknown),
        cmocka_unit_test(test_address_text_fits_any_size),
        cmocka_unit_test(test_address_refuses_what_is_none),
        cmocka_unit_test(test_address_tells_a_name_from_a_mistake),
        cmocka_unit_test(test_address_takes_ipv4_of_a_name_first),
        cmocka_unit_test(test_address_compares_across_families),
        cmocka_unit_test(test_address_compares_ports_when_asked),
        cmocka_unit_test(test_address_knows_wildcards),
        cmocka_unit_test(test_address_knows_loopback),
        cmocka_unit_test(test_address_prints_a_line_for_each_interface),
        cmocka_unit_test(test_address_prints_ipv4_for_an_ipv6_wildcard_too),
        cmocka_unit_test(test_address_prints_nothing_for_loopback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
