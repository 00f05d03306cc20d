#include "wire/link/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "45 00 0014": two digits a byte, blanks where it helps to read. */
static struct packet_facts look(const char *hex)
{
    uint8_t packet[256], *copy;
    size_t len = 0;
    struct packet_facts facts;

    for (; *hex; hex += 2) {
        char digits[3];

        hex += strspn(hex, " ");
        if (!*hex)
            break;
        snprintf(digits, sizeof(digits), "%s", hex);
        packet[len++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    copy = malloc(len); /* so that reading behind its end is noticed */
    memcpy(copy, packet, len);
    facts = packet_look(copy, len);
    free(copy);
    return facts;
}

#define IP4(protocol, fragment)                                                \
    "45000000 0000" fragment " 40" protocol "0000 0a4d0001 0a4d0002 "
#define IP6(protocol)                                                          \
    "60000000 0000" protocol "40 fd770000000000000000000000000001 "            \
    "fd770000000000000000000000000002 "
#define TCP "1388 1389 00000001 00000001 50100000 00000000 "
#define UDP "1388 1389 000b0000 "

static void assert_payload(const char *hex, bool has_payload, size_t bytes)
{
    struct packet_facts facts = look(hex);

    assert_true(facts.is_carried);
    assert_int_equal(facts.has_payload, has_payload);
    assert_int_equal(facts.payload_bytes, bytes);
}

static void test_packet_finds_payload(void **state)
{
    (void)state;
    assert_payload(IP4("06", "0000") TCP, false, 0);
    assert_payload(IP4("06", "0000") TCP "616263", true, 3);
    assert_payload(IP4("11", "0000") UDP "616263", true, 3);
    assert_payload(IP4("11", "0000") UDP, true, 0);
    assert_payload(IP4("01", "0000") "0800000000000000", false, 0);
    assert_payload(IP6("06") TCP, false, 0);
    assert_payload(IP6("06") TCP "616263", true, 3);
    assert_payload(IP6("11") UDP "616263", true, 3);
}

static void test_packet_counts_tcp_options_as_header(void **state)
{
    (void)state;
    assert_payload(
        IP4("06",
            "0000") "1388 1389 00000001 00000001 60100000 00000000 01010101 61",
        true, 1);
}

static void test_packet_finds_payload_in_later_fragments(void **state)
{
    (void)state;
    assert_payload(IP4("11", "2000") UDP "61", true, 1);
    assert_payload(IP4("11", "00b9") "6162636465666768", true, 8);
    assert_payload(IP6("2c") "11 00 0001 00000001" UDP "61", true, 1);
    assert_payload(IP6("2c") "11 00 05a8 00000001 6162", true, 2);
}

static void test_packet_passes_over_ipv6_options(void **state)
{
    (void)state;
    assert_payload(IP6("00") "3c 00 000000000000 11 00 000000000000" UDP "61",
                   true, 1);
}

static void test_packet_leaves_chatter_out(void **state)
{
    static const char *const chatter[] = {
        IP4("02", "0000") "1600000000000000",
        /* to a group of the link, from an address of the link */
        "60000000 00003a40 fd770000000000000000000000000001 "
        "ff020000000000000000000000000002 8500000000000000",
        "60000000 00001140 fe800000000000000000000000000001 "
        "fd770000000000000000000000000002 " UDP,
        IP6("3a") "8700000000000000", /* who has this address? */
        IP6("00") "3a 00 050200000000 8f00000000000000",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(chatter) / sizeof(*chatter); i++)
        assert_false(look(chatter[i]).is_carried);
}

static void test_packet_carries_what_programs_send(void **state)
{
    (void)state;
    assert_true(look(IP6("3a") "8000000000000000").is_carried); /* ping */
    assert_true(look(IP6("3a") "0104000000000000").is_carried); /* no port */
    assert_true(look("60000000 00001140 fd770000000000000000000000000001 "
                     "ff0e0000000000000000000000000077 " UDP)
                    .is_carried);
}

static void test_packet_refuses_what_is_none(void **state)
{
    (void)state;
    assert_false(look("45").is_carried);
    assert_false(look("4f000000 00000000 40060000 0a4d0001 0a4d0002")
                     .is_carried); /* longer header than packet */
    assert_false(
        look("40000000 00000000 40060000 0a4d0001 0a4d0002").is_carried);
    assert_false(
        look("55000000 00000000 40060000 0a4d0001 0a4d0002").is_carried);
    assert_false(look("60000000 00001140").is_carried);
}

/* Cut at every place: whatever is said of them, nothing behind is read. */
static void test_packet_reads_nothing_behind_the_end(void **state)
{
    static const char *const packets[] = {
        IP4("06", "0000") TCP "616263",
        IP4("11", "0000") UDP "61",
        IP6("00") "3c 01 000000000000 0000000000000000 2c 00 000000000000 "
                  "06 00 0001 00000001" TCP "61",
        IP6("3a") "8700000000000000",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(packets) / sizeof(*packets); i++) {
        char *text = strdup(packets[i]);

        for (size_t len = strlen(text); len >= 2; len--) {
            text[len] = 0;
            if (text[len - 1] != ' ' && text[len - 2] != ' ')
                look(text);
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packet_finds_payload),
        cmocka_unit_test(test_packet_counts_tcp_options_as_header),
        cmocka_unit_test(test_packet_finds_payload_in_later_fragments),
        cmocka_unit_test(test_packet_passes_over_ipv6_options),
        cmocka_unit_test(test_packet_leaves_chatter_out),
        cmocka_unit_test(test_packet_carries_what_programs_send),
        cmocka_unit_test(test_packet_refuses_what_is_none),
        cmocka_unit_test(test_packet_reads_nothing_behind_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
