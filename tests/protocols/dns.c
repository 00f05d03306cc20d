/*
 * dns: answers for the names in "records", to dig (RFC 1035; EDNS: RFC 6891).
 *
 *     | number, flags, counts: 12 bytes | question | records | EDNS: 11 bytes |
 *
 * A datagram is a message; on a stream `length` with "size": 2 makes messages.
 * Where an answer is too long for a datagram, or for a peer whose address may
 * be forged, it is sent as "truncated", and the peer asks again over TCP.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

#include <playground/handler.h>

#define DNS_HEADER_BYTES 12
#define DNS_RECORD_BYTES 12 /* in front of its data, its name as two bytes */
#define DNS_EDNS_BYTES   11
#define DNS_UDP_BYTES    512  /* without EDNS */
#define DNS_UDP_MOST     1232 /* with it: whole wherever IPv6 goes */
enum { DNS_A = 1, DNS_TXT = 16, DNS_AAAA = 28, DNS_OPT = 41, DNS_ANY = 255 };
enum { DNS_OK, DNS_FORMERR, DNS_NXDOMAIN = 3, DNS_NOTIMP, DNS_REFUSED };
enum { DNS_BADVERS = 16, DNS_TTL_S = 3600, DNS_RECORDS = 256 };

struct dns_options {
    const char *const *records;
};

struct dns_name {
    size_t len;
    uint8_t bytes[256]; /* as on the wire, in small letters */
};

struct dns_record {
    struct dns_name name;
    uint16_t type;
    size_t len;
    uint8_t wire[DNS_RECORD_BYTES + 257];
};

struct dns_private {
    size_t count;
    struct dns_record records[DNS_RECORDS];
};

struct dns_query {
    struct pg_bytes in;
    struct dns_name name;
    uint16_t type, code;             /* what is asked for, what is wrong */
    size_t head_len, edns_len, most; /* bytes; `most` of an answer */
};

static const struct pg_option dns_options[] = {
    {"records", PG_STRINGS, PG_FIELD(struct dns_options, records),
     .max = DNS_RECORDS, .help = "each: NAME A|AAAA|TXT VALUE"},
    {0},
};

static uint16_t dns_get(const uint8_t *from)
{
    return (uint16_t)(from[0] << 8 | from[1]);
}

static uint8_t *dns_put(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
    return to + 2;
}

/* www.example.org is 3 www 7 example 3 org 0. */
static bool dns_set_name(struct dns_name *name, const char *text)
{
    size_t len;

    for (name->len = 0; *text; text += len + (text[len] == '.')) {
        len = strcspn(text, ".");
        if (len == 0 || len > 63 || name->len + len + 2 > 255)
            return false;
        name->bytes[name->len++] = (uint8_t)len;
        for (size_t i = 0; i < len; i++)
            name->bytes[name->len++] = (uint8_t)tolower(text[i]);
    }
    name->bytes[name->len++] = 0;
    return true;
}

static bool dns_set(struct dns_record *record, const char *text)
{
    uint8_t *to = record->wire, *data = to + DNS_RECORD_BYTES;
    char name[256], type[8], value[257];
    size_t len = 0;

    if (sscanf(text, "%255s %7s %256[^\n]", name, type, value) != 3 ||
        !dns_set_name(&record->name, name) || strlen(value) > 255)
        return false;
    if (!strcmp(type, "A") && inet_pton(AF_INET, value, data) == 1)
        record->type = DNS_A, len = 4;
    if (!strcmp(type, "AAAA") && inet_pton(AF_INET6, value, data) == 1)
        record->type = DNS_AAAA, len = 16;
    if (!strcmp(type, "TXT"))
        record->type = DNS_TXT,
        len = (size_t)sprintf((char *)data, "%c%s", (int)strlen(value), value);
    to = dns_put(dns_put(to, 0xc00c), record->type); /* the question's name */
    to = dns_put(dns_put(to, 1), DNS_TTL_S >> 16);
    dns_put(dns_put(to, DNS_TTL_S & 0xffff), (unsigned)len);
    record->len = DNS_RECORD_BYTES + len;
    return len > 0;
}

static int dns_check(struct pg_entry *entry)
{
    const struct dns_options *options = pg_entry_options(entry);
    struct dns_record record = {0};

    for (const char *const *text = options->records; *text; text++)
        if (!dns_set(&record, *text))
            return pg_fail(entry, "records",
                           "\"%s\" is no record; write NAME A|AAAA|TXT VALUE",
                           *text);
    return 0;
}

static int dns_init(struct pg_entry *entry)
{
    const struct dns_options *options = pg_entry_options(entry);
    struct dns_private *self = pg_entry_private(entry);

    for (; options->records[self->count]; self->count++)
        dns_set(&self->records[self->count], options->records[self->count]);
    return 0;
}

/* ---- queries ----------------------------------------------------------- */

