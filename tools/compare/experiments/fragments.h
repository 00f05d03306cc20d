/*
 * fragments - the part of `largest` that needs a link: its packets carry 1,500
 * bytes, so that a longer datagram travels in fragments.
 */
#ifndef FRAGMENTS_H
#define FRAGMENTS_H

#include "compare/lab/lab.h"

/* The setting it uses: how much of each packet is lost, in percent. */
#define FRAGMENTS_SETTINGS SETTING(SETTING_LOSS)

/* Adds rows, a plot and checks to the result, or a note why it cannot. The
   process stands at the end of the link afterwards. */
void fragments_measure(struct lab *lab);

#endif
