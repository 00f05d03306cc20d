/* For plugins that show words of a peer. */
#include <playground/utf8.h>

#include <unictype.h>

#include "base/text.h"

size_t pg_utf8_show(char *out, size_t size, struct pg_bytes in,
                    enum pg_utf8_form form, size_t *used)
{
    return text_show(out, size, in, form, used);
}

int pg_utf8_width(uint32_t character)
{
    return text_width(character);
}

bool pg_utf8_is_invisible(uint32_t character)
{
    return text_width(character) < 0 || character == 0x2800 || /* no dots */
           uc_is_general_category_withtable(character, UC_CATEGORY_MASK_Zs);
}
