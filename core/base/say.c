/* Lines on stderr that wait for nobody. */
#include "base/say.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

void say_add(struct say_line *line, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        struct text_cell cell = text_cell(text, left);
        size_t len = strlen(cell.shown);

        if (line->len + len >= sizeof(line->text))
            return;
        memcpy(line->text + line->len, cell.shown, len);
        line->len += len;
        text += cell.bytes;
        left -= cell.bytes;
    }
}

/* POLLERR beside POLLOUT: nobody will ever read it. */
void say_now(struct say_line *line)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    ssize_t done;

    line->text[line->len++] = '\n'; /* say_add() has left room */
    done = poll(&out, 1, 0) == 1 && out.revents == POLLOUT
               ? write(STDERR_FILENO, line->text, line->len)
               : 0;
    (void)done;
    line->len = 0;
}
