/* The numbers of the command line that experiments may use. */

#include "compare/lab/settings.h"

#include <string.h>

#define WHOLE(least, most)                                                     \
    .range = {QUANTITY_COUNT, least, most, .is_whole = true}
#define PERCENT .range = {QUANTITY_PERCENT, 0, .most = 100}
#define MS      .range = {QUANTITY_MS, 0, .most = 10000}

const struct argument setting_infos[SETTINGS] = {
    [SETTING_SEED] = {"seed", "N",
                      "of all that is left to chance; 1 if not given", "7",
                      WHOLE(0, UINT32_MAX)},
    [SETTING_LOSS] = {"loss", "1%", "packets that the link loses", PERCENT},
    [SETTING_DELAY] = {"delay", "20ms", "on the way, in each direction", MS},
    [SETTING_JITTER] = {"jitter", "2ms", "the delay varies by so much", MS},
    [SETTING_RATE] = {"rate", "10mbit", "of the link, in each direction",
                      .range = {QUANTITY_MBIT, 0.001L, .most = 100000}},
    [SETTING_REORDER] = {"reorder", "5%", "packets held back, and overtaken",
                         PERCENT},
    [SETTING_DUPLICATE] = {"duplicate", "1%", "packets that come twice",
                           PERCENT},
    [SETTING_MESSAGES] = {"messages", "N", "messages that are sent", "100",
                          WHOLE(1, 1000000)},
    [SETTING_CLIENTS] = {"clients", "N", "programs that take part", "10",
                         WHOLE(1, 1000)},
    [SETTING_SIZE] = {"size", "BYTES", "of each message", "1000",
                      .range = {QUANTITY_BYTES, 1, 65507, .is_whole = true}},
    [SETTING_FOR] = {"for", "5s", "how long it runs",
                     .range = {QUANTITY_SECONDS, 0.1L, .most = 60}},
    [SETTING_LOAD] = {"load", "N", "messages a second, of all clients together",
                      "1000",
                      .range = {QUANTITY_PER_SECOND, 1, .most = 1000000}},
};

void settings_init(struct settings *settings)
{
    memset(settings, 0, sizeof(*settings));
    settings->values[SETTING_SEED] = 1;
}

bool settings_set(struct settings *settings, enum setting which,
                  const char *text, char *error, size_t size)
{
    long double value;

    if (!quantity_read(&setting_infos[which].range, text, &value, error, size))
        return false;
    settings->values[which] = (double)value;
    settings->given |= SETTING(which);
    return true;
}

const char *settings_unit(const char *name)
{
    for (int i = 0; i < SETTINGS; i++)
        if (!strcmp(setting_infos[i].name, name))
            return quantity_unit_text(setting_infos[i].range.unit);
    return "";
}
