#include "compare/lab/settings.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/quantity.h"

const struct setting_info setting_infos[SETTINGS] = {
    [SETTING_SEED] = {"seed", "N", "", 0, 4294967295.0, true,
                      "of all that is left to chance; 1 if not given"},
    [SETTING_LOSS] = {"loss", "PERCENT", "%", 0, 100, false,
                      "packets that the link loses"},
    [SETTING_DELAY] = {"delay", "MS", "ms", 0, 10000, false,
                       "on the way, in each direction"},
    [SETTING_JITTER] = {"jitter", "MS", "ms", 0, 10000, false,
                        "the delay varies by so much"},
    [SETTING_RATE] = {"rate", "MBIT", "Mbit/s", 0.001, 100000, false,
                      "of the link, in each direction"},
    [SETTING_REORDER] = {"reorder", "PERCENT", "%", 0, 100, false,
                         "packets that are overtaken"},
    [SETTING_DUPLICATE] = {"duplicate", "PERCENT", "%", 0, 100, false,
                           "packets that come twice"},
    [SETTING_MESSAGES] = {"messages", "N", "", 1, 1000000, true,
                          "messages that are sent"},
    [SETTING_CLIENTS] = {"clients", "N", "", 1, 1000, true,
                         "programs that take part"},
    [SETTING_SIZE] = {"size", "BYTES", "bytes", 1, 65507, true,
                      "of each message"},
    [SETTING_FOR] = {"for", "S", "s", 0.1, 60, false, "how long it runs"},
    [SETTING_LOAD] = {"load", "N", "a second", 1, 1000000, false,
                      "messages a second, of all clients together"},
};

void settings_init(struct settings *settings)
{
    memset(settings, 0, sizeof(*settings));
    settings->values[SETTING_SEED] = 1;
}

/* With its unit, as `playground wire` takes it: "1%", "20ms", "10mbit". */
static bool settings_read_with_unit(enum setting which, const char *text,
                                    double *value)
{
    char unused[200];
    bool is_fine;

    switch (which) {
    case SETTING_LOSS:
    case SETTING_REORDER:
    case SETTING_DUPLICATE:
        is_fine = quantity_share(text, value, unused, sizeof(unused));
        *value *= 100;
        return is_fine;
    case SETTING_DELAY:
    case SETTING_JITTER:
        return quantity_time(text, value, unused, sizeof(unused));
    case SETTING_FOR:
        is_fine = quantity_time(text, value, unused, sizeof(unused));
        *value /= 1e3;
        return is_fine;
    case SETTING_RATE:
        return quantity_rate(text, value, unused, sizeof(unused));
    default:
        return false;
    }
}

/* A number alone is in the unit of the setting. */
static bool settings_read_value(enum setting which, const char *text,
                                double *value)
{
    char *end;

    errno = 0;
    *value = strtod(text, &end);
    if (end > text && *end == '\0')
        return !errno && isfinite(*value);
    return settings_read_with_unit(which, text, value);
}

bool settings_set(struct settings *settings, enum setting which,
                  const char *text)
{
    const struct setting_info *info = &setting_infos[which];
    char wrong[TEXT_QUOTE_BYTES];
    double value;

    if (!settings_read_value(which, text, &value) || value < info->min ||
        value > info->max || (info->is_whole && value != floor(value))) {
        fprintf(stderr,
                "playground compare: --%s takes a %snumber from %.10g to "
                "%.10g%s%s, not %s\n",
                info->name, info->is_whole ? "whole " : "", info->min,
                info->max, *info->unit ? " " : "", info->unit,
                text_quote(text, wrong));
        return false;
    }
    settings->values[which] = value;
    settings->given |= SETTING(which);
    return true;
}

const char *settings_unit(const char *name)
{
    for (int i = 0; i < SETTINGS; i++)
        if (!strcmp(setting_infos[i].name, name))
            return setting_infos[i].unit;
    return "";
}
