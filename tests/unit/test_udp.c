/* The parts of udp that cannot be seen from outside; the rest is in
   e2e/test_udp.py. */
#include "transport/udp.c"
#include "transport/udp_send.c"

#include "transport_fixture.h"

static struct udp_options options_on(const char *host)
{
    return (struct udp_options){
        .host = host,
        .receive_buffer_bytes = 100000,
        .send_buffer_bytes = 50000,
        .max_peers = 10,
    };
}

static struct listener_run run;
static struct udp udp;

static struct pg_listener listener_with(struct udp_options *options)
{
    run = (struct listener_run){0};
    udp = (struct udp){.max_segment = DATAGRAM_BYTES};
    return (struct pg_listener){
        .transport = &pg_transport,
        .options = options,
        .private = &udp,
        .run = &run,
    };
}

/* ---- sockets ---------------------------------------------------------- */

static void test_udp_listens_without_sharing_its_port(void **state)
{
    struct udp_options options = options_on("127.0.0.1");
    struct pg_listener listener = listener_with(&options);
    int fd = udp_listen(&listener);

    (void)state;

    assert_never_blocks(fd);
    assert_false(socket_option(fd, SOL_SOCKET, SO_REUSEADDR));
    assert_false(socket_option(fd, SOL_SOCKET, SO_REUSEPORT));
    close(fd);
}

static void test_udp_buffers_are_as_large_as_asked(void **state)
{
    struct udp_options options = options_on("127.0.0.1");
    struct pg_listener listener = listener_with(&options);
    int fd = udp_listen(&listener);

    (void)state;

    /* The kernel doubles both for its own book-keeping, see socket(7). */
    assert_int_equal(socket_option(fd, SOL_SOCKET, SO_RCVBUF), 2 * 100000);
    assert_int_equal(socket_option(fd, SOL_SOCKET, SO_SNDBUF), 2 * 50000);
    close(fd);
}

static void test_udp_buffers_too_large_for_the_system_are_cut(void **state)
{
    struct udp_options options = options_on("127.0.0.1");
    struct pg_listener listener = listener_with(&options);
    int fd;

    (void)state;
    options.receive_buffer_bytes = options.send_buffer_bytes = 1 << 30;

    fd = udp_listen(&listener);

    assert_true(fd >= 0);
    close(fd);
}

static void test_udp_asks_for_local_addresses_on_a_wildcard(void **state)
{
    struct udp_options options = options_on("0.0.0.0");
    struct pg_listener listener = listener_with(&options);
    int fd = udp_listen(&listener);

    (void)state;
    assert_int_equal(socket_option(fd, IPPROTO_IP, IP_PKTINFO), 1);
    close(fd);

    options.host = "127.0.0.1";
    fd = udp_listen(&listener);
    assert_int_equal(socket_option(fd, IPPROTO_IP, IP_PKTINFO), 0);
    close(fd);
}

static void test_udp_ipv6_wildcard_serves_both_families(void **state)
{
    struct udp_options options = options_on("::");
    struct pg_listener listener = listener_with(&options);
    int fd = udp_listen(&listener);

    (void)state;

    assert_int_equal(socket_option(fd, IPPROTO_IP, IP_PKTINFO), 1);
    assert_int_equal(socket_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO), 1);
    assert_int_equal(socket_option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    close(fd);
}

static void test_udp_adopt_tells_a_listener_from_a_client(void **state)
{
    struct udp_options options = options_on("0.0.0.0");
    struct pg_listener listener = listener_with(&options);
    int listening = udp_listen(&listener), connected;

    (void)state;
    options.idle_s = 3;
    assert_int_equal(udp_adopt(&listener, listening), 0);
    assert_false(udp.is_connected);
    assert_int_equal(run.idle_ms, 3000);

    options.host = "127.0.0.1";
    options.port = ntohs(udp.bound.v4.sin_port);
    connected = udp_connect(&listener);

    assert_int_equal(udp_adopt(&listener, connected), 0);
    assert_true(udp.is_connected);
    assert_int_equal(run.idle_ms, 0); /* a client does not expire */
    close(connected);
    close(listening);
}

static void test_udp_slots_fit_the_largest_datagram(void **state)
{
    static struct udp_receiving in;
    static uint8_t buffer[3 * SLOT_BYTES + 1];

    (void)state;

    in.used = 3;
    udp_lay_slots(&in, buffer);

    for (int i = 0; i < 3; i++) {
        assert_true(in.parts[i].iov_len > DATAGRAM_BYTES);
        assert_ptr_equal(in.parts[i].iov_base, buffer + i * SLOT_BYTES);
        assert_int_equal(in.messages[i].msg_hdr.msg_namelen,
                         sizeof(in.peers[i]));
    }
    assert_null(in.parts[3].iov_base); /* not used, not touched */
}

/* ---- what may leave as one message ------------------------------------ */

/* Only compared, never looked into. */
#define ANA ((struct pg_session *)16)
#define BOB ((struct pg_session *)32)

/* One datagram; only its length is looked at. */
static struct pg_record one(struct pg_session *to, size_t len)
{
    return (struct pg_record){to, {NULL, len}, len};
}

/* udp_group() of datagrams to Ana with these lengths; ends with -1. */
static int group_of(const int *lengths)
{
    struct pg_record records[128];
    int count = 0;

    for (; lengths[count] >= 0; count++)
        records[count] = one(ANA, (size_t)lengths[count]);
    return udp_group(&udp, records, count);
}

