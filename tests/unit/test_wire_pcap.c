#include "wire/link/pcap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_pcap_writes_the_format(void **state)
{
    char path[] = "/tmp/playground-pcap-XXXXXX";
    const uint8_t packet[3] = {0x45, 1, 2};
    const uint32_t expected[] = {
        0xa1b23c4d, 4u << 16 | 2, 0, 0, 65535, 101, /* the file */
        1700000000, 123456789,    3, 3,             /* the packet */
    };
    uint8_t got[sizeof(expected) + 4];
    FILE *file;

    (void)state;
    close(mkstemp(path));
    file = pcap_create(path);
    assert_non_null(file);
    assert_true(pcap_write(file, packet, sizeof(packet), 1700000000123456789));
    assert_int_equal(fclose(file), 0);

    file = fopen(path, "rb");
    assert_int_equal(fread(got, 1, sizeof(got), file), sizeof(expected) + 3);
    fclose(file);
    unlink(path);
    assert_memory_equal(got, expected, sizeof(expected));
    assert_memory_equal(got + sizeof(expected), packet, sizeof(packet));
}

static void test_pcap_refuses_a_file_it_cannot_write(void **state)
{
    (void)state;
    assert_null(pcap_create("/no such folder/file.pcap"));
    assert_int_equal(errno, ENOENT);
    assert_null(pcap_create("/dev/full"));
    assert_int_equal(errno, ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pcap_writes_the_format),
        cmocka_unit_test(test_pcap_refuses_a_file_it_cannot_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
