/* Opens connections, says so, and keeps them until its stdin ends. */
#include "load.h"

#include <sys/socket.h>
#include <unistd.h>

void hold(const struct options *options)
{
    char byte;

    for (unsigned i = 0; i < options->connections; i++)
        load_connect(options, SOCK_STREAM);
    puts("connected");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
}
