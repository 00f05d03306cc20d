#include "broadcast.h"

#include <stdlib.h>
#include <string.h>

static size_t put_line(char *out, const char *text, size_t len)
{
    memcpy(out, text, len);
    out[len] = '\n';
    return len + 1;
}

static size_t put_redis(char *out, const char *what, const char *text,
                        size_t len)
{
    return (size_t)sprintf(out, "*3\r\n$7\r\n%s\r\n$1\r\nc\r\n$%zu\r\n%.*s\r\n",
                           what, len, (int)len, text);
}

static size_t publish_redis(char *out, const char *text, size_t len)
{
    return put_redis(out, "PUBLISH", text, len);
}

static size_t deliver_redis(char *out, const char *text, size_t len)
{
    return put_redis(out, "message", text, len);
}

static size_t publish_nats(char *out, const char *text, size_t len)
{
    return (size_t)sprintf(out, "PUB c %zu\r\n%.*s\r\n", len, (int)len, text);
}

static size_t deliver_nats(char *out, const char *text, size_t len)
{
    return (size_t)sprintf(out, "MSG c 1 %zu\r\n%.*s\r\n", len, (int)len, text);
}

/* PUBLISH with QoS 0 to topic "c", MQTT 3.1.1 section 3.3. */
static size_t put_mqtt(char *out, const char *text, size_t len)
{
    const char head[] = {0x30, (char)(len + 3), 0, 1, 'c'};

    if (len + 3 > 127)
        fail("mqtt: messages of 125 bytes at most");
    memcpy(out, head, sizeof(head));
    memcpy(out + sizeof(head), text, len);
    return len + sizeof(head);
}

#define TEXT(literal)                                                          \
    {                                                                          \
        literal, sizeof(literal) - 1                                           \
    }
#define NATS_CONNECT "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n"
/* CONNECT: clean session, keep-alive 600 s, no client identifier. */
#define MQTT_CONNECT                                                           \
    "\x10\x0c\x00\x04"                                                         \
    "MQTT\x04\x02\x02\x58\x00\x00"
#define MQTT_SUBSCRIBE "\x82\x06\x00\x01\x00\x01\x63\x00"

static const struct framing framings[] = {
    {.name = "lines", .publish = put_line, .deliver = put_line},
    {
        .name = "redis",
        .subscriber = TEXT("SUBSCRIBE c\r\n"),
        .subscribed = TEXT(":1\r\n"),
        .publish = publish_redis,
        .deliver = deliver_redis,
    },
    {
        .name = "nats",
        .subscriber = TEXT(NATS_CONNECT "SUB c 1\r\nPING\r\n"),
        .subscribed = TEXT("PONG\r\n"),
        .publisher = TEXT(NATS_CONNECT "PING\r\n"),
        .published = TEXT("PONG\r\n"),
        .publish = publish_nats,
        .deliver = deliver_nats,
        .has_pings = true,
    },
    {
        .name = "mqtt",
        .subscriber = TEXT(MQTT_CONNECT MQTT_SUBSCRIBE),
        .subscribed = TEXT("\x90\x03\x00\x01\x00"),
        .publisher = TEXT(MQTT_CONNECT),
        .published = TEXT("\x20\x02\x00\x00"),
        .publish = put_mqtt,
        .deliver = put_mqtt,
    },
};

const struct framing *framing_find(const char *name)
{
    for (size_t i = 0; i < sizeof(framings) / sizeof(*framings); i++)
        if (!strcmp(framings[i].name, name))
            return &framings[i];
    fail("no framing %s", name);
}

/* Line number `line`: visible characters, and different from all others. */
static void write_text(char *out, unsigned line, size_t len)
{
    const uint8_t *random = pattern_at(line * 977u);
    char number[9];

    for (size_t i = 0; i < len; i++)
        out[i] = (char)('0' + random[i] % 64);
    snprintf(number, sizeof(number), "%08x", line);
    memcpy(out, number, len < 8 ? len : 8);
}

struct frames frames_create(size_t (*put)(char *, const char *, size_t),
                            size_t line_bytes)
{
    size_t len = line_bytes - 1, frame_bytes;
    char *text = malloc(line_bytes), *one = malloc(line_bytes + 128);
    struct frames frames;

    if (line_bytes < 9 || !text || !one)
        fail("lines of 9 bytes at least");
    write_text(text, 0, len);
    frame_bytes = put(one, text, len);
    frames.len = frame_bytes;
    frames.bytes = malloc((LINES + 1) * frame_bytes + INPUT_BYTES + 128);
    if (!frames.bytes)
        fail("no memory");
    for (unsigned i = 0; i * frame_bytes < LINES * frame_bytes + INPUT_BYTES;
         i++) {
        write_text(text, i % LINES, len);
        put(frames.bytes + i * frame_bytes, text, len);
    }
    free(text);
    free(one);
    return frames;
}
