#include "settings.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct setting_info setting_infos[SETTINGS] = {
    [SETTING_SEED] = {"seed", "N", 0, 4294967295.0, true,
                      "of all that is left to chance; 1 if not given"},
    [SETTING_LOSS] = {"loss", "PERCENT", 0, 100, false,
                      "packets that the link loses"},
    [SETTING_DELAY] = {"delay", "MS", 0, 10000, false,
                       "on the way, in each direction"},
    [SETTING_JITTER] = {"jitter", "MS", 0, 10000, false,
                        "the delay varies by so much"},
    [SETTING_RATE] = {"rate", "MBIT", 0.001, 100000, false,
                      "of the link, in each direction"},
    [SETTING_REORDER] = {"reorder", "PERCENT", 0, 100, false,
                         "packets that are overtaken"},
    [SETTING_DUPLICATE] = {"duplicate", "PERCENT", 0, 100, false,
                           "packets that come twice"},
    [SETTING_MESSAGES] = {"messages", "N", 1, 1000000, true,
                          "messages that are sent"},
    [SETTING_CLIENTS] = {"clients", "N", 1, 1000, true,
                         "programs that take part"},
    [SETTING_SIZE] = {"size", "BYTES", 1, 65507, true, "of each message"},
    [SETTING_FOR] = {"for", "S", 0.1, 60, false, "how long it runs"},
    [SETTING_LOAD] = {"load", "N", 1, 1000000, false,
                      "messages a second, of all clients together"},
};

void settings_init(struct settings *settings)
{
    memset(settings, 0, sizeof(*settings));
    settings->values[SETTING_SEED] = 1;
}

bool settings_set(struct settings *settings, enum setting which,
                  const char *text)
{
    const struct setting_info *info = &setting_infos[which];
    char *end;
    double value;

    errno = 0;
    value = strtod(text, &end);
    if (end == text || *end != '\0' || errno || !isfinite(value) ||
        value < info->min || value > info->max ||
        (info->is_whole && value != floor(value))) {
        fprintf(stderr,
                "playground compare: --%s takes a %snumber from %.10g to "
                "%.10g, not \"%s\"\n",
                info->name, info->is_whole ? "whole " : "", info->min,
                info->max, text);
        return false;
    }
    settings->values[which] = value;
    settings->given |= SETTING(which);
    return true;
}
