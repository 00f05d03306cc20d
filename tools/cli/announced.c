/* Reads the lines by which a server of ours tells that it is there. */
#include "cli/announced.h"

#include <stdio.h>
#include <string.h>

bool announced_listener(const char *line, struct announced *announced)
{
    return sscanf(line, "listening %31s %127s", announced->transport,
                  announced->address) == 2;
}

bool announced_ready(const char *line)
{
    return strcmp(line, "ready") == 0;
}