/* A name as it stands in a question, which is not compressed. */
static bool dns_get_name(struct dns_name *name, const uint8_t *at, size_t most)
{
    size_t len = 0;

    while (len < most && at[len] > 0 && at[len] <= 63)
        len += at[len] + 1u;
    if (len >= most || at[len] > 0 || len >= 255)
        return false;
    name->len = len + 1;
    for (size_t i = 0; i <= len; i++) /* no length is a capital letter */
        name->bytes[i] = (uint8_t)tolower(at[i]);
    return true;
}

static uint16_t dns_get_edns(struct dns_query *query, const uint8_t *at,
                             const uint8_t *end)
{
    if (end - at < DNS_EDNS_BYTES)
        return DNS_FORMERR;
    if (at[0] != 0 || dns_get(at + 1) != DNS_OPT)
        return DNS_OK;
    query->edns_len = DNS_EDNS_BYTES;
    if (query->most == DNS_UDP_BYTES && dns_get(at + 3) > DNS_UDP_BYTES)
        query->most =
            dns_get(at + 3) < DNS_UDP_MOST ? dns_get(at + 3) : DNS_UDP_MOST;
    return at[6] == 0 ? DNS_OK : DNS_BADVERS;
}

static uint16_t dns_parse(struct dns_query *query)
{
    const uint8_t *in = query->in.data, *end = in + query->in.len, *at;
    size_t most = query->in.len - DNS_HEADER_BYTES;

    query->head_len = DNS_HEADER_BYTES;
    if (in[2] & 0x78) /* no standard query */
        return DNS_NOTIMP;
    at = in + DNS_HEADER_BYTES;
    if (dns_get(in + 4) != 1 || !dns_get_name(&query->name, at, most) ||
        most < query->name.len + 4)
        return DNS_FORMERR;
    at += query->name.len;
    query->head_len = (size_t)(at + 4 - in);
    query->type = dns_get(at);
    if (dns_get(at + 2) != 1) /* the Internet */
        return DNS_REFUSED;
    return dns_get(in + 10) ? dns_get_edns(query, at + 4, end) : DNS_OK;
}

/* ---- answers ----------------------------------------------------------- */

static int dns_answer(struct pg_ctx *ctx, struct dns_query *query, size_t most)
{
    const struct dns_private *self = pg_private(ctx);
    uint8_t *out = pg_scratch(ctx, most + DNS_UDP_BYTES), *records, *at;
    uint8_t edns[DNS_EDNS_BYTES] = {0, 0, DNS_OPT, DNS_UDP_MOST >> 8,
                                    DNS_UDP_MOST & 0xff};
    unsigned code = query->code, count = 0;
    bool is_known = code != DNS_OK, is_cut = false;

    records = at = mempcpy(out, query->in.data, query->head_len);
    for (size_t i = 0; code == DNS_OK && i < self->count; i++) {
        const struct dns_record *each = &self->records[i];

        if (memcmp(&each->name, &query->name, sizeof(each->name)) != 0)
            continue;
        is_known = true;
        if (query->type != DNS_ANY && query->type != each->type)
            continue;
        is_cut |= (size_t)(at - out) + each->len + query->edns_len > most;
        at = is_cut ? records : mempcpy(at, each->wire, each->len);
        count++;
    }
    code = is_known ? code : DNS_NXDOMAIN;
    dns_put(out + 2, 0x8000 | (out[2] & 0x79) << 8 |
                         (code == DNS_OK || code == DNS_NXDOMAIN) << 10 |
                         is_cut << 9 | (code & 15));
    dns_put(out + 4, query->head_len > DNS_HEADER_BYTES);
    dns_put(dns_put(out + 6, is_cut ? 0 : count), 0);
    dns_put(out + 10, query->edns_len > 0);
    edns[5] = (uint8_t)(code >> 4);
    at = mempcpy(at, edns, query->edns_len);
    return pg_send(ctx, pg_bytes(out, (size_t)(at - out)));
}

static enum pg_verdict dns_recv(struct pg_ctx *ctx, struct pg_bytes in)
{
    size_t most = pg_entry_frame_bytes(pg_entry(ctx));
    struct dns_query query = {.in = in};
    int sent;

    if (in.len < DNS_HEADER_BYTES || in.data[2] & 0x80)
        return pg_drop(ctx, "no question");
    query.most = most < UINT16_MAX ? most : UINT16_MAX;
    if (pg_transport_kind(ctx) == PG_RECORDS)
        query.most = DNS_UDP_BYTES;
    query.code = dns_parse(&query);
    sent = dns_answer(ctx, &query, query.most);
    if (sent == -EDQUOT) /* a stranger's address may be forged */
        sent = dns_answer(ctx, &query, 0);
    return sent == -ENOBUFS ? pg_keep(ctx, in) : PG_STOP;
}

const struct pg_handler pg_handler = {
    .abi = PG_HANDLER_ABI,
    .name = "dns",
    .summary = "answers for the names of its records",
    .needs = PG_RECORDS,
    .options = dns_options,
    .options_size = sizeof(struct dns_options),
    .entry_size = sizeof(struct dns_private),
    .check = dns_check,
    .init = dns_init,
    .recv = dns_recv,
};