#define GROUP(...) group_of((const int[]){__VA_ARGS__, -1})

static int group_setup(void **state)
{
    (void)state;
    udp = (struct udp){.max_segment = DATAGRAM_BYTES};
    return 0;
}

static void test_udp_groups_neighbours_of_one_size(void **state)
{
    (void)state;

    assert_int_equal(GROUP(100), 1);
    assert_int_equal(GROUP(100, 100, 100), 3);
    assert_int_equal(GROUP(100, 100, 101), 2);
    assert_int_equal(GROUP(100, 101), 1);
}

static void test_udp_the_last_of_a_group_may_be_shorter(void **state)
{
    (void)state;

    assert_int_equal(GROUP(100, 100, 99), 3);
    assert_int_equal(GROUP(100, 1, 100), 2);
    assert_int_equal(GROUP(100, 1, 1), 2);
}

static void test_udp_empty_datagrams_travel_alone(void **state)
{
    (void)state;

    assert_int_equal(GROUP(0), 0);
    assert_int_equal(GROUP(0, 0), 0);
    assert_int_equal(GROUP(100, 0), 1);
    assert_int_equal(GROUP(100, 100, 0), 2);
}

static void test_udp_a_group_has_one_peer(void **state)
{
    const struct pg_record records[] = {one(ANA, 9), one(ANA, 9), one(BOB, 9),
                                        one(BOB, 9), one(ANA, 9)};

    (void)state;

    assert_int_equal(udp_group(&udp, records, 5), 2);
    assert_int_equal(udp_group(&udp, records + 2, 3), 2);
    assert_int_equal(udp_group(&udp, records + 4, 1), 1);
}

static void test_udp_a_group_is_no_larger_than_the_kernel_takes(void **state)
{
    struct pg_record records[PARTS];

    (void)state;
    for (int i = 0; i < PARTS; i++)
        records[i] = one(ANA, 1);
    assert_int_equal(udp_group(&udp, records, PARTS), SEGMENTS);

    for (int i = 0; i < PARTS; i++)
        records[i] = one(ANA, 1472);
    assert_int_equal(udp_group(&udp, records, PARTS), DATAGRAM_BYTES / 1472);

    records[0] = records[1] = one(ANA, DATAGRAM_BYTES);
    assert_int_equal(udp_group(&udp, records, 2), 1);
}

static void test_udp_sizes_that_were_refused_travel_alone(void **state)
{
    (void)state;
    udp.max_segment = 100;

    assert_int_equal(GROUP(100, 100), 2);
    assert_int_equal(GROUP(101, 101), 0);

    udp.max_segment = 0;

    assert_int_equal(GROUP(1, 1), 0);
}

static void test_udp_groups_runs_like_datagrams(void **state)
{
    struct pg_record records[] = {
        {ANA, {NULL, 300}, 100}, {ANA, {NULL, 250}, 100}, one(ANA, 100)};

    (void)state;

    assert_int_equal(udp_count(&records[0]), 3);
    assert_int_equal(udp_count(&records[1]), 3);
    assert_int_equal(udp_group(&udp, records, 3), 2); /* 50 end the group */

    records[1] = (struct pg_record){ANA, {NULL, 100}, 50};

    assert_int_equal(udp_group(&udp, records, 3), 1); /* 2, not one of 100 */

    records[0].bytes.len = 100 * (SEGMENTS - 2);

    assert_int_equal(udp_group(&udp, records, 3), 1);
}

static void test_udp_knows_a_refused_group(void **state)
{
    (void)state;
    udp.out.datagrams[0] = 2;

    assert_true(udp_is_group_refused(&udp, EMSGSIZE));
    assert_true(udp_is_group_refused(&udp, EINVAL));
    assert_true(udp_is_group_refused(&udp, EIO));
    assert_false(udp_is_group_refused(&udp, EAGAIN));

    udp.out.datagrams[0] = 1;

    assert_false(udp_is_group_refused(&udp, EMSGSIZE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_udp_listens_without_sharing_its_port),
        cmocka_unit_test(test_udp_buffers_are_as_large_as_asked),
        cmocka_unit_test(test_udp_buffers_too_large_for_the_system_are_cut),
        cmocka_unit_test(test_udp_asks_for_local_addresses_on_a_wildcard),
        cmocka_unit_test(test_udp_ipv6_wildcard_serves_both_families),
        cmocka_unit_test(test_udp_adopt_tells_a_listener_from_a_client),
        cmocka_unit_test(test_udp_slots_fit_the_largest_datagram),
        cmocka_unit_test_setup(test_udp_groups_neighbours_of_one_size,
                               group_setup),
        cmocka_unit_test_setup(test_udp_the_last_of_a_group_may_be_shorter,
                               group_setup),
        cmocka_unit_test_setup(test_udp_empty_datagrams_travel_alone,
                               group_setup),
        cmocka_unit_test_setup(test_udp_a_group_has_one_peer, group_setup),
        cmocka_unit_test_setup(
            test_udp_a_group_is_no_larger_than_the_kernel_takes, group_setup),
        cmocka_unit_test_setup(test_udp_sizes_that_were_refused_travel_alone,
                               group_setup),
        cmocka_unit_test_setup(test_udp_groups_runs_like_datagrams,
                               group_setup),
        cmocka_unit_test_setup(test_udp_knows_a_refused_group, group_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
