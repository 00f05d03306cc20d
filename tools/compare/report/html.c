/* Text for a page. */

#include "compare/report/html.h"

#include <stdlib.h>

#include "base/text.h"

void html_text(FILE *out, const char *text)
{
    char *clean = text_clean(text);

    for (const char *at = clean; *at; at++)
        switch (*at) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputc(*at, out);
        }
    free(clean);
}
