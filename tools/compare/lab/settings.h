/*
 * settings - the numbers of the command line that experiments may use, each
 * described in one table, from which parsing and help are made.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>

#include "cli/arguments.h"

enum setting {
    SETTING_SEED,      /* every experiment accepts it; default 1 */
    SETTING_LOSS,      /* percent */
    SETTING_DELAY,     /* ms, each way */
    SETTING_JITTER,    /* ms */
    SETTING_RATE,      /* Mbit/s */
    SETTING_REORDER,   /* percent */
    SETTING_DUPLICATE, /* percent */
    SETTING_MESSAGES,  /* how many */
    SETTING_CLIENTS,   /* how many */
    SETTING_SIZE,      /* bytes of a message */
    SETTING_FOR,       /* s */
    SETTING_LOAD,      /* messages a second, of all clients */
    SETTINGS,          /* how many there are */
};

#define SETTING(which) (1u << (which))

extern const struct argument setting_infos[SETTINGS];

struct settings {
    double values[SETTINGS];
    unsigned given; /* SETTING(...) of those that were on the command line */
};

void settings_init(struct settings *settings);

/* Takes `text` for a setting, with its unit or without ("20" or "20ms"). False
   after writing into `error` what is wrong, as quantity_read() does. */
bool settings_set(struct settings *settings, enum setting which,
                  const char *text, char *error, size_t size);

/* The unit of the setting of that name, as it is shown; "" if it has none. */
const char *settings_unit(const char *name);

#endif
