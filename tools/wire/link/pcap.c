/* The capture file, in the format of tcpdump with nanoseconds. */
#include "wire/link/pcap.h"

#include "base/anew.h"

#define MAGIC_NANOSECONDS 0xa1b23c4du
#define LINKTYPE_RAW      101 /* IPv4 or IPv6, told apart by the first nibble */
#define SNAP_BYTES        65535

/* The head of a capture is in the byte order of the machine; readers find out
   which by the magic number. */
struct file_header {
    uint32_t magic;
    uint16_t version_major, version_minor;
    uint32_t time_zone, accuracy;
    uint32_t snap_bytes, link_type;
};

struct packet_header {
    uint32_t s, ns;
    uint32_t captured, len;
};

FILE *pcap_create(const char *path)
{
    const struct file_header header = {
        .magic = MAGIC_NANOSECONDS,
        .version_major = 2,
        .version_minor = 4,
        .snap_bytes = SNAP_BYTES,
        .link_type = LINKTYPE_RAW,
    };
    FILE *file = anew_stream(path);

    if (file && fwrite(&header, sizeof(header), 1, file) == 1 &&
        fflush(file) == 0)
        return file;
    if (file)
        fclose(file);
    return NULL;
}

bool pcap_write(FILE *file, const uint8_t *packet, size_t len, uint64_t time_ns)
{
    const struct packet_header header = {
        .s = (uint32_t)(time_ns / 1000000000),
        .ns = (uint32_t)(time_ns % 1000000000),
        .captured = (uint32_t)len,
        .len = (uint32_t)len,
    };

    return fwrite(&header, sizeof(header), 1, file) == 1 &&
           fwrite(packet, len, 1, file) == 1;
}
