/* JSON on stdout: jansson escapes what JSON asks for, which leaves DEL, C1
   controls and direction marks as they are. */
#include "cli/json_out.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Outside its texts JSON is ASCII, and its line ends are layout. */
static void json_out_character(struct pg_bytes in, FILE *out)
{
    char shown[16];

    if (in.len == 1 && in.data[0] != 0x7f) {
        fputc(in.data[0], out);
        return;
    }
    text_show(shown, sizeof(shown), in, PG_UTF8_JSON, NULL);
    fputs(shown, out);
}

int json_out(const json_t *value, size_t flags, FILE *out)
{
    char *text = json_dumps(value, flags);
    struct pg_bytes left;

    if (!text)
        return -1;
    left = pg_text(text);
    while (left.len > 0) {
        uint32_t character;
        size_t len = pg_utf8_next(left, &character);

        json_out_character(pg_bytes(left.data, len ? len : 1), out);
        left =
            pg_bytes(left.data + (len ? len : 1), left.len - (len ? len : 1));
    }
    fputc('\n', out);
    free(text);
    return ferror(out) ? -1 : 0;
}
