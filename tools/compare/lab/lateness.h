/*
 * lateness - how late this machine lets those come who have asked to be woken.
 *
 * A process that does nothing else asks to be woken every few milliseconds
 * and notes how late it comes. It knows nothing of the experiment, and so
 * tells a machine that was too busy from a theory that does not hold.
 */
#ifndef LATENESS_H
#define LATENESS_H

struct lateness;

/* Starts the process, which ends with the caller. NULL, with errno. */
struct lateness *lateness_start(void);

/* At worst since the start, in milliseconds; 0 of NULL. */
double lateness_worst_ms(const struct lateness *lateness);

/* The loop of somebody else came so late. */
void lateness_note(struct lateness *lateness, double ms);

#endif
